package main

import "fmt"

// judge holds the report against the gate. The generator comes first: when it is late, nothing else can be told.
func (p *capacityProbe) judge() {
	r := p.Report
	tick := 1e3 / float64(p.Rate)
	lag, beat, ack := r.Times["lag"], r.Times["interval_error"], r.Times["ack"]
	switch {
	case lag.P99 >= tick/2:
		p.Tired, p.Why = true, fmt.Sprintf("the generator was %s late (p99), half a tick is %s", milliseconds(lag.P99), milliseconds(tick/2))
	case r.Errors.Total > 0 || r.Joined < p.Players:
		p.Why = fmt.Sprintf("%d errors, %d of %d joined", r.Errors.Total, r.Joined, p.Players)
	case r.EndedEarly != "" || r.Server == nil:
		p.Why = "it ended early, or without the server's figures"
	case r.Delivery.Ratio < 0.99:
		p.Why = "delivery " + percent(r.Delivery.Ratio)
	case beat.P99 >= tick/2:
		p.Why = fmt.Sprintf("%s off the beat (p99), half a tick is %s", milliseconds(beat.P99), milliseconds(tick/2))
	case ack.Count == 0 || ack.P99 > 1.5*tick:
		p.Why = fmt.Sprintf("acknowledged after %s (p99), 1.5 ticks are %s", milliseconds(ack.P99), milliseconds(1.5*tick))
	default:
		p.Holds = true
	}
	if !p.Holds { // on time, but with nothing left, it cannot be told from a slow server
		p.Tired = p.Tired || r.Generator.CPUCores > capacityTired
		p.Why += fmt.Sprintf("; the server's core at %s, the generator's at %.0f %%", coreText(p.core()), r.Generator.CPUCores*100)
	}
}
