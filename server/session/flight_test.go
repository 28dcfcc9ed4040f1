package session

import (
	"testing"
	"time"

	"skirmish/protocol"
)

func TestFlightRule(t *testing.T) {
	const ms = time.Millisecond
	for _, story := range []struct {
		name     string
		unsent   int // bytes; a snapshot has 100
		smoothed time.Duration
		least    time.Duration
		hold     bool
	}{
		{"nothing on its way", 0, 20 * ms, 20 * ms, false},
		{"what a path of 100 ms holds at 20 Hz", 300, 100 * ms, 100 * ms, false},
		{"more than it holds, but the path is as fast as ever: a loss", 800, 110 * ms, 100 * ms, false},
		{"more than it holds, and the round trip has grown: a queue", 800, 180 * ms, 100 * ms, true},
		{"just what it holds while the round trip has grown", 300, 180 * ms, 100 * ms, false},
		{"more than a second's worth, whatever the round trip", 2100, 100 * ms, 100 * ms, true},
		{"a second's worth of a satellite", 1900, 700 * ms, 690 * ms, false},
	} {
		t.Run(story.name, func(t *testing.T) {
			f := flight{size: 100}
			c := &memConn{unsent: story.unsent, smoothed: story.smoothed, least: story.least}
			if got := f.hold(c, time.Unix(1000, 0), 20); got != story.hold {
				t.Fatalf("hold = %v, want %v", got, story.hold)
			}
		})
	}
}

func TestFlightLadder(t *testing.T) {
	f := flight{size: 100}
	c := &memConn{}
	now := time.Unix(1000, 0)
	// window lets a window pass with half of the snapshots held back, or none, and counts those sent.
	window := func(slow bool) (sent int, slower bool) {
		for i := range 41 { // 20 Hz for a good two seconds
			now = now.Add(50 * time.Millisecond)
			c.unsent = 0
			if slow && i < 24 {
				c.unsent = 1 << 20
			}
			if !f.hold(c, now, 20) {
				sent++
			}
			slower = f.judge(now) || slower
		}
		return sent, slower
	}
	f.judge(now)
	if sent, slower := window(false); sent != 41 || slower {
		t.Fatalf("a fast link: %d sent, slower %v", sent, slower)
	}
	for want := range 2 {
		if _, slower := window(true); !slower {
			t.Fatalf("step %d down was not taken", want)
		}
	}
	if sent, slower := window(false); slower || sent > 11 {
		t.Fatalf("at the lowest rate: %d of 41 sent, slower %v; want a quarter", sent, slower)
	}
	calm := func(what string, want int) {
		t.Helper()
		for n := range 100 {
			if sent, _ := window(false); sent == 41 {
				if n < want || n > want+1 { // its windows and ours are not in step
					t.Fatalf("%s: full rate after %d calm windows, want %d", what, n, want)
				}
				return
			}
		}
		t.Fatalf("%s: the rate never went up again", what)
	}
	calm("after two steps down", 2*flightCalm-1)
	window(true)
	calm("when that was in vain", 2*flightCalm)
	for range 8 * flightCalm {
		window(false)
	}
	window(true)
	calm("after a long calm it is tried as soon as at first", flightCalm)
}

func TestFlightWhereTheSystemTellsNothing(t *testing.T) {
	f := flight{size: 100}
	c := &memConn{unsent: 250} // no round trip: a full send buffer is all that shows
	now := time.Unix(1000, 0)
	for _, unsent := range []int{250, 1, 100} {
		if c.unsent = unsent; !f.hold(c, now, 20) {
			t.Fatalf("with %d bytes in front of a full send buffer another snapshot was put behind them", unsent)
		}
	}
	if c.unsent = 0; f.hold(c, now, 20) {
		t.Fatal("nothing waits, and the snapshot is held back")
	}
}

func TestRoomTellsSlowClientsAndSkips(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("modem")
	s.run(time.Second, p)
	before := p.count(protocol.TypeDelta)
	p.c.unsent, p.c.smoothed, p.c.least = 1<<20, time.Second, 50*time.Millisecond
	s.run(2600*time.Millisecond, p)
	if got := p.count(protocol.TypeDelta) - before; got > flightSpare {
		t.Fatalf("%d snapshots went into a full queue", got)
	}
	if p.count(protocol.TypeNotice) == 0 || p.closed != 0 {
		t.Fatalf("%d notices, close code %d; want some and 0", p.count(protocol.TypeNotice), p.closed)
	}
	p.c.unsent = 0
	before = p.count(protocol.TypeDelta)
	s.run(20*time.Second, p)
	if got := p.count(protocol.TypeDelta) - before; got < 200 {
		t.Fatalf("%d of 400 snapshots after the link recovered", got)
	}
	if p.count(protocol.TypeSnapshot) != 1 {
		t.Fatalf("%d keyframes: skipping must cost none", p.count(protocol.TypeSnapshot))
	}
}

// Nothing on its way spares the next questions, something on its way does not.
func TestFlightAsksSeldomOnAFastLink(t *testing.T) {
	for _, story := range []struct {
		name   string
		unsent int
		asked  int // in 48 snapshots
	}{
		{"nothing on its way", 0, 12},
		{"a state on its way", 90, 48},
	} {
		t.Run(story.name, func(t *testing.T) {
			f := flight{size: 100}
			c := &memConn{unsent: story.unsent}
			for range 48 {
				f.hold(c, time.Unix(1000, 0), 20)
			}
			if c.asked != story.asked {
				t.Fatalf("asked %d times in 48 snapshots, want %d", c.asked, story.asked)
			}
		})
	}
}
