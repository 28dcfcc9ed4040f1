package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
)

// capacityAnswer is what the search at one rate has come to. Figures that could not be had are 0.
type capacityAnswer struct {
	Rate       int    `json:"rate_hz"`
	Players    int    `json:"players"`
	LowerBound bool   `json:"lower_bound"` // the generator, the time or --to came first
	Generator  bool   `json:"generator_limited"`
	Why        string `json:"why"` // what gave way with more players

	RatedPlayers int          `json:"rated_players"`
	ServerCPU    float64      `json:"server_cpu_us_per_snapshot"` // of the rated players, with their inputs and the simulation
	Bytes        float64      `json:"bytes_per_snapshot"`
	FloorCPU     float64      `json:"floor_cpu_us_per_write"`
	OverFloor    float64      `json:"over_floor"`
	Half         capacityBeat `json:"at_half_a_core"`
	Ninety       capacityBeat `json:"at_90_percent"`
	Memory       float64      `json:"server_bytes_per_player"` // resident, with the most players
	MemoryOf     int          `json:"server_bytes_players"`
	Foreign      float64      `json:"foreign_share"` // of both cores, used by something else: the median of the runs
}

// capacityBeat is how true the beat of the snapshots is at a load, as near to the one asked for as a run was.
type capacityBeat struct {
	Core    float64 `json:"server_core"` // 0: there was no such run
	Players int     `json:"players"`
	P99     float64 `json:"interval_error_p99_ms"`
}

// besideFloor takes the cost of the rated load in, and puts it beside the floor, which is measured right after it.
func (s *climb) besideFloor(ctx context.Context, a *capacityAnswer, rated *capacityProbe) {
	if rated.Report == nil || rated.Report.Server == nil {
		return
	}
	a.RatedPlayers, a.ServerCPU, a.Bytes = rated.Players, rated.Report.Server.CPUPerState, rated.Report.Bytes.PerSnapshot
	f := floor{rated.Players, max(int(a.Bytes+0.5), 1), s.rate, s.serverCore, s.generatorCore}
	cost, err := f.measure(ctx, s.measure/2)
	if err != nil {
		fmt.Fprintf(s.out, "No floor at %d Hz: %v\n", s.rate, err)
		return
	}
	a.FloorCPU = float64(cost.Nanoseconds()) / 1e3
	a.OverFloor = a.ServerCPU / a.FloorCPU
	fmt.Fprintf(s.out, "%6s at %d Hz  the floor is %.1f µs for a bare write of %.0f B\n", number(float64(rated.Players)), s.rate, a.FloorCPU, a.Bytes)
}

// conclude fills in what the search has found.
func (a *capacityAnswer) conclude(s *climb, confirmed bool) {
	a.Players = s.low
	switch {
	case !confirmed:
		a.LowerBound, a.Why, a.Players = true, "the time was over before it was confirmed", s.held()
	case s.why == nil:
		a.LowerBound, a.Why = true, "the most that was tried"
	default:
		a.LowerBound, a.Generator = s.why.Tired, s.why.Tired
		a.Why = fmt.Sprintf("with %s: %s", number(float64(s.why.Players)), s.why.Why)
	}
	a.Half, a.Ninety = s.beat(0.5), s.beat(0.9)
	var foreign []float64
	for _, p := range s.probes {
		if p.Rate == s.rate {
			foreign = append(foreign, p.Foreign/2)
		}
		if p.Rate == s.rate && p.Holds && p.Memory > 0 && p.Players >= a.MemoryOf {
			a.Memory, a.MemoryOf = p.Memory, p.Players
		}
	}
	if slices.Sort(foreign); len(foreign) > 0 {
		a.Foreign = foreign[len(foreign)/2]
	}
}

// held is the most players that held in a run, as far as runs after it have not belied that.
func (s *climb) held() (n int) {
	for _, p := range s.probes {
		if p.Rate == s.rate && p.Holds && p.Players <= s.low {
			n = max(n, p.Players)
		}
	}
	return n
}

// beat is that of the run that held with the load nearest to a share of the server's core, none beyond a tenth of it.
func (s *climb) beat(share float64) (b capacityBeat) {
	nearest := 0.1
	for _, p := range s.probes {
		if off := math.Abs(p.core() - share); p.Rate == s.rate && p.Holds && off <= nearest {
			nearest = off
			b = capacityBeat{p.core(), p.Players, p.Report.Times["interval_error"].P99}
		}
	}
	return b
}

// printAnswers shows the figures of all rates beside one another.
func printAnswers(w io.Writer, answers []*capacityAnswer) {
	line := func(name string, of func(*capacityAnswer) string) {
		fmt.Fprintf(w, "  %-46s", name)
		for _, a := range answers {
			fmt.Fprintf(w, "%30s", of(a))
		}
		fmt.Fprintln(w)
	}
	known := func(v float64, format string, args ...any) string {
		if v == 0 {
			return "unknown"
		}
		return fmt.Sprintf(format, args...)
	}
	beat := func(b capacityBeat) string {
		if b.Core == 0 {
			return "no run there held"
		}
		return fmt.Sprintf("%s (%s players, %.0f %%)", milliseconds(b.P99), number(float64(b.Players)), b.Core*100)
	}
	line("", func(a *capacityAnswer) string { return fmt.Sprintf("%d Hz", a.Rate) })
	line("players that one core holds", func(a *capacityAnswer) string {
		if a.LowerBound {
			return "at least " + number(float64(a.Players))
		}
		return number(float64(a.Players))
	})
	line("CPU of a snapshot, with input and simulation", func(a *capacityAnswer) string {
		return known(a.ServerCPU, "%.1f µs (%s players, %.0f B)", a.ServerCPU, number(float64(a.RatedPlayers)), a.Bytes)
	})
	line("  against the floor of the same run", func(a *capacityAnswer) string {
		return known(a.FloorCPU, "%.2f × (%.1f µs)", a.OverFloor, a.FloorCPU)
	})
	line("off the beat at half a core, p99", func(a *capacityAnswer) string { return beat(a.Half) })
	line("off the beat at 90 %, p99", func(a *capacityAnswer) string { return beat(a.Ninety) })
	line("memory of a player, resident", func(a *capacityAnswer) string {
		return known(a.Memory, "%s (%s players)", bytesText(a.Memory), number(float64(a.MemoryOf)))
	})
	fmt.Fprintln(w)
	for _, a := range answers {
		if a.Foreign > capacityForeign {
			fmt.Fprintf(w, "  %d Hz: SOMETHING ELSE USED %.0f %% OF THE CORES: the answer is too low, take them for this alone.\n", a.Rate, a.Foreign*100)
		}
		what := "What gave way first"
		if a.Generator {
			what = "THE GENERATOR GAVE WAY FIRST, the server may hold more"
		}
		fmt.Fprintf(w, "  %d Hz: %s: %s.\n", a.Rate, what, a.Why)
	}
}
