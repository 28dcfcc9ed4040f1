package main

import (
	"slices"
	"time"

	"skirmish/protocol"
)

// ages samples how old the newest state is, every sampleEvery: between two states it rises with the clock. Not safe for
// several goroutines.
type ages struct {
	rate    int64 // ticks per second
	tick    uint32
	anchor  int64     // µs since the Unix epoch at tick
	newest  int64     // µs: the time that the newest state stands for; 0: none came
	next    time.Time // of the next sample
	samples []int64   // µs
}

// begin forgets what was measured: from now on it counts.
func (a *ages) begin(now time.Time) {
	a.samples, a.next = a.samples[:0], now
}

// state takes in a state that came now.
func (a *ages) state(h *protocol.StateHead, now time.Time) {
	a.until(now)
	if h.ServerTime != 0 { // a snapshot tells the time, a delta counts on from it
		a.tick, a.anchor = h.Tick, int64(h.ServerTime)
	}
	a.newest = a.anchor + int64(int32(h.Tick-a.tick))*1_000_000/a.rate
}

// until samples up to now.
func (a *ages) until(now time.Time) {
	if a.next.IsZero() || a.newest == 0 {
		return
	}
	for ; a.next.Before(now); a.next = a.next.Add(sampleEvery) {
		a.samples = append(a.samples, a.next.UnixMicro()-a.newest)
	}
}

// quantile is in ms; 0 without samples.
func (a *ages) quantile(q float64) float64 {
	if len(a.samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(a.samples))
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]) / 1000
}
