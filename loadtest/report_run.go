package main

import (
	"math"
	"slices"
	"time"

	"skirmish/protocol"
)

// EndingReport counts connections that ended alike.
type EndingReport struct {
	Who      string `json:"who"` // player, idle, slow reader, rule breaker, flooder
	Code     int    `json:"code"`
	Meaning  string `json:"meaning"`
	Count    int    `json:"count"`
	Expected bool   `json:"expected"`
}

// StageReport is a stage of the run. Times are in ms, over the part of it that lies in the measured window.
type StageReport struct {
	Name       string          `json:"name"`
	Begin      float64         `json:"begin_seconds"` // from the start of the run
	End        float64         `json:"end_seconds"`
	From       int             `json:"from_bots"`
	To         int             `json:"to_bots"`
	Joined     int             `json:"joined"`
	Resumed    int             `json:"resumed"`
	Times      map[string]Time `json:"times_ms"`
	Delivery   Delivery        `json:"delivery"`
	Bytes      Bytes           `json:"bytes"`
	Errors     Errors          `json:"errors"`
	Cuts       Cuts            `json:"cuts"`
	Missed     *float64        `json:"missed_ticks"` // null: unknown
	Thresholds []Verdict       `json:"thresholds"`
}

// SeriesReport is the run in steps, the warm-up included.
type SeriesReport struct {
	Step    float64        `json:"step_seconds"`
	Begin   float64        `json:"window_begin_seconds"` // from the start of the run
	End     float64        `json:"window_end_seconds"`
	Seconds []SecondReport `json:"seconds"`
}

// SecondReport is one step.
type SecondReport struct {
	At            float64       `json:"t"` // its end, from the start of the run, s
	Playing       float64       `json:"playing"`
	Joins         uint32        `json:"joins"`
	Resumes       uint32        `json:"resumes"`
	Cuts          uint32        `json:"cuts"`
	Ends          uint32        `json:"ends"`
	Errors        uint32        `json:"errors"`
	Snapshots     float64       `json:"snapshots_per_second"`
	Inputs        float64       `json:"inputs_per_second"`
	Delivery      float64       `json:"delivery"`
	Down          float64       `json:"bytes_down_per_player_second"`
	Up            float64       `json:"bytes_up_per_player_second"`
	Join          Band          `json:"join_ms"`
	Resume        Band          `json:"resume_ms"`
	Gap           Band          `json:"gap_ms"` // by the second in which it was over
	Ack           Band          `json:"ack_ms"`
	IntervalError Band          `json:"interval_error_ms"`
	Age           Band          `json:"age_ms"`
	Lag           Band          `json:"lag_ms"`
	CPU           float64       `json:"generator_cpu_cores"`
	Server        *ServerSecond `json:"server,omitempty"` // absent: its metrics could not be had
}

// Band is a distribution of one step in ms.
type Band struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// ServerSecond is the server in one step. Times are in ms.
type ServerSecond struct {
	CPUCores    float64 `json:"cpu_cores"`
	CPUPerState float64 `json:"cpu_us_per_snapshot"`
	LatenessP50 float64 `json:"tick_lateness_p50_ms"`
	LatenessP99 float64 `json:"tick_lateness_p99_ms"`
	DurationP99 float64 `json:"tick_duration_p99_ms"`
	MissedTicks float64 `json:"missed_ticks"`
	Resident    float64 `json:"resident_bytes"`
	Goroutines  float64 `json:"goroutines"`
}

// newReport puts the outcomes of all processes together.
func newReport(c *Config, outcomes []*outcome, server *serverFigures, probes []probe) *Report {
	first := outcomes[0]
	server.observe(probes)
	window := window{first.Start + int64(c.Warmup), 0}
	r := &Report{
		StartedAt: time.Unix(0, first.Start).UTC().Truncate(time.Millisecond),
		Config: ConfigReport{
			Server: c.Server, Bots: c.Bots, MatchSize: c.MatchSize, Rate: c.Rate, Ramp: c.Ramp.Seconds(),
			Warmup: c.Warmup.Seconds(), Duration: c.Duration.Seconds(), Loops: c.Loops, Seed: c.Seed, Workers: c.Workers,
			Watchers: c.Spectators, Scouts: c.Scouts, IO: first.IO,
		},
		Server: server.report(), Machine: thisMachine(), Command: c.Command,
	}
	if c.Scenario != nil {
		r.Config.Scenario = c.Scenario.Name
	}
	if r.Server == nil {
		r.ServerNote = "the window was never reached"
		if server.err != nil {
			r.ServerNote = server.err.Error()
		}
	}
	spans := c.spans()
	books := make([]*figures, len(spans))
	all, watching := newFigures(), newFigures()
	rows := make([]row, len(first.Rows))
	for _, o := range outcomes {
		for i := range spans {
			if books[i] == nil {
				books[i] = newFigures()
			}
			books[i].merge(o.Books[i].unpack())
		}
		all.count(o.Aside.unpack())
		watching.merge(o.Watch.unpack())
		for k := range rows {
			rows[k].merge(&o.Rows[k])
		}
		r.Matches += o.Matches
		r.Players += o.Planned
		r.Generator.CPUSeconds += o.CPU
		for cause, n := range o.Faults {
			all.causes[cause] += n
		}
		if o.Early != "" {
			r.EndedEarly = o.Early
		}
		window.end = max(window.end, o.End)
	}
	for _, book := range books {
		all.merge(book)
	}
	r.Window = float64(window.end-window.begin) / 1e9
	r.Generator.Processes = len(outcomes)
	r.Generator.CPUCores = r.Generator.CPUSeconds / max(r.Window, 1e-3)
	joined := all.joined
	all.count(watching)
	all.joined = joined // players
	r.fill(all)
	r.Percentiles = map[string][]Percentile{"join": spread(all.join), "ack": spread(all.ack), "interval_error": spread(all.intervalError), "age": spread(all.age)}
	r.watched(watching)
	r.aimed(all, c.Scenario)
	r.Series = newSeriesReport(first, rows, probes, window)
	r.Series.deliver(rows, c.Rate)
	r.judge(c.Thresholds)
	for i, s := range spans {
		st := r.stage(&s, books[i], between(probes, max(first.Start+int64(s.begin), window.begin), min(first.Start+int64(s.end), window.end)))
		r.Stages = append(r.Stages, st)
	}
	return r
}

// stage is the report of one stage; its verdicts count for the whole.
func (r *Report) stage(s *span, book *figures, server *ServerReport) StageReport {
	part := &Report{Config: r.Config, Server: server}
	part.fill(book)
	part.judge(s.thresholds)
	r.Pass = r.Pass && part.Pass
	st := StageReport{
		Name: s.name, Begin: s.begin.Seconds(), End: s.end.Seconds(), From: s.from, To: s.to, Joined: part.Joined, Resumed: part.Resumed,
		Times: part.Times, Delivery: part.Delivery, Bytes: part.Bytes, Errors: part.Errors, Cuts: part.Cuts, Thresholds: part.Thresholds,
	}
	if server != nil {
		st.Missed = &server.MissedTicks
	}
	return st
}

func newSeriesReport(o *outcome, rows []row, probes []probe, w window) SeriesReport {
	step := float64(o.Step) / 1e9
	s := SeriesReport{Step: step, Begin: float64(w.begin-o.Start) / 1e9, End: float64(w.end-o.Start) / 1e9, Seconds: []SecondReport{}}
	for k := range rows {
		if float64(k)*step >= s.End {
			break
		}
		r := &rows[k]
		length := min(step, s.End-float64(k)*step) // the last one may be shorter
		second := SecondReport{
			At: float64(k)*step + length, Playing: round3(r.Seconds / length), Joins: r.Joins, Resumes: r.Resumes, Cuts: r.Cuts, Ends: r.Ends, Errors: r.Errors,
			Snapshots: round3(float64(r.States) / length), Inputs: round3(float64(r.Inputs) / length), CPU: round3(r.CPU / length),
			Join: r.Join.band(), Resume: r.Resume.band(), Gap: r.Gap.band(), Ack: r.Ack.band(), IntervalError: r.IntervalError.band(), Age: r.Age.band(), Lag: r.Lag.band(),
		}
		if r.Seconds > 0 {
			second.Down, second.Up = round3(float64(r.BytesIn)/r.Seconds), round3(float64(r.BytesOut)/r.Seconds)
		}
		begin := o.Start + int64(k)*o.Step
		if server := between(probes, begin, begin+o.Step); server != nil {
			second.Server = &ServerSecond{
				CPUCores: round3(server.CPUSeconds / server.Seconds), CPUPerState: round3(server.CPUPerState),
				LatenessP50: round3(server.LatenessP50), LatenessP99: round3(server.LatenessP99), DurationP99: round3(server.DurationP99),
				MissedTicks: server.MissedTicks, Resident: server.ResidentBytes, Goroutines: server.Goroutines,
			}
		}
		s.Seconds = append(s.Seconds, second)
	}
	return s
}

// deliver fills the share of the snapshots owed that came, which needs the rate.
func (s *SeriesReport) deliver(rows []row, rate int) {
	for k := range s.Seconds {
		if owed := rows[k].Owed * float64(rate); owed > 0 {
			s.Seconds[k].Delivery = round3(float64(rows[k].Got) / owed)
		}
	}
}

func (s *sketch) band() Band {
	return Band{Count: s.Total, P50: round3(s.quantile(50)), P90: round3(s.quantile(90)), P99: round3(s.quantile(99)), Max: float64(s.Top) / 1e3}
}

func round3(v float64) float64 { return math.Round(v*1e3) / 1e3 }

// endings lists the most frequent first.
func endings(counts map[Ending]int) []EndingReport {
	list := []EndingReport{}
	for e, n := range counts {
		list = append(list, EndingReport{Who: e.Who, Code: e.Code, Meaning: meaning(e.Code), Count: n, Expected: e.Expected})
	}
	slices.SortFunc(list, func(a, b EndingReport) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		if a.Code != b.Code {
			return a.Code - b.Code
		}
		if a.Who != b.Who {
			if a.Who < b.Who {
				return -1
			}
			return 1
		}
		if a.Expected {
			return -1
		}
		return 1
	})
	return list
}

// meaning of a close code in a few words.
func meaning(code int) string {
	switch protocol.CloseCode(code) {
	case 0:
		return "no Close"
	case protocol.CloseNormal:
		return "done"
	case protocol.CloseGoingAway:
		return "server going away"
	case protocol.CloseProtocol:
		return "frame against the rules"
	case protocol.CloseUnsupported:
		return "text frame"
	case protocol.CloseAbnormal:
		return "connection broke"
	case protocol.ClosePolicy:
		return "abuse"
	case protocol.CloseTooBig:
		return "message too big"
	case protocol.CloseInternal:
		return "fault of the server"
	case protocol.CloseRestart:
		return "server restarts"
	case protocol.CloseMatchOver:
		return "match over"
	case protocol.CloseLeft:
		return "left by bye"
	case protocol.CloseKicked:
		return "kicked"
	case protocol.CloseBadMessage:
		return "malformed messages"
	case protocol.CloseBadTicket:
		return "ticket declined"
	case protocol.CloseNoMatch:
		return "match gone"
	case protocol.CloseTimeout:
		return "timed out"
	case protocol.CloseReplaced:
		return "replaced"
	case protocol.CloseVersion:
		return "version"
	case protocol.CloseEventsLost:
		return "too far behind"
	case protocol.CloseFlood:
		return "flood of inputs"
	case protocol.CloseMatchFailed:
		return "match failed"
	case protocol.CloseUnavailable:
		return "server full or draining"
	}
	return "another code"
}
