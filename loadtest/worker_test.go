package main

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFiguresSurviveAPipe(t *testing.T) {
	f := newFigures()
	for i := range int64(1000) {
		record(f.ack, i*100_000)
		record(f.resume, i*7000)
	}
	f.playerSeconds, f.received, f.bytesIn, f.joined, f.resumed, f.over = 12.5, 7, 9, 3, 2, 1
	f.closes[4001] = 5
	f.endings[Ending{"player", 4001, true}] = 5
	f.fault("x")
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(word{Outcome: &outcome{Books: []*packed{f.pack()}, Aside: newFigures().pack(), Rows: make([]row, 2)}}); err != nil {
		t.Fatal(err)
	}
	var w word
	if err := gob.NewDecoder(&b).Decode(&w); err != nil {
		t.Fatal(err)
	}
	g := w.Outcome.Books[0].unpack()
	if !reflect.DeepEqual(f.pack(), g.pack()) {
		t.Errorf("%+v\n%+v", f, g)
	}
	if w.Outcome.Aside.unpack().ack.TotalCount() != 0 || len(w.Outcome.Rows) != 2 {
		t.Error("nothing is something")
	}
}

func TestAJobSurvivesAPipe(t *testing.T) {
	c := settled(t, "stages: [{ramp: 0s, bots: 5}, {hold: 5s}, {down: 1s, bots: 0}]\nbehaviours: {flood: {share: 5%}}\nthresholds: ['ack.p99<80ms']\n")
	b, err := json.Marshal(job{Config: *c, Start: 1, Share: 1, Of: 2})
	if err != nil {
		t.Fatal(err)
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(j.Config, *c) || !reflect.DeepEqual(j.Config.lives(), c.lives()) {
		t.Errorf("%+v\n%+v", j.Config.Scenario, c.Scenario)
	}
}

func TestSketchesAreCloseToHistograms(t *testing.T) {
	var s, half sketch
	h := newHistogram()
	for i := range int64(100_000) {
		ns := 1000 + i*i/5 // 1 µs to 2 s
		s.record(ns)
		record(h, ns)
		if i%2 == 0 {
			half.record(ns)
		}
	}
	for _, q := range []float64{1, 50, 90, 99, 99.9, 100} {
		if got, want := s.quantile(q), float64(h.ValueAtQuantile(q))/1e3; got < want*0.975 || got > want*1.025 {
			t.Errorf("p%v is %v, want %v", q, got, want)
		}
		if a, b := half.quantile(q), s.quantile(q); a < b*0.98 || a > b*1.02 {
			t.Errorf("p%v of every second sample is %v, of all %v", q, a, b)
		}
	}
	for v := int64(0); v < histogramTop; v += 1 + v/50 {
		if low, high := sketchBounds(sketchBucket(v)); float64(v) < low || float64(v) >= high || sketchBucket(v) >= sketchBuckets {
			t.Fatalf("%d is in a bucket from %v to %v", v, low, high)
		}
	}
	s.record(1 << 60)
	s.record(-5)
	s.merge(&half)
	if s.Total != 150_002 || s.Top != histogramTop || (&sketch{}).quantile(50) != 0 {
		t.Errorf("%d, %d", s.Total, s.Top)
	}
}

func TestSeveralProcessesMakeOneReport(t *testing.T) {
	c := small(serve(t, nil))
	c.Workers, c.Duration = 2, 2*time.Second
	r := play(t, t.Context(), c)
	if r.Joined != 20 || r.Players != 20 || r.Matches != 3 || r.Errors.Total != 0 || !r.Pass || r.Generator.Processes != 2 {
		t.Errorf("%d of %d joined in %d matches of %d processes, errors %v", r.Joined, r.Players, r.Matches, r.Generator.Processes, r.Errors)
	}
	if r.Closes["4001"] != 20 || r.Delivery.Ratio < 0.5 || r.Times["ack"].Count < 50 {
		t.Errorf("%v %+v %+v", r.Closes, r.Delivery, r.Times["ack"])
	}
	if r.Server == nil || r.Server.Ticks == 0 || r.Generator.CPUSeconds <= 0 {
		t.Errorf("server %+v, generator %+v", r.Server, r.Generator)
	}
}

func TestAWorkerWithoutServerSaysOneThing(t *testing.T) {
	t.Parallel()
	c := small("http://127.0.0.1:1")
	c.Workers = 2
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if _, err := runSwarm(t.Context(), c, new(bytes.Buffer), false); err == nil || !strings.Contains(err.Error(), "no server answers") {
		t.Errorf("%v", err)
	}
	server := serve(t, nil)
	c = small(server)
	c.Workers, c.GameURL = 2, "ws://nowhere.invalid/play"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	_, err := runSwarm(t.Context(), c, new(bytes.Buffer), false)
	if err == nil || !strings.Contains(err.Error(), "nowhere.invalid") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestWorkAnswersNonsense(t *testing.T) {
	var out bytes.Buffer
	if code := work(t.Context(), strings.NewReader("{"), &out); code != exitFailed {
		t.Errorf("exit %d", code)
	}
	var w word
	if err := gob.NewDecoder(&out).Decode(&w); err != nil || !strings.Contains(w.Fault, "did not arrive") {
		t.Errorf("%v %q", err, w.Fault)
	}
}
