package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// style colours text for a terminal, or not.
type style bool

func (s style) in(code, text string) string {
	if !s {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(t string) string  { return s.in("1", t) }
func (s style) dim(t string) string   { return s.in("2", t) }
func (s style) good(t string) string  { return s.in("32", t) }
func (s style) bad(t string) string   { return s.in("1;31", t) }
func (s style) alarm(t string) string { return s.in("1;30;43", t) }

// print writes the report for people.
func (r *Report) print(w io.Writer, colour style) {
	c := &r.Config
	fmt.Fprintf(w, "\n%s\n", colour.bold(fmt.Sprintf("%s bots in %d matches of %d at %d Hz, measured for %.1f s", number(float64(c.Bots)), r.Matches, c.MatchSize, c.Rate, r.Window)))
	if r.EndedEarly != "" {
		fmt.Fprintf(w, "%s\n", colour.alarm(" The run ended early: "+r.EndedEarly+". "))
	}
	if all := max(r.Players, min(c.Bots, 1)); r.Joined < all {
		fmt.Fprintf(w, "%s\n", colour.bad(fmt.Sprintf("Only %d of %d players came into the game.", r.Joined, all)))
	}
	if r.Generator.Tired {
		fmt.Fprintf(w, "%s\n", colour.alarm(" THE GENERATOR WAS TIRED: "+r.tiredness()+" "))
	}
	r.printTimes(w, colour)
	r.printFlow(w, colour)
	r.printRest(w)
	r.printServer(w, colour)
	r.printErrors(w, colour)
	fmt.Fprintf(w, "\n%s\n", colour.bold("Thresholds"))
	for i := range r.Thresholds {
		r.Thresholds[i].print(w, colour, "")
	}
	for i := range r.Stages {
		for k := range r.Stages[i].Thresholds {
			r.Stages[i].Thresholds[k].print(w, colour, r.Stages[i].Name+": ")
		}
	}
}

// tiredness says what a tired generator did, and what helps: one that had time left was kept from its work by others.
func (r *Report) tiredness() string {
	s := fmt.Sprintf("it sent inputs %s late (p99), over half a tick. These figures judge this machine, not the server: ", milliseconds(r.Times["lag"].P99))
	if threads := float64(max(1, r.Generator.Processes) * max(1, r.Config.Loops)); r.Generator.CPUCores < threads/2 {
		return s + fmt.Sprintf("something else had the processors, of which the generator used %.2f.", r.Generator.CPUCores)
	}
	return s + "take fewer bots, more --loops or another machine."
}

func (v *Verdict) print(w io.Writer, colour style, stage string) {
	mark, value := colour.good("pass"), v.shown
	if !v.Pass {
		mark = colour.bad("MISS")
	}
	if v.Note != "" {
		value = v.Note
	}
	fmt.Fprintf(w, "  %s  %-28s %s\n", mark, stage+v.Threshold, value)
}

func (r *Report) printTimes(w io.Writer, colour style) {
	fmt.Fprintf(w, "\n%s\n", colour.dim(fmt.Sprintf("  %-34s%10s%10s%10s%10s%10s%12s", "", "p50", "p90", "p99", "p99.9", "max", "samples")))
	for _, line := range []struct{ metric, text string }{
		{"join", "join: connect to first snapshot"},
		{"connect", "  connected after"},
		{"welcome", "  welcomed after"},
		{"gap", "gap: last snapshot to first again"},
		{"undone", "  of what was seen, undone"},
		{"resume", "return: connect to first snapshot"},
		{"ack", "input to acknowledged"},
		{"wait", "  of it waiting for its tick"},
		{"interval", "snapshot interval"},
		{"interval_error", fmt.Sprintf("|interval - %s|", milliseconds(1e3/float64(max(1, r.Config.Rate))))},
		{"age", "snapshot age"},
		{"rtt", "ping"},
		{"lag", "the generator's own lag"},
	} {
		t := r.Times[line.metric]
		if t.Count == 0 && (line.metric == "resume" || line.metric == "gap" || line.metric == "undone") {
			continue // nobody was cut
		}
		if t.Count == 0 {
			fmt.Fprintf(w, "  %-34s%10s\n", line.text, "none")
			continue
		}
		fmt.Fprintf(w, "  %-34s%10s%10s%10s%10s%10s%12s\n", line.text, milliseconds(t.P50), milliseconds(t.P90), milliseconds(t.P99), milliseconds(t.P999), milliseconds(t.Max), number(float64(t.Count)))
	}
}

func (r *Report) printFlow(w io.Writer, colour style) {
	d, n := &r.Delivery, &r.Counts
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-20s%s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(w)
	line("delivery", "%s: %s of %s snapshots", percent(d.Ratio), number(float64(d.Received)), number(d.Expected))
	line("per player, second", "%s down, %s up", bytesText(r.Bytes.Down), bytesText(r.Bytes.Up))
	line("per snapshot", "%s; %s full ones, %s asked for after a fault", bytesText(r.Bytes.PerSnapshot), number(float64(n.Keyframes)), number(float64(n.Asked)))
	line("inputs, events", "%s and %s; %s inputs given up because their tick was over",
		number(float64(n.Inputs)), number(float64(n.Events)), number(float64(n.Skipped)))
	if t := r.Times["wait"]; t.Count > 0 {
		own := "unknown: the server's metrics could not be had"
		if r.Server != nil {
			own = percent(r.Server.OwnTick)
		}
		line("pacing", "inputs on their own tick %s, waiting %.2f ticks on average", own, t.Avg*float64(r.Config.Rate)/1e3)
	}
	processes := ""
	if r.Generator.Processes > 1 {
		processes = fmt.Sprintf(", %d processes", r.Generator.Processes)
	}
	line("generator", "%.2f s of CPU, %.0f %% of a core, %.1f µs per snapshot and input%s", r.Generator.CPUSeconds, r.Generator.CPUCores*100, r.Generator.CPUPerPair, processes)
	line("", "%s", r.how())
}

// how tells what kind of load it was.
func (r *Report) how() string {
	s := "every bot decodes, checks and plays by what it gets"
	if r.Config.Scouts {
		s = fmt.Sprintf("%s bots, one of each match, decode and check rows, all play by what those see; heads are read and measured of all", number(float64(r.Matches)))
	}
	return s + "; sockets by " + map[string]string{pollRing: "io_uring", pollEpoll: "epoll", pollPortable: "goroutines"}[r.Config.IO]
}

func (r *Report) printServer(w io.Writer, colour style) {
	s := r.Server
	if s == nil {
		fmt.Fprintf(w, "  %-20s%s\n", "server", colour.dim("no figures: "+r.ServerNote))
		return
	}
	missed := number(s.MissedTicks) + " missed"
	if s.MissedTicks > 0 {
		missed = colour.bad(missed)
	}
	fmt.Fprintf(w, "  %-20s%s ticks, %s; late by %s p50, %s p99; taking %s p50, %s p99\n", "server", number(s.Ticks), missed,
		milliseconds(s.LatenessP50), milliseconds(s.LatenessP99), milliseconds(s.DurationP50), milliseconds(s.DurationP99))
	fmt.Fprintf(w, "  %-20sinputs %s\n", "", shares(s.Inputs))
	fmt.Fprintf(w, "  %-20ssnapshots %s\n", "", shares(s.Snapshots))
	fmt.Fprintf(w, "  %-20s%.2f s of CPU, %.0f %% of a core, %.1f µs per snapshot; %s resident, %s goroutines\n", "", s.CPUSeconds,
		s.CPUSeconds/max(s.Seconds, 1e-3)*100, s.CPUPerState, bytesText(s.ResidentBytes), number(s.Goroutines))
}

// shares lists parts of a whole, the largest first.
func shares(parts map[string]float64) string {
	total := 0.0
	for _, v := range parts {
		total += v
	}
	names := slices.SortedFunc(maps.Keys(parts), func(a, b string) int {
		if parts[a] != parts[b] {
			return int(parts[b] - parts[a])
		}
		return strings.Compare(a, b)
	})
	var out []string
	for _, name := range names {
		if v := parts[name]; v > 0 {
			out = append(out, fmt.Sprintf("%s %s (%.2f %%)", name, number(v), v/total*100))
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

func (r *Report) printErrors(w io.Writer, colour style) {
	for i, e := range r.Endings {
		name := ""
		if i == 0 {
			name = "ends"
		}
		text := fmt.Sprintf("%s × %d %s (%s)", number(float64(e.Count)), e.Code, e.Meaning, e.Who)
		if !e.Expected {
			text = colour.bad(text + ", unexpected")
		}
		fmt.Fprintf(w, "  %-20s%s\n", name, text)
	}
	if r.Counts.Over > 0 {
		fmt.Fprintf(w, "  %-20s%d bots saw their match end\n", "", r.Counts.Over)
	}
	if n := r.Cuts.Total; n > 0 || r.Cuts.LostSeats > 0 {
		lost := colour.good("no seat lost")
		if r.Cuts.LostSeats > 0 {
			lost = colour.bad(number(float64(r.Cuts.LostSeats)) + " seats lost")
		}
		fmt.Fprintf(w, "  %-20s%s connections cut, %s back in their seats, %s\n", "cuts", number(float64(n)), number(float64(r.Resumed)), lost)
		printCauses(w, r.Cuts.ByCause)
	}
	if r.Errors.Total == 0 {
		fmt.Fprintf(w, "  %-20s%s\n", "errors", colour.good("none"))
		return
	}
	fmt.Fprintf(w, "  %-20s%s\n", "errors", colour.bad(number(float64(r.Errors.Total))))
	printCauses(w, r.Errors.ByCause)
}

func printCauses(w io.Writer, causes map[string]int) {
	for _, cause := range slices.SortedFunc(maps.Keys(causes), func(a, b string) int { return causes[b] - causes[a] }) {
		fmt.Fprintf(w, "  %18d  %s\n", causes[cause], cause)
	}
}
