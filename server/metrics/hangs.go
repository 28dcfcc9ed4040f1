package metrics

import "github.com/prometheus/client_golang/prometheus"

// Hangs are ticks that a game did not come back from in time.
type Hangs struct {
	Ticks     counter // took ten periods, and were named in the log
	Abandoned gauge   // matches given up whose goroutine still runs: nothing can end it but the process
}

func newHangs(f factory) Hangs {
	abandoned := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "abandoned_matches",
		Help: "Matches given up because a tick never ended, whose goroutine still runs."})
	f.registry.MustRegister(abandoned)
	return Hangs{f.counter("ticks_hung_total", "Ticks that took over ten times their period, counted when they had."), abandoned}
}
