package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// manner is what a bot does.
type manner uint8

const (
	plays manner = iota
	idles
	readsSlowly
	breaksRules
	floods
	marks   // aims at what the page would show, with the rail
	watches // a spectator
)

// ending is how a life ends when its time is over.
type ending uint8

const (
	endBye    ending = iota
	endVanish        // the socket is closed without a word
	endBreak         // the rules are broken until the server ends it
	endFlood
)

// life is one player's time in a seat of the swarm: from its join to its end. Times count from the start of the run.
type life struct {
	slot    int // seat of the swarm; match slot / match size
	number  int // of the player
	from    time.Duration
	until   time.Duration // 0: to the end of the run
	ending  ending
	manner  manner
	network int // index into the scenario's networks, −1 none
	cuts    []cutPlan
}

// cutPlan is one cut of a connection and the return.
type cutPlan struct{ at, back time.Duration }

// span is a stage as a stretch of time and its bots.
type span struct {
	name       string
	begin, end time.Duration
	from, to   int
	thresholds []Threshold
}

// spans are the stages of a run, those of a run without a scenario included.
func (c *Config) spans() []span {
	if c.Scenario == nil || len(c.Scenario.Stages) == 0 {
		total := c.Warmup + c.Duration
		return []span{{name: "ramp", end: c.Ramp, to: c.Bots}, {name: "hold", begin: c.Ramp, end: max(total, c.Ramp), from: c.Bots, to: c.Bots}}
	}
	var list []span
	begin, level := time.Duration(0), 0
	for i := range c.Scenario.Stages {
		st := &c.Scenario.Stages[i]
		s := span{name: st.Name, begin: begin, end: begin + st.length(), from: level, to: level, thresholds: st.Thresholds}
		if st.Bots != nil {
			s.to = *st.Bots
		}
		list = append(list, s)
		begin, level = s.end, s.to
	}
	return list
}

// lives are all players of a run in the order of their joins: the same ones for the same configuration.
func (c *Config) lives() []life {
	var scenario Scenario
	if c.Scenario != nil {
		scenario = *c.Scenario
	}
	spans := c.spans()
	total := spans[len(spans)-1].end
	var all []life
	for slot, stays := range presences(spans, &scenario.Arrivals, c.Seed) {
		d := newDice(c.Seed, slot)
		m, n := scenario.Behaviours.manner(d), scenario.network(d)
		for _, stay := range stays {
			for _, l := range scenario.divide(stay, m, total, d) {
				l.slot, l.manner, l.network = slot, m, n
				l.cuts = scenario.cuts(&l, total, d)
				all = append(all, l)
			}
		}
	}
	all = append(all, c.spectators(all)...)
	slices.SortStableFunc(all, func(a, b life) int {
		if a.from != b.from {
			return int(max(-1, min(1, a.from-b.from)))
		}
		return a.slot - b.slot
	})
	for i := range all {
		all[i].number = i
	}
	return all
}

// spectators watch each match from when its first player comes to when the match empties. They are spread over a second.
func (c *Config) spectators(players []life) (list []life) {
	if c.Spectators == 0 {
		return nil
	}
	begun := make(map[int]bool)
	for _, p := range players { // the first seat of a match is taken first and left last
		match := p.slot / c.MatchSize
		if p.slot%c.MatchSize != 0 || begun[match] {
			continue
		}
		begun[match] = true
		for i := range c.Spectators {
			from := p.from + time.Second*time.Duration(i)/time.Duration(c.Spectators)
			list = append(list, life{slot: p.slot, from: from, manner: watches, network: -1})
		}
	}
	return list
}

// dice are the chances of one slot.
func newDice(seed uint64, slot int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(slot)+1)) }

// stay is a stretch in which a slot is taken; until 0: to the end.
type stay struct{ from, until time.Duration }

// presences tell for each slot when the stages have it taken. Slots fill from the first on and empty from the
// last on, so that matches are full.
func presences(spans []span, a *Arrivals, seed uint64) [][]stay {
	peak := 0
	for _, s := range spans {
		peak = max(peak, s.to)
	}
	all := make([][]stay, peak)
	for i, s := range spans {
		length := float64(s.end - s.begin)
		if s.to > s.from {
			times := a.times(s.to-s.from, seed+uint64(i))
			for j, t := range times {
				slot := s.from + j
				all[slot] = append(all[slot], stay{from: s.begin + time.Duration(t*length)})
			}
		}
		n := s.from - s.to
		for j := range n {
			slot := s.from - 1 - j
			last := &all[slot][len(all[slot])-1]
			last.until = max(s.begin+time.Duration(float64(j)/float64(n)*length), last.from+time.Millisecond)
		}
	}
	return all
}

// times are n arrivals in rising order, each a part of the ramp from 0 up to, not with, 1.
func (a *Arrivals) times(n int, seed uint64) []float64 {
	times := make([]float64, n)
	for i := range times {
		times[i] = float64(i) / float64(n)
		if a.Pattern == "bursts" {
			times[i] = float64(i/a.Burst*a.Burst) / float64(n)
		}
	}
	if a.Pattern == "poisson" { // given their number, a Poisson process's arrivals lie anywhere alike
		d := rand.New(rand.NewPCG(seed, 0x6172726976616c))
		for i := range times {
			times[i] = d.Float64()
		}
		slices.Sort(times)
	}
	return times
}

// manner draws what the bot of a slot does.
func (b *Behaviours) manner(d *rand.Rand) manner {
	at := Share(d.Float64())
	for _, m := range []struct {
		share Share
		is    manner
	}{{b.Idle, idles}, {b.Slow.Share, readsSlowly}, {b.Malformed.Share, breaksRules}, {b.Flood.Share, floods}, {b.Marksmen, marks}} {
		if at < m.share {
			return m.is
		}
		at -= m.share
	}
	return plays
}

// network draws the link of a slot, −1: none.
func (s *Scenario) network(d *rand.Rand) int {
	at := Share(d.Float64())
	for i := range s.Networks {
		if at < s.Networks[i].Share {
			return i
		}
		at -= s.Networks[i].Share
	}
	return -1
}

// divide cuts a stay into lives, by the lengths of sessions, churn and offences.
func (s *Scenario) divide(st stay, m manner, total time.Duration, d *rand.Rand) (list []life) {
	end := st.until
	if end == 0 {
		end = total
	}
	for from := st.from; from < end && len(list) < maxLivesPerStay; {
		length, how, pause := s.length(from, m, d)
		if length == 0 || from+length >= end {
			return append(list, life{from: from, until: st.until})
		}
		list = append(list, life{from: from, until: from + length, ending: how})
		from += length + pause
	}
	return list
}

// length draws one session, 0: to the end.
func (s *Scenario) length(from time.Duration, m manner, d *rand.Rand) (length time.Duration, how ending, pause time.Duration) {
	switch m {
	case breaksRules:
		return s.Behaviours.Malformed.After + time.Duration(d.Int64N(int64(time.Second))), endBreak, offencePause
	case floods:
		return s.Behaviours.Flood.After + time.Duration(d.Int64N(int64(time.Second))), endFlood, offencePause
	}
	if mean := float64(s.Sessions.Mean); mean > 0 {
		x := mean
		switch s.Sessions.Length {
		case "uniform":
			x = mean * (0.5 + d.Float64())
		case "lognormal": // sigma 1: many short sessions, a few very long ones
			x = mean * math.Exp(d.NormFloat64()-0.5)
		case "exponential", "":
			x = mean * d.ExpFloat64()
		}
		length, pause = max(minSession, time.Duration(min(x, float64(48*time.Hour)))), s.Sessions.Pause
		if d.Float64() < float64(s.Sessions.Vanish) {
			how = endVanish
		}
	}
	if c := &s.Churn; c.Share > 0 {
		for at := (from/c.Every + 1) * c.Every; length == 0 || at < from+length; at += c.Every {
			if d.Float64() < float64(c.Share) {
				at += time.Duration(d.Int64N(int64(churnSpread)))
				return max(at-from, minSession), endBye, c.Pause
			}
			if at > 48*time.Hour {
				break
			}
		}
	}
	return length, how, pause
}

// cuts are the storms that hit a life.
func (s *Scenario) cuts(l *life, total time.Duration, d *rand.Rand) (list []cutPlan) {
	end := l.until
	if end == 0 {
		end = total
	}
	for i := range s.Storms {
		st := &s.Storms[i]
		hit := d.Float64() < float64(st.Share)
		at := st.At + time.Duration(d.Float64()*float64(st.Within))
		if hit && at > l.from && at+st.Away < end {
			list = append(list, cutPlan{at, at + st.Away})
		}
	}
	slices.SortFunc(list, func(a, b cutPlan) int { return int(max(-1, min(1, a.at-b.at))) })
	return list
}
