package netpoll

import (
	"sync"
	"time"
)

// Alarm makes the timers of a process exact. An idle Go program waits for its next timer in whole milliseconds, which
// makes a timer 0.5 ms late on average; who calls At besides setting a timer has the program awake when it is due, and
// the timer 0.05 ms late (BenchmarkAlarm). It is no timer itself, and nothing goes wrong without it. A nil Alarm does nothing.
type Alarm struct {
	timer timer

	mu      sync.Mutex // guards what follows, and keeps the timer to it: setting it does not block
	due     []int64    // a heap of times, ns of the monotonic clock since begun
	running bool       // the first At has started ring
	closed  bool       // the timer is not ours any more
	done    sync.WaitGroup
}

// NewAlarm returns the alarm of a driver, nil for one that has none: only epoll's does. It is the caller's to close; no goroutine
// runs before it is used.
func NewAlarm(d Driver) *Alarm {
	if d.Name() != Epoll {
		return nil
	}
	a := &Alarm{}
	if !a.timer.open() {
		return nil
	}
	return a
}

// begun is what times are counted from.
var begun = time.Now()

// At has the program awake at t; after Close it does nothing. Safe from any goroutine.
func (a *Alarm) At(t time.Time) {
	if a == nil {
		return
	}
	at := int64(t.Sub(begun))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if !a.running {
		a.running = true
		a.done.Go(a.ring)
	}
	if a.push(at); a.due[0] == at {
		a.timer.set(at - int64(time.Since(begun)))
	}
}

// Close ends it and returns when nothing of it is left.
func (a *Alarm) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		a.timer.close()
	}
	a.mu.Unlock()
	a.done.Wait()
}

// ring takes in each ring and sets the timer for the next. That it runs at all is what makes the scheduler look at its timers.
func (a *Alarm) ring() {
	for a.timer.wait() {
		a.mu.Lock()
		now := int64(time.Since(begun))
		for len(a.due) > 0 && a.due[0] <= now {
			a.pop()
		}
		if len(a.due) > 0 && !a.closed {
			a.timer.set(a.due[0] - now)
		}
		a.mu.Unlock()
	}
}

func (a *Alarm) push(at int64) {
	a.due = append(a.due, at)
	for i := len(a.due) - 1; i > 0; {
		up := (i - 1) / 2
		if a.due[up] <= a.due[i] {
			return
		}
		a.due[up], a.due[i] = a.due[i], a.due[up]
		i = up
	}
}

func (a *Alarm) pop() {
	last := len(a.due) - 1
	a.due[0] = a.due[last]
	a.due = a.due[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return
		}
		if down+1 < last && a.due[down+1] < a.due[down] {
			down++
		}
		if a.due[i] <= a.due[down] {
			return
		}
		a.due[i], a.due[down] = a.due[down], a.due[i]
		i = down
	}
}
