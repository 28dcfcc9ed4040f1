package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// maxCalls bounds the calls that wait for a match's goroutine.
const maxCalls = 256

// ErrBusy says that too many calls wait for a match already.
var ErrBusy = errors.New("session: too many calls wait for this match")

// call is work for the match's goroutine.
type call struct {
	work func(now time.Time)
	done chan struct{} // closed when work has run
}

// do has work run on the match's goroutine and waits for it: ErrEnded, ErrBusy, or the context's error; then the work may
// still run. Safe from any goroutine but the match's.
func (r *Room) do(ctx context.Context, work func(now time.Time)) error {
	c := call{work: work, done: make(chan struct{})}
	r.mu.Lock()
	switch {
	case r.closed:
		r.mu.Unlock()
		return ErrEnded
	case len(r.calls) >= maxCalls:
		r.mu.Unlock()
		return ErrBusy
	}
	r.calls = append(r.calls, c)
	r.called.Store(true)
	r.mu.Unlock()
	r.nudge()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.done:
		select {
		case <-c.done:
			return nil
		default:
			return ErrEnded
		}
	}
}

// takeCalls does what others have asked for.
func (r *Room) takeCalls(now time.Time) {
	if !r.called.Load() {
		return
	}
	r.mu.Lock()
	calls := r.calls
	r.calls = nil
	r.called.Store(false)
	r.mu.Unlock()
	for _, c := range calls {
		c.work(now)
		close(c.done)
	}
	r.obey(now)
}

// Remove takes a player's seat away: one that is reserved is free again at once, a player who sits there is closed with
// 4403 … text and the game hears of it. ErrNoSeat, ErrEnded, ErrBusy. Safe from any goroutine.
func (r *Room) Remove(ctx context.Context, player, text string) error {
	if done, err := r.ledger.release(player, time.Now()); done || err != nil {
		return err
	}
	err := ErrNoSeat
	if failed := r.do(ctx, func(now time.Time) {
		if seat, ok := r.ledger.of(player); ok {
			r.remove(seat, text, now)
			err = nil
		}
	}); failed != nil {
		return failed
	}
	return err
}

// remove parts with whoever sits on a seat.
func (r *Room) remove(seat Seat, text string, now time.Time) {
	if s := r.sessionOf(seat.Number); s != nil {
		r.leave(s, game.ReasonKicked, Ending{Code: protocol.CloseKicked, Reason: clip(text, protocol.MaxReasonBytes)}, now)
		return
	}
	r.takeLost(seat.Number)
	if seat.Role == protocol.RoleBot {
		r.engine.Leave(game.Seat(seat.Number), game.ReasonKicked)
	}
	r.vacate(seat.Number, seat.Role, game.ReasonKicked)
}

// Signal passes a call of the back end to the game: game.ErrNoSignals, *game.SignalError, ErrEnded, ErrBusy. Safe from any
// goroutine.
func (r *Room) Signal(ctx context.Context, op string, in json.RawMessage) (out json.RawMessage, err error) {
	if failed := r.do(ctx, func(time.Time) { out, err = r.engine.Signal(op, in) }); failed != nil {
		return nil, failed
	}
	return out, err
}

// Renew lets a player's reservation wait ttl from now, and returns the seat with that expiry, for a new ticket: ErrNoSeat,
// ErrEnded. Safe from any goroutine.
func (r *Room) Renew(player string, ttl time.Duration) (Seat, error) {
	now := time.Now()
	return r.ledger.renew(player, now.Add(ttl), now)
}

// Limit changes the capacity, up to what the match was made for: ErrTable. Safe from any goroutine.
func (r *Room) Limit(players, spectators int) error { return r.ledger.limit(players, spectators) }

// Capacity is what the match takes now. Safe from any goroutine.
func (r *Room) Capacity() (players, spectators int) { return r.ledger.capacity() }

// SetMaxLength bounds the match's length anew, from its start; 0: no bound. Safe from any goroutine.
func (r *Room) SetMaxLength(d time.Duration) { r.maxLength.Store(int64(d)) }

// SeatOf is the seat that a player holds; false when there is none. Safe from any goroutine.
func (r *Room) SeatOf(player string) (Seat, bool) { return r.ledger.of(player) }

// notePong measures a round trip: the pong to our newest ping arrived then (ns since the Unix epoch).
func (r *Room) notePong(p *connected, arrived int64) {
	if !p.pinging {
		return // nobody asked
	}
	p.pinging = false
	if d := time.Duration(arrived - p.pingedAt); d > 0 && d < PongTimeout {
		r.ledger.trip(p.seat, d)
	}
}

// noteLate keeps the figures of a player that the engine is about to forget.
func (r *Room) noteLate(seat uint16) {
	if p := r.engine.Player(game.Seat(seat)); p != nil {
		r.ledger.late(seat, p.Late())
	}
}
