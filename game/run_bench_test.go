package game_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"skirmish/game"
)

// lateness keeps how late each tick began.
type lateness []time.Duration

func (l *lateness) Ticked(late, _ time.Duration, _ int) { *l = append(*l, late) }

// burn computes for a time, as a game does that has taken on too much.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

// BenchmarkNeighbours is how late the ticks of 40 matches at 50 Hz begin, in which nothing happens: alone, beside one more
// that computes for one and a half periods in each tick of its own, and beside one that computes for a quarter.
func BenchmarkNeighbours(b *testing.B) {
	for _, c := range []struct {
		name  string
		burns time.Duration
	}{{"alone", 0}, {"busy", 5 * time.Millisecond}, {"overrunning", 30 * time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				late := beside(b, c.burns)
				slices.Sort(late)
				b.ReportMetric(float64(late[len(late)/2].Nanoseconds())/1e6, "ms-late-p50")
				b.ReportMetric(float64(late[len(late)*99/100].Nanoseconds())/1e6, "ms-late-p99")
				b.ReportMetric(float64(late[len(late)*999/1000].Nanoseconds())/1e6, "ms-late-p99.9")
			}
		})
	}
}

// beside runs 40 matches for two seconds with one that burns time, and returns how late each of their ticks was.
func beside(b *testing.B, burns time.Duration) (all lateness) {
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Second)
	defer cancel()
	var group sync.WaitGroup
	seen := make([]lateness, 41)
	for i := range seen {
		l := links{}
		if i == 0 && burns > 0 {
			l.collect = func(time.Time) { burn(burns) }
		}
		e := newToy(b, &toy{}, func(m *game.Match) { m.ID, m.TickRate, m.SnapshotRate = fmt.Sprint("match ", i), 50, 50 })
		group.Go(func() { _ = e.Run(ctx, l, &seen[i]) })
	}
	group.Wait()
	for _, l := range seen[1:] {
		all = append(all, l[1:]...) // without the beginning
	}
	return all
}
