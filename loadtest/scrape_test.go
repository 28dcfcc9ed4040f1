package main

import "testing"

func TestCountersOfARestartedServer(t *testing.T) {
	d := growth(page{"a": 10}, page{"a": 15, "b": 3}, page{processStart: 1, "a": 2, "b": 3}, page{processStart: 1, "a": 4, "b": 3})
	if d["a"] != 5+2+2 || d["b"] != 3+3 {
		t.Errorf("%v", d)
	}
}

// The window begins on a whole second, as the probes do: one scrape overtakes the other.
func TestScrapesThatOvertakeEachOther(t *testing.T) {
	if d := growth(page{processStart: 1, "a": 100}, page{processStart: 1, "a": 99}, page{processStart: 1, "a": 150}); d["a"] != 50 {
		t.Errorf("%v", d)
	}
}

func FuzzPage(f *testing.F) {
	f.Add("# HELP x\na 1\nb{le=\"0.1\"} 2 3\nc{le=\"+Inf\"} NaN\n")
	f.Add("x_bucket{le=\"1\"} 5\nx_bucket{le=\"+Inf\"} 4\n{}\n}{ 1")
	f.Fuzz(func(t *testing.T, text string) {
		p := parsePage(text)
		for family := range p {
			growth(p, p).quantile(family, 0.5)
		}
		p.quantile("x", 0.99)
		p.labelled("x_bucket", "le")
	})
}
