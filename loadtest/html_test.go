package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// drawn is a report with a series, for the page.
func drawn(t *testing.T, seconds int) *Report {
	t.Helper()
	r := known(t, "ack.p99<150ms", "errors<=0", "delivery>=99%")
	r.StartedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r.Config.Scenario = "a story <b>"
	r.Command = commandLine([]string{"/bin/loadtest", "--threshold", "ack.p99<150ms", "x y.yaml"})
	r.Players, r.Resumed = 11, 2
	r.Machine = Machine{Processor: "A & B", Cores: 2, System: "Linux", Go: "go1.26"}
	r.Server = &ServerReport{Seconds: 5, Ticks: 100, Inputs: map[string]float64{"on_time": 5}, Snapshots: map[string]float64{"delta": 5}, CPUPerState: 12.3}
	samples := newHistogram()
	for i := range int64(5000) {
		record(samples, (i*i%997+1)*int64(time.Millisecond)/10)
	}
	r.Percentiles = map[string][]Percentile{"ack": spread(samples), "join": spread(newHistogram())}
	r.Series = SeriesReport{Step: 1, Begin: 3, End: float64(seconds)}
	for i := range seconds {
		x := 50 + 10*math.Sin(float64(i))
		s := SecondReport{At: float64(i + 1), Playing: float64(min(i*3, 10)), Snapshots: 200, Inputs: 190, Delivery: 0.99, Down: 5000, Up: 400, Ack: Band{200, x, x * 1.1, x * 1.4, x * 2}, CPU: 0.3}
		if i < 3 {
			s.Joins, s.Join = 3, Band{3, 1, 2, 3, 4}
		}
		if i%4 != 1 {
			s.Server = &ServerSecond{CPUCores: 0.2, CPUPerState: 12, LatenessP99: 1, Resident: 5e7}
		}
		r.Series.Seconds = append(r.Series.Seconds, s)
	}
	r.Stages = []StageReport{{Name: "ramp", End: 3, To: 10, Times: r.Times}, {Name: "hold", Begin: 3, End: float64(seconds), From: 10, To: 10, Times: r.Times, Delivery: r.Delivery,
		Thresholds: []Verdict{{Threshold: "ack.p50<1ms", Value: 50}}}}
	return r
}

func TestThePageStandsAlone(t *testing.T) {
	for name, r := range map[string]*Report{"usual": drawn(t, 30), "one second": drawn(t, 1), "none": drawn(t, 0), "an hour": drawn(t, 3600), "no figures": {Schema: 2, Times: map[string]Time{}}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := r.writeHTML(&b); err != nil {
				t.Fatal(err)
			}
			page := b.String()
			for _, foreign := range []string{"<link", " src=", " href=", "url(", "@import", "http://www", "https://", "xlink", "ZgotmplZ", "NaN", "#FE", "FE01"} {
				if i := strings.Index(page, foreign); i >= 0 {
					t.Errorf("the page has %q: %s", foreign, page[max(0, i-80):min(len(page), i+80)])
				}
			}
			if strings.Count(page, "<script>") != 1 || strings.Count(page, "<style>") != 1 {
				t.Error("one style and one script are the page's own")
			}
			if len(page) > 3<<20 {
				t.Errorf("%d bytes", len(page))
			}
			wellFormed(t, page)
		})
	}
}

// wellFormed checks that every element is closed, as the page writes them.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	body := regexp.MustCompile(`(?s)<script>.*?</script>|<style>.*?</style>|<!doctype html>|<meta [^>]*>|<br>`).ReplaceAllString(page, "")
	d := xml.NewDecoder(strings.NewReader(body))
	d.Entity = xml.HTMLEntity
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
	}
}

func TestThePageSaysWhatWasFound(t *testing.T) {
	r := drawn(t, 30)
	var b bytes.Buffer
	if err := r.writeHTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a story &lt;b&gt;", "2 of 4 thresholds missed", "10 bots in matches of 5 at 20 Hz", "ack.p99&lt;150ms", "ack.p50&lt;1ms", "The generator was tired",
		"Only 0 of 11 players", "A &amp; B, 2 cores", "loadtest --threshold &#39;ack.p99&lt;150ms&#39; &#39;x y.yaml&#39;", "Input to acknowledged", "Tick lateness", "Generator lag",
		"left by bye", "closed 4408 timed out", "22 November 2026", "p99 &lt; 150ms", "var(--a)", "99.00", "99.9 %", "of 1,000 inputs",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(b.String(), "<svg viewBox="); n != 19 {
		t.Errorf("%d drawings", n)
	}
}

func TestTheSpreadOfTimes(t *testing.T) {
	h := newHistogram()
	if spread(h) != nil {
		t.Error("there is none without samples")
	}
	for i := range int64(2000) {
		record(h, (i+1)*int64(time.Millisecond))
	}
	list := spread(h)
	for i := range list {
		if p := list[i]; math.Abs(p.MS-p.Q*20) > 3 || i > 0 && (p.Q <= list[i-1].Q || p.MS < list[i-1].MS) {
			t.Errorf("%+v of 1 to 2,000 ms", p)
		}
	}
	if last := list[len(list)-1]; last.Q != 99.95 || math.Abs(last.MS-2000) > 2 || len(list) < 3*spreadSteps {
		t.Errorf("%d points up to %+v", len(list), last)
	}
}

func TestAReportIsReadBack(t *testing.T) {
	r := drawn(t, 12)
	var first, second bytes.Buffer
	if err := r.writeJSON(&first); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(first.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if err := back.writeJSON(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("it is another one: %v", err)
	}
	var a, b bytes.Buffer
	if r.writeHTML(&a) != nil || back.writeHTML(&b) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the page of the JSON report is another one")
	}
}

func TestTheSheet(t *testing.T) {
	var b bytes.Buffer
	if err := drawn(t, 12).writeCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 13 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	if rows[3][at["t"]] != "3" || rows[1][at["join_p50_ms"]] != "1" || rows[1][at["server_cpu_cores"]] != "0.2" || rows[2][at["server_cpu_cores"]] != "" {
		t.Errorf("%v", rows[:4])
	}
}

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		high float64
		want string
	}{{1, "0 0.2 0.4 0.6 0.8 1"}, {57, "0 20 40"}, {100, "0 20 40 60 80 100"}, {1234, "0 250 500 750 1,000"}} {
		var got []string
		for _, tick := range valueTicks(0, c.high, shortNumber) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("up to %v: %s, want %s", c.high, s, c.want)
		}
	}
	for end, want := range map[float64]string{30: "0 s 5 s 10 s 15 s 20 s 25 s 30 s", 240: "0 s 30 s 1:00 1:30 2:00 2:30 3:00 3:30 4:00", 7200: "0 s 15:00 30:00 45:00 1:00:00 1:15:00 1:30:00 1:45:00 2:00:00"} {
		var got []string
		for _, tick := range timeTicks(end) {
			got = append(got, tick.Label)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("up to %v s: %s, want %s", end, s, want)
		}
	}
}

func TestALongSeriesIsThinned(t *testing.T) {
	r := drawn(t, 3600)
	r.Series.Seconds[100].Ack.P99 = 5000
	thinned := thin(r.Series.Seconds, 600)
	worst := 0.0
	for i := range thinned {
		worst = max(worst, thinned[i].Ack.P99)
	}
	if len(thinned) != 600 || worst != 5000 || thinned[50].Snapshots != 200 {
		t.Errorf("%d rows, the worst %v, %v", len(thinned), worst, fmt.Sprint(thinned[50].Snapshots))
	}
}
