package ticket_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skirmish/server/ticket"
)

func TestTicketBurnsOnce(t *testing.T) {
	var b ticket.Burned
	at := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	for _, step := range []struct {
		story    string
		id       string
		expires  int
		now      int
		first    bool
		keptThen int
	}{
		{"a first use", "a", 30, 0, true, 1},
		{"the same again", "a", 30, 0, false, 1},
		{"another one", "b", 30, 1, true, 2},
		{"of another second", "c", 31, 1, true, 3},
		{"the first one in its last second", "a", 30, 30, false, 3},
		{"within the skew of the clocks", "a", 30, 35, false, 3},
		{"past it: nobody may use it, nobody remembers it", "a", 30, 36, false, 3},
		{"and the next one sweeps", "d", 60, 36, true, 2},
		{"the clock goes back: still used", "d", 60, -3600, false, 2},
		{"and forward by a day: all forgotten", "e", 86430, 86400, true, 1},
	} {
		if got := b.Burn(step.id, at(step.expires), at(step.now)); got != step.first {
			t.Errorf("%s: got %v", step.story, got)
		}
		if got := b.Len(); got != step.keptThen {
			t.Errorf("%s: %d are kept, want %d", step.story, got, step.keptThen)
		}
	}
}

func TestBurnedIsBoundedByTime(t *testing.T) {
	var b ticket.Burned
	const perSecond, seconds = 50, 600
	most := 0
	for s := range seconds {
		at := now.Add(time.Duration(s) * time.Second)
		for i := range perSecond {
			if !b.Burn(strconv.Itoa(s*perSecond+i), at.Add(ticket.MaxLifetime), at) {
				t.Fatal("a first use is refused")
			}
		}
		most = max(most, b.Len())
	}
	if limit := perSecond * int((ticket.MaxLifetime+ticket.ClockSkew)/time.Second+1); most > limit {
		t.Errorf("%d marks were kept, want at most %d", most, limit)
	}
}

func TestOneOfManyRacersBurns(t *testing.T) {
	var b ticket.Burned
	var wins atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				if b.Burn(strconv.Itoa(i), now.Add(time.Minute), now) {
					wins.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if wins.Load() != 100 {
		t.Errorf("%d first uses of 100 tickets", wins.Load())
	}
}
