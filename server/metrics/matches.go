package metrics

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// MaxMatches bounds the matches that have series of their own: of more, those that are served worst.
const MaxMatches = 100

// MatchTicks is how punctual a running match is.
type MatchTicks struct {
	Match          string
	P50, P99, P999 time.Duration // ticks of the last minute or two began that late, at the most
	Ticks, Missed  uint64        // since its start
	Late           time.Duration // of all its ticks together
}

// TellMatches has the set tell about the matches that running yields whenever it is scraped. A match that has ended is not
// told any more. It is called once.
func (s *Set) TellMatches(running iter.Seq[MatchTicks]) {
	s.registry.MustRegister(&matchTicks{
		running: running,
		late: prometheus.NewDesc(namespace+"_match_tick_lateness_seconds",
			"Start of a running match's ticks after their deadlines, of the last one to two minutes. The matches that are served worst.", []string{"match"}, nil),
		missed: prometheus.NewDesc(namespace+"_match_ticks_missed_total",
			"Fixed steps that a running match has dropped because it was too far behind. The matches that are served worst.", []string{"match"}, nil),
	})
}

// matchTicks reads the matches when it is scraped, so nothing has to be taken away when one ends.
type matchTicks struct {
	running      iter.Seq[MatchTicks]
	late, missed *prometheus.Desc
}

func (c *matchTicks) Describe(out chan<- *prometheus.Desc) { out <- c.late; out <- c.missed }

func (c *matchTicks) Collect(out chan<- prometheus.Metric) {
	all := slices.SortedFunc(c.running, func(a, b MatchTicks) int {
		return cmp.Or(cmp.Compare(b.Missed, a.Missed), cmp.Compare(b.P999, a.P999), cmp.Compare(a.Match, b.Match))
	})
	for _, m := range all[:min(len(all), MaxMatches)] {
		out <- prometheus.MustNewConstSummary(c.late, m.Ticks, m.Late.Seconds(),
			map[float64]float64{0.5: m.P50.Seconds(), 0.99: m.P99.Seconds(), 0.999: m.P999.Seconds()}, m.Match)
		out <- prometheus.MustNewConstMetric(c.missed, prometheus.CounterValue, float64(m.Missed), m.Match)
	}
}
