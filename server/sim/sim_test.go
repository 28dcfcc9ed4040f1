package sim_test

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"skirmish/server/sim"
)

var (
	seeds = flag.Int("seeds", 0, "how many seeds TestSeeds tries, 0: 200, or 20 with the race detector")
	first = flag.Uint64("first", 1, "the first of them")
	pairs = flag.Int("pairs", 20, "how many seeds TestSeedIsOneStory plays twice")
	one   = flag.Uint64("seed", 0, "play this seed alone, and tell of it")
)

// play runs a seed, alone on one processor and without a collection in the middle: what runs at one moment then depends on
// the seed alone.
func play(t *testing.T, seed uint64, o sim.Options) (r *sim.Report) {
	cryptotest.SetGlobalRandom(t, seed)
	dir, err := os.MkdirTemp("", "sim")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	o.Dir = dir
	synctest.Test(t, func(*testing.T) { r = sim.Run(seed, o) })
	runtime.GC()
	return r
}

// alone makes the process one that play can be trusted in, until the test ends.
func alone(t *testing.T) {
	// The runtime's own goroutine for signals begins with the first that asks for any, and must not belong to a bubble.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	procs, percent := runtime.GOMAXPROCS(1), debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(1 << 30)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
}

// total sums reports up.
type total struct {
	seeds             int
	simulated, took   time.Duration
	faults, did, held map[string]int
}

func newTotal() *total {
	return &total{faults: map[string]int{}, did: map[string]int{}, held: map[string]int{}}
}

func (s *total) add(r *sim.Report) {
	s.seeds++
	s.simulated += r.Simulated
	for into, from := range map[*map[string]int]map[string]int{&s.faults: r.Faults, &s.did: r.Done, &s.held: r.Checks} {
		for k, n := range from {
			(*into)[k] += n
		}
	}
}

func (s *total) print(t *testing.T) {
	t.Logf("seeds tried %d, simulated %v in %.1f s: %.0f times real time", s.seeds, s.simulated.Round(time.Second), s.took.Seconds(), s.simulated.Seconds()/s.took.Seconds())
	t.Logf("done: %s", counted(s.did))
	t.Logf("faults: %s", counted(s.faults))
	t.Logf("checked: %s", counted(s.held))
}

func counted(m map[string]int) string {
	var parts []string
	for k, n := range m {
		parts = append(parts, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// report tells of a seed that failed, and how to see it again.
func report(t *testing.T, r *sim.Report) {
	t.Errorf("seed %d: %s\n    again: go test ./server/sim -run TestSeeds -v -args -seed %d", r.Seed, strings.Join(r.Failures, "\n    "), r.Seed)
}

// TestSeeds plays stories: whatever happens in them, what must hold does.
func TestSeeds(t *testing.T) {
	alone(t)
	if *one != 0 {
		r := play(t, *one, sim.Options{Log: os.Stderr, Say: func(s string) { fmt.Println(s) }})
		if len(r.Failures) > 0 {
			report(t, r)
		}
		t.Logf("trace %016x", r.Trace.Sum())
		return
	}
	n := *seeds
	if n == 0 {
		if n = 200; raceOn {
			n = 20
		}
	}
	sum, begun := newTotal(), time.Now()
	for seed := *first; seed < *first+uint64(n); seed++ {
		r := play(t, seed, sim.Options{})
		if len(r.Failures) > 0 {
			report(t, r)
		}
		sum.add(r)
	}
	sum.took = time.Since(begun)
	sum.print(t)
}

// TestSeedIsOneStory plays seeds twice: what the players saw, what went to the disk and what became of it is the same, though
// the second time whatever is ready at one instant runs in any order.
func TestSeedIsOneStory(t *testing.T) {
	alone(t)
	n := *pairs
	if raceOn {
		n = min(n, 2)
	}
	for seed := *first; seed < *first+uint64(n); seed++ {
		a, b := play(t, seed, sim.Options{}), play(t, seed, sim.Options{Shuffle: true})
		if where := a.Trace.Differs(b.Trace); where != "" {
			t.Errorf("seed %d tells two stories: %s", seed, where)
		}
	}
	t.Logf("%d seeds played twice", n)
}
