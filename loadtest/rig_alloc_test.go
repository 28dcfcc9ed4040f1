//go:build !race

package main

import "testing"

func TestABotAllocatesNothingPerTick(t *testing.T) {
	r := newRig(t, 16)
	states := r.tape()
	second := func() {
		for _, p := range states {
			r.now += r.loop.schedule.period
			r.see(p)
		}
	}
	for range 50 {
		second() // whatever grows has grown
	}
	if n := testing.AllocsPerRun(20, second); n > 0 {
		t.Errorf("%v allocations in 20 snapshots and inputs", n)
	}
}

// BenchmarkBot is the generator's work for one snapshot and one input without the sockets: decoding, measuring,
// thinking, encoding, in a match of 16.
func BenchmarkBot(b *testing.B) {
	r := newRig(b, 16)
	states := r.tape()
	for i := 0; b.Loop(); i++ {
		r.now += r.loop.schedule.period
		r.see(states[i%len(states)])
	}
}
