package main

import (
	"maps"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// outcome is what one process has measured, in a form that goes through a pipe.
type outcome struct {
	Books   []*packed // by stage
	Aside   *packed
	Watch   *packed // spectators
	Start   int64
	End     int64 // of the window
	Step    int64
	Rows    []row
	Matches int
	Faults  map[string]int
	CPU     float64 // over the window, s
	Early   string
	IO      string // kind of the loops' pollers
	Planned int    // players to come before the window's end
}

// packed is figures on their way through a pipe.
type packed struct {
	Histograms []*hdrhistogram.Snapshot
	Seconds    float64
	Counts     []uint64
	Joined     int
	Resumed    int
	Lost       int
	Aims       []aim
	Over       int
	Closes     map[int]int
	Endings    map[Ending]int
	Causes     map[string]int
	Cuts       map[string]int
}

func (f *figures) numbers() []*uint64 {
	return []*uint64{&f.received, &f.fulls, &f.stateBytes, &f.inputs, &f.events, &f.bytesIn, &f.bytesOut, &f.asked, &f.skipped}
}

func (f *figures) pack() *packed {
	r := &packed{Seconds: f.playerSeconds, Joined: f.joined, Resumed: f.resumed, Lost: f.lost, Over: f.over, Closes: f.closes, Endings: f.endings, Causes: f.causes, Cuts: f.cuts, Aims: f.aims}
	for _, h := range f.histograms() {
		r.Histograms = append(r.Histograms, (*h).Export())
	}
	for _, n := range f.numbers() {
		r.Counts = append(r.Counts, *n)
	}
	return r
}

func (r *packed) unpack() *figures {
	f := newFigures()
	for i, h := range f.histograms() {
		if i < len(r.Histograms) {
			*h = hdrhistogram.Import(r.Histograms[i])
		}
	}
	for i, n := range f.numbers() {
		if i < len(r.Counts) {
			*n = r.Counts[i]
		}
	}
	f.playerSeconds, f.joined, f.resumed, f.lost, f.over = r.Seconds, r.Joined, r.Resumed, r.Lost, r.Over
	f.aims = r.Aims
	maps.Copy(f.closes, r.Closes)
	maps.Copy(f.endings, r.Endings)
	maps.Copy(f.causes, r.Causes)
	maps.Copy(f.cuts, r.Cuts)
	return f
}

// outcome puts the loops together.
func (s *swarm) outcome(early string, cpu float64) *outcome {
	o := &outcome{
		Start: s.start, End: s.window.end, Step: s.loops[0].series.step, Rows: s.loops[0].series.rows,
		Matches: len(s.matches), Faults: s.faults, CPU: cpu, Early: early, IO: s.loops[0].poller.kind(),
	}
	aside, watching := newFigures(), newFigures()
	for i := range s.spans {
		book := newFigures()
		for _, l := range s.loops {
			book.merge(l.books[i])
		}
		o.Books = append(o.Books, book.pack())
	}
	for i, l := range s.loops {
		aside.merge(l.aside)
		watching.merge(l.watching)
		if i > 0 {
			for k := range l.series.rows {
				o.Rows[k].merge(&l.series.rows[k])
			}
		}
	}
	o.Aside, o.Watch = aside.pack(), watching.pack()
	for k, cpu := range s.spent {
		o.Rows[k].CPU += cpu
	}
	for i := range s.plan {
		if s.plan[i].manner != watches && s.due(i) < s.window.end {
			o.Planned++
		}
	}
	return o
}
