package session

import (
	"runtime"
	"testing"
	"time"

	"skirmish/server/metrics"
)

// Quantiles are right to a step of a quarter, and what is older than two minutes is forgotten.
func TestLatenessOfTheLastMinutes(t *testing.T) {
	const span = 1000 // ticks of a minute
	var l lateness
	feed := func(n int, late time.Duration) {
		for range n {
			l.add(late, 0, span)
		}
	}
	check := func(what string, p50, p99, p999 time.Duration) {
		t.Helper()
		var m metrics.MatchTicks
		l.report(&m)
		for _, c := range []struct{ got, want time.Duration }{{m.P50, p50}, {m.P99, p99}, {m.P999, p999}} {
			if c.got < c.want || c.got > c.want*5/4+1 {
				t.Errorf("%s: %v, %v and %v, want %v, %v and %v and up to a quarter more", what, m.P50, m.P99, m.P999, p50, p99, p999)
				return
			}
		}
	}
	check("nothing yet", 0, 0, 0)
	feed(960, 100*time.Microsecond)
	feed(35, 5*time.Millisecond)
	feed(5, 90*time.Millisecond)
	check("a minute", 100*time.Microsecond, 5*time.Millisecond, 90*time.Millisecond)
	feed(span, 10*time.Microsecond)
	check("it and the next", 100*time.Microsecond, 5*time.Millisecond, 90*time.Millisecond)
	feed(span, 20*time.Microsecond)
	check("it is forgotten", 20*time.Microsecond, 20*time.Microsecond, 20*time.Microsecond)
	l.add(time.Hour, 7, span)
	var m metrics.MatchTicks
	if l.report(&m); m.Ticks != 3*span+1 || m.Missed != 7 || m.Late < time.Hour {
		t.Errorf("%d ticks, %d missed, late by %v in all", m.Ticks, m.Missed, m.Late)
	}
}

// Matches that overrun have one processor more together, until all of them have kept up for a while or have ended.
func TestOverrunsGetAProcessor(t *testing.T) {
	usual := runtime.GOMAXPROCS(0)
	check := func(what string, want int) {
		t.Helper()
		if got := runtime.GOMAXPROCS(0) - usual; got != want {
			t.Fatalf("%s: %d processors more, want %d", what, got, want)
		}
	}
	var a, b pace
	in, over := 10*time.Millisecond, 60*time.Millisecond
	a.note(in, 50*time.Millisecond)
	check("in time", 0)
	a.note(over, 50*time.Millisecond)
	b.note(over, 50*time.Millisecond)
	a.note(over, 50*time.Millisecond)
	check("two overrun", 1)
	for range overrunCalm - 1 {
		a.note(in, 50*time.Millisecond)
	}
	b.end()
	check("one has ended, the other has not been calm for long enough", 1)
	a.note(in, 50*time.Millisecond)
	check("calm", 0)
}
