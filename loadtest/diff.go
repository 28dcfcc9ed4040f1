package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"
)

// diffCommand compares two runs.
func diffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff a.json b.json", Short: "Tell what got better or worse from one JSON report to another",
		Long: `Compares two JSON reports second by second. A figure is better or worse only when its seconds differ more than they
differ among themselves (Mann-Whitney, p < 0.01) and the change is over 5 %; anything else is noise.`,
		Args: exactly(2, "two JSON reports"), SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := readReport(args[0])
			if err != nil {
				return usageError{err}
			}
			b, err := readReport(args[1])
			if err != nil {
				return usageError{err}
			}
			out := cmd.OutOrStdout()
			printDiff(out, a, b, style(isTerminal(out)))
			return nil
		},
	}
}

// verdictOf a comparison.
type verdictOf int8

const (
	same verdictOf = iota
	better
	worse
	unknown // nothing to compare
)

// difference is one figure of two runs.
type difference struct {
	name    string
	a, b    float64
	show    func(float64) string
	verdict verdictOf
	why     string
}

// compared are the figures: of each run as a whole, and second by second for the noise. More is worse but where
// rising is said to be good.
var compared = []struct {
	name   string
	whole  func(*Report) (float64, bool)
	second func(*SecondReport) (float64, bool)
	show   func(float64) string
	good   bool // more of it is better
	least  float64
}{
	{"ack p50", timeOf("ack", "p50"), bandOf(func(s *SecondReport) *Band { return &s.Ack }, p50), milliseconds, false, 0.2},
	{"ack p99", timeOf("ack", "p99"), bandOf(func(s *SecondReport) *Band { return &s.Ack }, p99), milliseconds, false, 0.2},
	{"interval error p50", timeOf("interval_error", "p50"), bandOf(func(s *SecondReport) *Band { return &s.IntervalError }, p50), milliseconds, false, 0.05},
	{"interval error p99", timeOf("interval_error", "p99"), bandOf(func(s *SecondReport) *Band { return &s.IntervalError }, p99), milliseconds, false, 0.05},
	{"age p50", timeOf("age", "p50"), bandOf(func(s *SecondReport) *Band { return &s.Age }, p50), milliseconds, false, 0.2},
	{"age p99", timeOf("age", "p99"), bandOf(func(s *SecondReport) *Band { return &s.Age }, p99), milliseconds, false, 0.2},
	{"join p99", timeOf("join", "p99"), bandOf(func(s *SecondReport) *Band { return &s.Join }, p99), milliseconds, false, 0.2},
	{"resume p99", timeOf("resume", "p99"), bandOf(func(s *SecondReport) *Band { return &s.Resume }, p99), milliseconds, false, 0.2},
	{"delivery", func(r *Report) (float64, bool) { return r.Delivery.Ratio, r.Delivery.Expected > 0 },
		func(s *SecondReport) (float64, bool) { return s.Delivery, s.Playing > 0 }, percent, true, 0.001},
	{"bytes down", func(r *Report) (float64, bool) { return r.Bytes.Down, r.Bytes.Down > 0 },
		func(s *SecondReport) (float64, bool) { return s.Down, s.Playing > 0 }, bytesText, false, 1},
	{"bytes up", func(r *Report) (float64, bool) { return r.Bytes.Up, r.Bytes.Up > 0 },
		func(s *SecondReport) (float64, bool) { return s.Up, s.Playing > 0 }, bytesText, false, 1},
	{"server CPU per snapshot", func(r *Report) (float64, bool) {
		return r.serverFigure(func(s *ServerReport) float64 { return s.CPUPerState })
	},
		func(s *SecondReport) (float64, bool) {
			return s.serverFigure(func(s *ServerSecond) float64 { return s.CPUPerState })
		}, microseconds, false, 0.1},
	{"server tick lateness p99", func(r *Report) (float64, bool) {
		return r.serverFigure(func(s *ServerReport) float64 { return s.LatenessP99 })
	},
		func(s *SecondReport) (float64, bool) {
			return s.serverFigure(func(s *ServerSecond) float64 { return s.LatenessP99 })
		}, milliseconds, false, 0.05},
	{"server memory", func(r *Report) (float64, bool) {
		return r.serverFigure(func(s *ServerReport) float64 { return s.ResidentBytes })
	},
		func(s *SecondReport) (float64, bool) {
			return s.serverFigure(func(s *ServerSecond) float64 { return s.Resident })
		}, bytesText, false, 1 << 20},
	{"generator lag p99", timeOf("lag", "p99"), bandOf(func(s *SecondReport) *Band { return &s.Lag }, p99), milliseconds, false, 0.2},
}

func p50(b *Band) float64 { return b.P50 }
func p99(b *Band) float64 { return b.P99 }

func timeOf(metric, stat string) func(*Report) (float64, bool) {
	return func(r *Report) (float64, bool) {
		t := r.Times[metric]
		return t.stat(stat), t.Count > 0
	}
}

func bandOf(band func(*SecondReport) *Band, stat func(*Band) float64) func(*SecondReport) (float64, bool) {
	return func(s *SecondReport) (float64, bool) {
		b := band(s)
		return stat(b), b.Count > 0
	}
}

func (r *Report) serverFigure(of func(*ServerReport) float64) (float64, bool) {
	if r.Server == nil {
		return 0, false
	}
	return of(r.Server), true
}

func (s *SecondReport) serverFigure(of func(*ServerSecond) float64) (float64, bool) {
	if s.Server == nil {
		return 0, false
	}
	return of(s.Server), true
}

func microseconds(v float64) string { return fmt.Sprintf("%.1f µs", v) }

// differences compares all figures that both runs have.
func differences(a, b *Report) []difference {
	var list []difference
	for i := range compared {
		c := &compared[i]
		va, ok := c.whole(a)
		vb, also := c.whole(b)
		if !ok || !also {
			continue
		}
		d := difference{name: c.name, a: va, b: vb, show: c.show}
		joins := c.name == "join p99" || c.name == "resume p99" // they come before the window as well
		sa, sb := measured(a, c.second, joins), measured(b, c.second, joins)
		switch p := mannWhitney(sa, sb); {
		case len(sa) < leastSeconds || len(sb) < leastSeconds:
			d.verdict, d.why = unknown, "too few seconds to know the noise"
		case p >= 0.01:
			d.why = fmt.Sprintf("within the noise, p = %.2f", p)
		case math.Abs(vb-va) < max(c.least, significant(c.name)*math.Abs(va)):
			d.why = "too small to matter"
		case (vb > va) == c.good:
			d.verdict = better
		default:
			d.verdict = worse
		}
		list = append(list, d)
	}
	return list
}

// significant is the smallest change worth a word: a ratio near 1 counts in its own units.
func significant(name string) float64 {
	if name == "delivery" {
		return 0
	}
	return 0.05
}

// measured are a figure's seconds within the measured window, or all of them.
func measured(r *Report, of func(*SecondReport) (float64, bool), all bool) (list []float64) {
	for i := range r.Series.Seconds {
		s := &r.Series.Seconds[i]
		if !all && s.At-r.Series.Step < r.Series.Begin-1e-9 {
			continue
		}
		if v, ok := of(s); ok {
			list = append(list, v)
		}
	}
	return list
}

// mannWhitney is the probability that two samples differ so much by chance, by the normal approximation with ties.
func mannWhitney(a, b []float64) float64 {
	na, nb := float64(len(a)), float64(len(b))
	if na == 0 || nb == 0 {
		return 1
	}
	type value struct {
		v     float64
		first bool
	}
	all := make([]value, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, value{v, true})
	}
	for _, v := range b {
		all = append(all, value{v, false})
	}
	slices.SortFunc(all, func(x, y value) int {
		switch {
		case x.v < y.v:
			return -1
		case x.v > y.v:
			return 1
		}
		return 0
	})
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		n := float64(j - i)
		ties += n*n*n - n
		for k := i; k < j; k++ {
			if all[k].first {
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	n := na + nb
	variance := na * nb / 12 * (n + 1 - ties/(n*(n-1)))
	if !(variance > 0) {
		return 1
	}
	z := (math.Abs(ranks-na*(n+1)/2) - 0.5) / math.Sqrt(variance)
	return min(1, math.Erfc(max(z, 0)/math.Sqrt2))
}

// printDiff writes the comparison for people.
func printDiff(w io.Writer, a, b *Report, colour style) {
	fmt.Fprintf(w, "%s\n", colour.bold(fmt.Sprintf("%-28s%14s%14s%10s", "", "a", "b", "change")))
	for _, d := range differences(a, b) {
		change := "-"
		if d.a != 0 {
			change = fmt.Sprintf("%+.1f %%", (d.b-d.a)/d.a*100)
		}
		said := colour.dim(d.why)
		switch d.verdict {
		case better:
			said = colour.good("better")
		case worse:
			said = colour.bad("WORSE")
		}
		fmt.Fprintf(w, "  %-26s%14s%14s%10s  %s\n", d.name, d.show(d.a), d.show(d.b), change, said)
	}
	for _, n := range []struct {
		name string
		a, b float64
	}{{"errors", float64(a.Errors.Total), float64(b.Errors.Total)}, {"missed ticks", missed(a), missed(b)}} {
		said := ""
		switch {
		case n.b < n.a:
			said = colour.good("fewer")
		case n.b > n.a:
			said = colour.bad("MORE")
		}
		fmt.Fprintf(w, "  %-26s%14s%14s%10s  %s\n", n.name, number(n.a), number(n.b), "", said)
	}
	for _, warning := range unlike(a, b) {
		fmt.Fprintln(w, colour.alarm(" "+warning+" "))
	}
}

func missed(r *Report) float64 {
	if r.Server == nil {
		return 0
	}
	return r.Server.MissedTicks
}

// unlike tells why two runs may not be compared.
func unlike(a, b *Report) (list []string) {
	x, y := &a.Config, &b.Config
	if x.Bots != y.Bots || x.MatchSize != y.MatchSize || x.Rate != y.Rate || x.Scenario != y.Scenario {
		list = append(list, fmt.Sprintf("These runs asked for different things: %d bots in matches of %d at %d Hz against %d, %d and %d.", x.Bots, x.MatchSize, x.Rate, y.Bots, y.MatchSize, y.Rate))
	}
	if a.Machine != b.Machine {
		list = append(list, "These runs come from different machines or Go versions.")
	}
	for name, r := range map[string]*Report{"a": a, "b": b} {
		if r.Generator.Tired {
			list = append(list, "In "+name+" the generator was tired: its times are its own.")
		}
		if r.EndedEarly != "" {
			list = append(list, name+" ended early.")
		}
	}
	slices.Sort(list)
	return list
}
