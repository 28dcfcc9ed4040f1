package game

import (
	"context"
	"runtime/debug"
	"time"
)

// Observer is told of every tick, for metrics. It must not block.
type Observer interface {
	// Ticked tells how late the tick began, how long it took and how many before it were missed.
	Ticked(lateness, took time.Duration, missed int)
}

// Waker is what Links may have besides: work that shall not wait for the next tick, such as a player who has just come.
type Waker interface {
	// Waking is received from between ticks; each value calls for one Between.
	Waking() <-chan struct{}
	// Between runs on the match's goroutine, as Collect does, and must be as short. Nothing is stepped.
	Between(now time.Time)
}

// Sleeper is what Links may have besides: it is told until when the match sleeps, for hosts that can have the process awake
// by then more exactly than Go's timers do. The match wakes up without it too.
type Sleeper interface {
	Sleeping(until time.Time)
}

// Run is the match: it ticks at the match's rate until the match has ended, ctx is done or something panics. The first
// tick comes at once, so that nobody waits for a match to begin; the next ones are on the match's own grid.
// It returns nil after an end (Ended tells how), the cause of ctx, or a *PanicError; then the match has ended
// with ReasonAborted and the engine is good for Ended only. Nothing it started is left when it returns. o may
// be nil.
func (e *Engine) Run(ctx context.Context, l Links, o Observer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			e.end(ReasonAborted, nil)
			err = &PanicError{Call: e.calling, Value: v, Stack: debug.Stack()}
		}
	}()
	if o == nil {
		o = noObserver{}
	}
	e.Attach(l)
	clock := NewClock(e.match.ID, e.match.TickRate)
	waker, _ := l.(Waker)
	sleeper, _ := l.(Sleeper)
	// One period ago, so that the grid's first place is due by now.
	begun := time.Now()
	start := begun.Add(-time.Second / time.Duration(e.match.TickRate))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first := true; !e.over; first = false {
		if err := e.rest(ctx, waker, sleeper, timer, start.Add(clock.Deadline())); err != nil {
			return err
		}
		now := time.Now()
		due, missed := clock.Begin(now.Sub(start))
		late := now.Sub(start.Add(due))
		if first {
			late = now.Sub(begun)
		}
		e.frame(now, start.Add(due))
		o.Ticked(late, time.Since(now), missed)
	}
	return nil
}

// rest waits for the next tick, not at all if that is due, and lets the waker work meanwhile. It returns the cause of ctx
// when that is done.
func (e *Engine) rest(ctx context.Context, waker Waker, sleeper Sleeper, timer *time.Timer, until time.Time) error {
	if sleeper != nil {
		sleeper.Sleeping(until)
	}
	var waking <-chan struct{}
	if waker != nil {
		waking = waker.Waking()
	}
	for !e.over {
		d := time.Until(until)
		if d <= 0 {
			break
		}
		timer.Reset(d)
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-waking:
			e.calling = "Between"
			waker.Between(time.Now())
		}
	}
	return context.Cause(ctx)
}

type noObserver struct{}

func (noObserver) Ticked(time.Duration, time.Duration, int) {}
