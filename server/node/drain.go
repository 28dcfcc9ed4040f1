package node

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"skirmish/server/api"
	"skirmish/server/session"
)

// How a node goes away.
const (
	DefaultDrainTimeout = 10 * time.Minute // for matches to end by themselves
	MaxDrainTimeout     = 24 * time.Hour

	drainCloses = 500              // players per second that are sent off at the deadline: they all look for another server
	drainSpread = 10 * time.Second // and all of them within this time
)

// errShutdown ends matches at once.
var errShutdown = errors.New("the server shuts down")

// Drain takes no new matches and players from now on and ends what still runs after the deadline, match after match so that
// not everybody looks for another server in the same moment (api.Node).
func (n *Node) Drain(deadline time.Duration) *api.NodeInfo {
	if !n.draining.Swap(true) {
		n.log.Info().Dur("deadline", deadline).Msg("draining")
		n.store.emit(n.store.own, "node.draining", time.Now(), struct {
			DeadlineMS int64 `json:"deadline_ms"`
		}{deadline.Milliseconds()})
	}
	n.drainBy.Store(time.Now().Add(deadline).UnixNano())
	var rooms []*session.Room
	players := 0
	all := n.matches.all()
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) }) // the oldest first
	for _, e := range all {
		if e.room.Outcome() == nil {
			_, c := e.room.Seats()
			rooms = append(rooms, e.room)
			players += c.Players + c.Spectators
		}
	}
	for i, room := range rooms {
		room.Drain(deadline + drainShare(i, len(rooms), players))
	}
	return n.Describe()
}

// drainShare is how long after the deadline match i of so many ends, with so many players in all of them.
func drainShare(i, matches, players int) time.Duration {
	return min(time.Duration(players)*time.Second/drainCloses, drainSpread) * time.Duration(i) / time.Duration(matches)
}

// Shutdown drains the node; when the last match is over Serve ends it and returns. Safe from any goroutine.
func (n *Node) Shutdown(deadline time.Duration) {
	select {
	case n.goodbye <- deadline:
	default: // on its way already
	}
}

// drain is Shutdown's work: it returns when every match is over, or ctx is done.
func (n *Node) drain(ctx context.Context, deadline time.Duration) {
	info := n.Drain(deadline)
	n.log.Info().Int("matches", info.Matches["waiting"]+info.Matches["running"]).Dur("deadline", deadline).
		Msg("waiting for the matches to end; another signal ends them at once")
	over := make(chan struct{})
	go func() { n.matches.close(); close(over) }() // ends with the matches, which Serve sees to
	select {
	case <-over:
	case <-ctx.Done():
	}
}
