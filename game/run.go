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

// Run is the match: it ticks at the match's rate until the match has ended, ctx is done or something panics.
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
	start := time.Now()
	timer := time.NewTimer(clock.Deadline())
	defer timer.Stop()
	for !e.over {
		if err := sleep(ctx, timer, clock.Deadline()-time.Since(start)); err != nil {
			return err
		}
		now := time.Now()
		due, missed := clock.Begin(now.Sub(start))
		e.frame(now, start.Add(due))
		o.Ticked(now.Sub(start)-due, time.Since(now), missed)
	}
	return nil
}

// sleep waits for d, not at all if d is not positive, and tells whether ctx is done.
func sleep(ctx context.Context, timer *time.Timer, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer.Reset(d)
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type noObserver struct{}

func (noObserver) Ticked(time.Duration, time.Duration, int) {}
