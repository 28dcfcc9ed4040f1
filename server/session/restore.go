package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"
	"github.com/vmihailenco/msgpack/v5"

	"skirmish/game"
	"skirmish/game/replay"
	"skirmish/protocol"
	"skirmish/server/metrics"
	"skirmish/server/ticket"
)

// Saved is what a room's Journal was given: the newest checkpoint, and what came behind it.
type Saved struct {
	Checkpoint []byte
	Ticks      [][]byte
	Seats      [][]byte
}

// ErrSaved says that a room cannot go on from what was saved.
var ErrSaved = errors.New("session: the match cannot be restored")

// errOtherVersion spoils a recording.
var errOtherVersion = errors.New("the match has gone on with another version of its game")

const (
	// undoneGenerations is how many resume tokens of one seat a crash may undo: those that were given out in the moment before
	// it are still good.
	undoneGenerations = 64
	// restoreGrace is what a reservation has left after a restart, at the least.
	restoreGrace = 5 * time.Second
	// maxRestarts is how often a match may see the node die within CheckpointEvery of a restart, whatever it dies of: a match
	// that kills it from a goroutine of its own is not seen at work.
	maxRestarts = 100
)

// RestoreRoom makes a room that goes on where the one that kept saved was: with its seats, whose players are lost and may
// resume, its match replayed up to the last tick that was taken down, and everything that its matchmaker ordered. cfg is that
// of the room before, its Definition may be of a newer version that accepts the older one's state. ErrSaved, with the reason
// as a sentence for the matchmaker.
func RestoreRoom(ctx context.Context, cfg RoomConfig, saved *Saved, lobby *Lobby, keys func() *ticket.Keyring, m *metrics.Set, log zerolog.Logger) (*Room, error) {
	var stream []byte
	stream = append(stream, saved.Checkpoint...)
	for _, b := range saved.Ticks {
		stream = append(stream, b...)
	}
	rec, err := replay.Read(stream)
	if err != nil {
		return nil, fmt.Errorf("%w: its journal cannot be read: %w", ErrSaved, err)
	}
	points := rec.Checkpoints()
	if len(points) == 0 {
		return nil, fmt.Errorf("%w: its journal has no checkpoint", ErrSaved)
	}
	var state roomState
	if err := msgpack.Unmarshal(points[0].Host, &state); err != nil {
		return nil, fmt.Errorf("%w: its journal cannot be read: %w", ErrSaved, err)
	}
	if state.Restarts >= maxRestarts {
		return nil, fmt.Errorf("%w: the node has died %d times shortly after a restart", ErrSaved, state.Restarts)
	}
	cfg.Match = rec.Head.Match
	log = log.With().Str("match", cfg.Match.ID).Str("game", cfg.Match.Game).Logger()
	engine, tape, err := replayed(ctx, rec, &cfg, &state, log)
	if err != nil {
		return nil, err
	}
	r := newRoom(cfg, engine, lobby, keys, m, log)
	r.tape = tape
	for _, b := range saved.Seats {
		var seats []seatState
		if err := msgpack.Unmarshal(b, &seats); err != nil {
			return nil, fmt.Errorf("%w: its journal cannot be read: %w", ErrSaved, err)
		}
		state.merge(seats)
	}
	r.resume(&state, time.Now())
	return r, nil
}

// replayed is the match as it was at the last tick that was taken down.
func replayed(ctx context.Context, rec *replay.Recording, cfg *RoomConfig, state *roomState, log zerolog.Logger) (*game.Engine, tape, error) {
	d := cfg.Definition
	p, err := rec.Adopt(ctx, d)
	if err != nil {
		return nil, tape{}, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	if err := p.Engine().LoadEvents(state.Events); err != nil {
		return nil, tape{}, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	var taped tape
	switch {
	case cfg.Tape == nil:
	case rec.Head.GameVersion != d.Spec.Version, rec.Head.PlanHash != d.PlanHash:
		cfg.Tape.Spoil(errOtherVersion)
	default:
		taped = resumeTape(cfg.Tape, p.Engine(), state.Tape, state.Created)
	}
	cfg.Tape = taped.to
	differs := false
	for err == nil {
		err = p.Step()
		diverged, ok := errors.AsType[*replay.DivergedError](err)
		if _, over := p.Engine().Ended(); !ok || over {
			continue
		}
		// The inputs are what the players gave; what a newer version of the game makes of them is as good.
		if !differs && rec.Head.GameVersion == d.Spec.Version {
			log.Warn().Err(diverged).Msg("the match went another way when it was played again")
		}
		differs, err = true, nil
	}
	if panicked, ok := errors.AsType[*game.PanicError](err); ok {
		log.Error().Interface("panic", panicked.Value).Bytes("stack", panicked.Stack).Msg("the game panicked when the match was played again")
		return nil, tape{}, fmt.Errorf("%w: the game panicked", ErrSaved)
	}
	if err != io.EOF {
		log.Error().Err(err).Uint32("tick", p.Engine().Now()).Msg("the rest of the match's journal cannot be played")
	}
	return p.Release(), taped, nil
}

// merge takes in seats as they were later.
func (s *roomState) merge(seats []seatState) {
next:
	for _, seat := range seats {
		s.Version = max(s.Version, seat.Changed)
		for i := range s.Seats {
			if s.Seats[i].Seat.Number == seat.Seat.Number {
				s.Seats[i] = seat
				continue next
			}
		}
		s.Seats = append(s.Seats, seat)
	}
}

// resume makes a new room the one that was saved. Nobody is connected: who was is lost.
func (r *Room) resume(s *roomState, now time.Time) {
	r.created, r.restarts, r.restored = s.Created, s.Restarts+1, true
	r.tick.Store(r.engine.Now())
	r.maxLength.Store(int64(s.MaxLength))
	if !s.Started.IsZero() {
		r.running.Store(s.Started.UnixNano())
	} else if r.engine.Now() > 0 {
		r.running.Store(now.UnixNano()) // it began behind the checkpoint
	}
	if s.Stop != nil {
		r.deadline, r.stopOrder = s.Stop.At, stopOrder{why: s.Stop.Why, farewell: endMatchOver}
		if s.Stop.Restart { // this is it
			r.deadline, r.stopOrder = time.Time{}, stopOrder{}
			s.Closed = false
		}
	}
	r.ledger.load(s, now, r.engine.LastEvent())
	seats, _ := r.ledger.all(now)
	for i := range seats {
		r.reseat(&seats[i], now)
	}
}

// reseat brings a seat and the match into line: the seats were taken down a moment before or after the ticks.
func (r *Room) reseat(s *Seat, now time.Time) {
	seat := game.Seat(s.Number)
	p := r.engine.Player(seat)
	if p != nil && p.ID != s.PlayerID {
		r.engine.Leave(seat, game.ReasonLeft)
		p = nil
	}
	sits := s.State == protocol.SeatActive || s.State == protocol.SeatLost
	switch {
	case !sits:
		if p != nil && s.State == protocol.SeatReserved {
			r.engine.Leave(seat, game.ReasonLeft) // whose seat was undone
		} else if p != nil {
			r.engine.Leave(seat, reasonOf(s.State))
		}
	case s.Role == protocol.RoleBot:
		if p == nil {
			r.attach(arrival{seat: s.Number, player: s.PlayerID})
		}
	case s.Role == protocol.RolePlayer && p == nil: // its coming was undone
		r.ledger.unseat(s.Number, now.Add(max(r.cfg.Reconnect, restoreGrace)))
	default:
		if s.Role == protocol.RolePlayer {
			r.engine.SetLost(seat, true)
		}
		r.ledger.set(s.Number, protocol.SeatLost)
		r.lost = append(r.lost, lostSeat{number: s.Number, until: now.Add(r.cfg.Reconnect)})
	}
}

// reasonOf is why a player has left whose seat is in this state.
func reasonOf(s protocol.SeatState) game.Reason {
	switch s {
	case protocol.SeatExpired:
		return game.ReasonExpired
	case protocol.SeatKicked:
		return game.ReasonKicked
	}
	return game.ReasonLeft
}

// load makes a new ledger the one that was saved. event is the last one that is not undone.
func (l *ledger) load(s *roomState, now time.Time, event uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.players, l.spectators, l.closed, l.gone = s.Players, s.Spectators, s.Closed, s.Gone
	l.version.Store(s.Version)
	for _, saved := range s.Seats {
		if saved.Seat.Number == 0 || int(saved.Seat.Number) > len(l.seats) {
			continue
		}
		seat := &l.seats[saved.Seat.Number-1]
		*seat = ledgerSeat{Seat: saved.Seat, generation: saved.Generation + undoneGenerations, proven: saved.Proven, changed: saved.Changed}
		seat.undone, seat.undoneEvent = seat.generation, event
		if saved.Undone != 0 && saved.Generation == saved.Undone { // nobody has come since the restart before, which has undone more
			seat.undoneEvent = min(event, saved.UndoneEvent)
		}
		if seat.State == protocol.SeatReserved {
			if least := now.Add(restoreGrace); seat.Expires.Before(least) {
				seat.Expires = least
			}
		}
	}
}

// unseat gives a seat back to whom it was reserved for.
func (l *ledger) unseat(number uint16, expires time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.seats[number-1]
	s.State, s.Expires = protocol.SeatReserved, expires
	l.touch(s)
}

// before tells whether a resume token was given out before the node's restart, and the last event that its holder may have seen
// and is not undone.
func (l *ledger) before(number uint16, generation uint32) (event uint32, before bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number == 0 || int(number) > len(l.seats) {
		return 0, false
	}
	s := &l.seats[number-1]
	return s.undoneEvent, generation <= s.undone
}
