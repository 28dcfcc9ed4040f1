package session

import (
	"runtime"
	"sync"

	"skirmish/server/metrics"
)

// Strays counts the goroutines that a game is late to return from: those that their watchdog has found in the same tick twice,
// and among them the lost ones, whose match was given up. Go cannot end a goroutine from outside, so a game that spins keeps a processor, and whoever
// shares it waits for the scheduler, which takes it away every 10 ms at the earliest. So each stray gets a processor more
// (GOMAXPROCS): the system's scheduler then shares the cores, and its thread is lowered (see watchdog.go), so that whoever wakes
// up gets one at once. Matches that need longer for their ticks than there is time get one more together, as long as they do:
// beside one that overruns by half, on one core, 40 others are 0.7 ms late at p50 and 8 ms at p99 instead of 15 and 33
// (BenchmarkNeighbours of game). Lateness of 40 matches at 50 Hz with so many spinning goroutines that are not lowered, p99:
//
//	            1 core, 1 | 1 core, 4 | 2 cores, 1 | 2 cores, 2 | 2 cores, 4
//	as it is        24 ms |    101 ms |       5 ms |      54 ms |      46 ms
//	with more        5 ms |     10 ms |       5 ms |       5 ms |       7 ms
//
// One is shared by all matches of a node. All methods are safe from any goroutine.
type Strays struct {
	metrics *metrics.Hangs

	mu      sync.Mutex
	lost    int
	burning int // of the lost: were running, not waiting for something, when they were given up
}

// NewStrays counts them in m too.
func NewStrays(m *metrics.Hangs) *Strays { return &Strays{metrics: m} }

// maxExtra bounds the processors that strays get.
const maxExtra = 64

// processors guards GOMAXPROCS, of which there is one in a process, and how much it was raised.
var processors struct {
	sync.Mutex
	strays   int
	overruns int // matches that overrun
}

// extra is how much it is raised; processors is locked.
func extra() int { return min(processors.strays+min(processors.overruns, 1), maxExtra) }

// moreProcessors notes strays and overrunning matches that have come (1) or gone (-1).
func moreProcessors(strays, overruns int) {
	p := &processors
	p.Lock()
	defer p.Unlock()
	before := extra()
	p.strays += strays
	p.overruns += overruns
	if d := extra() - before; d != 0 {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + d)
	}
}

// astray notes that a goroutine is late.
func (s *Strays) astray() { moreProcessors(1, 0) }

// back notes that a late one has returned.
func (s *Strays) back() { moreProcessors(-1, 0) }

// lose notes that nobody waits for one any more.
func (s *Strays) lose(burning bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost++
	s.metrics.Abandoned.Inc()
	if burning {
		s.burning++
	}
}

// found notes that a lost one has returned all the same.
func (s *Strays) found(burning bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost--
	s.metrics.Abandoned.Dec()
	if burning {
		s.burning--
	}
}

// Burning is how many lost goroutines keep a processor busy for nothing.
func (s *Strays) Burning() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.burning
}
