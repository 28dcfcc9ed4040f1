package client

import (
	"testing"
	"time"
)

// converged tells by how much the waiting differs from what it ought to be, over a second.
func (t *track) converged() time.Duration {
	t.forget()
	t.run(time.Second)
	return time.Duration(t.waited/max(1, t.used)) - t.pacer.Target
}

func home(t *track, up bool, now int64) int64 {
	return uniform(80*time.Millisecond, 20*time.Millisecond)(t, up, now)
}

func TestThePacerConvergesInTwoSeconds(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		k := newTrack(20, 1, seed, home)
		k.run(2 * time.Second)
		if off := k.converged(); off.Abs() > 10*time.Millisecond || k.misses > 0 {
			t.Errorf("seed %d: the inputs wait %v longer than they ought to, %v", seed, off, k)
		}
	}
}

func TestThePacerDoesNotSwing(t *testing.T) {
	k := newTrack(20, 1, 3, home)
	k.run(5 * time.Second)
	// Around the server's grid the inputs' times must not move by more than the estimate of its mean can.
	low, high := int64(1)<<62, -int64(1)<<62
	turns, last, way := 0, int64(0), int64(0)
	for range 120 * 2 {
		k.run(500 * time.Millisecond)
		at := k.pacer.due - int64(k.pacer.next)*k.pacer.period
		low, high = min(low, at), max(high, at)
		if d := at - last; last != 0 && d*way < 0 && max(d, -d) > 4*msec {
			turns++
		}
		way, last = at-last, at
	}
	if high-low > 12*msec || turns > 4 {
		t.Errorf("the clock moves over %v and turns %d times in 2 minutes, at a jitter of ±10 ms", time.Duration(high-low), turns)
	}
}

func TestThePacerRecovers(t *testing.T) {
	// stalled holds everything back that would arrive from 10 s to 10.5 s.
	stalled := func(ups, downs bool, d int64) func(*track, bool, int64) int64 {
		return func(t *track, up bool, now int64) int64 {
			at := home(t, up, now)
			if from := int64(11e9); (up && ups || !up && downs) && at >= from && at < from+d {
				at = from + d
			}
			return at
		}
	}
	const half = 500 * msec
	for _, c := range []struct {
		name  string
		way   func(*track, bool, int64) int64
		fault func(*track)
		most  int64 // ticks missed
	}{
		{"a stall both ways", stalled(true, true, half), nil, 12},
		{"a stall on the way up", stalled(true, false, half), nil, 12},
		{"a stall on the way down", stalled(false, true, half), nil, 0},
		{"a stall of three seconds", stalled(true, true, 6*half), nil, 64},
		{"the client sleeps", home, func(t *track) { t.asleep = t.now + half }, 12},
		{"the server sleeps", home, func(t *track) { t.step += half }, 0},
		{"a longer way from now on", func(t *track, up bool, now int64) int64 {
			if now > 11e9 {
				now += 80 * msec
			}
			return home(t, up, now)
		}, nil, 4},
		{"a shorter way from now on", func(t *track, up bool, now int64) int64 {
			if now < 11e9 {
				now += 80 * msec
			}
			return home(t, up, now)
		}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := uint64(1); seed <= 10; seed++ {
				k := newTrack(20, 1, seed, c.way)
				k.run(10 * time.Second)
				if c.fault != nil {
					c.fault(k)
				}
				k.forget()
				k.run(4 * time.Second)
				if k.misses > c.most {
					t.Errorf("seed %d: %d ticks had no input of their own, at most %d are the fault's: %v", seed, k.misses, c.most, k)
				}
				if off := k.converged(); off.Abs() > 20*time.Millisecond || k.misses > 1 || seed == 1 {
					t.Logf("seed %d: then the inputs wait %v longer than they ought to: %v", seed, off, k)
					if off.Abs() > 20*time.Millisecond || k.misses > 1 {
						t.Fail()
					}
				}
			}
		})
	}
}

func TestThePacerBearsWithLoss(t *testing.T) {
	k := newTrack(20, 1, 5, func(t *track, up bool, now int64) int64 {
		if up && t.rand.IntN(100) == 0 {
			now += 120 * msec // sent again
		}
		return home(t, up, now)
	})
	k.run(2 * time.Second)
	k.forget()
	k.run(5 * time.Minute)
	// A loss costs up to two ticks their input, and the server's queue is longer until the clock has run behind it.
	if k.own() < 0.98 || k.wait() > 2 {
		t.Errorf("with one input in 100 lost: %v", k)
	}
	t.Log(k)
}
