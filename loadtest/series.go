package main

import (
	"math/bits"
	"time"
)

// sketch is a small histogram: 16 buckets to each doubling, from 1 µs to over a minute, so that a statistic is true
// to about 2 %. One for every second of a run takes a hundredth of a full histogram's memory.
type sketch struct {
	Counts [sketchBuckets]uint32
	Total  uint64
	Top    int64 // the largest, µs
}

const (
	sketchLinear  = 16
	sketchBuckets = sketchLinear + 22*16
)

func (s *sketch) record(ns int64) { s.recordTimes(ns, 1) }

func (s *sketch) recordTimes(ns int64, n int) {
	v := min(max(ns/1000, 0), histogramTop)
	s.Counts[sketchBucket(v)] += uint32(n)
	s.Total += uint64(n)
	s.Top = max(s.Top, v)
}

func sketchBucket(v int64) int {
	if v < sketchLinear {
		return int(v)
	}
	e := bits.Len64(uint64(v)) - 5
	return e*16 + int(v>>e)
}

// bounds are the values of a bucket, low included, high not, in µs.
func sketchBounds(i int) (low, high float64) {
	if i < sketchLinear {
		return float64(i), float64(i + 1)
	}
	e := (i - sketchLinear) / 16
	v := int64(i-e*16) << e
	return float64(v), float64(v + 1<<e)
}

func (s *sketch) merge(o *sketch) {
	for i, n := range o.Counts {
		s.Counts[i] += n
	}
	s.Total += o.Total
	s.Top = max(s.Top, o.Top)
}

// quantile estimates one in ms, q in percent; 0 without samples.
func (s *sketch) quantile(q float64) float64 {
	want := q / 100 * float64(s.Total)
	below := 0.0
	for i, n := range s.Counts {
		if n == 0 {
			continue
		}
		if c := float64(n); below+c >= want {
			low, high := sketchBounds(i)
			return min(low+(high-low)*(want-below)/c, float64(s.Top)) / 1e3
		}
		below += float64(s.Counts[i])
	}
	return float64(s.Top) / 1e3
}

// row is one step of a run, from one loop, and from all of them once merged. Measured in the warm-up as well.
type row struct {
	Join, Resume, Gap, Ack, IntervalError, Age, Lag sketch

	Joins, Resumes, Cuts, Ends, Errors uint32
	States, Inputs                     uint64
	BytesIn, BytesOut                  uint64
	Seconds                            float64 // played, by all bots
	Owed                               float64 // of them, by bots that read and so are owed every snapshot
	Got                                uint64  // snapshots of those bots
	CPU                                float64 // of the generator, s
}

func (r *row) merge(o *row) {
	for _, s := range []struct{ to, from *sketch }{
		{&r.Join, &o.Join}, {&r.Resume, &o.Resume}, {&r.Gap, &o.Gap}, {&r.Ack, &o.Ack}, {&r.IntervalError, &o.IntervalError}, {&r.Age, &o.Age}, {&r.Lag, &o.Lag},
	} {
		s.to.merge(s.from)
	}
	r.Joins += o.Joins
	r.Resumes += o.Resumes
	r.Cuts += o.Cuts
	r.Ends += o.Ends
	r.Errors += o.Errors
	r.States += o.States
	r.Inputs += o.Inputs
	r.BytesIn += o.BytesIn
	r.BytesOut += o.BytesOut
	r.Seconds += o.Seconds
	r.Owed += o.Owed
	r.Got += o.Got
	r.CPU += o.CPU
}

// series are the rows of a run in equal steps from its start on. What lies outside counts to the nearest row.
type series struct {
	start, step int64 // ns
	rows        []row
}

// newSeries has a row for each second, and longer steps when a run has more of them than maxRows.
func newSeries(start int64, length time.Duration) series {
	step := time.Second
	for length/step >= maxRows {
		step += time.Second
	}
	return series{start: start, step: int64(step), rows: make([]row, int(length/step)+1)}
}

func (s *series) at(t int64) *row {
	return &s.rows[min(max((t-s.start)/s.step, 0), int64(len(s.rows)-1))]
}
