package main

import (
	"fmt"
	"io"
	"math"
)

// WatchReport is what spectators saw; they are in no player's figures.
type WatchReport struct {
	Joined   int             `json:"joined"`
	Times    map[string]Time `json:"times_ms"` // join, interval, interval_error and age
	Delivery Delivery        `json:"delivery"`
	Down     float64         `json:"bytes_down_per_second"` // of each
}

// AimReport counts the rail shots of the marksmen of one network.
type AimReport struct {
	Network string  `json:"network"`
	Delay   float64 `json:"round_trip_ms"` // emulated
	Shots   uint64  `json:"shots"`
	Hits    uint64  `json:"hits"`
	Share   float64 `json:"hit_share"`
	Error   float64 `json:"standard_error"` // of the share, by the number of shots
}

// watched takes the spectators' figures in.
func (r *Report) watched(f *figures) {
	if f.joined == 0 {
		return
	}
	part := Report{Config: r.Config}
	part.fill(f)
	w := &WatchReport{Joined: f.joined, Delivery: part.Delivery, Down: part.Bytes.Down, Times: make(map[string]Time)}
	for _, metric := range []string{"join", "interval", "interval_error", "age"} {
		w.Times[metric] = part.Times[metric]
	}
	r.Spectators = w
}

// aimed takes the marksmen's shots in.
func (r *Report) aimed(f *figures, s *Scenario) {
	for i, a := range f.aims {
		if a.Shots == 0 {
			continue
		}
		line := AimReport{Network: "none", Shots: a.Shots, Hits: a.Hits, Share: float64(a.Hits) / float64(a.Shots)}
		if i > 0 {
			n := &s.Networks[i-1]
			line.Network, line.Delay = n.Name, 2*n.Delay.Seconds()*1e3
		}
		line.Error = math.Sqrt(line.Share * (1 - line.Share) / float64(a.Shots))
		r.Aim = append(r.Aim, line)
	}
}

// aimGap is how far the networks' shares of hits lie apart, false: there are no two.
func (r *Report) aimGap() (gap float64, ok bool) {
	low, high := 1.0, 0.0
	for i := range r.Aim {
		low, high = min(low, r.Aim[i].Share), max(high, r.Aim[i].Share)
	}
	return high - low, len(r.Aim) > 1
}

func (a *AimReport) text() string {
	return fmt.Sprintf("%s (%s round trip): %s of %s rail shots hit, %.1f ± %.1f %%", a.Network, milliseconds(a.Delay),
		number(float64(a.Hits)), number(float64(a.Shots)), a.Share*100, a.Error*100)
}

func (w *WatchReport) text() string {
	return fmt.Sprintf("%s joined, delivery %s, off the beat %s p99, age %s p99, %s down per second", number(float64(w.Joined)), percent(w.Delivery.Ratio),
		milliseconds(w.Times["interval_error"].P99), milliseconds(w.Times["age"].P99), bytesText(w.Down))
}

func (r *Report) printRest(w io.Writer) {
	if r.Spectators != nil {
		fmt.Fprintf(w, "  %-20s%s\n", "spectators", r.Spectators.text())
	}
	for i := range r.Aim {
		name := ""
		if i == 0 {
			name = "aim"
		}
		fmt.Fprintf(w, "  %-20s%s\n", name, r.Aim[i].text())
	}
}
