package session

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"skirmish/game"
	"skirmish/protocol"
)

// lookAtDeadlines ends what has had its time: silent connections, lost seats, unused reservations, the match itself.
func (r *Room) lookAtDeadlines(now time.Time) {
	for i := len(r.sessions) - 1; i >= r.crowd.size(); i-- {
		if s := r.sessions[i]; !r.expire(s, now) && s.player.flight.judge(now) {
			s.player.queue = appendNotice(s.player.queue, &protocol.Notice{Kind: protocol.NoticeSlow})
		}
	}
	for i := len(r.lost) - 1; i >= 0; i-- {
		if l := r.lost[i]; now.After(l.until) {
			r.takeLost(l.number)
			seat, _ := r.ledger.get(l.number)
			r.vacate(l.number, seat.Role, game.ReasonExpired)
			r.log.Info().Uint16("seat", l.number).Msg("lost seat expired")
		}
	}
	r.ledger.sweep(now)
	r.obey(now)
	r.endIdle(now)
	r.flushCounts()
}

// expire parts with a connection that has had its time.
func (r *Room) expire(s *Session, now time.Time) bool {
	switch {
	case s.stalled(now):
		r.lose(s, endStalledFrame, now)
	case now.After(s.player.pongBefore):
		r.lose(s, endNoPong, now)
	default:
		return false
	}
	return true
}

// obey acts on an order to stop, now or after its grace.
func (r *Room) obey(now time.Time) {
	if o := r.takeOrder(); o != nil {
		r.deadline, r.stopOrder = now.Add(o.grace), *o
		r.disband()
		for _, s := range r.sessions {
			s.player.queue = appendNotice(s.player.queue, &protocol.Notice{Kind: protocol.NoticeDraining, DeadlineMS: uint32(o.grace.Milliseconds())})
		}
	}
	if !r.deadline.IsZero() && !now.Before(r.deadline) {
		r.halt(r.stopOrder.why)
	}
}

// halt ends the match; the game may have a last word.
func (r *Room) halt(why game.Reason) {
	r.lend()
	r.engine.Stop(why)
	r.reclaim()
}

// endIdle ends a match that nobody is connected to any more, or that has lasted too long.
func (r *Room) endIdle(now time.Time) {
	if r.running.Load() == 0 {
		return // the no-show timeout bounds the time before the start
	}
	if len(r.sessions) > 0 {
		r.emptySince = time.Time{}
	} else if r.emptySince.IsZero() {
		r.emptySince = now
	}
	switch {
	case !r.emptySince.IsZero() && now.Sub(r.emptySince) >= r.cfg.Empty:
		r.halt(game.ReasonEmpty)
	case r.overlong(now):
		r.halt(game.ReasonTimeout)
	}
}

// overlong tells whether the match has lasted its time.
func (r *Room) overlong(now time.Time) bool {
	most := time.Duration(r.maxLength.Load())
	return most > 0 && now.Sub(time.Unix(0, r.running.Load())) >= most
}

// Ticked takes the figures of one tick (game.Observer).
func (r *Room) Ticked(lateness, took time.Duration, missed int) {
	r.ticks.add(took, missed)
	r.late.add(lateness, missed, 60*r.cfg.Match.TickRate)
	r.pace.note(took, time.Second/time.Duration(r.cfg.Match.TickRate))
	r.metrics.Ticks.Inc()
	r.metrics.TickLateness.Observe(lateness.Seconds())
	r.metrics.TickDuration.Observe(took.Seconds())
	if missed > 0 {
		r.metrics.TicksMissed.Add(float64(missed))
		r.log.Warn().Int("missed", missed).Dur("took", took).Msg("the match could not keep up: ticks were dropped")
	}
}

// pace is whether a match keeps up. Its goroutine owns it.
type pace struct {
	overruns bool // counted by processors
	calm     int  // ticks in time, in a row
}

// overrunCalm is how many ticks in a row are in time before a match that overran does not any more.
const overrunCalm = 200

// note takes in a tick that took so long, with the time there is for one.
func (p *pace) note(took, period time.Duration) {
	switch p.calm++; {
	case took > period:
		if p.calm = 0; !p.overruns {
			p.overruns = true
			moreProcessors(0, 1)
		}
	case p.calm >= overrunCalm:
		p.end()
	}
}

// end is for when no ticks follow.
func (p *pace) end() {
	if p.overruns {
		p.overruns = false
		moreProcessors(0, -1)
	}
}

// flushCounts adds the room's own figures to the metrics.
func (r *Room) flushCounts() {
	c, m := &r.counts, r.metrics
	m.Bytes.In.Add(float64(c.bytesIn))
	m.Bytes.Out.Add(float64(c.bytesOut))
	m.Events.Add(float64(c.events))
	m.Snapshots.Full.Add(float64(c.full))
	m.Snapshots.Delta.Add(float64(c.delta))
	m.Snapshots.Skipped.Add(float64(c.skipped))
	m.Inputs.Throttled.Add(float64(c.throttled))
	m.Inputs.Duplicate.Add(float64(c.duplicate))
	m.Inputs.Surplus.Add(float64(c.surplus))
	used := r.engine.InputsUsed()
	for i, series := range [...]prometheus.Counter{game.InputOnTime: m.Inputs.OnTime, game.InputRepeated: m.Inputs.Repeated, game.InputNeutral: m.Inputs.Neutral} {
		series.Add(float64(used[i] - c.inputs[i]))
	}
	*c = counts{inputs: used}
}
