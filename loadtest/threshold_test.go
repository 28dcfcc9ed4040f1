package main

import (
	"strings"
	"testing"
)

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		text   string
		metric string
		stat   string
		op     string
		bound  float64
		fault  string // part of the error
	}{
		{text: "ack.p99<150ms", metric: "ack", stat: "p99", op: "<", bound: 150_000},
		{text: " ack.p99.9 <= 1.5s ", metric: "ack", stat: "p99.9", op: "<=", bound: 1_500_000},
		{text: "interval_error.max<500us", metric: "interval_error", stat: "max", op: "<", bound: 500},
		{text: "lag.avg<1ms", metric: "lag", stat: "avg", op: "<", bound: 1000},
		{text: "delivery>=99%", metric: "delivery", op: ">=", bound: 0.99},
		{text: "delivery>0.995", metric: "delivery", op: ">", bound: 0.995},
		{text: "errors<=0", metric: "errors", op: "<=", bound: 0},
		{text: "missed_ticks<=12", metric: "missed_ticks", op: "<=", bound: 12},
		{text: "bytes_down<10kB", metric: "bytes_down", op: "<", bound: 10_000},
		{text: "bytes_up<1KiB", metric: "bytes_up", op: "<", bound: 1024},
		{text: "", fault: "write metric.stat<bound"},
		{text: "ack.p99", fault: "write metric.stat<bound"},
		{text: "ack.p99=5ms", fault: "write metric.stat<bound"},
		{text: "ack<5ms", fault: "needs a statistic"},
		{text: "ack.p42<5ms", fault: "unknown statistic"},
		{text: "ack.<5ms", fault: "needs a statistic"},
		{text: "acknowledged.p99<5ms", fault: "unknown metric"},
		{text: "<5ms", fault: "unknown metric"},
		{text: "errors.p99<1", fault: "takes no statistic"},
		{text: "errors.<1", fault: "takes no statistic"},
		{text: "ack.p99<5", fault: "not a duration"},
		{text: "ack.p99<-5ms", fault: "not a duration"},
		{text: "ack.p99<", fault: "not a duration"},
		{text: "errors<=none", fault: "must be a number"},
		{text: "errors<NaN", fault: "must be a number"},
		{text: "errors<1e999", fault: "must be a number"},
		{text: "errors<5%", fault: "must be a number"},
		{text: "errors<<5", fault: "must be a number"},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := ParseThreshold(c.text)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("%+v, %v, want an error with %q", got, err, c.fault)
				}
				return
			}
			if err != nil || got.Metric != c.metric || got.Stat != c.stat || got.Op != c.op || got.Bound != c.bound {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestBoundsHold(t *testing.T) {
	for _, c := range []struct {
		text string
		v    float64
		want bool
	}{
		{"errors<5", 5, false}, {"errors<5", 4, true}, {"errors<=5", 5, true}, {"errors<=5", 6, false},
		{"delivery>0.5", 0.5, false}, {"delivery>=0.5", 0.5, true}, {"delivery>=50%", 0.49, false},
	} {
		th, err := ParseThreshold(c.text)
		if err != nil || th.Holds(c.v) != c.want {
			t.Errorf("%s with %v: %v", c.text, c.v, th.Holds(c.v))
		}
	}
}

func FuzzThreshold(f *testing.F) {
	for _, s := range []string{"ack.p99<150ms", "delivery>=99%", "errors<=0", "bytes_up<1KiB", "lag.p99.9<=1h", "a.b.c<<="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseThreshold(text)
		if err != nil {
			return
		}
		if !(a.Bound >= 0) {
			t.Fatalf("bound %v", a.Bound)
		}
		if b, err := ParseThreshold(a.Text); err != nil || b != a {
			t.Fatalf("%q reads back as %+v, %v", a.Text, b, err)
		}
	})
}
