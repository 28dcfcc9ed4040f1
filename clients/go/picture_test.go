package client_test

import (
	"math"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// reel is a picture of one ship that flies 40 wire units per tick and turns 10 of 256 steps, at 20 Hz.
type reel struct {
	client.Picture
	now  int64
	tick uint32
}

const tickTime = int64(50 * time.Millisecond)

func newReel() *reel {
	r := &reel{now: int64(time.Hour)}
	r.Start(welcome())
	return r
}

func (r *reel) push(at int64) {
	r.tick++
	s := &protocol.State{Plan: plan, Head: protocol.StateHead{Tick: r.tick}}
	v := s.Rows.Append(1, 0, 3)
	v[0], v[1], v[2] = 40*int32(r.tick), 7, int32(r.tick)*10%256
	r.Push(s, at)
}

func (r *reel) x(t *testing.T) float64 {
	t.Helper()
	kind, v, ok := r.Row(1, nil)
	if !ok || kind != 0 || len(v) != 3 || v[1] != 7 {
		t.Fatalf("row %d %v %v", kind, v, ok)
	}
	turned := v[0] / 40 * 10
	if off := math.Abs(v[2] - (turned - 256*math.Floor(turned/256))); off > 1e-6 && math.Abs(off-256) > 1e-6 {
		t.Fatalf("at x %v the ship looks at %v, want %v", v[0], v[2], turned)
	}
	return v[0]
}

func TestThePictureFliesSmoothly(t *testing.T) {
	r := newReel()
	if r.Draw(r.now) {
		t.Error("there is nothing to be seen yet")
	}
	last, steps := 0.0, 0
	for i := range int64(200) {
		jitter := i * 7 % 13 * int64(time.Millisecond) // up to 12 ms late
		for f := int64(0); f < tickTime; f += tickTime / 5 {
			now := r.now + i*tickTime + f
			if f >= jitter && r.tick == uint32(i) {
				r.push(now)
			}
			if !r.Draw(now) {
				continue
			}
			x := r.x(t)
			if d := x - last; i > 100 {
				// 8 in a fifth of a tick, give or take 1/256 of a tick and the slow adaptation to the jitter.
				if d < 7 || d > 9 {
					t.Fatalf("in 10 ms the ship flew %v, want 8", d)
				}
				steps++
			}
			last = x
			if late := float64(now-r.now)/float64(tickTime)*40 - x + 40; i > 100 && (late < 80 || late > 80+40) {
				t.Fatalf("the picture is %v wire units behind, want two ticks and the jitter", late)
			}
			if drawn := float64(r.Tick) + float64(r.Fraction)/256; math.Abs(drawn*40-x) > 1e-9 {
				t.Fatalf("at x %v the picture calls itself %v", x, drawn)
			}
		}
	}
	if steps < 400 || r.Held > 20 {
		t.Errorf("%d steps, %d without a newer state", steps, r.Held)
	}
}

func TestThePictureStandsStillWithoutStates(t *testing.T) {
	r := newReel()
	for i := range int64(30) {
		r.push(r.now + i*tickTime)
	}
	now := r.now + 29*tickTime
	for range 20 {
		r.Draw(now)
		now += tickTime
	}
	if x := r.x(t); x != 40*30 || r.Tick != 30 || r.Fraction != 0 || r.Held == 0 {
		t.Errorf("x %v at tick %d + %d", x, r.Tick, r.Fraction)
	}
	if _, _, ok := r.Row(2, nil); ok {
		t.Error("a row that is not there")
	}
	// What comes then, a second late, is drawn from where it was: the picture does not jump back.
	for range 5 {
		r.push(now)
		r.Draw(now)
		if r.x(t) < 40*30 {
			t.Errorf("the picture went back to %v", r.x(t))
		}
		now += tickTime
	}
}
