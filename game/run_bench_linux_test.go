package game_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// BenchmarkTickers compares who ticks 1,000 matches at 20 Hz: a goroutine and timer of each match's own, as Run has it, or a
// worker for each processor that goes round its share of the matches. What it costs in CPU time for each tick, how late
// ticks begin, and how late those of the others are beside one match that overruns by half.
func BenchmarkTickers(b *testing.B) {
	const matches, hz = 1000, 20
	period := time.Second / hz
	for _, way := range []struct {
		name string
		run  func(ctx context.Context, engines []*game.Engine, links []links) []lateness
	}{{"own", ownTickers}, {"workers", tickWorkers}} {
		for _, burns := range []time.Duration{0, period * 3 / 2} {
			b.Run(fmt.Sprintf("%s/overrun=%t", way.name, burns > 0), func(b *testing.B) {
				for b.Loop() {
					engines, hooks := make([]*game.Engine, matches), make([]links, matches)
					for i := range engines {
						engines[i] = newToy(b, &toy{}, func(m *game.Match) { m.ID, m.TickRate, m.SnapshotRate = fmt.Sprint("match ", i), hz, hz })
					}
					if burns > 0 {
						hooks[0].collect = func(time.Time) { burn(burns) }
					}
					ctx, cancel := context.WithTimeout(b.Context(), 2*time.Second)
					before := cpuTime(b)
					seen := way.run(ctx, engines, hooks)
					spent := cpuTime(b) - before
					cancel()
					var late lateness
					for _, l := range seen[1:] {
						late = append(late, l...)
					}
					slices.Sort(late)
					if burns == 0 {
						b.ReportMetric(float64(spent.Nanoseconds())/float64(len(late)), "cpu-ns/tick")
					}
					b.ReportMetric(float64(late[len(late)/2].Nanoseconds())/1e6, "ms-late-p50")
					b.ReportMetric(float64(late[len(late)*99/100].Nanoseconds())/1e6, "ms-late-p99")
				}
			})
		}
	}
}

func ownTickers(ctx context.Context, engines []*game.Engine, hooks []links) []lateness {
	seen := make([]lateness, len(engines))
	var group sync.WaitGroup
	for i, e := range engines {
		group.Go(func() { _ = e.Run(ctx, hooks[i], &seen[i]) })
	}
	group.Wait()
	return seen
}

// tickWorkers goes round: all matches have one rate, so the one that has waited longest is the next.
func tickWorkers(ctx context.Context, engines []*game.Engine, hooks []links) []lateness {
	seen := make([]lateness, len(engines))
	workers := runtime.GOMAXPROCS(0)
	start := time.Now()
	period := time.Second / time.Duration(engines[0].Match().TickRate)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for turn := 0; ctx.Err() == nil; turn++ {
				for i := w; i < len(engines); i += workers {
					due := start.Add(time.Duration(turn)*period + time.Duration(i)*period/time.Duration(len(engines)))
					time.Sleep(time.Until(due))
					now := time.Now()
					seen[i] = append(seen[i], now.Sub(due))
					engines[i].Attach(hooks[i])
					engines[i].Tick(now)
				}
			}
		})
	}
	group.Wait()
	return seen
}

// cpuTime is what the process has used: on a busy machine it says more than the clock.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
