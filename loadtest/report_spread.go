package main

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Percentile is one point of a distribution: Q percent of the samples are at most MS.
type Percentile struct {
	Q  float64 `json:"q"`
	MS float64 `json:"ms"`
}

// spreadSteps is how many points lie between 90 and 99 %, between 99 and 99.9 %, and so on.
const spreadSteps = 20

// spread is a distribution in points that grow denser towards 100 %, the largest sample being the last; nil without
// samples.
func spread(h *hdrhistogram.Histogram) (list []Percentile) {
	n := float64(h.TotalCount())
	for k := 0; n > 0; k++ {
		above := math.Pow(10, -float64(k)/spreadSteps)
		if above*n <= 1 {
			return append(list, Percentile{100 - 100/n, float64(h.Max()) / 1e3})
		}
		q := 100 * (1 - above)
		list = append(list, Percentile{math.Round(q*1e6) / 1e6, float64(h.ValueAtQuantile(q)) / 1e3})
	}
	return nil
}

// rarity is where a percentile stands on the axis of a distribution: 1 at 90 %, 2 at 99 %, 3 at 99.9 %.
func (p *Percentile) rarity() float64 { return -math.Log10(1 - p.Q/100) }
