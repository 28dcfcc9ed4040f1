package session

import (
	"math"
	"sync/atomic"
	"time"

	"skirmish/server/metrics"
)

// Times of ticks are kept in steps that grow by a quarter: from 4 µs to over 10 s, each figure right to 25 %.
const (
	firstStep = 4 * time.Microsecond
	steps     = 68
)

// stepOf is the step of a time.
func stepOf(d time.Duration) int {
	if d <= firstStep {
		return 0
	}
	return min(steps-1, int(math.Ceil(math.Log(float64(d)/float64(firstStep))/math.Log(1.25))))
}

// quantile is the time that all but a share of the ticks stay within; 0 without any.
func quantile(counts *[steps]uint32, above float64) time.Duration {
	total := uint64(0)
	for _, n := range counts {
		total += uint64(n)
	}
	left := max(1, uint64(math.Ceil(float64(total)*above)))
	for i := steps - 1; i >= 0; i-- {
		n := uint64(counts[i])
		if n >= left && n > 0 {
			return time.Duration(float64(firstStep) * math.Pow(1.25, float64(i)))
		}
		left -= min(left, n)
	}
	return 0
}

// tickLog sums up how long ticks take. The zero value is ready.
type tickLog struct {
	counts   [steps]uint32
	overruns uint64
}

// add takes in one tick and the steps that were dropped before it.
func (l *tickLog) add(took time.Duration, missed int) {
	l.counts[stepOf(took)]++
	l.overruns += uint64(missed)
}

// p99 is the time that 99 of 100 ticks stay within.
func (l *tickLog) p99() time.Duration { return quantile(&l.counts, 0.01) }

// lateness is how late the ticks of the last one to two minutes began. The match's goroutine adds; report is safe from any
// goroutine. The zero value is ready.
type lateness struct {
	tables  [2][steps]atomic.Uint32
	current atomic.Uint32 // of the tables: the one that is being filled
	filled  int           // ticks in it

	ticks, missed atomic.Uint64 // since the match began
	sum           atomic.Int64  // ns
}

// add takes in a tick that began so late and the steps that were dropped before it; span is how many make a minute.
func (l *lateness) add(late time.Duration, missed, span int) {
	if l.filled >= span {
		next := 1 - l.current.Load()
		for i := range l.tables[next] {
			l.tables[next][i].Store(0)
		}
		l.current.Store(next)
		l.filled = 0
	}
	l.filled++
	l.tables[l.current.Load()][stepOf(late)].Add(1)
	l.ticks.Add(1)
	l.missed.Add(uint64(missed))
	l.sum.Add(int64(late))
}

// report fills in what is told of the match.
func (l *lateness) report(m *metrics.MatchTicks) {
	var counts [steps]uint32
	for i := range counts {
		counts[i] = l.tables[0][i].Load() + l.tables[1][i].Load()
	}
	m.P50, m.P99, m.P999 = quantile(&counts, 0.5), quantile(&counts, 0.01), quantile(&counts, 0.001)
	m.Ticks, m.Missed, m.Late = l.ticks.Load(), l.missed.Load(), time.Duration(l.sum.Load())
}
