package main

import (
	"math"
	"reflect"
	"testing"
	"time"
)

// playing counts who is there at a time.
func playing(lives []life, at time.Duration) (n int) {
	for _, l := range lives {
		if l.from <= at && (l.until == 0 || at < l.until) {
			n++
		}
	}
	return n
}

func TestStagesFillAndEmpty(t *testing.T) {
	c := settled(t, "stages: [{ramp: 10s, bots: 100}, {hold: 10s}, {down: 10s, bots: 20}, {ramp: 5s, bots: 60}, {hold: 5s}]\n")
	lives := c.lives()
	for _, want := range []struct {
		at time.Duration
		n  int
	}{{5 * time.Second, 50}, {10 * time.Second, 100}, {19 * time.Second, 100}, {25 * time.Second, 60}, {30 * time.Second, 20}, {36 * time.Second, 60}} {
		if n := playing(lives, want.at); n < want.n-1 || n > want.n+1 {
			t.Errorf("%d play at %v, want %d", n, want.at, want.n)
		}
	}
	for i, l := range lives {
		if l.number != i || i > 0 && l.from < lives[i-1].from {
			t.Fatalf("life %d is out of order: %+v", i, l)
		}
	}
	if !reflect.DeepEqual(lives, c.lives()) {
		t.Error("the same configuration has other lives")
	}
}

func TestARunWithoutScenarioJoinsEvenly(t *testing.T) {
	c := DefaultConfig()
	c.Bots, c.Ramp = 10, time.Second
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for i, l := range c.lives() {
		if l.from != time.Duration(i)*100*time.Millisecond || l.until != 0 || l.slot != i {
			t.Errorf("%+v", l)
		}
	}
}

func TestArrivals(t *testing.T) {
	bursts := (&Arrivals{Pattern: "bursts", Burst: 4}).times(10, 1)
	if want := []float64{0, 0, 0, 0, 0.4, 0.4, 0.4, 0.4, 0.8, 0.8}; !reflect.DeepEqual(bursts, want) {
		t.Errorf("bursts at %v", bursts)
	}
	gaps, last := 0.0, 0.0
	times := (&Arrivals{Pattern: "poisson"}).times(10_000, 1)
	for _, at := range times {
		gap := (at - last) * 10_000
		gaps += (gap - 1) * (gap - 1) // of mean 1: an exponential's variance is 1, an even spacing's 0
		last = at
	}
	if v := gaps / 10_000; v < 0.9 || v > 1.1 {
		t.Errorf("the gaps' variance is %.2f, an exponential's is 1", v)
	}
}

func TestSessionLengths(t *testing.T) {
	for name, spread := range map[string][2]float64{"fixed": {0, 0.01}, "uniform": {0.25, 0.32}, "exponential": {0.9, 1.1}, "lognormal": {1.0, 1.6}} {
		s := &Scenario{Sessions: Sessions{Length: name, Mean: 100 * time.Second, Vanish: 0.25}}
		d := newDice(1, 1)
		sum, squares, vanished := 0.0, 0.0, 0
		const n = 20_000
		for range n {
			length, how, _ := s.length(0, plays, d)
			x := length.Seconds() / 100
			sum += x
			squares += x * x
			if how == endVanish {
				vanished++
			}
		}
		mean := sum / n
		deviation := math.Sqrt(max(0, squares/n-mean*mean))
		if math.Abs(mean-1) > 0.05 || deviation < spread[0] || deviation > spread[1] || math.Abs(float64(vanished)/n-0.25) > 0.02 {
			t.Errorf("%s: mean %.2f, deviation %.2f, %d vanish", name, mean, deviation, vanished)
		}
	}
}

func TestChurnKeepsTheNumber(t *testing.T) {
	c := settled(t, "churn: {share: 20%, every: 10s, pause: 500ms}\nstages: [{ramp: 1s, bots: 200}, {hold: 59s}]\n")
	lives := c.lives()
	if n := len(lives) - 200; n < 150 || n > 250 { // five times 20 % of 200
		t.Errorf("%d players were replaced, want about 200", n)
	}
	for _, at := range []time.Duration{5 * time.Second, 35 * time.Second, 59 * time.Second} {
		if n := playing(lives, at); n < 190 {
			t.Errorf("%d play at %v", n, at)
		}
	}
}

func TestStormsCutAndReturn(t *testing.T) {
	c := settled(t, "storms: [{at: 20s, share: 50%, within: 1s, away: 2s}, {at: 10s, share: 100%, away: 1s}]\nstages: [{ramp: 1s, bots: 400}, {hold: 59s}]\n")
	twice := 0
	for _, l := range c.lives() {
		if len(l.cuts) == 0 || l.cuts[0].at != 10*time.Second || l.cuts[0].back != 11*time.Second {
			t.Fatalf("%+v", l.cuts)
		}
		if len(l.cuts) == 2 {
			twice++
			if at := l.cuts[1].at; at < 20*time.Second || at > 21*time.Second {
				t.Errorf("cut at %v", at)
			}
		}
	}
	if twice < 160 || twice > 240 {
		t.Errorf("%d of 400 are cut twice, want about half", twice)
	}
}

func TestSharesOfMannersAndNetworks(t *testing.T) {
	c := settled(t, `
behaviours: {idle: 10%, slow: {share: 20%}, malformed: {share: 5%, after: 50s}, flood: {share: 5%, after: 50s}}
networks: [{share: 30%, delay: 5ms}, {share: 20%, delay: 9ms}]
stages: [{ramp: 1s, bots: 4000}, {hold: 9s}]
`)
	manners, networks := map[manner]float64{}, map[int]float64{}
	for _, l := range c.lives() {
		manners[l.manner]++
		networks[l.network]++
	}
	for m, want := range map[manner]float64{idles: 400, readsSlowly: 800, breaksRules: 200, floods: 200, plays: 2400} {
		if math.Abs(manners[m]-want) > 80 {
			t.Errorf("%v: %v, want about %v", m, manners[m], want)
		}
	}
	for n, want := range map[int]float64{-1: 2000, 0: 1200, 1: 800} {
		if math.Abs(networks[n]-want) > 120 {
			t.Errorf("network %d: %v, want about %v", n, networks[n], want)
		}
	}
}

func TestOffendersComeBack(t *testing.T) {
	c := settled(t, "behaviours: {malformed: {share: 100%, after: 2s}}\nstages: [{ramp: 1s, bots: 10}, {hold: 29s}]\n")
	lives := c.lives()
	if len(lives) < 60 || len(lives) > 100 { // some 3.5 s each
		t.Errorf("%d lives of 10 offenders in 30 s", len(lives))
	}
	if l := lives[0]; l.ending != endBreak || l.until-l.from < 2*time.Second {
		t.Errorf("%+v", l)
	}
}

func TestWorkersShareTheMatches(t *testing.T) {
	c := settled(t, "match_size: 8\nsessions: {mean: 10s}\nstages: [{ramp: 5s, bots: 100}, {hold: 20s}]\n")
	seen := make(map[int]int)
	matches := make(map[int]int)
	for i := range 3 {
		s, err := newSwarm(c, i, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range s.plan {
			seen[l.number]++
			if of, ok := matches[l.slot/8]; ok && of != i {
				t.Fatalf("match %d has two workers", l.slot/8)
			}
			matches[l.slot/8] = i
		}
	}
	all := c.lives()
	for _, l := range all {
		if seen[l.number] != 1 {
			t.Fatalf("life %d is played %d times", l.number, seen[l.number])
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d lives of %d", len(seen), len(all))
	}
}
