package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"skirmish/game/arena"
)

// Config is one run.
type Config struct {
	Server     string        // base URL of the admin port
	GameURL    string        // instead of the URL that the server gives with each seat
	AdminKey   string        // bearer key, empty for none
	Bots       int           // 1 to maxBots
	MatchSize  int           // bots per match
	Rate       int           // Hz: ticks, snapshots and inputs
	Ramp       time.Duration // over which the bots join
	Warmup     time.Duration // from the start to the measured window; negative: until the ramp's end + 2 s
	Duration   time.Duration // of the measured window
	Loops      int           // threads that play
	Seed       uint64        // of the bots and the matches
	Workers    int           // processes that play
	Insecure   bool          // certificates are not checked
	Lead       time.Duration // that inputs are to wait at the server, besides twice the jitter; 0: a tick
	IO         string        // kind of poller, empty: the fastest there is
	Spectators int           // of each match
	Params     string        // JSON object for the game, besides endless rounds
	Scouts     bool          // one bot of each match decodes what it sees, and the others play by that
	StayOut    bool          // a bot whose connection is cut does not come back: the cut is an error
	Scenario   *Scenario     // nil: bots, ramp and duration alone

	Thresholds []Threshold
	JSON       string // file for the report, "-" is stdout, empty none
	CSV        string // file for the seconds of the run
	HTML       string // file for the page
	Command    string // as it was given, for the report
	NoColor    bool
	CPUProfile string
}

// DefaultConfig is a run without any flag.
func DefaultConfig() Config {
	return Config{
		Server: "http://127.0.0.1:7351", Bots: 100, MatchSize: 16, Rate: 20,
		Ramp: 10 * time.Second, Warmup: -1, Duration: 30 * time.Second, Loops: 1, Seed: 1, Workers: 1,
	}
}

// Validate tells all faults at once, and settles what depends on other fields.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			fault("--%s %d is not in %d to %d", name, v, low, high)
		}
	}
	within("bots", c.Bots, 1, maxBots)
	within("match-size", c.MatchSize, minMatchSize, maxMatchSize)
	within("rate", c.Rate, arena.MinTickRate, arena.MaxTickRate)
	within("loops", c.Loops, 1, maxLoops)
	within("workers", c.Workers, 1, maxWorkers)
	within("spectators", c.Spectators, 0, maxSpectators)
	if _, err := c.params(); err != nil {
		faults = append(faults, err)
	}
	if !slices.Contains([]string{"", pollRing, pollEpoll, pollPortable}, c.IO) {
		fault("--io %q is none of ring, epoll and portable", cut(c.IO, 32))
	}
	if c.Lead < 0 || c.Lead > time.Second {
		fault("--lead %v is not in 0 to 1s", c.Lead)
	}
	if c.Ramp < 0 || c.Ramp > time.Hour {
		fault("--ramp %v is not in 0 to 1h", c.Ramp)
	}
	switch {
	case c.Duration >= time.Second && c.Duration <= 24*time.Hour:
	case c.Scenario != nil && len(c.Scenario.Stages) > 0:
		fault("the stages leave %v to measure after the warm-up of %v: at least 1s is needed", c.Duration, c.Warmup)
	default:
		fault("--duration %v is not in 1s to 24h", c.Duration)
	}
	if c.Warmup < 0 {
		c.Warmup = c.Ramp + settleTime
	}
	if c.Scenario != nil {
		for i := range c.Scenario.Storms {
			if at := c.Scenario.Storms[i].At; at >= c.Warmup+c.Duration {
				fault("storm %d comes after %v, and the run is over after %v", i+1, at, c.Warmup+c.Duration)
			}
		}
	}
	if u, err := url.Parse(c.Server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		fault("--server %q is not an http:// or https:// URL", c.Server)
	} else {
		c.Server = strings.TrimSuffix(c.Server, "/")
	}
	if c.GameURL != "" {
		if u, err := url.Parse(c.GameURL); err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
			fault("--game-url %q is not a ws:// or wss:// URL", c.GameURL)
		}
	}
	c.strict("errors<=0", "errors")
	c.strict("cuts<=0", "cuts", "lost_seats", "gap", "undone") // who bounds what a cut costs expects some
	return errors.Join(faults...)
}

// strict adds a threshold unless one of these metrics is bounded already.
func (c *Config) strict(text string, metrics ...string) {
	for _, t := range c.Thresholds {
		if slices.Contains(metrics, t.Metric) {
			return
		}
	}
	t, _ := ParseThreshold(text)
	c.Thresholds = append(c.Thresholds, t)
}

// params are what the game is given: endless rounds, unless told.
func (c *Config) params() (map[string]any, error) {
	p := map[string]any{"rounds": 0}
	if c.Params == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(c.Params), &p); err != nil || p == nil {
		return nil, fmt.Errorf("--params %s is not a JSON object such as {\"mode\":\"teams\"}", cut(c.Params, 64))
	}
	return p, nil
}

// connections are how many there are at the most.
func (c *Config) connections() int {
	return c.Bots + (c.Bots+c.MatchSize-1)/c.MatchSize*c.Spectators
}

// onLoopback tells what a loopback target can take from so few addresses.
func (c *Config) onLoopback() error {
	if n := c.connections(); n > maxPerAddress*loopbackSources {
		return fmt.Errorf("--bots %d: on loopback at most %d connections, %d from each of %d addresses", n, maxPerAddress*loopbackSources, maxPerAddress, loopbackSources)
	}
	if perSecond := maxRateAddress * loopbackSources; c.Bots > perSecond && c.Ramp < time.Duration(c.Bots)*time.Second/time.Duration(perSecond) {
		return fmt.Errorf("--ramp %v is too short for %d bots: on loopback at most %d join per second", c.Ramp, c.Bots, perSecond)
	}
	return nil
}
