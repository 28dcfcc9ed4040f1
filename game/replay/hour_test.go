//go:build !race

// With the race detector it would take minutes, and there is one goroutine.
package replay_test

import (
	"bytes"
	"testing"
	"time"

	"skirmish/game/replay"
)

// promisedBytes is what a player may take per tick.
const promisedBytes = 6

// TestHour: an hour of 16 at 20 Hz, recorded as a server does it, with a checkpoint every ten seconds, packed as a file,
// takes what is promised and plays again in every tick.
func TestHour(t *testing.T) {
	for _, c := range []struct {
		name         string
		people, bots int
		minutes      int
	}{{"bots", 0, 16, 60}, {"people", 16, 0, 10}} {
		t.Run(c.name, func(t *testing.T) {
			d := arenaDefinition(t)
			x := newMatch(t, d, c.people, c.bots, replay.Options{})
			for range c.minutes * 6 {
				x.play(200)
				if err := x.w.Checkpoint(nil); err != nil {
					t.Fatal(err)
				}
				x.stream = x.w.Cut(x.stream)
			}
			var packed bytes.Buffer
			if err := replay.Pack(&packed, x.stream); err != nil {
				t.Fatal(err)
			}
			size := float64(packed.Len())
			r := read(t, packed.Bytes())
			p, err := r.Play(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			end(t, p)
			took := time.Since(began)
			ticks := c.minutes * 1200
			each := float64(ticks * (c.people + c.bots))
			t.Logf("%d ticks of %d: %.2f B per player and tick, packed %.2f; replayed in %v, %.0f times real time; %+v",
				ticks, c.people+c.bots, float64(len(x.stream))/each, size/each, took.Round(time.Millisecond),
				float64(c.minutes)*60/took.Seconds(), p.Checks())
			if got := p.Checks(); got.Digests != ticks || got.Hashes != ticks/20 {
				t.Errorf("compared: %+v", got)
			}
			if size > promisedBytes*each {
				t.Errorf("more than %d B per player and tick", promisedBytes)
			}
		})
	}
}
