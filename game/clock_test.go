package game_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"skirmish/game"
)

// exactDeadline is the stupid twin of Clock.Deadline, in arbitrary precision.
func exactDeadline(stagger time.Duration, slot, hz int64) time.Duration {
	n := new(big.Int).Mul(big.NewInt(slot), big.NewInt(int64(time.Second)))
	return stagger + time.Duration(n.Div(n, big.NewInt(hz)).Int64())
}

func TestClockIsExactForEver(t *testing.T) {
	for _, hz := range []int{1, 7, 20, 60, 128, 144, 240} {
		c := game.NewClock("match", hz)
		stagger := c.Stagger()
		slot := int64(0)
		for _, jump := range []int64{0, 1, 2, 59, 1000, 3600 * int64(hz), 10 * 365 * 86400 * int64(hz)} { // 10 years
			for range 50 {
				if got, want := c.Deadline(), exactDeadline(stagger, slot, int64(hz)); got != want {
					t.Fatalf("%d Hz, tick %d is due at %v, want %v", hz, slot, got, want)
				}
				due, missed := c.Begin(c.Deadline())
				if due != exactDeadline(stagger, slot, int64(hz)) || missed != 0 {
					t.Fatalf("%d Hz, tick %d began for %v with %d missed", hz, slot, due, missed)
				}
				slot++
			}
			// A pause: the clock goes on at the last place that is due.
			to := slot + jump
			_, missed := c.Begin(exactDeadline(stagger, to, int64(hz)))
			slot += int64(missed) + 1
			for slot <= to {
				if _, again := c.Begin(exactDeadline(stagger, to, int64(hz))); again != 0 {
					t.Fatalf("%d Hz: %d missed while catching up", hz, again)
				}
				slot++
			}
		}
	}
}

func TestClockDueAtTheVeryNanosecond(t *testing.T) {
	for _, hz := range []int{1, 3, 7, 60, 128, 239, 240} {
		for slot := int64(0); slot < 1000; slot += 37 {
			c := game.NewClock("m", hz)
			at := exactDeadline(c.Stagger(), slot, int64(hz))
			_, missed := c.Begin(at - 1)
			if want := max(0, slot-1-game.MaxCatchUp); int64(missed) != want {
				t.Fatalf("%d Hz: 1 ns before place %d %d are missed, want %d", hz, slot, missed, want)
			}
			c = game.NewClock("m", hz)
			_, missed = c.Begin(at)
			if want := max(0, slot-game.MaxCatchUp); int64(missed) != want {
				t.Fatalf("%d Hz: at place %d %d are missed, want %d", hz, slot, missed, want)
			}
		}
	}
}

func TestClockStaggersMatchesOverThePeriod(t *testing.T) {
	const matches, buckets = 1000, 20
	for _, pattern := range []string{"m-%d", "%08d", "3f2a-%x", "arena/eu-west/%d"} {
		var count [buckets]int
		for i := range matches {
			c := game.NewClock(fmt.Sprintf(pattern, i), 60)
			period := time.Second / 60
			if c.Stagger() < 0 || c.Stagger() >= period {
				t.Fatalf("stagger %v is not within the period", c.Stagger())
			}
			count[int64(c.Stagger())*buckets/int64(period)]++
		}
		// 50 are expected in each; five standard deviations of the binomial are 34.
		for b, n := range count {
			if n < 50-34 || n > 50+34 {
				t.Errorf("%s: bucket %d of %d holds %d of %d matches", pattern, b, buckets, n, matches)
			}
		}
	}
	if one, other := game.NewClock("a", 60), game.NewClock("a", 60); one != other {
		t.Error("the stagger of one match differs from clock to clock")
	}
}
