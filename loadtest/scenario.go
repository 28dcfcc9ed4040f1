package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Scenario is what a scenario file says. What it leaves out keeps its default; a flag overrides it.
type Scenario struct {
	Name      string         `yaml:"name"`
	Server    string         `yaml:"server"`
	GameURL   string         `yaml:"game_url"`
	Bots      int            `yaml:"bots"` // instead of stages
	MatchSize int            `yaml:"match_size"`
	Rate      int            `yaml:"rate"`
	Ramp      *time.Duration `yaml:"ramp"`     // with bots
	Duration  time.Duration  `yaml:"duration"` // with bots
	Warmup    *time.Duration `yaml:"warmup"`
	Loops     int            `yaml:"loops"`
	Workers   int            `yaml:"workers"`
	Seed      uint64         `yaml:"seed"`
	Scouts    bool           `yaml:"scouts"`

	Spectators int    `yaml:"spectators"` // of each match
	Params     string `yaml:"params"`     // JSON object for the game

	Stages     []Stage     `yaml:"stages"`
	Arrivals   Arrivals    `yaml:"arrivals"`
	Sessions   Sessions    `yaml:"sessions"`
	Churn      Churn       `yaml:"churn"`
	Storms     []Storm     `yaml:"storms"`
	Behaviours Behaviours  `yaml:"behaviours"`
	Networks   []Network   `yaml:"networks"`
	Thresholds []Threshold `yaml:"thresholds"`
}

// Stage is a part of a run. Exactly one of Ramp, Hold and Down says what it does and for how long.
type Stage struct {
	Name       string         `yaml:"name"`
	Ramp       *time.Duration `yaml:"ramp"` // up to Bots
	Hold       *time.Duration `yaml:"hold"` // as many as there are
	Down       *time.Duration `yaml:"down"` // to Bots, who leave by bye
	Bots       *int           `yaml:"bots"`
	Thresholds []Threshold    `yaml:"thresholds"` // of this stage alone
}

// Arrivals say how the bots of a ramp are spread over it.
type Arrivals struct {
	Pattern string `yaml:"pattern"` // even, poisson or bursts
	Burst   int    `yaml:"burst"`   // bots that come together
}

// Sessions say how long a player stays. Afterwards another one takes the place.
type Sessions struct {
	Length string        `yaml:"length"` // fixed, uniform (0.5 to 1.5 × mean), exponential or lognormal
	Mean   time.Duration `yaml:"mean"`
	Pause  time.Duration `yaml:"pause"` // until the next player comes
	Vanish Share         `yaml:"vanish"`
}

// Churn replaces a share of the players again and again, all at about the same time.
type Churn struct {
	Share Share         `yaml:"share"`
	Every time.Duration `yaml:"every"`
	Pause time.Duration `yaml:"pause"`
}

// Storm cuts the connections of a share of the players at once; they come back into their seats.
type Storm struct {
	At     time.Duration `yaml:"at"`
	Share  Share         `yaml:"share"`
	Within time.Duration `yaml:"within"` // cuts are spread over it
	Away   time.Duration `yaml:"away"`   // from the cut to the first attempt to come back
}

// Behaviours are shares of bots that do not simply play.
type Behaviours struct {
	Idle      Share     `yaml:"idle"`     // connected, sends no inputs
	Marksmen  Share     `yaml:"marksmen"` // see what the page shows and shoot the rail at it
	Slow      Slow      `yaml:"slow"`
	Malformed Offence   `yaml:"malformed"` // breaks the rules of messages and frames
	Flood     FloodPlan `yaml:"flood"`     // sends far too many inputs
}

// Slow readers take fewer bytes than the server has for them.
type Slow struct {
	Share Share    `yaml:"share"`
	Rate  ByteRate `yaml:"rate"`
}

// Offence is committed after a while of play; the server has to end the connection, and a new player comes.
type Offence struct {
	Share Share         `yaml:"share"`
	After time.Duration `yaml:"after"`
}

// FloodPlan is an offence with a rate.
type FloodPlan struct {
	Share Share         `yaml:"share"`
	After time.Duration `yaml:"after"`
	Rate  int           `yaml:"rate"` // inputs per second
}

// loadScenario reads a scenario file, strictly.
func loadScenario(path string) (*Scenario, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the scenario: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScenarioBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the scenario: %w", err)
	}
	if len(text) > maxScenarioBytes {
		return nil, fmt.Errorf("the scenario %s has more than %d bytes", path, maxScenarioBytes)
	}
	return parseScenario(path, text)
}

func parseScenario(path string, text []byte) (*Scenario, error) {
	s := &Scenario{Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	if err := readSheet(path, text, s); err != nil {
		return nil, err
	}
	return s, s.check(path)
}

// check tells what no single value shows.
func (s *Scenario) check(path string) error {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
	}
	if len(s.Stages) > 0 && (s.Bots != 0 || s.Ramp != nil || s.Duration != 0) {
		return fault("bots, ramp and duration are for a scenario without stages: each stage has its own")
	}
	level, total := 0, time.Duration(0)
	for i := range s.Stages {
		st := &s.Stages[i]
		kinds := 0
		for _, d := range []*time.Duration{st.Ramp, st.Hold, st.Down} {
			if d != nil {
				kinds++
			}
		}
		switch {
		case kinds != 1:
			return fault("stage %d takes one of ramp, hold and down, with how long", i+1)
		case st.Hold != nil && st.Bots != nil && *st.Bots != level:
			return fault("stage %d holds the %d bots there are: ramp to %d, or go down to it, before", i+1, level, *st.Bots)
		case st.Hold == nil && st.Bots == nil:
			return fault("stage %d does not say to how many bots", i+1)
		case st.Bots != nil && (*st.Bots < 0 || *st.Bots > maxBots):
			return fault("stage %d: bots %d is not in 0 to %d", i+1, *st.Bots, maxBots)
		case st.Ramp != nil && *st.Bots < level:
			return fault("stage %d ramps from %d to %d bots: that way is called down", i+1, level, *st.Bots)
		case st.Down != nil && *st.Bots > level:
			return fault("stage %d goes down from %d to %d bots: that way is called ramp", i+1, level, *st.Bots)
		}
		if st.Bots != nil {
			level = *st.Bots
		}
		total += st.length()
		if st.Name == "" {
			st.Name = st.kind()
		}
	}
	switch {
	case len(s.Stages) > maxStages:
		return fault("%d stages are more than %d", len(s.Stages), maxStages)
	case total > 24*time.Hour:
		return fault("the stages take %v, more than 24h", total)
	case len(s.Stages) > 0 && total < time.Second:
		return fault("the stages take %v, less than 1s", total)
	case s.Arrivals.Pattern != "" && s.Arrivals.Pattern != "even" && s.Arrivals.Pattern != "poisson" && s.Arrivals.Pattern != "bursts":
		return fault("arrivals: the pattern %q is none of even, poisson, bursts", cut(s.Arrivals.Pattern, 32))
	case s.Arrivals.Pattern == "bursts" && s.Arrivals.Burst < 1:
		return fault("arrivals: bursts need burst, the bots that come together")
	case s.Sessions.Mean != 0 && s.Sessions.Mean < minSession:
		return fault("sessions: a mean of %v is less than %v", s.Sessions.Mean, minSession)
	case s.Churn.Share > 0 && s.Churn.Every < minSession:
		return fault("churn: every %v is less than %v", s.Churn.Every, minSession)
	}
	switch s.Sessions.Length {
	case "", "fixed", "uniform", "exponential", "lognormal":
	default:
		return fault("sessions: the length %q is none of fixed, uniform, exponential, lognormal", cut(s.Sessions.Length, 32))
	}
	if (s.Sessions.Length != "" || s.Sessions.Vanish > 0) && s.Sessions.Mean == 0 {
		return fault("sessions need a mean, such as mean: 60s")
	}
	b := &s.Behaviours
	if sum := b.Idle + b.Marksmen + b.Slow.Share + b.Malformed.Share + b.Flood.Share; sum > 1 {
		return fault("the behaviours' shares add up to %.0f %%", float64(sum)*100)
	}
	if b.Slow.Share > 0 && b.Slow.Rate == 0 {
		b.Slow.Rate = defaultSlowRate
	}
	if b.Flood.Rate == 0 {
		b.Flood.Rate = defaultFloodRate
	}
	if b.Flood.Rate < 0 || b.Flood.Rate > maxFloodRate {
		return fault("behaviours: a flood of %d inputs per second is not in 1 to %d", b.Flood.Rate, maxFloodRate)
	}
	if b.Malformed.After == 0 {
		b.Malformed.After = defaultOffence
	}
	if b.Flood.After == 0 {
		b.Flood.After = defaultOffence
	}
	sum := Share(0)
	for i := range s.Networks {
		n := &s.Networks[i]
		switch sum += n.Share; {
		case n.Jitter > n.Delay:
			return fault("network %d: a jitter of %v is more than the delay, %v", i+1, n.Jitter, n.Delay)
		case n.Delay > maxDelay || n.Stall.For > maxDelay:
			return fault("network %d: delays and stalls are at most %v", i+1, maxDelay)
		case n.Stall.For > 0 && n.Stall.For >= n.Stall.Every:
			return fault("network %d stalls for %v every %v: nothing would pass", i+1, n.Stall.For, n.Stall.Every)
		case n.Share == 0:
			return fault("network %d has no share of the bots", i+1)
		}
		if n.Name == "" {
			n.Name = fmt.Sprintf("network %d", i+1)
		}
	}
	if sum > 1+1e-9 {
		return fault("the networks' shares add up to %.0f %%", float64(sum)*100)
	}
	for i := range s.Storms {
		if st := &s.Storms[i]; st.Share == 0 {
			return fault("storm %d has no share of the bots", i+1)
		}
	}
	return nil
}

func (s *Stage) length() time.Duration {
	for _, d := range []*time.Duration{s.Ramp, s.Hold, s.Down} {
		if d != nil {
			return *d
		}
	}
	return 0
}

func (s *Stage) kind() string {
	switch {
	case s.Ramp != nil:
		return "ramp"
	case s.Down != nil:
		return "down"
	}
	return "hold"
}

// apply puts the scenario under the flags: given tells which of them the command line has.
func (s *Scenario) apply(c *Config, given func(flag string) bool) {
	set := func(flag string, says bool, take func()) {
		if says && !given(flag) {
			take()
		}
	}
	c.Scenario = s
	set("server", s.Server != "", func() { c.Server = s.Server })
	set("game-url", s.GameURL != "", func() { c.GameURL = s.GameURL })
	set("match-size", s.MatchSize != 0, func() { c.MatchSize = s.MatchSize })
	set("rate", s.Rate != 0, func() { c.Rate = s.Rate })
	set("loops", s.Loops != 0, func() { c.Loops = s.Loops })
	set("spectators", s.Spectators != 0, func() { c.Spectators = s.Spectators })
	set("params", s.Params != "", func() { c.Params = s.Params })
	set("scouts", s.Scouts, func() { c.Scouts = true })
	set("workers", s.Workers != 0, func() { c.Workers = s.Workers })
	set("seed", s.Seed != 0, func() { c.Seed = s.Seed })
	set("bots", s.Bots != 0, func() { c.Bots = s.Bots })
	set("ramp", s.Ramp != nil, func() { c.Ramp = *s.Ramp })
	set("duration", s.Duration != 0, func() { c.Duration = s.Duration })
	set("warmup", s.Warmup != nil, func() { c.Warmup = *s.Warmup })
	c.Thresholds = append(append([]Threshold(nil), s.Thresholds...), c.Thresholds...)
	if len(s.Stages) > 0 {
		s.fit(c, given)
	}
}

// fit stretches the stages to the flags: --bots scales them to that peak, --ramp is how long the first ramp takes,
// --duration how long the holds take together. Storms keep their place in their stages.
func (s *Scenario) fit(c *Config, given func(flag string) bool) {
	peak, held := 0, time.Duration(0)
	var ramp *Stage
	for i := range s.Stages {
		st := &s.Stages[i]
		if st.Bots != nil {
			peak = max(peak, *st.Bots)
		}
		if st.Hold != nil {
			held += *st.Hold
		}
		if ramp == nil && st.Ramp != nil {
			ramp = st
		}
	}
	before := s.bounds()
	for i := range s.Stages {
		st := &s.Stages[i]
		if given("bots") && st.Bots != nil && peak > 0 {
			st.Bots = new(*st.Bots * c.Bots / peak)
		}
		if given("duration") && st.Hold != nil && held > 0 {
			st.Hold = new(time.Duration(float64(*st.Hold) * float64(c.Duration) / float64(held)))
		}
	}
	if given("ramp") && ramp != nil {
		ramp.Ramp = new(c.Ramp)
	}
	after := s.bounds()
	for i := range s.Storms {
		s.Storms[i].At = moved(s.Storms[i].At, before, after)
	}
	if !given("bots") {
		c.Bots = peak
	}
	total := after[len(after)-1]
	if c.Warmup < 0 {
		c.Warmup = 0
		if s.Stages[0].Ramp != nil {
			c.Warmup = s.Stages[0].length() + settleTime
		}
		c.Warmup = min(c.Warmup, total-time.Second)
	}
	c.Ramp = 0
	if ramp != nil {
		c.Ramp = ramp.length()
	}
	c.Duration = total - c.Warmup
}

// bounds are where the stages begin, and the end of the last one.
func (s *Scenario) bounds() []time.Duration {
	list := []time.Duration{0}
	for i := range s.Stages {
		list = append(list, list[i]+s.Stages[i].length())
	}
	return list
}

// moved is where a time lies after the bounds around it have moved. Beyond the last one it stays beyond.
func moved(at time.Duration, before, after []time.Duration) time.Duration {
	for i := range before[1:] {
		if length := before[i+1] - before[i]; at < before[i+1] {
			return after[i] + time.Duration(float64(at-before[i])*float64(after[i+1]-after[i])/float64(length))
		}
	}
	return at - before[len(before)-1] + after[len(after)-1]
}
