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
	if err := r.post(c); err != nil {
		return err
	}
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

// post queues work for the match's goroutine: ErrEnded, ErrBusy. Safe from any goroutine.
func (r *Room) post(c call) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return ErrEnded
	case len(r.calls) >= maxCalls:
		return ErrBusy
	}
	r.calls = append(r.calls, c)
	r.called.Store(true)
	r.nudge()
	return nil
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
func (r *Room) Signal(ctx context.Context, op string, in json.RawMessage) (json.RawMessage, error) {
	var answer struct { // the work's alone until it is done: it may come back after we have left
		out json.RawMessage
		err error
	}
	if err := r.do(ctx, func(time.Time) {
		r.lend()
		answer.out, answer.err = r.engine.Signal(op, in)
		r.reclaim()
	}); err != nil {
		return nil, err
	}
	return answer.out, answer.err
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

// Weigh has the match's goroutine tell how many bytes its simulation holds; tell must not block. A match that has ended, or
// is stuck, never does. Safe from any goroutine.
func (r *Room) Weigh(tell func(bytes int64)) {
	r.post(call{work: func(time.Time) { tell(r.engine.Weight()) }, done: make(chan struct{})})
}

// Fail ends the match as failed. Why is for the log. Safe from any goroutine.
func (r *Room) Fail(why string) {
	r.post(call{work: func(time.Time) {
		r.log.Error().Str("why", why).Msg("match failed")
		r.engine.Abort()
	}, done: make(chan struct{})})
}
