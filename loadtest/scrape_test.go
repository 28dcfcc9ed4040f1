package main

import "testing"

func FuzzPage(f *testing.F) {
	f.Add("# HELP x\na 1\nb{le=\"0.1\"} 2 3\nc{le=\"+Inf\"} NaN\n")
	f.Add("x_bucket{le=\"1\"} 5\nx_bucket{le=\"+Inf\"} 4\n{}\n}{ 1")
	f.Fuzz(func(t *testing.T, text string) {
		p := parsePage(text)
		for family := range p {
			p.minus(p).quantile(family, 0.5)
		}
		p.quantile("x", 0.99)
		p.labelled("x_bucket", "le")
	})
}
