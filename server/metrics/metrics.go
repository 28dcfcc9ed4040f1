// Package metrics names what the server counts. Everything carries the prefix skirmish_ and no label has a
// player or an address in it. The number of series is fixed at start, but for those of at most MaxMatches running matches.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Set is all metrics of one node. The fields are ready-made series: counting is one atomic addition, without
// a look-up. Safe from any goroutine. A match counts up in its own fields and adds once per tick.
type Set struct {
	Connections Connections
	Handshakes  Handshakes
	Closes      Closes

	Matches      Matches
	MatchesEnded MatchesEnded
	Players      Players

	Ticks        prometheus.Counter
	TicksMissed  prometheus.Counter // steps of debt that were dropped
	Hangs        Hangs
	TickLateness prometheus.Histogram // seconds from the deadline to the start of the tick
	TickDuration prometheus.Histogram // seconds a tick took, from collect to deliver

	Inputs    Inputs
	Snapshots Snapshots
	Events    prometheus.Counter // reliable events written, once for each viewer
	Bytes     Bytes              // on the game port, frame heads included

	Joins   prometheus.Histogram // seconds from hello to the first snapshot
	Tickets Tickets

	Journal  Journal
	Results  prometheus.Counter // of matches, on the disk
	Webhooks Webhooks

	registry *prometheus.Registry
}

// New makes a set with a registry of its own, the Go and process collectors in it.
func New() *Set {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
			collectors.MetricsScheduler, // a late tick is a late goroutine more often than a slow one
			collectors.MetricsGC,
		)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	f := factory{r}
	return &Set{
		Connections:  newConnections(f),
		Handshakes:   newHandshakes(f),
		Closes:       newCloses(f),
		Matches:      newMatches(f),
		MatchesEnded: newMatchesEnded(f),
		Players:      newPlayers(f),
		Ticks:        f.counter("ticks_total", "Fixed steps that matches have taken."),
		TicksMissed:  f.counter("ticks_missed_total", "Fixed steps that matches have dropped because they were too far behind."),
		Hangs:        newHangs(f),
		TickLateness: f.histogram("tick_lateness_seconds", "Start of a tick after its deadline.", tickBuckets),
		TickDuration: f.histogram("tick_duration_seconds", "Time a tick takes, from reading inputs to writing snapshots.", tickBuckets),
		Inputs:       newInputs(f),
		Snapshots:    newSnapshots(f),
		Events:       f.counter("events_total", "Reliable events written, counted once for each viewer."),
		Bytes:        newBytes(f),
		Joins:        f.histogram("join_duration_seconds", "Time from a player's hello to its first snapshot.", joinBuckets),
		Tickets:      newTickets(f),
		Journal:      newJournal(f),
		Results:      f.counter("results_total", "Results of matches that were brought to the disk."),
		Webhooks:     newWebhooks(f),
		registry:     r,
	}
}

// Handler serves the set in the Prometheus text format.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes,
		Registry:            s.registry,
	})
}

// Gatherer gives what Handler serves, for tests and for whoever adds to a page.
func (s *Set) Gatherer() prometheus.Gatherer { return s.registry }

// Register adds a collector of the node's own, such as a gauge that is read when it is scraped. It panics on
// a name that is there already.
func (s *Set) Register(c ...prometheus.Collector) { s.registry.MustRegister(c...) }

// Handlers that gather at the same time; more of them get a 503.
const maxScrapes = 4

// Upper bounds in seconds. Ticks matter between a timer's own lateness and a quarter of a second, after
// which players see a freeze.
var (
	tickBuckets = []float64{25e-6, 50e-6, 100e-6, 200e-6, 300e-6, 500e-6, 700e-6, 1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 8e-3, 16e-3, 33e-3, 66e-3, 125e-3, 250e-3}
	joinBuckets = []float64{1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3, 250e-3, 500e-3, 1, 2.5, 5}
)
