package main

import (
	"context"
	"math"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// page is a scraped /metrics page: the value of each series by its name with labels, as it stands there.
type page map[string]float64

func (m *matchmaker) scrape(ctx context.Context) (page, error) {
	body, err := m.do(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	return parsePage(string(body)), nil
}

// parsePage reads the Prometheus text format as far as counters, gauges and histograms go; other lines are
// passed over.
func parsePage(text string) page {
	p := make(page)
	for line := range strings.SplitSeq(text, "\n") {
		i := strings.LastIndexByte(line, '}') + 1 // a label's value may hold spaces
		if i == 0 {
			i = strings.IndexByte(line, ' ')
		}
		if i <= 0 || line[0] == '#' {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimSpace(line[i:]), " ") // a time stamp may follow
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			p[line[:i]] = v
		}
	}
	return p
}

// processStart tells one process of a server from the next.
const processStart = "process_start_time_seconds"

// growth is what the counters have counted from the first page to the last. Those of a server that was started anew
// begin again from 0; what it counted between the page before and its end is not known. A counter that has fallen is no
// sign of that: of two scrapes at the same moment the later one may be answered first.
func growth(pages ...page) page {
	d := make(page)
	for i, p := range pages[1:] {
		before := pages[i]
		if p[processStart] != before[processStart] {
			before = nil
		}
		for name, v := range p {
			d[name] += v - before[name]
		}
	}
	return d
}

// labelled are the values of one label of a family, such as status of skirmish_inputs_total.
func (p page) labelled(family, label string) map[string]float64 {
	values := make(map[string]float64)
	for name, v := range p {
		rest, ok := strings.CutPrefix(name, family+"{")
		if !ok {
			continue
		}
		if _, value, ok := strings.Cut(rest, label+`="`); ok {
			value, _, _ = strings.Cut(value, `"`)
			values[value] += v
		}
	}
	return values
}

// quantile estimates a quantile of a histogram in its own unit, linear within the bucket; the last bound stands
// for everything above it. False: it has no samples.
func (p page) quantile(family string, q float64) (float64, bool) {
	type bucket struct{ bound, count float64 }
	var buckets []bucket
	for le, n := range p.labelled(family+"_bucket", "le") {
		bound, err := strconv.ParseFloat(le, 64)
		if err == nil {
			buckets = append(buckets, bucket{bound, n})
		}
	}
	sort.Slice(buckets, func(i, j int) bool { return buckets[i].bound < buckets[j].bound })
	if len(buckets) == 0 || buckets[len(buckets)-1].count <= 0 {
		return 0, false
	}
	want := q * buckets[len(buckets)-1].count
	low, below := 0.0, 0.0
	for _, b := range buckets {
		if b.count >= want {
			if math.IsInf(b.bound, 1) {
				return low, true
			}
			return low + (b.bound-low)*(want-below)/max(b.count-below, 1), true
		}
		low, below = b.bound, b.count
	}
	return low, true
}
