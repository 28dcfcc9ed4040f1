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

	mu   sync.Mutex // guards due, and keeps the timer to it: setting it does not block
	due  []int64    // a heap of times, ns of the monotonic clock since begun
	done sync.WaitGroup
}

// NewAlarm returns the alarm of a driver, nil for one that has none: only epoll's does.
func NewAlarm(d Driver) *Alarm {
	if d.Name() != Epoll {
		return nil
	}
	a := &Alarm{}
	if !a.timer.open() {
		return nil
	}
	a.done.Go(a.ring)
	return a
}

// begun is what times are counted from.
var begun = time.Now()

// At has the program awake at t. Safe from any goroutine.
func (a *Alarm) At(t time.Time) {
	if a == nil {
		return
	}
	at := int64(t.Sub(begun))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.push(at); a.due[0] == at {
		a.timer.set(at - int64(time.Since(begun)))
	}
}

// Close ends it and returns when nothing of it is left.
func (a *Alarm) Close() {
	if a == nil {
		return
	}
	a.timer.close()
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
		if len(a.due) > 0 {
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
