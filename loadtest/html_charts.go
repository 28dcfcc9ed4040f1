package main

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
)

// section is a group of charts of the page.
type section struct {
	Title  string
	Note   string
	Charts []*chart
}

// sections are all curves of a report.
func (r *Report) sections() []section {
	s := thin(r.Series.Seconds, maxPoints)
	if len(s) == 0 {
		return nil
	}
	base := chart{from: r.Series.Begin, to: r.Series.End, end: s[len(s)-1].At}
	for i := range s {
		base.t = append(base.t, s[i].At)
	}
	for i := range r.Stages {
		if i > 0 {
			base.stages = append(base.stages, r.Stages[i].Begin)
		}
		base.names = append(base.names, r.Stages[i].Name)
	}
	draw := func(title, note string, show func(float64) string, least float64, curves ...curve) *chart {
		c := base
		c.title, c.note, c.show, c.least, c.curves = title, note, show, least, curves
		return &c
	}
	times := func(title, note, metric string, t tint, least float64, of func(*SecondReport) *Band) *chart {
		c := draw(title, note, shortMS, least, fan(s, t, of)...)
		c.marks = r.marks(metric)
		return c
	}
	value := func(name string, t tint, of func(*SecondReport) float64) curve {
		return curve{name: name, tint: t, width: 1.6, values: each(s, func(s *SecondReport) (float64, bool) { return of(s), true })}
	}
	served := func(name string, t tint, of func(*ServerSecond) float64) curve {
		return curve{name: name, tint: t, width: 1.6, values: each(s, func(s *SecondReport) (float64, bool) { return s.serverFigure(of) })}
	}
	filled := func(c curve) curve {
		c.area, c.fill = true, 0.13
		return c
	}
	period := 1e3 / float64(max(1, r.Config.Rate))

	delivery := draw("Delivery", "snapshots that came, of those the rate owes", shortPercent, 0, curve{
		name: "delivered", tint: tintA, width: 1.6,
		values: each(s, func(s *SecondReport) (float64, bool) { return min(s.Delivery, 1), s.Delivery > 0 }),
	})
	delivery.bottom, delivery.top = floorOf(delivery.curves[0].values), 1.004
	delivery.marks = r.marks("delivery")

	feel := section{"What players feel", "The line is the median of all players in a second, the darker band reaches up to p90, the lighter one to p99. Grey time was not measured.", []*chart{
		times("Input to acknowledged", "from when an input was due to the first snapshot that has it", "ack", tintA, period, func(s *SecondReport) *Band { return &s.Ack }),
		times("Interval error", "how far snapshots came off their beat of "+shortMS(math.Round(period*10)/10), "interval_error", tintA, period/20, func(s *SecondReport) *Band { return &s.IntervalError }),
		times("Age of the newest state", "how old a snapshot was when it came", "age", tintA, period/20, func(s *SecondReport) *Band { return &s.Age }),
		delivery,
		times("Joins", "from connect to the first snapshot", "join", tintA, 1, func(s *SecondReport) *Band { return &s.Join }),
	}}
	if r.Times["gap"].Count > 0 {
		gap := times("Gaps", "from the last snapshot before a cut to the first one after it, by when it was over", "gap", tintA, 1, func(s *SecondReport) *Band { return &s.Gap })
		feel.Charts = append(feel.Charts, gap)
	}
	if r.Resumed > 0 {
		feel.Charts = append(feel.Charts, times("Returns", "from connect to the first snapshot, back in the seat after a cut", "resume", tintA, 1, func(s *SecondReport) *Band { return &s.Resume }))
	}
	players := draw("Players", "in the game", shortNumber, 1, filled(value("playing", tintB, func(s *SecondReport) float64 { return s.Playing })))
	players.named, players.least = r.Config.Scenario != "", float64(r.Config.Bots)*1.25
	load := section{"The load", "What the swarm asked for.", []*chart{
		players,
		draw("Comings and goings", "per second", shortNumber, 1, append([]curve{
			value("joins", tintA, func(s *SecondReport) float64 { return float64(s.Joins) / step(r) }),
			value("ends", tintB, func(s *SecondReport) float64 { return float64(s.Ends) / step(r) }),
		}, r.returns(value)...)...),
		draw("Messages", "per second, of all players", shortNumber, 1,
			value("snapshots", tintA, func(s *SecondReport) float64 { return s.Snapshots }),
			value("inputs", tintB, func(s *SecondReport) float64 { return s.Inputs })),
		draw("Bytes", "per player and second", shortBytes, 1,
			value("down", tintA, func(s *SecondReport) float64 { return s.Down }),
			value("up", tintB, func(s *SecondReport) float64 { return s.Up })),
	}}
	list := []section{feel}
	if spreads := r.spreads(); len(spreads) > 0 {
		list = append(list, section{"How times are spread", "The curve's height at 99 % is what 99 % of the samples stay below. The further to the right, the rarer.", spreads})
	}
	list = append(list, load)
	if r.Server != nil {
		list = append(list, section{"The server", "From its own /metrics, once a second.", []*chart{
			draw("Server CPU", "cores in use", shortNumber, 0.1, filled(served("cores", tintC, func(s *ServerSecond) float64 { return s.CPUCores }))),
			draw("CPU per snapshot", "input, simulation, encoding and sending included", func(v float64) string { return shortNumber(v) + " µs" }, 1,
				served("µs", tintC, func(s *ServerSecond) float64 { return s.CPUPerState })),
			draw("Tick lateness", "how late ticks began", shortMS, 0.1,
				served("p99", tintA, func(s *ServerSecond) float64 { return s.LatenessP99 }),
				served("p50", tintC, func(s *ServerSecond) float64 { return s.LatenessP50 })),
			draw("Tick duration", "p99 of one match's tick", shortMS, 0.1, served("p99", tintC, func(s *ServerSecond) float64 { return s.DurationP99 })),
			draw("Missed ticks", "given up because the server was too late for them", shortNumber, 1, filled(served("missed", tintBad, func(s *ServerSecond) float64 { return s.MissedTicks }))),
			draw("Memory", "resident", shortBytes, 1, filled(served("resident", tintC, func(s *ServerSecond) float64 { return s.Resident }))),
		}})
	}
	lag := times("Generator lag", "how late this program sent what was due: its own fault", "lag", tintB, 1, func(s *SecondReport) *Band { return &s.Lag })
	lag.marks = append(lag.marks, mark{period / 2, "tired from here on"})
	return append(list, section{"The generator", "A tired generator must not be read as a slow server.", []*chart{
		lag,
		draw("Generator CPU", "cores in use, all processes", shortNumber, 0.1, filled(value("cores", tintB, func(s *SecondReport) float64 { return s.CPU }))),
	}})
}

// spreads are the distributions over the whole window.
func (r *Report) spreads() (list []*chart) {
	for _, s := range []struct{ metric, title, of string }{
		{"ack", "Input to acknowledged", "inputs"}, {"interval_error", "Interval error", "intervals"}, {"age", "Age of the newest state", "snapshots"}, {"join", "Joins", "joins of the run, the warm-up included"},
	} {
		points := r.Percentiles[s.metric]
		if len(points) < 2 {
			continue
		}
		c := &chart{
			title: s.title, note: "of " + number(float64(r.Times[s.metric].Count)) + " " + s.of, show: shortMS, least: 0.1, marks: r.marks(s.metric),
			curves: []curve{{name: "at most", tint: tintA, width: 1.8, area: true, fill: 0.13}}, end: points[len(points)-1].rarity(),
		}
		c.to = c.end
		for i := range points {
			c.t = append(c.t, points[i].rarity())
			c.labels = append(c.labels, trimZeros(fmt.Sprintf("%.4f", points[i].Q))+" %")
			c.curves[0].values = append(c.curves[0].values, points[i].MS)
		}
		c.labels[len(points)-1] = "all"
		for _, q := range []float64{50, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
			if at := (&Percentile{Q: q}).rarity(); at <= c.end {
				c.ticks = append(c.ticks, plot.Tick{Value: at, Label: trimZeros(fmt.Sprint(q)) + " %"})
				c.stages = append(c.stages, at)
			}
		}
		list = append(list, c)
	}
	return list
}

func step(r *Report) float64 { return max(r.Series.Step, 1e-3) }

// returns are the curves of cuts and returns, when there were any.
func (r *Report) returns(value func(string, tint, func(*SecondReport) float64) curve) (list []curve) {
	if r.Cuts.Total > 0 {
		list = append(list, value("cuts", tintBad, func(s *SecondReport) float64 { return float64(s.Cuts) / step(r) }))
	}
	if r.Resumed > 0 {
		list = append(list, value("returns", tintC, func(s *SecondReport) float64 { return float64(s.Resumes) / step(r) }))
	}
	return list
}

// marks are the thresholds on a metric, as lines.
func (r *Report) marks(metric string) (list []mark) {
	for i := range r.Thresholds {
		t, err := ParseThreshold(r.Thresholds[i].Threshold)
		if err != nil || t.Metric != metric || t.Stat == "max" || t.Stat == "p99.9" {
			continue
		}
		v := t.Bound
		if metrics[metric] == unitTime {
			v /= 1e3
		}
		text := strings.NewReplacer(">=", " ≥ ", "<=", " ≤ ", "<", " < ", ">", " > ").Replace(strings.TrimPrefix(t.Text, metric))
		list = append(list, mark{v, strings.TrimSpace(strings.TrimPrefix(text, "."))})
	}
	return list
}

// each is one value of every second, NaN where there is none.
func each(s []SecondReport, of func(*SecondReport) (float64, bool)) []float64 {
	list := make([]float64, len(s))
	for i := range s {
		v, ok := of(&s[i])
		if !ok {
			v = math.NaN()
		}
		list[i] = v
	}
	return list
}

// fan is a distribution over time: areas between its percentiles and the median as a line.
func fan(s []SecondReport, t tint, of func(*SecondReport) *Band) []curve {
	line := func(pick func(*Band) float64) []float64 {
		return each(s, func(s *SecondReport) (float64, bool) {
			b := of(s)
			return pick(b), b.Count > 0
		})
	}
	mid, high, top := line(p50), line(func(b *Band) float64 { return b.P90 }), line(p99)
	return []curve{
		{name: "p99", tint: t, values: top, floor: high, fill: 0.16, width: 0.8},
		{name: "p90", tint: t, values: high, floor: mid, fill: 0.34},
		{name: "p50", tint: t, values: mid, width: 1.8, area: true, fill: 0.06},
	}
}

// floorOf is where the drawing of a delivery begins: near its lowest value.
func floorOf(values []float64) float64 {
	low := 1.0
	for _, v := range values {
		if !math.IsNaN(v) {
			low = min(low, v)
		}
	}
	for _, f := range []float64{0.98, 0.95, 0.9, 0.8, 0.5} {
		if low > f+(1-f)*0.15 {
			return f
		}
	}
	return 0
}

// thin brings a long series down to n rows: counts and rates on average, bands by their worst.
func thin(all []SecondReport, n int) []SecondReport {
	k := (len(all) + n - 1) / n
	if k <= 1 {
		return all
	}
	var list []SecondReport
	for i := 0; i < len(all); i += k {
		part := all[i:min(i+k, len(all))]
		s := part[len(part)-1]
		for j := range part[:len(part)-1] {
			s.add(&part[j])
		}
		s.scale(1 / float64(len(part)))
		list = append(list, s)
	}
	return list
}

func (s *SecondReport) numbers() []*float64 {
	return []*float64{&s.Playing, &s.Snapshots, &s.Inputs, &s.Delivery, &s.Down, &s.Up, &s.CPU}
}

func (s *SecondReport) counts() []*uint32 {
	return []*uint32{&s.Joins, &s.Resumes, &s.Ends, &s.Errors}
}

func (s *SecondReport) add(o *SecondReport) {
	to, from := s.numbers(), o.numbers()
	for i := range to {
		*to[i] += *from[i]
	}
	counts, others := s.counts(), o.counts()
	for i := range counts {
		*counts[i] += *others[i]
	}
	for _, b := range []struct{ to, from *Band }{
		{&s.Join, &o.Join}, {&s.Resume, &o.Resume}, {&s.Ack, &o.Ack}, {&s.IntervalError, &o.IntervalError}, {&s.Age, &o.Age}, {&s.Lag, &o.Lag},
	} {
		b.to.Count += b.from.Count
		b.to.P50, b.to.P90 = max(b.to.P50, b.from.P50), max(b.to.P90, b.from.P90)
		b.to.P99, b.to.Max = max(b.to.P99, b.from.P99), max(b.to.Max, b.from.Max)
	}
}

func (s *SecondReport) scale(f float64) {
	for _, v := range s.numbers() {
		*v *= f
	}
	for _, n := range s.counts() {
		*n = uint32(math.Round(float64(*n) * f))
	}
}
