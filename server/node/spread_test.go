package node

import (
	"testing"
	"time"
)

// Players that are sent off at the deadline go match by match: 500 in a second, and all of them within 10 s.
func TestDrainIsSpread(t *testing.T) {
	for _, c := range []struct {
		matches, players int
		last             time.Duration
	}{{1, 16, 0}, {32, 512, 992 * time.Millisecond}, {1000, 16_000, 9990 * time.Millisecond}} {
		before := time.Duration(-1)
		for i := range c.matches {
			at := drainShare(i, c.matches, c.players)
			if at <= before {
				t.Errorf("%d matches: number %d goes after %v, the one before it after %v", c.matches, i, at, before)
			}
			before = at
		}
		if before != c.last {
			t.Errorf("%d players of %d matches are gone after %v, want %v", c.players, c.matches, before, c.last)
		}
	}
}
