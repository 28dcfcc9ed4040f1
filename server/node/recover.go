package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"skirmish/game"
	"skirmish/game/replay"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/journal"
	"skirmish/server/session"
)

const (
	restoreTimeout = 10 * time.Second // of one match
	// seqSkip is more than a match gives out numbers for events in the moment that a restart undoes, and skipEvery less than
	// passes between two restarts.
	seqSkip   = 1024
	skipEvery = 10 * time.Millisecond
)

// afterRestart is the number behind which the events of a match go on that was made at created and whose journal knows of
// numbers up to seq. A node that dies again before its journal has a new number would give out the same ones a second time if
// they did not depend on the time.
func afterRestart(seq uint64, created, now time.Time) uint64 {
	return seq + seqSkip*(1+uint64(max(0, now.Sub(created))/skipEvery))
}

// recover finds what the process before has left: matches without a result. Each goes on, or ends as failed with a result that
// says why. It runs before anybody is let in; who connects meanwhile waits in the backlog of the listening socket.
func (m *matches) recover(ctx context.Context, journals map[string][]journal.Entry) error {
	records, err := m.leftovers(ctx)
	if err != nil {
		return fmt.Errorf("look for unfinished matches: %w", err)
	}
	began := time.Now()
	m.tickets.load(journals[ownKey], began)
	known := map[string]bool{ownKey: true}
	for _, s := range records {
		known[s.UID] = true
	}
	if m.store.inputs != nil {
		for uid := range journals {
			if !known[uid] {
				m.store.inputs.End(uid)
			}
		}
	}
	defer m.replays.sweep()
	if len(records) == 0 {
		return nil
	}
	workers := runtime.GOMAXPROCS(0)
	if m.witness.suspects() {
		workers = 1 // the process before has died of one of them
	}
	queue := make(chan *leftover)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for s := range queue {
				m.restore(ctx, s, journals[s.UID])
			}
		})
	}
	for _, s := range records {
		queue <- s
	}
	close(queue)
	working.Wait()
	on := 0
	for _, e := range m.all() {
		if e.room.Outcome() == nil {
			on++
		}
	}
	m.log.Info().Int("go_on", on).Int("found", len(records)).Dur("took", time.Since(began)).Msg("matches of the process before")
	return nil
}

// leftover is a savedMatch as it lies in the store.
type leftover struct {
	savedMatch
	seq uint64
}

// leftovers are the matches without a result, oldest first. Records of others are forgotten: of those that came to their end
// just before the process did.
func (m *matches) leftovers(ctx context.Context) (out []*leftover, err error) {
	for from := uint64(1); ; {
		records, err := m.store.matches.List(ctx, from, 64)
		if err != nil || len(records) == 0 {
			return out, err
		}
		for i := range records {
			r := &records[i]
			from = r.Seq + 1
			s := &leftover{seq: r.Seq}
			if err := json.Unmarshal(r.Data, &s.savedMatch); err != nil {
				m.log.Error().Err(err).Uint64("record", r.Seq).Msg("the record of a match cannot be read, it is left alone")
				continue
			}
			result, err := m.store.result(ctx, s.Match.ID)
			switch {
			case err == nil && result.UID == s.UID:
				if err := m.store.matches.Delete(ctx, r.Seq); err != nil {
					return nil, err
				}
				if m.store.inputs != nil {
					m.store.inputs.End(s.UID)
				}
				continue
			case err != nil && !errors.Is(err, journal.ErrNotFound):
				return nil, err
			}
			out = append(out, s)
		}
	}
}

// restore has one match go on, or ends it.
func (m *matches) restore(ctx context.Context, s *leftover, entries []journal.Entry) {
	e := &entry{
		cfg: session.RoomConfig{
			Match: s.Match, Spectators: s.Spectators, Start: s.Start, Reconnect: s.Reconnect, NoShow: s.NoShow, Empty: s.Empty, MaxLength: s.MaxLength,
			Strays: m.strays,
		},
		record: s.seq, saved: make(chan struct{}),
		events: &eventLog{uid: s.UID, matchID: s.Match.ID, targets: s.Lanes},
	}
	if s.Recorded {
		if e.tape = m.replays.record(s.Match.ID); e.tape != nil {
			e.cfg.Tape = e.tape
		}
	}
	e.cfg.Notify = func(ev session.Event) { m.happened(e, ev) }
	e.cfg.AtWork, e.leave = m.witness.watch(s.UID)
	saved, now, err := s.collect(entries)
	e.events.seq = afterRestart(now.Seq, s.Created, time.Now())
	e.metadata, e.open = now.Metadata, now.Open
	var room *session.Room
	if err == nil {
		room, err = m.revive(ctx, e, saved)
	}
	if err != nil {
		m.log.Error().Err(err).Str("match", s.Match.ID).Msg("a match of the process before cannot go on")
		e.untape(m.replays)
		e.leave()
		m.failed(e, s, err)
		return
	}
	e.room, e.public = room, true
	m.mu.Lock()
	m.last++
	e.seq = m.last
	m.entries[s.Match.ID] = e
	m.live++
	m.mu.Unlock()
}

// revive makes the room of a match that goes on.
func (m *matches) revive(ctx context.Context, e *entry, saved session.Saved) (*session.Room, error) {
	def, ok := m.registry.Lookup(e.cfg.Match.Game)
	switch {
	case !ok:
		return nil, fmt.Errorf("this server has no game %q", e.cfg.Match.Game)
	case m.store.inputs == nil:
		return nil, errors.New("the node was killed and does not restore matches: --durability is off")
	}
	if err := m.witness.verdict(e.events.uid); err != nil {
		return nil, err
	}
	e.cfg.AtWork(restoring)
	defer e.cfg.AtWork(0)
	e.cfg.Definition, e.cfg.Journal = def, matchJournal{m.store.inputs, m.replays, e}
	ctx, cancel := context.WithTimeout(ctx, restoreTimeout)
	defer cancel()
	type outcome struct {
		room *session.Room
		err  error
	}
	made := make(chan outcome, 1)
	go func() { // not waited for if the game never returns
		room, err := session.RestoreRoom(ctx, e.cfg, &saved, m.lobby, m.keys, m.metrics, m.log)
		made <- outcome{room, err}
	}()
	select {
	case o := <-made:
		return o.room, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the game did not bring the match back within %v", restoreTimeout)
	}
}

// failed ends a match that cannot go on: its result says why.
func (m *matches) failed(e *entry, s *leftover, why error) {
	r := &api.Result{
		MatchID: s.Match.ID, Game: s.Match.Game, NodeID: m.nodeID, State: api.MatchFailed, Metadata: e.metadata, Reason: string(game.ReasonAborted),
		Failure: sentence(plain(why)), CreatedAt: api.Time(s.Created), EndedAt: api.Time(time.Now()),
		Players: []api.PlayerResult{},
	}
	place := map[string]int{}
	for i := range s.Seats {
		if s.Seats[i].Role != protocol.RoleSpectator {
			addPlayer(r, place, &s.Seats[i])
		}
	}
	if r.Metadata == nil {
		r.Metadata = map[string]string{}
	}
	if m.store.finish(e.events, "match.failed", r) {
		m.parted(e)
	}
}

// plain is an error without the names of the packages that it came through.
func plain(err error) string {
	text := err.Error()
	for _, prefix := range []string{session.ErrSaved.Error(), replay.ErrGame.Error()} {
		text = strings.TrimPrefix(text, prefix+": ")
	}
	return text
}

// resume starts what recover has found.
func (m *matches) resume() {
	for _, e := range m.all() {
		m.start(e)
	}
}
