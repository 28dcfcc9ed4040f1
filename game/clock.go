package game

import (
	"hash/fnv"
	"math/bits"
	"time"
)

// Clock tells when ticks are due. Deadlines are computed from the start and the number of the place on the
// time grid, in whole nanoseconds and never from one another, so that nothing adds up: after an hour of 60 Hz
// a clock is as exact as after a second. It reads no time itself. One goroutine owns a Clock.
type Clock struct {
	hz      int64
	stagger int64 // ns in [0, one period): keeps the matches of a node from ticking all at once
	slot    int64 // the next tick's place on the grid: ticks run and ticks missed
	burst   int   // ticks run late in a row
}

// NewClock makes the clock of a match at hz, MinTickRate to MaxTickRate. The match id decides the stagger.
func NewClock(matchID string, hz int) Clock {
	h := fnv.New64a()
	h.Write([]byte(matchID))
	share, _ := bits.Mul64(mix64(h.Sum64()), uint64(time.Second)/uint64(hz))
	return Clock{hz: int64(hz), stagger: int64(share)}
}

// Stagger is the time from the start to the first tick, less than a period.
func (c *Clock) Stagger() time.Duration { return time.Duration(c.stagger) }

// Deadline is the time from the start at which the next tick is due.
func (c *Clock) Deadline() time.Duration { return time.Duration(c.deadline(c.slot)) }

// deadline multiplies the part below a second only: slot × 10^9 would leave 64 bits within a year at 240 Hz.
func (c *Clock) deadline(slot int64) int64 {
	const second = int64(time.Second)
	return c.stagger + slot/c.hz*second + slot%c.hz*second/c.hz
}

// due is the last place whose deadline is not after elapsed.
func (c *Clock) due(elapsed int64) int64 {
	const second = int64(time.Second)
	x := elapsed - c.stagger
	return x/second*c.hz + ((x%second+1)*c.hz-1)/second
}

// Begin starts the tick that is due, at elapsed since the start: how late it is, when it was due, and how many
// ticks before it were missed. After a late tick at most MaxCatchUp ticks run without waiting; what is due
// beyond them is missed, and the clock goes on from the present.
func (c *Clock) Begin(elapsed time.Duration) (due time.Duration, missed int) {
	behind := c.due(int64(elapsed)) - c.slot
	if allowed := int64(MaxCatchUp - c.burst); behind > allowed {
		missed = int(behind - allowed)
		c.slot += int64(missed)
		behind = allowed
	}
	if behind > 0 {
		c.burst++
	} else {
		c.burst = 0
	}
	due = c.Deadline()
	c.slot++
	return due, missed
}
