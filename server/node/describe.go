package node

import (
	"context"
	"errors"
	"os"
	"strconv"
	"time"

	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/metrics"
	"skirmish/server/session"
	"skirmish/server/webhook"
)

// Describe tells what the node is and does (api.Node).
func (n *Node) Describe() *api.NodeInfo {
	m := n.matches
	info := &api.NodeInfo{
		NodeID: n.id, Version: version(), PID: os.Getpid(), StartedAt: api.Time(n.started), State: "ready", URL: m.url, Games: []api.GameInfo{},
		Matches:  map[string]int{"waiting": 0, "running": 0, "ended": 0, "failed": 0},
		Seats:    map[string]int{"reserved": 0, "active": 0, "lost": 0, "bot": 0, "spectator": 0},
		Webhooks: api.WebhookInfo{Pending: m.store.hooks.Pending(), Secrets: m.store.secrets().IDs()},
		Results:  api.ResultInfo{Unsaved: int(m.store.unsaved.Load())},
	}
	if info.Webhooks.Secrets == nil {
		info.Webhooks.Secrets = []string{}
	}
	if at := n.drainBy.Load(); at != 0 {
		info.DrainedBy = new(api.Time(time.Unix(0, at)))
	}
	if err := n.ready(); err != nil {
		info.State, info.Reason = "not_ready", err.Error()
		if n.draining.Load() {
			info.State = "draining"
		}
	}
	for _, name := range m.registry.Names() {
		d, _ := m.registry.Lookup(name)
		info.Games = append(info.Games, api.GameInfo{Name: name, Version: d.Spec.Version, MaxPlayers: d.Spec.MaxPlayers})
	}
	for _, e := range m.all() {
		info.Matches[string(e.state())]++
		if e.room.Outcome() != nil {
			continue
		}
		seats, _ := e.room.Seats()
		for i := range seats {
			if name := seatKind(&seats[i]); name != "" {
				info.Seats[name]++
			}
		}
	}
	return info
}

// seatKind is what a seat counts as; empty for one that is free.
func seatKind(s *session.Seat) string {
	sits := s.State == protocol.SeatActive || s.State == protocol.SeatLost
	switch {
	case s.State == protocol.SeatReserved:
		return "reserved"
	case sits && s.Role == protocol.RoleBot:
		return "bot"
	case sits && s.Role == protocol.RoleSpectator:
		return "spectator"
	case s.State == protocol.SeatActive:
		return "active"
	case s.State == protocol.SeatLost:
		return "lost"
	}
	return ""
}

// letters shows the dead letters as the API does (api.Webhooks).
type letters struct{ *webhook.Dispatcher }

func (l letters) DeadLetters(ctx context.Context, cursor string, limit int) ([]api.DeadLetter, string, error) {
	from := uint64(0)
	if cursor != "" {
		var err error
		if from, err = strconv.ParseUint(cursor, 36, 64); err != nil {
			return nil, "", api.FieldError(api.BadRequest, "cursor", "cursor is none that a list has given.")
		}
	}
	dead, next, err := l.Dispatcher.DeadLetters(ctx, from, limit)
	if err != nil {
		return nil, "", err
	}
	out := make([]api.DeadLetter, len(dead))
	for i, d := range dead {
		out[i] = api.DeadLetter{
			ID: d.ID, Type: d.Type, MatchID: d.MatchID, URL: d.URL, SecretID: d.SecretID,
			QueuedAt: api.Time(d.Queued), DeadAt: api.Time(d.Dead), Tries: d.Tries, Error: d.Error,
		}
	}
	if next == 0 {
		return out, "", nil
	}
	return out, strconv.FormatUint(next, 36), nil
}

func (l letters) Redeliver(ctx context.Context, id string) (int, error) {
	n, err := l.Dispatcher.Redeliver(ctx, id)
	if errors.Is(err, webhook.ErrNoLetter) {
		return 0, api.NewError(api.NotFound, "There is no dead letter of that id.")
	}
	return n, err
}

// punctuality tells of the running matches how late their ticks begin.
func (m *matches) punctuality(yield func(metrics.MatchTicks) bool) {
	for _, e := range m.all() {
		if e.room.State() == session.StateRunning && !yield(e.room.Punctuality()) {
			return
		}
	}
}
