package main

import (
	"context"
	"strings"
	"time"
)

// probe is what the server's /metrics said at a time, as far as the report needs it.
type probe struct {
	at   int64
	page page
}

// probed are the families that a probe keeps.
var probed = []string{
	"skirmish_ticks_total", "skirmish_ticks_missed_total", "skirmish_tick_lateness_seconds_bucket", "skirmish_tick_duration_seconds_bucket",
	"skirmish_snapshots_total", "skirmish_inputs_total", "skirmish_bytes_total", "skirmish_connections",
	"process_cpu_seconds_total", "process_resident_memory_bytes", "go_goroutines", "go_gc_duration_seconds_count", processStart,
}

// probeServer reads the metrics at every step of the series until over. One that cannot be had is left out.
func probeServer(m *matchmaker, start, step int64, over <-chan struct{}) (list []probe) {
	ticking(start, step, over, func(k int64) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(step))
		defer cancel()
		at := nanos()
		all, err := m.scrape(ctx)
		if err != nil || len(list) > 2*maxRows {
			return
		}
		kept := make(page)
		for name, v := range all {
			for _, family := range probed {
				if strings.HasPrefix(name, family) && (len(name) == len(family) || name[len(family)] == '{') {
					kept[name] = v
				}
			}
		}
		list = append(list, probe{at, kept})
	})
	return list
}

// meterCPU puts what this process uses in every step into rows.
func meterCPU(rows []float64, start, step int64, over <-chan struct{}) {
	last := cpuTime()
	ticking(start, step, over, func(k int64) {
		now := cpuTime()
		if k > 0 && k <= int64(len(rows)) {
			rows[k-1] += (now - last).Seconds()
		}
		last = now
	})
}

// ticking calls do at start and after every step until over, k counting the steps.
func ticking(start, step int64, over <-chan struct{}, do func(k int64)) {
	for k := int64(0); ; k++ {
		t := time.NewTimer(time.Duration(start + k*step - nanos()))
		select {
		case <-over:
			t.Stop()
			return
		case <-t.C:
			do(k)
		}
	}
}

// between is the server's report over the probes nearest to two times, nil when there are none.
func between(probes []probe, begin, end int64) *ServerReport {
	var f serverFigures
	for i := range probes {
		p := &probes[i]
		if f.before == nil || near(p.at, begin) < near(f.from, begin) {
			f.before, f.from = p.page, p.at
		}
		if f.after == nil || near(p.at, end) < near(f.to, end) {
			f.after, f.to = p.page, p.at
		}
	}
	if f.to <= f.from {
		return nil
	}
	f.observe(probes)
	return f.report()
}

// observe takes the probes in between in.
func (f *serverFigures) observe(probes []probe) {
	for i := range probes {
		if p := &probes[i]; p.at > f.from && p.at < f.to {
			f.during = append(f.during, p.page)
		}
	}
}

func near(a, b int64) int64 { return max(a-b, b-a) }
