package node

import (
	"context"
	"errors"
	"time"

	"skirmish/server/api"
	"skirmish/server/netpoll"
	"skirmish/server/session"
)

// An upgrade in place: the running process starts the new program with the same arguments and its listening sockets, waits until
// it is ready, gives its matches a last checkpoint, closes the store and lets the new process open it. Connections that come
// meanwhile wait in the backlog of the sockets. Until the new process serves the old one can go back: it opens the store again
// and restores the matches itself.

// Patience with the new process.
const (
	upgradeReady = 30 * time.Second // from its start until it has read its configuration and made its games
	upgradeServe = 60 * time.Second // from the closed store until it serves
)

// successor is the new process on its way.
type successor interface {
	pid() int
	// hand tells it that the store is its own, and returns when it serves, or cannot.
	hand() error
	// giveUp ends it.
	giveUp()
}

// Upgrade prepares a new process; with proceed Serve hands over to it and ends without ending the matches (api.Node).
func (n *Node) Upgrade() (*api.Upgrade, func(), error) {
	if n.prepare == nil {
		return nil, nil, api.NewError(api.BadRequest, "An upgrade in place works on Linux, for a server that is a process of its own.")
	}
	if n.upgrading.Swap(true) {
		return nil, nil, &api.Error{Code: api.Draining, Message: "Another process is about to take over already.", RetryAfter: time.Second}
	}
	to, err := n.prepare()
	if err != nil {
		n.upgrading.Store(false)
		n.log.Error().Err(err).Msg("the upgrade has failed before it began: this process goes on as if nothing had been")
		return nil, nil, api.NewError(api.Internal, sentence(err.Error()))
	}
	return &api.Upgrade{PID: to.pid()}, func() { n.handover <- to }, nil
}

// Sockets are the listening sockets that a node hands over, as descriptors.
type Sockets struct{ Game, Admin int }

// sockets are duplicates of the listening sockets.
func (n *Node) sockets() (s Sockets, err error) {
	if n.cfg.Durability != DurabilityJournal {
		return s, errors.New("without a journal (--durability journal) no other process can go on with the matches")
	}
	if s.Game, err = netpoll.Duplicate(n.game); err != nil {
		return s, err
	}
	s.Admin, err = netpoll.Duplicate(n.admin)
	return s, err
}

// handOver stops in the order that lets another process go on soonest: matches, store, and only then whoever still waits for a
// Close frame.
func (n *Node) handOver(to successor, serving interface{ Wait() }, endMatches context.CancelCauseFunc, closeLobby func()) error {
	began := time.Now()
	n.draining.Store(true)
	closeLobby()
	endMatches(session.ErrHandOver)
	n.matches.close()
	if n.store.inputs != nil {
		n.matches.tickets.anew() // so that the log before is cut off
	}
	n.store.feed.Close()
	n.public.Close()
	n.plain.Close()
	n.api.Close()
	n.store.close()
	n.unlock()
	n.log.Info().Dur("took", time.Since(began)).Msg("the matches are saved, the new process goes on with them")
	err := to.hand()
	serving.Wait()
	if err != nil {
		to.giveUp()
		n.log.Error().Err(err).Msg("the new process does not serve: this one goes on")
		return errWentBack
	}
	n.log.Info().Dur("took", time.Since(began)).Msg("the new process serves")
	return nil
}

// errWentBack says that a handover has failed and the matches wait for this process.
var errWentBack = errors.New("node: the new process does not serve")
