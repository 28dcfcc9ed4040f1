package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestScenarioFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "it is empty"},
		{"no mapping", "- a\n", "s.yaml:1: a scenario is a set of keys"},
		{"not YAML", "a: [", "s.yaml:"},
		{"a misspelt key", "bots: 5\nmatchsize: 4\n", `s.yaml:2: unknown key "matchsize" in a scenario ("match_size"?)`},
		{"a strange key", "zzz: 5\n", "there are arrivals, behaviours, bots"},
		{"a key twice", "bots: 5\nbots: 6\n", "s.yaml:2: bots stands in line 1 already"},
		{"a nested misspelt key", "stages:\n  - hold: 5s\n  - rampe: 5s\n    bots: 3\n", `s.yaml:3: unknown key "rampe" in stages ("ramp"?)`},
		{"a word for a number", "bots: many\n", `s.yaml:1: bots: "many" is not a whole number`},
		{"a plain number for a time", "ramp: 5\n", `"5" is not a duration such as 10s`},
		{"a list for a value", "bots: [1]\n", "bots takes one value"},
		{"a value for a list", "stages: 5\n", "stages is a list"},
		{"nothing for a value", "bots:\n", "bots takes one value"},
		{"a bad share", "behaviours: {idle: 120%}\n", "not a share"},
		{"a bad threshold", "thresholds: ['ack<1ms']\n", "needs a statistic"},
		{"a bad rate", "networks:\n - {share: 5%, down: fast}\n", "not a number of bytes"},
		{"stages and bots", "bots: 5\nstages: [{hold: 5s}]\n", "for a scenario without stages"},
		{"two kinds of a stage", "stages: [{hold: 5s, ramp: 5s, bots: 3}]\n", "stage 1 takes one of"},
		{"a ramp to nowhere", "stages: [{ramp: 5s}]\n", "stage 1 does not say to how many bots"},
		{"a hold of others", "stages: [{ramp: 5s, bots: 3}, {hold: 5s, bots: 4}]\n", "stage 2 holds the 3 bots"},
		{"a ramp downwards", "stages: [{ramp: 5s, bots: 3}, {ramp: 5s, bots: 1}]\n", "called down"},
		{"a down upwards", "stages: [{ramp: 5s, bots: 3}, {down: 5s, bots: 4}]\n", "called ramp"},
		{"too short", "stages: [{ramp: 5ms, bots: 3}]\n", "less than 1s"},
		{"a strange pattern", "arrivals: {pattern: wild}\n", "none of even, poisson, bursts"},
		{"bursts of what", "arrivals: {pattern: bursts}\n", "need burst"},
		{"a strange length", "sessions: {length: odd, mean: 5s}\n", "none of fixed"},
		{"sessions without a mean", "sessions: {vanish: 5%}\n", "need a mean"},
		{"short sessions", "sessions: {mean: 5ms}\n", "less than 1s"},
		{"too many shares", "behaviours: {idle: 60%, slow: {share: 50%}}\n", "add up to 110 %"},
		{"networks over all", "networks: [{share: 60%}, {share: 50%}]\n", "add up to 110 %"},
		{"a network for nobody", "networks: [{delay: 5ms}]\n", "network 1 has no share"},
		{"a jitter over the delay", "networks: [{share: 5%, delay: 5ms, jitter: 6ms}]\n", "more than the delay"},
		{"a stall without end", "networks: [{share: 5%, stall: {every: 1s, for: 1s}}]\n", "nothing would pass"},
		{"a storm for nobody", "storms: [{at: 5s}]\n", "storm 1 has no share"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseScenario("s.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	_, err := parseScenario("s.yaml", []byte("a: 1\nb: 2\nc: 3\n"))
	if n := strings.Count(err.Error(), "unknown key"); n != 3 {
		t.Errorf("%d of 3 faults are told: %v", n, err)
	}
}

// settled is a configuration with a scenario in it, as the command makes it.
func settled(t *testing.T, text string, flags ...string) *Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "story.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got *Config
	cmd := command(func(c *Config) error { got = c; return nil })
	cmd.SetArgs(append([]string{path}, flags...))
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFlagsOverrideScenarios(t *testing.T) {
	const flat = "bots: 50\nmatch_size: 10\nrate: 30\nramp: 0s\nduration: 7s\nseed: 9\nthresholds: ['delivery>=90%']\n"
	c := settled(t, flat)
	if c.Bots != 50 || c.MatchSize != 10 || c.Rate != 30 || c.Ramp != 0 || c.Duration != 7*time.Second || c.Seed != 9 || c.Scenario.Name != "story" {
		t.Errorf("%+v", c)
	}
	if len(c.Thresholds) != 3 || c.Thresholds[0].Metric != "delivery" || c.Thresholds[1].Metric != "errors" || c.Thresholds[2].Metric != "cuts" {
		t.Errorf("thresholds %v", c.Thresholds)
	}
	c = settled(t, flat, "--bots", "20", "--rate", "60", "--threshold", "ack.p50<1s", "--duration", "3s")
	if c.Bots != 20 || c.Rate != 60 || c.MatchSize != 10 || c.Duration != 3*time.Second || len(c.Thresholds) != 4 {
		t.Errorf("%+v", c)
	}
	const staged = "stages: [{ramp: 5s, bots: 100}, {hold: 10s}, {ramp: 5s, bots: 200}, {hold: 10s}, {down: 5s, bots: 0}]\n"
	c = settled(t, staged)
	if c.Bots != 200 || c.Ramp != 5*time.Second || c.Warmup != 7*time.Second || c.Duration != 28*time.Second {
		t.Errorf("%+v", c)
	}
	c = settled(t, staged, "--bots", "50", "--ramp", "2s", "--duration", "4s", "--warmup", "1s")
	spans := c.spans()
	if c.Bots != 50 || spans[0].to != 25 || spans[3].to != 50 || spans[4].to != 0 || c.Duration != 2*time.Second+4*time.Second+5*time.Second+5*time.Second-time.Second {
		t.Errorf("%+v %+v", c, spans)
	}
}

func TestStormsMoveWithTheirStages(t *testing.T) {
	const storms = "storms: [{at: 2500ms, share: 50%}, {at: 10s, share: 50%}]\n"
	c := settled(t, "stages: [{ramp: 5s, bots: 100}, {hold: 20s}]\n"+storms, "--ramp", "2s", "--duration", "8s")
	if s := c.Scenario.Storms; s[0].At != time.Second || s[1].At != 4*time.Second {
		t.Errorf("%+v", s)
	}
	c = settled(t, "bots: 5\nramp: 1s\nduration: 20s\n"+storms)
	c.Duration = 5 * time.Second
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "storm 2 comes after 10s, and the run is over after 8s") {
		t.Errorf("%v", err)
	}
}

func TestShippedScenarios(t *testing.T) {
	files, err := filepath.Glob("scenarios/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# ") || strings.Count(string(text), "\n#") > 0 {
			t.Errorf("%s: one line at its head says what it is", path)
		}
		c := settled(t, string(text))
		if lives := c.lives(); len(lives) < c.Bots {
			t.Errorf("%s: %d lives of %d bots", path, len(lives), c.Bots)
		}
		if err := c.onLoopback(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzScenario(f *testing.F) {
	files, _ := filepath.Glob("scenarios/*.yaml")
	for _, path := range files {
		if text, err := os.ReadFile(path); err == nil {
			f.Add(string(text))
		}
	}
	f.Add("stages: &a\n - hold: 5s\nthresholds: *a\n")
	f.Add("networks: [{share: 1e-3, delay: 5ms, jitter: 5ms, stall: {every: 2s, for: 1s}, down: 5kB, queue: 1MiB}]")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseScenario("s.yaml", []byte(text))
		if err != nil {
			return
		}
		c := DefaultConfig()
		s.apply(&c, func(string) bool { return false })
		if c.Validate() != nil || c.Bots > 300 || c.Warmup+c.Duration > time.Hour {
			return
		}
		total := c.spans()[len(c.spans())-1].end
		for _, l := range c.lives() {
			if l.from < 0 || l.from > max(total, c.Ramp) || l.until != 0 && l.until <= l.from {
				t.Fatalf("%+v in a run of %v", l, total)
			}
		}
	})
}

func TestParams(t *testing.T) {
	c := DefaultConfig()
	for text, want := range map[string]int{"": 0, `{"rounds":3}`: 3, `{"mode":"teams"}`: 0} {
		c.Params = text
		p, err := c.params()
		if n, ok := p["rounds"].(float64); err != nil || ok && int(n) != want || !ok && p["rounds"] != want {
			t.Errorf("%s: %v %v", text, p, err)
		}
	}
	for _, text := range []string{"x", "[]", "null", `"rounds"`} {
		c.Params = text
		if _, err := c.params(); err == nil {
			t.Errorf("%s is taken for settings", text)
		}
	}
}
