package metrics_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"skirmish/server/metrics"
)

// use touches everything once.
func use(s *metrics.Set) {
	s.Connections.Playing.Inc()
	s.Handshakes.Upgraded.Inc()
	s.Closes.Inc(4000)
	s.Closes.Inc(4000)
	s.Closes.Inc(4999)
	s.Closes.Inc(3000)
	s.Matches.Running.Set(3)
	s.MatchesEnded.Inc("finished")
	s.MatchesEnded.Inc("a game's own idea")
	s.Players.Bots.Add(2)
	s.Ticks.Add(60)
	s.TickLateness.Observe(0.0003)
	s.Inputs.OnTime.Add(16)
	s.Snapshots.Delta.Add(16)
	s.Bytes.Out.Add(1500)
	s.Joins.Observe(0.004)
	s.Tickets.Used.Inc()
}

func TestNamesAndHelpPassTheLinter(t *testing.T) {
	s := metrics.New()
	use(s)
	faults, err := testutil.GatherAndLint(s.Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("%s: %s", f.Metric, f.Text)
	}
}

func TestMetricsAreOurOwnAndFew(t *testing.T) {
	s := metrics.New()
	use(s)
	families, err := s.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := 0
	for _, f := range families {
		name := f.GetName()
		if !strings.HasPrefix(name, "skirmish_") {
			if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
				t.Errorf("%s has neither our prefix nor a collector's", name)
			}
			continue
		}
		series += len(f.GetMetric())
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				switch l.GetName() {
				case "state", "result", "code", "reason", "status", "kind", "direction":
				default:
					t.Errorf("%s has the label %s: its values may not be bounded", name, l.GetName())
				}
			}
		}
	}
	if series == 0 || series > 120 {
		t.Errorf("%d series, want 1 to 120", series)
	}
}

func TestUnknownValuesShareOneSeries(t *testing.T) {
	s := metrics.New()
	before := count(t, s)
	use(s)
	for code := range 5000 {
		s.Closes.Inc(uint16(code))
	}
	if after := count(t, s); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}

// count is the number of the set's own series.
func count(t *testing.T, s *metrics.Set) (n int) {
	t.Helper()
	families, err := s.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "skirmish_") {
			n += len(f.GetMetric())
		}
	}
	return n
}

// Of more running matches than can have series of their own, those are told that are served worst; who has ended is not told.
func TestMatchesThatAreServedWorst(t *testing.T) {
	s := metrics.New()
	before := count(t, s)
	var running []metrics.MatchTicks
	s.TellMatches(func(yield func(metrics.MatchTicks) bool) {
		for _, m := range running {
			if !yield(m) {
				return
			}
		}
	})
	for i := range 5 * metrics.MaxMatches {
		running = append(running, metrics.MatchTicks{Match: fmt.Sprint(i), Ticks: 10, P50: time.Millisecond, P999: time.Duration(i) * time.Millisecond})
	}
	running[3].Missed = 7
	page := scrape(s)
	for _, want := range []string{
		`skirmish_match_ticks_missed_total{match="3"} 7`, `skirmish_match_ticks_missed_total{match="499"} 0`, `skirmish_match_tick_lateness_seconds{match="499",quantile="0.999"} 0.499`,
		`skirmish_match_tick_lateness_seconds{match="401",quantile="0.5"} 0.001`, `skirmish_match_tick_lateness_seconds_count{match="401"} 10`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, `match="400"`) {
		t.Error("400 is told, which is better than 100 others")
	}
	if n := count(t, s) - before; n != 2*metrics.MaxMatches {
		t.Errorf("%d series, want %d", n, 2*metrics.MaxMatches)
	}
	faults, err := testutil.GatherAndLint(s.Gatherer())
	if err != nil || len(faults) > 0 {
		t.Error(faults, err)
	}
	running = nil
	if n := count(t, s) - before; n != 0 {
		t.Errorf("%d series of matches that have ended", n)
	}
}

func scrape(s *metrics.Set) string {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestPage(t *testing.T) {
	s := metrics.New()
	use(s)
	s.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "skirmish_draining", Help: "1 while the node drains."}, func() float64 { return 1 }))
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(w.Body)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s", w.Code, w.Header())
	}
	for _, line := range []string{
		`skirmish_connections{state="playing"} 1`,
		`skirmish_connections{state="handshake"} 0`, // a series is there before its first event
		`skirmish_closes_total{code="4000"} 2`,
		`skirmish_closes_total{code="4500"} 0`,
		`skirmish_closes_total{code="other"} 2`,
		`skirmish_matches_ended_total{reason="finished"} 1`,
		`skirmish_matches_ended_total{reason="other"} 1`,
		`skirmish_ticks_total 60`,
		`skirmish_tick_lateness_seconds_bucket{le="5e-05"} 0`,
		`skirmish_tick_lateness_seconds_bucket{le="0.0005"} 1`,
		`skirmish_tick_lateness_seconds_bucket{le="0.25"} 1`,
		`skirmish_inputs_total{status="on_time"} 16`,
		`skirmish_snapshots_total{kind="delta"} 16`,
		`skirmish_bytes_total{direction="out"} 1500`,
		`skirmish_tickets_total{result="used"} 1`,
		`skirmish_draining 1`,
		`go_goroutines `,
		`process_resident_memory_bytes `,
		`go_sched_latencies_seconds_bucket`,
	} {
		if !strings.Contains(string(body), "\n"+line) {
			t.Errorf("the page lacks %s", line)
		}
	}
}

func TestTwoSetsAreApart(t *testing.T) {
	a, b := metrics.New(), metrics.New()
	a.Ticks.Inc()
	if n := testutil.ToFloat64(b.Ticks); n != 0 {
		t.Errorf("the other set counts %v", n)
	}
}
