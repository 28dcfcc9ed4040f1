package main

import "time"

// schedule is the grid of a loop: slots of equal length, slots per period, from start on. Slot k is due at
// start + k × period / slots, without drift: each bot sends in one slot of every period.
type schedule struct {
	start  int64 // ns since the Unix epoch
	period int64 // ns, of an input
	slots  int64 // per period
}

func newSchedule(start int64, rate int) schedule {
	period := int64(time.Second) / int64(rate)
	return schedule{start: start, period: period, slots: max(1, (period+int64(slotTime)/2)/int64(slotTime))}
}

// at is when slot k is due.
func (s *schedule) at(k int64) int64 {
	return s.start + k/s.slots*s.period + k%s.slots*s.period/s.slots
}

// last is the newest slot that is due at now, −1 before the start.
func (s *schedule) last(now int64) int64 {
	d := now - s.start
	if d < 0 {
		return -1
	}
	k := d/s.period*s.slots + d%s.period*s.slots/s.period
	for s.at(k+1) <= now { // the rounding of at is downwards
		k++
	}
	return k
}

// slotOf spreads bot i of n evenly over the period, neighbours far apart: the bots of one match do not send
// at the same time.
func (s *schedule) slotOf(i int) int64 {
	const golden = 0.6180339887498949
	f := float64(i) * golden
	return int64((f-float64(int64(f)))*float64(s.slots)) % s.slots
}
