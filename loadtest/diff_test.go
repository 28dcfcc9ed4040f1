package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noisy is a report whose acks lie around a value, second by second.
func noisy(seed uint64, ack, noise float64, seconds int) *Report {
	d := rand.New(rand.NewPCG(seed, 1))
	r := &Report{Schema: reportSchema, Times: map[string]Time{}, Config: ConfigReport{Bots: 10, MatchSize: 5, Rate: 20}, Series: SeriesReport{Step: 1, End: float64(seconds)}}
	for i := range seconds {
		v := ack + noise*d.NormFloat64()
		r.Series.Seconds = append(r.Series.Seconds, SecondReport{At: float64(i + 1), Playing: 10, Delivery: 1, Ack: Band{100, v, v, v, v}})
	}
	r.Times["ack"] = Time{Count: 1000, P50: ack, P99: ack}
	r.Delivery = Delivery{Received: 100, Expected: 100, Ratio: 1}
	return r
}

func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b *Report
		want verdictOf
		why  string
	}{
		{"slower", noisy(1, 50, 2, 30), noisy(2, 60, 2, 30), worse, ""},
		{"faster", noisy(1, 60, 2, 30), noisy(2, 50, 2, 30), better, ""},
		{"noise", noisy(1, 50, 10, 30), noisy(2, 52, 10, 30), same, ""},
		{"certain but tiny", noisy(1, 50, 0.01, 30), noisy(2, 50.5, 0.01, 30), same, "too small"},
		{"short", noisy(1, 50, 1, 3), noisy(2, 90, 1, 3), unknown, "too few"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, d := range differences(c.a, c.b) {
				if d.name == "ack p99" {
					if d.verdict != c.want || !strings.Contains(d.why, c.why) {
						t.Errorf("%+v", d)
					}
					return
				}
			}
			t.Error("no acks")
		})
	}
}

func TestChanceRarelyCounts(t *testing.T) {
	false1 := 0
	for i := range uint64(500) {
		for _, d := range differences(noisy(2*i, 50, 10, 30), noisy(2*i+1, 50, 10, 30)) {
			if d.name == "ack p50" && d.why == "" || d.name == "ack p50" && strings.HasPrefix(d.why, "too small") {
				false1++
			}
		}
	}
	if false1 > 15 { // one in a hundred is what is asked for
		t.Errorf("%d of 500 equal runs differ", false1)
	}
}

func TestTheDiffCommand(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, r *Report) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := r.writeJSON(f); err != nil {
			t.Fatal(err)
		}
		return path
	}
	slow := noisy(2, 60, 2, 30)
	slow.Errors.Total, slow.Config.Bots, slow.Generator.Tired = 3, 20, true
	a, b := write("a.json", noisy(1, 50, 2, 30)), write("b.json", slow)
	junk := filepath.Join(dir, "junk")
	os.WriteFile(junk, []byte("{}"), 0o600)
	newer := write("newer.json", &Report{Schema: reportSchema, Times: map[string]Time{}})
	text, _ := os.ReadFile(newer)
	os.WriteFile(newer, bytes.Replace(text, []byte(`"schema": 2`), []byte(`"schema": 99`), 1), 0o600)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"diff", a, b}, exitPass, "WORSE"},
		{[]string{"diff", b, a}, exitPass, "better"},
		{[]string{"diff", a, a}, exitPass, "within the noise"},
		{[]string{"diff", a, b}, exitPass, "asked for different things"},
		{[]string{"diff", a, b}, exitPass, "In b the generator was tired"},
		{[]string{"diff", a}, exitUsage, "two JSON reports"},
		{[]string{"diff", a, junk}, exitUsage, "was not written by --json"},
		{[]string{"diff", a, dir + "/none"}, exitUsage, "no such file"},
		{[]string{"diff", a, newer}, exitUsage, "schema 99"},
		{[]string{"html", a, filepath.Join(dir, "a.html")}, exitPass, ""},
		{[]string{"html", a, filepath.Join(dir, "no", "such")}, exitUsage, "no such file"},
		{[]string{"html", junk}, exitUsage, "a JSON report and the page"},
	} {
		var out, status bytes.Buffer
		code := run(t.Context(), c.args, &out, &status)
		if said := out.String() + status.String(); code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%v: exit %d saying %q, want %d and %q", c.args, code, said, c.code, c.want)
		}
	}
}
