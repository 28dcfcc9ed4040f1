package main

import (
	"encoding/csv"
	"io"
	"strconv"
)

// column is one of the CSV sheet. Times are in ms.
type column struct {
	name  string
	value func(*SecondReport) float64
}

// columns of the sheet: one row for each step of the run. They are only ever added to, at the end.
func columns() []column {
	list := []column{
		{"t", func(s *SecondReport) float64 { return s.At }},
		{"playing", func(s *SecondReport) float64 { return s.Playing }},
		{"joins", func(s *SecondReport) float64 { return float64(s.Joins) }},
		{"resumes", func(s *SecondReport) float64 { return float64(s.Resumes) }},
		{"ends", func(s *SecondReport) float64 { return float64(s.Ends) }},
		{"errors", func(s *SecondReport) float64 { return float64(s.Errors) }},
		{"snapshots_per_second", func(s *SecondReport) float64 { return s.Snapshots }},
		{"inputs_per_second", func(s *SecondReport) float64 { return s.Inputs }},
		{"delivery", func(s *SecondReport) float64 { return s.Delivery }},
		{"bytes_down_per_player_second", func(s *SecondReport) float64 { return s.Down }},
		{"bytes_up_per_player_second", func(s *SecondReport) float64 { return s.Up }},
	}
	for _, b := range []struct {
		name string
		of   func(*SecondReport) *Band
	}{
		{"join", func(s *SecondReport) *Band { return &s.Join }},
		{"resume", func(s *SecondReport) *Band { return &s.Resume }},
		{"ack", func(s *SecondReport) *Band { return &s.Ack }},
		{"interval_error", func(s *SecondReport) *Band { return &s.IntervalError }},
		{"age", func(s *SecondReport) *Band { return &s.Age }},
		{"lag", func(s *SecondReport) *Band { return &s.Lag }},
	} {
		list = append(list,
			column{b.name + "_p50_ms", func(s *SecondReport) float64 { return b.of(s).P50 }},
			column{b.name + "_p90_ms", func(s *SecondReport) float64 { return b.of(s).P90 }},
			column{b.name + "_p99_ms", func(s *SecondReport) float64 { return b.of(s).P99 }},
			column{b.name + "_max_ms", func(s *SecondReport) float64 { return b.of(s).Max }},
		)
	}
	list = append(list,
		column{"generator_cpu_cores", func(s *SecondReport) float64 { return s.CPU }},
		column{"server_cpu_cores", func(s *SecondReport) float64 { return s.Server.CPUCores }},
		column{"server_cpu_us_per_snapshot", func(s *SecondReport) float64 { return s.Server.CPUPerState }},
		column{"server_tick_lateness_p50_ms", func(s *SecondReport) float64 { return s.Server.LatenessP50 }},
		column{"server_tick_lateness_p99_ms", func(s *SecondReport) float64 { return s.Server.LatenessP99 }},
		column{"server_tick_duration_p99_ms", func(s *SecondReport) float64 { return s.Server.DurationP99 }},
		column{"server_missed_ticks", func(s *SecondReport) float64 { return s.Server.MissedTicks }},
		column{"server_resident_bytes", func(s *SecondReport) float64 { return s.Server.Resident }},
	)
	return append(list,
		column{"cuts", func(s *SecondReport) float64 { return float64(s.Cuts) }},
		column{"gap_p50_ms", func(s *SecondReport) float64 { return s.Gap.P50 }},
		column{"gap_max_ms", func(s *SecondReport) float64 { return s.Gap.Max }},
	)
}

// writeCSV writes the seconds of the run. The server's columns are empty where its metrics could not be had.
func (r *Report) writeCSV(w io.Writer) error {
	list := columns()
	out := csv.NewWriter(w)
	record := make([]string, len(list))
	for i := range list {
		record[i] = list[i].name
	}
	out.Write(record)
	for k := range r.Series.Seconds {
		s := &r.Series.Seconds[k]
		for i := range list {
			if record[i] = ""; s.Server != nil || !isServers(list[i].name) {
				record[i] = strconv.FormatFloat(list[i].value(s), 'f', -1, 64)
			}
		}
		out.Write(record)
	}
	out.Flush()
	return out.Error()
}

func isServers(name string) bool { return len(name) > 7 && name[:7] == "server_" }
