package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

var (
	//go:embed html_page.tmpl
	pageText string
	//go:embed html_page.css
	pageStyle string
	//go:embed html_page.js
	pageScript string
)

// writeHTML writes the report as one page that needs nothing else: style, script and drawings are in it.
func (r *Report) writeHTML(w io.Writer) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(w, r.page())
}

func htmlEscape(s string) string { return html.EscapeString(s) }

// pageData is what the page shows, in words.
type pageData struct {
	Style    template.CSS
	Script   template.JS
	Title    string
	Subtitle string
	Pass     bool
	Verdict  string
	Warnings []string
	Figures  []keyFigure
	Verdicts []verdictLine
	Staged   bool // some of them are a stage's
	Sections []pageSection
	Times    []timeLine
	Stages   []stageLine
	Endings  []endingLine
	Cuts     []causeLine
	Errors   []causeLine
	Facts    []fact
	Command  string
}

type keyFigure struct{ Name, Value, Unit, Note string }

type verdictLine struct {
	Pass                  bool
	Stage, Text, Measured string
	Used                  float64 // of the bound, %; negative: cannot be told
	Bar                   float64 // the same, at most 100
}

type pageSection struct {
	Title, Note string
	Charts      []pageChart
}

type pageChart struct {
	Title, Note string
	Keys        []chartKey
	SVG         template.HTML
	Data        string // JSON, for the readout under the pointer
}

type chartKey struct {
	Name, Tint string
	Area       bool
}

type timeLine struct{ Name, P50, P90, P99, P999, Max, Count string }

type stageLine struct{ Name, When, Bots, Joined, Ack, Interval, Delivery, Errors, Missed string }

type endingLine struct {
	Who, Code, Meaning, Count string
	Share                     float64 // of the largest, %
	Expected                  bool
}

type causeLine struct{ Count, Cause string }

type fact struct{ Name, Value string }

func (r *Report) page() *pageData {
	c := &r.Config
	d := &pageData{
		Style: template.CSS(pageStyle), Script: template.JS(pageScript), Title: "Load test", Pass: r.Pass, Command: r.Command,
		Subtitle: fmt.Sprintf("%s bots in matches of %d at %d Hz, measured for %s", number(float64(c.Bots)), c.MatchSize, c.Rate, clockWords(r.Window)),
	}
	if c.Scenario != "" {
		d.Title = c.Scenario
	}
	d.Verdicts = r.verdictLines()
	missed := 0
	for _, v := range d.Verdicts {
		if !v.Pass {
			missed++
		}
		d.Staged = d.Staged || v.Stage != ""
	}
	switch {
	case missed == 0 && len(d.Verdicts) == 1:
		d.Verdict = "The threshold holds"
	case missed == 0:
		d.Verdict = fmt.Sprintf("All %d thresholds hold", len(d.Verdicts))
	default:
		d.Verdict = fmt.Sprintf("%d of %d thresholds missed", missed, len(d.Verdicts))
	}
	d.Warnings = r.warnings()
	d.Figures = r.keyFigures()
	for _, s := range r.sections() {
		page := pageSection{Title: s.Title, Note: s.Note}
		for _, chart := range s.Charts {
			page.Charts = append(page.Charts, chart.page())
		}
		d.Sections = append(d.Sections, page)
	}
	d.Times, d.Stages, d.Endings = r.timeLines(), r.stageLines(), r.endingLines()
	d.Cuts, d.Errors = causeLines(r.Cuts.ByCause), causeLines(r.Errors.ByCause)
	d.Facts = r.facts()
	return d
}

// causeLines lists the most frequent first.
func causeLines(causes map[string]int) (list []causeLine) {
	for _, cause := range slices.SortedFunc(maps.Keys(causes), func(a, b string) int {
		if x, y := causes[a], causes[b]; x != y {
			return y - x
		}
		return strings.Compare(a, b)
	}) {
		list = append(list, causeLine{number(float64(causes[cause])), cause})
	}
	return list
}

func (r *Report) warnings() (list []string) {
	if r.Generator.Tired {
		list = append(list, "The generator was tired: "+r.tiredness())
	}
	if r.EndedEarly != "" {
		list = append(list, "The run ended early: "+r.EndedEarly+".")
	}
	if r.Players > 0 && r.Joined < r.Players {
		list = append(list, fmt.Sprintf("Only %s of %s players came into the game.", number(float64(r.Joined)), number(float64(r.Players))))
	}
	if n := r.Cuts.LostSeats; n > 0 {
		list = append(list, fmt.Sprintf("%s players were cut and did not come back into their seats.", number(float64(n))))
	}
	if r.Server == nil {
		list = append(list, "No figures of the server: "+r.ServerNote+".")
	}
	return list
}

// keyFigures stand large at the top.
func (r *Report) keyFigures() (list []keyFigure) {
	add := func(name, value, note string) {
		v, unit, _ := strings.Cut(value, " ")
		list = append(list, keyFigure{name, v, unit, note})
	}
	period := 1e3 / float64(max(1, r.Config.Rate))
	if t := r.Times["ack"]; t.Count > 0 {
		add("Acknowledged, p99", milliseconds(t.P99), fmt.Sprintf("%.2f ticks", t.P99/period))
	}
	if t := r.Times["interval_error"]; t.Count > 0 {
		add("Off the beat, p99", milliseconds(t.P99), "median "+milliseconds(t.P50))
	}
	if r.Delivery.Expected > 0 {
		add("Delivered", percent(r.Delivery.Ratio), number(float64(r.Delivery.Received))+" snapshots")
	}
	if t := r.Times["gap"]; t.Count > 0 {
		add("Longest gap", milliseconds(t.Max), fmt.Sprintf("%s cuts, %s undone at most", number(float64(t.Count)), milliseconds(r.Times["undone"].Max)))
	}
	if t := r.Times["join"]; t.Count > 0 {
		add("Join, p99", milliseconds(t.P99), number(float64(t.Count))+" joins")
	}
	if r.Server != nil {
		add("Server, a snapshot", fmt.Sprintf("%.1f µs", r.Server.CPUPerState), fmt.Sprintf("%.0f %% of a core", r.Server.CPUSeconds/max(r.Server.Seconds, 1e-3)*100))
	}
	add("Generator lag, p99", milliseconds(r.Times["lag"].P99), fmt.Sprintf("%.0f %% of a core", r.Generator.CPUCores*100))
	return list
}

func (r *Report) verdictLines() (list []verdictLine) {
	for i := range r.Thresholds {
		list = append(list, newVerdictLine("", &r.Thresholds[i]))
	}
	for i := range r.Stages {
		for k := range r.Stages[i].Thresholds {
			list = append(list, newVerdictLine(r.Stages[i].Name, &r.Stages[i].Thresholds[k]))
		}
	}
	return list
}

func newVerdictLine(stage string, v *Verdict) verdictLine {
	line := verdictLine{Pass: v.Pass, Stage: stage, Text: v.Threshold, Measured: v.Note, Used: -1}
	t, err := ParseThreshold(v.Threshold)
	if err != nil || v.Note != "" {
		return line
	}
	bound := t.Bound
	switch metrics[t.Metric] {
	case unitTime:
		line.Measured = milliseconds(v.Value)
		bound /= 1e3
	case unitRatio:
		line.Measured = percent(v.Value)
	case unitBytes:
		line.Measured = bytesText(v.Value) + "/s"
	default:
		line.Measured = number(v.Value)
	}
	if bound > 0 && (t.Op == "<" || t.Op == "<=") {
		line.Used = v.Value / bound * 100
		line.Bar = min(100, line.Used)
	}
	return line
}

// page draws a chart.
func (c *chart) page() pageChart {
	svg, left, right := c.svg()
	p := pageChart{Title: c.title, Note: c.note, SVG: template.HTML(svg)}
	type series struct {
		Name   string    `json:"name"`
		Values []*string `json:"values"`
	}
	data := struct {
		Left  float64   `json:"left"`
		Right float64   `json:"right"`
		Width float64   `json:"width"`
		End   float64   `json:"end"`
		T     []float64 `json:"t"`
		Names []string  `json:"names,omitempty"` // of the points, else their seconds
		Lines []series  `json:"lines"`
	}{round3(left), round3(right), plotWidth, max(c.end, 1), c.t, c.labels, nil}
	for i := range c.curves {
		curve := &c.curves[i]
		p.Keys = append(p.Keys, chartKey{curve.name, tintNames[curve.tint], curve.floor != nil})
		s := series{Name: curve.name}
		for _, v := range curve.values {
			if math.IsNaN(v) {
				s.Values = append(s.Values, nil)
				continue
			}
			s.Values = append(s.Values, new(c.show(v)))
		}
		data.Lines = append(data.Lines, s)
	}
	b, _ := json.Marshal(data) // plain values
	p.Data = string(b)
	return p
}

func (r *Report) timeLines() (list []timeLine) {
	for _, line := range []struct{ metric, name string }{
		{"join", "Join"}, {"connect", "connected after"}, {"welcome", "welcomed after"}, {"gap", "Gap of a cut"}, {"undone", "of what was seen, undone"}, {"resume", "Return into the seat"}, {"ack", "Input to acknowledged"},
		{"wait", "of it waiting for its tick"}, {"interval", "Snapshot interval"}, {"interval_error", "Interval error"}, {"age", "Snapshot age"}, {"rtt", "Ping"}, {"lag", "Generator lag"},
	} {
		if t := r.Times[line.metric]; t.Count > 0 {
			list = append(list, timeLine{line.name, milliseconds(t.P50), milliseconds(t.P90), milliseconds(t.P99), milliseconds(t.P999), milliseconds(t.Max), number(float64(t.Count))})
		}
	}
	return list
}

func (r *Report) stageLines() (list []stageLine) {
	if r.Config.Scenario == "" {
		return nil
	}
	for i := range r.Stages {
		s := &r.Stages[i]
		line := stageLine{
			Name: s.Name, When: clockText(s.Begin) + " to " + clockText(s.End), Bots: number(float64(s.To)), Joined: number(float64(s.Joined)),
			Errors: number(float64(s.Errors.Total)), Ack: "–", Interval: "–", Delivery: "–", Missed: "–",
		}
		if s.From != s.To {
			line.Bots = number(float64(s.From)) + " → " + line.Bots
		}
		if t := s.Times["ack"]; t.Count > 0 {
			line.Ack = milliseconds(t.P99)
		}
		if t := s.Times["interval_error"]; t.Count > 0 {
			line.Interval = milliseconds(t.P99)
		}
		if s.Delivery.Expected > 0 {
			line.Delivery = percent(s.Delivery.Ratio)
		}
		if s.Missed != nil {
			line.Missed = number(*s.Missed)
		}
		list = append(list, line)
	}
	return list
}

func (r *Report) endingLines() (list []endingLine) {
	most := 1
	for _, e := range r.Endings {
		most = max(most, e.Count)
	}
	for _, e := range r.Endings {
		code := fmt.Sprint(e.Code)
		if e.Code == 0 {
			code = "–"
		}
		list = append(list, endingLine{e.Who, code, e.Meaning, number(float64(e.Count)), max(0.5, float64(e.Count)/float64(most)*100), e.Expected})
	}
	return list
}

func (r *Report) facts() []fact {
	c, m := &r.Config, &r.Machine
	list := []fact{
		{"Started", r.StartedAt.Format("2 January 2006, 15:04:05 MST")},
		{"Server", c.Server},
		{"Run", fmt.Sprintf("%s matches, warm-up %s, seed %d", number(float64(r.Matches)), clockWords(c.Warmup), c.Seed)},
		{"Generator", fmt.Sprintf("%d × %d threads, %.2f cores on average", max(1, r.Generator.Processes), c.Loops, r.Generator.CPUCores)},
		{"Machine", fmt.Sprintf("%s, %d cores, %s, %s", m.Processor, m.Cores, m.System, m.Go)},
		{"Load", r.how()},
		{"Traffic", fmt.Sprintf("%s down and %s up per player and second, %s a snapshot", bytesText(r.Bytes.Down), bytesText(r.Bytes.Up), bytesText(r.Bytes.PerSnapshot))},
	}
	if c.Loops == 1 {
		list[3].Value = strings.Replace(list[3].Value, "1 threads", "1 thread", 1)
	}
	if r.Spectators != nil {
		list = append(list, fact{"Spectators", r.Spectators.text()})
	}
	for i := range r.Aim {
		list = append(list, fact{"Aim", r.Aim[i].text()})
	}
	if s := r.Server; s != nil {
		list = append(list,
			fact{"Inputs", shares(s.Inputs)},
			fact{"Snapshots", shares(s.Snapshots)},
			fact{"Ticks", fmt.Sprintf("%s, %s missed, late by %s p50 and %s p99", number(s.Ticks), number(s.MissedTicks), milliseconds(s.LatenessP50), milliseconds(s.LatenessP99))})
	}
	return list
}

// clockWords shows a length of time.
func clockWords(s float64) string {
	if s < 120 {
		return trimZeros(fmt.Sprintf("%.1f", s)) + " s"
	}
	return clockText(s) + map[bool]string{true: " min", false: " h"}[s < 3600]
}
