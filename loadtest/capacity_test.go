package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// gate is a report that keeps the whole gate at 20 Hz, changed.
func gate(change func(*Report)) *capacityProbe {
	r := &Report{Joined: 100, Delivery: Delivery{Ratio: 1}, Server: new(ServerReport), Times: map[string]Time{
		"ack": {Count: 1, P99: 60}, "interval_error": {Count: 1, P99: 3}, "lag": {Count: 1, P99: 2},
	}}
	if change != nil {
		change(r)
	}
	p := &capacityProbe{Rate: 20, Players: 100, Report: r}
	p.judge()
	return p
}

func TestTheGate(t *testing.T) {
	at := func(metric string, p99 float64) func(*Report) {
		return func(r *Report) { r.Times[metric] = Time{Count: 1, P99: p99} }
	}
	for _, c := range []struct {
		name   string
		change func(*Report)
		why    string // empty: it holds
		tired  bool
	}{
		{"all kept", nil, "", false},
		{"delivery at the bound", func(r *Report) { r.Delivery.Ratio = 0.99 }, "", false},
		{"delivery", func(r *Report) { r.Delivery.Ratio = 0.9899 }, "delivery", false},
		{"half a tick off", at("interval_error", 25), "off the beat", false},
		{"acknowledged at the bound", at("ack", 75), "", false},
		{"acknowledged late", at("ack", 75.1), "acknowledged after", false},
		{"never acknowledged", func(r *Report) { delete(r.Times, "ack") }, "acknowledged after", false},
		{"dropped", func(r *Report) { r.Errors.Total = 1 }, "1 errors", false},
		{"not joined", func(r *Report) { r.Joined = 99 }, "99 of 100", false},
		{"no figures", func(r *Report) { r.Server = nil }, "without the server's figures", false},
		{"tired", at("lag", 25), "the generator was", true},
		{"tired before all else", func(r *Report) { at("lag", 30)(r); r.Delivery.Ratio = 0.5 }, "the generator was", true},
		{"full core", func(r *Report) { at("ack", 90)(r); r.Generator.CPUCores = 0.99 }, "the generator's at 99 %", true},
	} {
		if p := gate(c.change); p.Holds != (c.why == "") || !strings.Contains(p.Why, c.why) || p.Tired != c.tired {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

// searched is a search against a server that holds what holds says, and whose core is full with as many players as
// full says, 0: it does not tell.
func searched(t *testing.T, full int, holds func(n int) bool) (*capacityAnswer, []int) {
	t.Helper()
	var tried []int
	c := &capacity{to: 8192, measure: time.Second, out: io.Discard}
	c.try = func(_ context.Context, rate, n int, _ time.Duration) (*capacityProbe, error) {
		if tried = append(tried, n); len(tried) > 100 {
			t.Fatalf("no end: %v", tried)
		}
		if n < capacityStep || n > 8192 || n%capacityStep != 0 {
			t.Fatalf("tried %d players", n)
		}
		p := &capacityProbe{Rate: rate, Players: n, Holds: holds(n), Why: "over", Memory: float64(n)}
		if full > 0 {
			p.Report = &Report{Server: &ServerReport{Seconds: 10, CPUSeconds: 10 * float64(n) / float64(full)}, Times: map[string]Time{"interval_error": {P99: float64(n) / 1e3}}}
		}
		c.probes = append(c.probes, p)
		return p, nil
	}
	s := climb{capacity: c, rate: 20, high: c.to + capacityStep}
	a := &capacityAnswer{Rate: 20}
	if _, err := s.holds(t.Context(), ratedPlayers(20), c.measure); err != nil {
		t.Fatal(err)
	}
	if err := s.rise(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a, tried
}

func TestTheSearch(t *testing.T) {
	for _, limit := range []int{0, 16, 40, 500, 512, 1000, 3000, 4095, 9000} {
		a, tried := searched(t, 0, func(n int) bool { return n <= limit })
		if a.Players > limit || limit >= capacityStep && limit <= 8192 && float64(a.Players) < 0.9*float64(limit)-capacityStep {
			t.Errorf("%d players at a limit of %d: %v", a.Players, limit, tried)
		}
		if limit > 8192 && (a.Players != 8192 || !a.LowerBound) {
			t.Errorf("%d players without a limit: %v", a.Players, tried)
		}
	}
}

func TestAMomentDoesNotDecideTheSearch(t *testing.T) {
	runs := 0
	a, tried := searched(t, 0, func(n int) bool {
		runs++
		return n <= 2000 && runs%4 != 1 // every fourth run fails for no reason
	})
	if a.Players < 1700 || a.Players > 2000 {
		t.Errorf("%d players at a limit of 2,000: %v", a.Players, tried)
	}
}

func TestTheSearchGoesWhereTheCoreIsFull(t *testing.T) {
	a, tried := searched(t, 5000, func(n int) bool { return n <= 4700 })
	if a.Players < 4464 || a.Players > 4700 || len(tried) > 9 || a.LowerBound || !strings.Contains(a.Why, "over") {
		t.Errorf("%+v after %v", a, tried)
	}
	if h, n := a.Half, a.Ninety; h.Players != 2496 || h.P99 != 2.496 || n.Core < 0.85 || n.Core > 0.95 || a.Memory != float64(a.Players) {
		t.Errorf("%+v after %v", a, tried)
	}
	a.OverFloor, a.FloorCPU, a.ServerCPU, a.RatedPlayers = 1.25, 9.6, 12, 640
	late, tired := *a, *a
	late.LowerBound, late.Why = true, "the time was over before it was confirmed"
	tired.LowerBound, tired.Generator = true, true
	tired.Foreign, tired.Half = 0.2, capacityBeat{}
	var b strings.Builder
	printAnswers(&b, []*capacityAnswer{a, &late, &tired})
	for _, want := range []string{"at least " + number(float64(a.Players)), "time was over", "THE GENERATOR GAVE WAY FIRST", "1.25 × (9.6 µs)", "USED 20 % OF THE CORES", "no run there held", "2.50 ms (2,496 players, 50 %)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

func TestASearchWithoutTimeIsALowerBound(t *testing.T) {
	c := &capacity{to: 8192, measure: time.Second, out: io.Discard}
	c.try = func(_ context.Context, rate, n int, _ time.Duration) (*capacityProbe, error) {
		c.probes = append(c.probes, &capacityProbe{Rate: rate, Players: n, Holds: true})
		return c.probes[len(c.probes)-1], nil
	}
	s := climb{capacity: c, rate: 60, high: c.to + capacityStep, end: time.Now().Add(-time.Second)}
	if a, err := s.answer(t.Context()); err != nil || !a.LowerBound || a.Players != 960 || !strings.Contains(a.Why, "time was over") {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestFloor(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.NumCPU() < 2 {
		return // pinning is Linux's
	}
	f := floor{connections: 50, bytes: 400, rate: 20, writeCore: 0, readCore: 1}
	if cost, err := f.measure(t.Context(), 300*time.Millisecond); err != nil || cost < 100*time.Nanosecond || cost > time.Millisecond {
		t.Errorf("a write takes %v, %v", cost, err)
	}
}

func TestCapacityFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitUsage, "go build ./server"},
		{[]string{"--server-binary", file + "x"}, exitUsage, "no such file"},
		{[]string{"--server-binary", filepath.Dir(file)}, exitUsage, "is a folder"},
		{[]string{"--server-binary", file, "--generator-core", "0"}, exitUsage, "need a core each"},
		{[]string{"--server-binary", file, "--generator-core", "99"}, exitUsage, "this machine has"},
		{[]string{"--server-binary", file, "--to", "5"}, exitUsage, "can be tried"},
		{[]string{"--server-binary", file, "--measure", "1ms"}, exitUsage, "less than 2s"},
		{[]string{"--server-binary", file, "--budget", "5s"}, exitUsage, "less than 1m"},
		{[]string{"--server-binary", file, "--rate", "500"}, exitUsage, "not in 10 to 120"},
		{[]string{"x"}, exitUsage, "flags only"},
	} {
		var out, status bytes.Buffer
		code := run(t.Context(), append([]string{"capacity"}, c.args...), &out, &status)
		if code != c.code || !strings.Contains(status.String(), c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, &status)
		}
	}
}

func TestAServerThatDoesNotStart(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.NumCPU() < 2 {
		return // pinning is Linux's
	}
	no, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	c := &capacity{server: no, dir: t.TempDir()}
	if _, err := c.start(t.Context()); err == nil || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("%v", err)
	}
}
