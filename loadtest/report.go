package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// reportSchema is the version of the JSON report: it rises when a field changes its meaning or goes away.
const reportSchema = 2

// Report is what a run has found, as --json writes it. Times are in ms.
type Report struct {
	Schema     int             `json:"schema"`
	StartedAt  time.Time       `json:"started_at"`
	Config     ConfigReport    `json:"config"`
	Pass       bool            `json:"pass"` // all thresholds hold
	Thresholds []Verdict       `json:"thresholds"`
	EndedEarly string          `json:"ended_early,omitempty"` // why
	Window     float64         `json:"window_seconds"`
	Matches    int             `json:"matches"`
	Joined     int             `json:"joined"`
	Times      map[string]Time `json:"times_ms"` // by metric, and connect, welcome and rtt
	Delivery   Delivery        `json:"delivery"`
	Bytes      Bytes           `json:"bytes"`
	Counts     Counts          `json:"counts"`
	Closes     map[string]int  `json:"closes"` // ends of connections by close code
	Errors     Errors          `json:"errors"`
	Generator  Generator       `json:"generator"`
	Server     *ServerReport   `json:"server"` // null: its /metrics could not be had
	ServerNote string          `json:"server_note,omitempty"`
	Players    int             `json:"players"` // that were to come before the window's end
	Resumed    int             `json:"resumed"` // returns into a seat after a cut
	Cuts       Cuts            `json:"cuts"`
	Spectators *WatchReport    `json:"spectators,omitempty"`
	Aim        []AimReport     `json:"aim,omitempty"` // rail shots of marksmen, by network
	Endings    []EndingReport  `json:"endings"`
	Stages     []StageReport   `json:"stages"`
	Series     SeriesReport    `json:"series"`

	// Percentiles are the distributions of join, ack, interval_error and age. Schema 2 had none at first.
	Percentiles map[string][]Percentile `json:"percentiles,omitempty"`

	Machine Machine `json:"machine"` // the generator's
	Command string  `json:"command,omitempty"`
}

// ConfigReport is what the run was asked for.
type ConfigReport struct {
	Server    string  `json:"server"`
	Bots      int     `json:"bots"`
	MatchSize int     `json:"match_size"`
	Rate      int     `json:"rate_hz"`
	Ramp      float64 `json:"ramp_seconds"`
	Warmup    float64 `json:"warmup_seconds"`
	Duration  float64 `json:"duration_seconds"`
	Loops     int     `json:"loops"`
	Seed      uint64  `json:"seed"`
	Workers   int     `json:"workers"`
	Scenario  string  `json:"scenario,omitempty"` // its name
	Watchers  int     `json:"spectators"`         // of each match
	Scouts    bool    `json:"scouts"`             // one bot of each match decodes what it sees
	IO        string  `json:"io"`                 // how sockets are driven: ring, epoll or portable
}

// Verdict is what became of a threshold.
type Verdict struct {
	Threshold string  `json:"threshold"`
	Value     float64 `json:"value"` // ms for times
	Pass      bool    `json:"pass"`
	Note      string  `json:"note,omitempty"` // why there is no value
	shown     string
}

// Time is a distribution in ms.
type Time struct {
	Count int64   `json:"count"`
	Avg   float64 `json:"avg"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	Max   float64 `json:"max"`
}

// Delivery compares the snapshots that came with the rate × the time played.
type Delivery struct {
	Received uint64  `json:"received"`
	Expected float64 `json:"expected"`
	Ratio    float64 `json:"ratio"`
}

// Bytes of the WebSocket streams, as the sockets carried them.
type Bytes struct {
	Down        float64 `json:"down_per_player_second"`
	Up          float64 `json:"up_per_player_second"`
	PerSnapshot float64 `json:"per_snapshot"` // the message alone
}

// Counts of the measured window.
type Counts struct {
	Inputs    uint64 `json:"inputs"`
	Skipped   uint64 `json:"inputs_skipped"` // given up: their tick was over before they could be sent
	Events    uint64 `json:"events"`
	Keyframes uint64 `json:"keyframes"`       // full snapshots
	Asked     uint64 `json:"keyframes_asked"` // because of a fault
	Over      int    `json:"matches_over"`    // bots that saw their match end during the run
}

// Errors of the whole run.
type Errors struct {
	Total   int            `json:"total"`
	ByCause map[string]int `json:"by_cause"`
}

// Cuts are the connections of players that were ended from outside in a way that a client answers by coming back: a
// crash, a deploy, a broken network. Those of a scenario's storms are none.
type Cuts struct {
	Total     int            `json:"total"`
	ByCause   map[string]int `json:"by_cause"`
	LostSeats int            `json:"lost_seats"` // of all cuts, storms included: errors as well
}

// Generator tells how this process did itself.
type Generator struct {
	CPUSeconds float64 `json:"cpu_seconds"` // over the window
	CPUCores   float64 `json:"cpu_cores"`
	CPUPerPair float64 `json:"cpu_us_per_pair"` // a snapshot and an input of one bot
	Tired      bool    `json:"tired"`           // its own lag spoils the figures
	Processes  int     `json:"processes"`
}

// fill takes the figures in.
func (r *Report) fill(f *figures) {
	r.Schema, r.Joined, r.Resumed = reportSchema, f.joined, f.resumed
	r.Times = map[string]Time{
		"connect": distribution(f.connect), "welcome": distribution(f.welcome), "join": distribution(f.join), "resume": distribution(f.resume),
		"gap": distribution(f.gap), "undone": distribution(f.undone),
		"ack": distribution(f.ack), "wait": distribution(f.wait), "interval": distribution(f.interval), "interval_error": distribution(f.intervalError),
		"age": distribution(f.age), "rtt": distribution(f.rtt), "lag": distribution(f.lag),
	}
	r.Delivery = Delivery{Received: f.received, Expected: math.Round(f.playerSeconds * float64(r.Config.Rate))}
	if r.Delivery.Expected > 0 {
		r.Delivery.Ratio = float64(f.received) / r.Delivery.Expected
	}
	if f.playerSeconds > 0 {
		r.Bytes.Down, r.Bytes.Up = float64(f.bytesIn)/f.playerSeconds, float64(f.bytesOut)/f.playerSeconds
	}
	if f.received > 0 {
		r.Bytes.PerSnapshot = float64(f.stateBytes) / float64(f.received)
	}
	r.Counts = Counts{
		Inputs: f.inputs, Skipped: f.skipped, Events: f.events,
		Keyframes: f.fulls, Asked: f.asked, Over: f.over,
	}
	r.Closes = make(map[string]int, len(f.closes))
	for code, n := range f.closes {
		r.Closes[strconv.Itoa(code)] = n
	}
	r.Endings = endings(f.endings)
	r.Errors = Errors{Total: f.errors(), ByCause: f.causes}
	r.Cuts = Cuts{Total: f.cutTotal(), ByCause: f.cuts, LostSeats: f.lost}
	if f.received > 0 {
		r.Generator.CPUPerPair = r.Generator.CPUSeconds * 1e6 / float64(f.received)
	}
	half := 500 / float64(max(1, r.Config.Rate))
	r.Generator.Tired = r.Times["lag"].P99 > half
}

func distribution(h *hdrhistogram.Histogram) Time {
	if h.TotalCount() == 0 {
		return Time{}
	}
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e3 }
	return Time{
		Count: h.TotalCount(), Avg: math.Round(h.Mean()) / 1e3, Max: float64(h.Max()) / 1e3,
		P50: ms(50), P90: ms(90), P95: ms(95), P99: ms(99), P999: ms(99.9),
	}
}

// stat is one statistic by its name in a threshold.
func (t *Time) stat(name string) float64 {
	return map[string]float64{"avg": t.Avg, "p50": t.P50, "p90": t.P90, "p95": t.P95, "p99": t.P99, "p99.9": t.P999, "max": t.Max}[name]
}

// value is the figure that a threshold is about, in the threshold's unit; note tells why there is none.
func (r *Report) value(t *Threshold) (v float64, shown, note string) {
	switch t.Metric {
	case "errors":
		return float64(r.Errors.Total), strconv.Itoa(r.Errors.Total), ""
	case "watch_delivery":
		if r.Spectators == nil || r.Spectators.Delivery.Expected == 0 {
			return 0, "", "nobody watched"
		}
		return r.Spectators.Delivery.Ratio, percent(r.Spectators.Delivery.Ratio), ""
	case "aim_gap":
		gap, ok := r.aimGap()
		if !ok {
			return 0, "", "no two networks have marksmen that shot"
		}
		return gap, percent(gap), ""
	case "cuts":
		return float64(r.Cuts.Total), strconv.Itoa(r.Cuts.Total), ""
	case "lost_seats":
		return float64(r.Cuts.LostSeats), strconv.Itoa(r.Cuts.LostSeats), ""
	case "delivery":
		if r.Delivery.Expected == 0 {
			return 0, "", "nothing was measured"
		}
		return r.Delivery.Ratio, percent(r.Delivery.Ratio), ""
	case "own_tick":
		switch {
		case r.Server == nil:
			return 0, "", "the server's metrics could not be had"
		case r.Server.OwnTick == 0:
			return 0, "", "nothing was measured"
		}
		return r.Server.OwnTick, percent(r.Server.OwnTick), ""
	case "missed_ticks":
		if r.Server == nil {
			return 0, "", "the server's metrics could not be had"
		}
		return r.Server.MissedTicks, number(r.Server.MissedTicks), ""
	case "bytes_down", "bytes_up":
		v = r.Bytes.Down
		if t.Metric == "bytes_up" {
			v = r.Bytes.Up
		}
		if r.Delivery.Expected == 0 {
			return 0, "", "nothing was measured"
		}
		return v, bytesText(v) + "/s", ""
	}
	d := r.Times[t.Metric]
	if d.Count == 0 {
		if t.Metric == "gap" || t.Metric == "undone" || t.Metric == "resume" {
			return 0, "", "no connection was cut"
		}
		return 0, "", "nothing was measured"
	}
	v = d.stat(t.Stat)
	return v * 1e3, milliseconds(v), ""
}

// judge compares the thresholds. One without a figure is missed: a gate must not open by itself.
func (r *Report) judge(thresholds []Threshold) {
	r.Pass = true
	r.Thresholds = make([]Verdict, 0, len(thresholds))
	for i := range thresholds {
		t := &thresholds[i]
		v, shown, note := r.value(t)
		verdict := Verdict{Threshold: t.Text, Value: v, Note: note, shown: shown}
		if metrics[t.Metric] == unitTime {
			verdict.Value = v / 1e3
		}
		verdict.Pass = note == "" && t.Holds(v)
		r.Pass = r.Pass && verdict.Pass
		r.Thresholds = append(r.Thresholds, verdict)
	}
}

func percent(v float64) string { return fmt.Sprintf("%.2f %%", v*100) }

// milliseconds shows a time with three digits or so.
func milliseconds(ms float64) string {
	switch {
	case ms < 0.9995:
		return fmt.Sprintf("%.0f µs", ms*1e3)
	case ms < 9.995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 99.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 9999.5:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1e3)
}

func bytesText(v float64) string {
	switch {
	case v < 1000:
		return fmt.Sprintf("%.0f B", v)
	case v < 1e6:
		return fmt.Sprintf("%.1f kB", v/1e3)
	}
	return fmt.Sprintf("%.1f MB", v/1e6)
}

// number shows a count with separators.
func number(v float64) string {
	s := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
