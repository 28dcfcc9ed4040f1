package main

import (
	"github.com/HdrHistogram/hdrhistogram-go"
)

// figures is what one loop has measured. Histograms are in µs. The loop alone writes it; the run reads it after
// the loop has ended.
type figures struct {
	connect, welcome, join, resume, gap, undone       *hdrhistogram.Histogram // joins and returns, of the whole run
	ack, wait, interval, intervalError, age, lag, rtt *hdrhistogram.Histogram // of the measured window

	playerSeconds float64 // played in the window
	received      uint64  // snapshots and deltas in the window
	fulls         uint64  // of them standing alone
	stateBytes    uint64
	inputs        uint64
	events        uint64
	bytesIn       uint64
	bytesOut      uint64
	asked         uint64 // keyframes asked for because of a fault
	skipped       uint64 // inputs left out because the loop was far too late

	aims    []aim // of marksmen, by network, those without one first
	joined  int
	resumed int            // returns after a cut
	lost    int            // seats that could not be come back into
	over    int            // matches' ends seen, bots
	closes  map[int]int    // ends of connections by close code, clean ones included
	endings map[Ending]int // the same by who ended how
	causes  map[string]int // errors
	cuts    map[string]int // connections of players that the server or the network ended, and that are worth coming back
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, histogramTop, 3) }

func newFigures() *figures {
	f := &figures{closes: make(map[int]int), endings: make(map[Ending]int), causes: make(map[string]int), cuts: make(map[string]int)}
	for _, h := range f.histograms() {
		*h = newHistogram()
	}
	return f
}

func (f *figures) histograms() []**hdrhistogram.Histogram {
	return []**hdrhistogram.Histogram{&f.connect, &f.welcome, &f.join, &f.resume, &f.gap, &f.undone, &f.ack, &f.wait, &f.interval, &f.intervalError, &f.age, &f.lag, &f.rtt}
}

// record puts a time in ns into a histogram. What lies outside counts as the bound.
func record(h *hdrhistogram.Histogram, ns int64) {
	h.RecordValue(min(max(ns/1000, 0), histogramTop)) // in range: no error
}

// aim is the count of a network, −1: none.
func (f *figures) aim(network int) *aim {
	for len(f.aims) <= network+1 {
		f.aims = append(f.aims, aim{})
	}
	return &f.aims[network+1]
}

// recordTimes is the same n times.
func recordTimes(h *hdrhistogram.Histogram, ns int64, n int) {
	h.RecordValues(min(max(ns/1000, 0), histogramTop), int64(n))
}

// fault counts an error by its cause.
func (f *figures) fault(cause string) { countCause(f.causes, cause) }

func countCause(causes map[string]int, cause string) {
	cause = cut(cause, maxCauseBytes)
	if _, ok := causes[cause]; !ok && len(causes) >= maxCauses {
		cause = "other causes"
	}
	causes[cause]++
}

func (f *figures) errors() int   { return total(f.causes) }
func (f *figures) cutTotal() int { return total(f.cuts) }

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// merge adds g to f.
func (f *figures) merge(g *figures) {
	to, from := f.histograms(), g.histograms()
	for i := range to {
		(*to[i]).Merge(*from[i])
	}
	f.playerSeconds += g.playerSeconds
	for _, n := range []struct{ to, from *uint64 }{
		{&f.received, &g.received}, {&f.fulls, &g.fulls}, {&f.stateBytes, &g.stateBytes}, {&f.inputs, &g.inputs},
		{&f.events, &g.events}, {&f.bytesIn, &g.bytesIn}, {&f.bytesOut, &g.bytesOut}, {&f.asked, &g.asked},
		{&f.skipped, &g.skipped},
	} {
		*n.to += *n.from
	}
	for i, a := range g.aims {
		to := f.aim(i - 1)
		to.Shots += a.Shots
		to.Hits += a.Hits
	}
	f.count(g)
}

// count adds what g has of bots that came and went, which are counted whatever they did.
func (f *figures) count(g *figures) {
	f.joined += g.joined
	f.resumed += g.resumed
	f.lost += g.lost
	f.over += g.over
	for code, n := range g.closes {
		f.closes[code] += n
	}
	for e, n := range g.endings {
		f.endings[e] += n
	}
	for cause, n := range g.causes {
		f.causes[cause] += n
	}
	for cause, n := range g.cuts {
		f.cuts[cause] += n
	}
}

// live is what a loop tells while it runs, since the run last took it.
type live struct {
	joined, gone int // so far, not since
	states       uint64
	inputs       uint64
	errors, cuts int // so far
	ack          *hdrhistogram.Histogram
	lag          int64 // the largest, ns
}

// window is the measured part of a run, ns since the Unix epoch.
type window struct{ begin, end int64 }

func (w *window) has(at int64) bool { return at >= w.begin && at < w.end }
