package main

import (
	"bytes"
	"context"
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
		{"full core", func(r *Report) { at("ack", 90)(r); r.Generator.CPUCores = 0.99 }, "the generator's core at 99 %", true},
	} {
		if p := gate(c.change); p.Holds != (c.why == "") || !strings.Contains(p.Why, c.why) || p.Tired != c.tired {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestTheSearch(t *testing.T) {
	for _, limit := range []int{0, 16, 40, 500, 512, 1000, 3000, 4095, 9000} {
		runs := 0
		c := &capacity{from: 512, to: 8192}
		c.try = func(_ context.Context, rate, n int) (*capacityProbe, error) {
			if runs++; runs > 100 {
				t.Fatalf("no end at a limit of %d", limit)
			}
			if n < capacityStep || n > 8192 {
				t.Fatalf("tried %d players", n)
			}
			return &capacityProbe{Rate: rate, Players: n, Holds: n <= limit, Why: "over"}, nil
		}
		best, why, err := c.most(t.Context(), 20)
		if err != nil || best > limit || limit >= capacityStep && limit <= 8192 && float64(best) < 0.9*float64(limit)-capacityStep {
			t.Errorf("%d players at a limit of %d, %v", best, limit, err)
		}
		if limit > 8192 && (best != 8192 || why != nil) {
			t.Errorf("%d players without a limit", best)
		}
	}
}

func TestAMomentDoesNotDecideTheSearch(t *testing.T) {
	runs := 0
	c := &capacity{from: 512, to: 8192}
	c.try = func(_ context.Context, _, n int) (*capacityProbe, error) {
		runs++
		return &capacityProbe{Players: n, Holds: n <= 2000 && runs%4 != 1}, nil // every fourth run fails for no reason
	}
	if best, _, err := c.most(t.Context(), 20); err != nil || best < 1700 {
		t.Errorf("%d players at a limit of 2,000, %v", best, err)
	}
}

func TestTheSearchGoesWhereTheCoreIsFull(t *testing.T) {
	var tried []int
	c := &capacity{from: 1024, to: 8192}
	c.try = func(_ context.Context, rate, n int) (*capacityProbe, error) {
		tried = append(tried, n)
		r := &Report{Server: &ServerReport{Seconds: 10, CPUSeconds: 10 * float64(n) / 5000}}
		return &capacityProbe{Rate: rate, Players: n, Holds: n <= 4700, Why: "over", Report: r}, nil
	}
	best, why, err := c.most(t.Context(), 20)
	if err != nil || best < 4464 || best > 4700 || len(tried) > 7 || why == nil || why.Players > 5000 {
		t.Errorf("%d players after %v, then %+v, %v", best, tried, why, err)
	}
	c.end = time.Now().Add(-time.Second)
	if a := c.answer(t.Context(), 20, best, why); !a.LowerBound || !strings.Contains(a.text(), "holds at least") || !strings.Contains(a.text(), "time was over") {
		t.Errorf("%s", a.text())
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
		{[]string{"--server-binary", file, "--from", "5"}, exitUsage, "can be tried"},
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
