package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Threshold is a bound on one figure of the report, such as ack.p99<150ms.
type Threshold struct {
	Text   string  // as it was given, without spaces
	Metric string  // one of metrics
	Stat   string  // one of stats, empty for a plain figure
	Op     string  // < <= > >=
	Bound  float64 // µs for times, a ratio for delivery, else a plain number
}

type unit uint8

const (
	unitTime  unit = iota // needs a statistic
	unitRatio             // 0.99 or 99%
	unitCount
	unitBytes // bytes per second and player
)

var metrics = map[string]unit{
	"ack": unitTime, "wait": unitTime, "join": unitTime, "resume": unitTime, "gap": unitTime, "undone": unitTime, "interval": unitTime, "interval_error": unitTime, "age": unitTime, "lag": unitTime,
	"delivery": unitRatio, "own_tick": unitRatio, "watch_delivery": unitRatio, "aim_gap": unitRatio, "errors": unitCount, "cuts": unitCount, "lost_seats": unitCount, "missed_ticks": unitCount, "bytes_down": unitBytes, "bytes_up": unitBytes,
}

const (
	metricNames = "ack, wait, join, resume, gap, undone, interval, interval_error, age, lag, delivery, own_tick, watch_delivery, aim_gap, errors, cuts, lost_seats, missed_ticks, bytes_down, bytes_up"
	statNames   = "p50, p90, p95, p99, p99.9, max, avg"
)

// quantiles by the names of their statistics; max and avg are not among them.
var quantiles = map[string]float64{"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p99.9": 99.9}

// ParseThreshold reads metric[.stat]op bound, such as ack.p99<150ms, delivery>=99%, errors<=0.
func ParseThreshold(text string) (Threshold, error) {
	t := Threshold{Text: strings.Join(strings.Fields(text), "")}
	bad := func(format string, args ...any) (Threshold, error) {
		return Threshold{}, fmt.Errorf("threshold %q: %s", cut(text, 64), fmt.Sprintf(format, args...))
	}
	i := strings.IndexAny(t.Text, "<>")
	if i < 0 {
		return bad("write metric.stat<bound, with < <= > or >=, such as ack.p99<150ms")
	}
	name, bound := t.Text[:i], t.Text[i+1:]
	t.Op = t.Text[i : i+1]
	if rest, ok := strings.CutPrefix(bound, "="); ok {
		t.Op, bound = t.Op+"=", rest
	}
	t.Metric, t.Stat, _ = strings.Cut(name, ".")
	kind, ok := metrics[t.Metric]
	if !ok {
		return bad("unknown metric %q; there are %s", cut(t.Metric, 32), metricNames)
	}
	_, quantile := quantiles[t.Stat]
	switch {
	case kind != unitTime && strings.Contains(name, "."):
		return bad("%s is one number and takes no statistic", t.Metric)
	case kind == unitTime && t.Stat == "":
		return bad("%s needs a statistic: %s", t.Metric, statNames)
	case kind == unitTime && !quantile && t.Stat != "max" && t.Stat != "avg":
		return bad("unknown statistic %q; there are %s", cut(t.Stat, 32), statNames)
	}
	v, err := parseBound(bound, kind)
	if err != nil {
		return bad("%v", err)
	}
	t.Bound = v
	return t, nil
}

func parseBound(s string, kind unit) (float64, error) {
	if kind == unitTime {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q is not a duration such as 150ms", cut(s, 32))
		}
		return float64(d) / 1e3, nil
	}
	factor := 1.0
	if digits, ok := strings.CutSuffix(s, "%"); ok && kind == unitRatio {
		s, factor = digits, 0.01
	}
	if kind == unitBytes {
		for suffix, f := range map[string]float64{"KiB": 1024, "MiB": 1 << 20, "kB": 1000, "MB": 1e6} {
			if digits, ok := strings.CutSuffix(s, suffix); ok {
				s, factor = digits, f
				break
			}
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		return 0, errors.New("the bound must be a number from 0 up")
	}
	return v * factor, nil
}

// Holds tells whether v keeps the bound.
func (t *Threshold) Holds(v float64) bool {
	switch t.Op {
	case "<":
		return v < t.Bound
	case "<=":
		return v <= t.Bound
	case ">":
		return v > t.Bound
	}
	return v >= t.Bound
}

// cut shortens s for a message.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
