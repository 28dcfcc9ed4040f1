package metrics

import "github.com/prometheus/client_golang/prometheus"

const namespace = "skirmish"

// factory makes metrics and registers them.
type factory struct{ registry *prometheus.Registry }

func (f factory) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	f.registry.MustRegister(c)
	return c
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	f.registry.MustRegister(h)
	return h
}

// counters returns a function that makes the series of one label's values.
func (f factory) counters(name, help, label string) func(value string) prometheus.Counter {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
	f.registry.MustRegister(v)
	return func(value string) prometheus.Counter { return v.WithLabelValues(value) }
}

func (f factory) gauges(name, help, label string) func(value string) prometheus.Gauge {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
	f.registry.MustRegister(v)
	return func(value string) prometheus.Gauge { return v.WithLabelValues(value) }
}
