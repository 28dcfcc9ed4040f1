package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// known is a report over samples whose statistics are known.
func known(t *testing.T, thresholds ...string) *Report {
	t.Helper()
	f := newFigures()
	for i := range int64(1000) {
		record(f.ack, (i+1)*int64(time.Millisecond)/10) // 0.1 to 100 ms
		record(f.lag, int64(30*time.Millisecond))
	}
	f.playerSeconds, f.received, f.stateBytes, f.fulls = 50, 990, 99_000, 3
	f.bytesIn, f.bytesOut = 110_000, 20_000
	f.closes[4001] = 9
	f.closes[4408] = 1
	f.endings[Ending{"player", 4001, true}] = 9
	f.endings[Ending{"player", 4408, false}] = 1
	f.fault("closed 4408 timed out")
	r := &Report{Config: ConfigReport{Bots: 10, MatchSize: 5, Rate: 20}, Window: 5, Matches: 2}
	r.fill(f)
	var list []Threshold
	for _, text := range thresholds {
		th, err := ParseThreshold(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, th)
	}
	r.judge(list)
	return r
}

func TestReportMaths(t *testing.T) {
	r := known(t)
	near := func(name string, got, want float64) {
		if math.Abs(got-want) > want*0.002 {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	ack := r.Times["ack"]
	near("p50", ack.P50, 50)
	near("p90", ack.P90, 90)
	near("p95", ack.P95, 95)
	near("p99", ack.P99, 99)
	near("p99.9", ack.P999, 99.9)
	near("max", ack.Max, 100)
	near("avg", ack.Avg, 50.05)
	near("expected", r.Delivery.Expected, 1000)
	near("delivery", r.Delivery.Ratio, 0.99)
	near("down", r.Bytes.Down, 2200)
	near("up", r.Bytes.Up, 400)
	near("per snapshot", r.Bytes.PerSnapshot, 100)
	if ack.Count != 1000 || r.Errors.Total != 1 || r.Closes["4001"] != 9 {
		t.Errorf("%+v", r)
	}
	if !r.Generator.Tired {
		t.Error("a lag of 30 ms at 20 Hz is over half a tick")
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		threshold string
		pass      bool
		note      string
	}{
		{"ack.p99<99.5ms", true, ""},
		{"ack.p99<98ms", false, ""},
		{"delivery>=99%", true, ""},
		{"delivery>99.5%", false, ""},
		{"errors<=1", true, ""},
		{"errors<=0", false, ""},
		{"bytes_down<=2200", true, ""},
		{"bytes_up<399", false, ""},
		{"missed_ticks<=0", false, "metrics could not be had"},
		{"age.p99<1h", false, "nothing was measured"},
	} {
		r := known(t, c.threshold)
		v := r.Thresholds[0]
		if v.Pass != c.pass || r.Pass != c.pass || !strings.Contains(v.Note, c.note) {
			t.Errorf("%s: %+v", c.threshold, v)
		}
	}
	if r := known(t, "ack.p99<1h", "errors<=0"); r.Pass {
		t.Error("one missed threshold misses the whole")
	}
}

func TestTheReportIsWritten(t *testing.T) {
	r := known(t, "ack.p99<150ms", "errors<=0", "age.max<1s")
	var text, sheet bytes.Buffer
	r.print(&text, false)
	for _, want := range []string{"10 bots in 2 matches of 5", "THE GENERATOR WAS TIRED", "something else had the processors", "99.00 %", "1 × 4408 timed out (player), unexpected", "closed 4408 timed out",
		"pass  ack.p99<150ms", "MISS  errors<=0", "nothing was measured"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &text)
		}
	}
	r.Generator.CPUCores, r.Config.Scouts, r.Matches = 0.9, true, 63
	text.Reset()
	r.print(&text, false)
	for _, want := range []string{"take fewer bots", "63 bots, one of each match, decode"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Error("colours without a terminal")
	}
	if err := r.writeJSON(&sheet); err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(sheet.Bytes(), &back); err != nil || back["schema"] != 2.0 || back["pass"] != false {
		t.Errorf("%v in %s", err, &sheet)
	}
}

func TestMergedFiguresAddUp(t *testing.T) {
	a, b := newFigures(), newFigures()
	record(a.ack, 1e6)
	record(b.ack, 3e6)
	a.received, b.received, a.joined, b.joined = 1, 2, 3, 4
	b.fault("x")
	a.merge(b)
	if a.ack.TotalCount() != 2 || a.received != 3 || a.joined != 7 || a.errors() != 1 {
		t.Errorf("%+v", a)
	}
	for i := range 2 * maxCauses {
		a.fault(strings.Repeat("y", i))
	}
	if len(a.causes) > maxCauses+1 {
		t.Errorf("%d causes are told apart", len(a.causes))
	}
}

func TestMetricsPage(t *testing.T) {
	before := parsePage("# HELP x\nskirmish_ticks_total 5\n")
	after := parsePage(`# TYPE skirmish_ticks_total counter
skirmish_ticks_total 105
skirmish_inputs_total{status="on_time"} 90
skirmish_inputs_total{status="repeated"} 1e1
odd{a="b c"} 7 1700000000
broken
skirmish_tick_lateness_seconds_bucket{le="0.001"} 50
skirmish_tick_lateness_seconds_bucket{le="0.002"} 100
skirmish_tick_lateness_seconds_bucket{le="+Inf"} 100
`)
	d := growth(before, after)
	if d["skirmish_ticks_total"] != 100 || after[`odd{a="b c"}`] != 7 {
		t.Errorf("%v", d)
	}
	if in := d.labelled("skirmish_inputs_total", "status"); in["on_time"] != 90 || in["repeated"] != 10 {
		t.Errorf("%v", in)
	}
	if p50, ok := d.quantile("skirmish_tick_lateness_seconds", 0.5); !ok || math.Abs(p50-0.001) > 1e-9 {
		t.Errorf("p50 %v", p50)
	}
	if p75, _ := d.quantile("skirmish_tick_lateness_seconds", 0.75); math.Abs(p75-0.0015) > 1e-9 {
		t.Errorf("p75 %v", p75)
	}
	if _, ok := d.quantile("nothing", 0.5); ok {
		t.Error("a quantile of nothing")
	}
}

func TestShownNumbers(t *testing.T) {
	for got, want := range map[string]string{
		number(0): "0", number(999): "999", number(1234567): "1,234,567", number(-1000): "-1,000",
		milliseconds(0.0123): "12 µs", milliseconds(1.234): "1.23 ms", milliseconds(1234): "1234 ms", milliseconds(12345): "12.3 s",
		bytesText(999): "999 B", bytesText(1234): "1.2 kB", percent(0.98765): "98.77 %",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
