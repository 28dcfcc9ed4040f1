package main

import (
	"context"
	"slices"
)

// serverFigures are the server's own figures over a stretch of time, from scrapes of its /metrics.
type serverFigures struct {
	before, after page
	during        []page // in between: they matter when the server is started anew meanwhile
	err           error
	from, to      int64
}

func (f *serverFigures) begin(m *matchmaker) {
	f.from = nanos()
	f.before, f.err = m.scrape(context.Background())
}

func (f *serverFigures) end(m *matchmaker) {
	if f.from == 0 {
		return // the window was never reached
	}
	f.to = nanos()
	if f.err == nil {
		f.after, f.err = m.scrape(context.Background())
	}
}

// ServerReport is the server's side of the report. Times are in ms, over Seconds between the two scrapes.
type ServerReport struct {
	Seconds       float64            `json:"seconds"`
	Ticks         float64            `json:"ticks"`
	MissedTicks   float64            `json:"missed_ticks"`
	LatenessP50   float64            `json:"tick_lateness_p50_ms"`
	LatenessP99   float64            `json:"tick_lateness_p99_ms"`
	DurationP50   float64            `json:"tick_duration_p50_ms"`
	DurationP99   float64            `json:"tick_duration_p99_ms"`
	Inputs        map[string]float64 `json:"inputs"`    // by status
	OwnTick       float64            `json:"own_tick"`  // share of the players' ticks that had the input meant for them
	Snapshots     map[string]float64 `json:"snapshots"` // by kind
	CPUSeconds    float64            `json:"cpu_seconds"`
	CPUPerState   float64            `json:"cpu_us_per_snapshot"`
	ResidentBytes float64            `json:"resident_bytes"` // at the end
	Goroutines    float64            `json:"goroutines"`     // at the end
}

// report is nil when the pages could not be had.
func (f *serverFigures) report() *ServerReport {
	if f.err != nil || f.before == nil || f.after == nil {
		return nil
	}
	d := growth(slices.Concat([]page{f.before}, f.during, []page{f.after})...)
	ms := func(family string, q float64) float64 {
		v, _ := d.quantile(family, q)
		return v * 1e3
	}
	r := &ServerReport{
		Seconds:       float64(f.to-f.from) / 1e9,
		Ticks:         d["skirmish_ticks_total"],
		MissedTicks:   d["skirmish_ticks_missed_total"],
		LatenessP50:   ms("skirmish_tick_lateness_seconds", 0.5),
		LatenessP99:   ms("skirmish_tick_lateness_seconds", 0.99),
		DurationP50:   ms("skirmish_tick_duration_seconds", 0.5),
		DurationP99:   ms("skirmish_tick_duration_seconds", 0.99),
		Inputs:        d.labelled("skirmish_inputs_total", "status"),
		Snapshots:     d.labelled("skirmish_snapshots_total", "kind"),
		CPUSeconds:    d["process_cpu_seconds_total"],
		ResidentBytes: f.after["process_resident_memory_bytes"],
		Goroutines:    f.after["go_goroutines"],
	}
	on := r.Inputs["on_time"]
	if all := on + r.Inputs["repeated"] + r.Inputs["neutral"]; all > 0 {
		r.OwnTick = on / all
	}
	if sent := r.Snapshots["full"] + r.Snapshots["delta"]; sent > 0 {
		r.CPUPerState = r.CPUSeconds * 1e6 / sent
	}
	return r
}
