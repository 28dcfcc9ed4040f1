package session

import (
	"fmt"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"skirmish/game"
)

// roomState is what a room is besides its match: the host's part of a checkpoint.
type roomState struct {
	Created    time.Time
	Started    time.Time // zero: not yet
	MaxLength  time.Duration
	Players    int // capacity
	Spectators int
	Version    uint32 // of the ledger
	Seats      []seatState
	Gone       []Seat
	Closed     bool // to reservations
	Stop       *stopState
	Events     []game.SavedEvent
	Tape       int64 // how long the recording is here; 0: it has not begun, or there is none
	Restarts   int   // of the node since the last checkpoint that was not made by one
}

// seatState is a ledgerSeat.
type seatState struct {
	Seat        Seat
	Generation  uint32
	Proven      uint32
	Changed     uint32
	Undone      uint32
	UndoneEvent uint32
	Since       time.Time
}

// stopState is an order to stop that waits for its time.
type stopState struct {
	At      time.Time
	Why     game.Reason
	Restart bool // it is because the server goes away
}

// save is the room's part of a checkpoint.
func (r *Room) save(now time.Time) ([]byte, error) {
	s := roomState{Created: r.created, MaxLength: time.Duration(r.maxLength.Load()), Events: r.engine.SaveEvents(), Restarts: r.restarts, Tape: r.tape.mark()}
	r.restarts = 0
	if at := r.running.Load(); at != 0 {
		s.Started = time.Unix(0, at)
	}
	if !r.deadline.IsZero() {
		s.Stop = &stopState{At: r.deadline, Why: r.stopOrder.why, Restart: r.stopOrder.farewell == endRestart}
	}
	r.ledger.save(&s, now)
	b, err := msgpack.Marshal(&s)
	if err != nil {
		return nil, fmt.Errorf("session: save a room: %w", err)
	}
	return b, nil
}

// Save is a checkpoint of a room that is not running yet, as Journal.Checkpoint has it. The room is still the caller's alone.
func (r *Room) Save() ([]byte, error) {
	keep := &memo{}
	cfg := r.cfg.Journal
	r.cfg.Journal = keep
	r.keepJournal(time.Now())
	r.cfg.Journal, r.scribe = cfg, scribe{}
	r.engine.Record(nil)
	return keep.state, keep.err
}

// memo is a Journal that keeps a checkpoint.
type memo struct {
	state []byte
	err   error
}

func (m *memo) Checkpoint(state []byte) error {
	m.state = append([]byte(nil), state...)
	return nil
}
func (m *memo) Ticks([]byte) error { return nil }
func (m *memo) Seats([]byte) error { return nil }
func (m *memo) Gaps() uint32       { return 0 }

// save fills in the ledger's part.
func (l *ledger) save(s *roomState, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Players, s.Spectators, s.Closed, s.Version = l.players, l.spectators, l.closed, l.version.Load()
	s.Gone = l.gone
	for i := range l.seats {
		if l.seats[i].Number != 0 {
			s.Seats = append(s.Seats, l.seats[i].state(now))
		}
	}
}

// state is a seat as a checkpoint keeps it. Called with the ledger's lock held.
func (s *ledgerSeat) state(now time.Time) seatState {
	return seatState{Seat: s.copy(now), Generation: s.generation, Proven: s.proven, Changed: s.changed, Undone: s.undone, UndoneEvent: s.undoneEvent, Since: s.since}
}

// soil marks the seats that have changed after version, whoever has taken their changes down already: a checkpoint that was
// begun before may have followed them.
func (l *ledger) soil(version uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.seats {
		if s := &l.seats[i]; s.Number != 0 && s.changed > version {
			l.soiled(s)
		}
	}
}

// takeDirty returns the seats that have changed since the last call.
func (l *ledger) takeDirty() (out []seatState) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty.Store(false)
	for i := range l.seats {
		if s := &l.seats[i]; s.dirty {
			s.dirty = false
			out = append(out, s.state(now))
		}
	}
	return out
}

func encodeSeats(seats []seatState) ([]byte, error) { return msgpack.Marshal(seats) }
