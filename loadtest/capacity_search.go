package main

import (
	"context"
	"fmt"
	"time"
)

// most searches at one rate, in the time it has: it goes where the server's core would be full by what it used so
// far, halves the gap between what held and what did not until it is under a twentieth, and confirms.
func (c *capacity) most(ctx context.Context, rate int) (best int, why *capacityProbe, err error) {
	use := 0.0 // of the server's core by each player, with the most that held
	once := func(n int) (bool, error) {
		p, err := c.try(ctx, rate, n)
		switch {
		case err != nil:
			return false, err
		case p.Holds:
			use = p.coreOfEach()
		case why == nil || n <= why.Players || why.Players <= best:
			why = p
		}
		return p.Holds, nil
	}
	holds := func(n int) (bool, error) { // once more before it counts as failed: the machine has its moments
		if ok, err := once(n); ok || err != nil || c.late() {
			return ok, err
		}
		return once(n)
	}
	low, high := 0, c.to+capacityStep
	for n := min(c.from, c.to); (high > c.to || high-low > max(capacityStep, high/20)) && !c.late(); n = c.next(low, high, use) {
		ok, err := holds(n)
		switch {
		case err != nil:
			return 0, nil, err
		case ok && n == c.to:
			return n, nil, nil
		case ok:
			low, best = n, n
		default:
			high = n
		}
	}
	for low > 0 { // it held once: it has to hold in two of three
		again, held := 0, 1
		for ; again < 2 && held < 2 && !c.late(); again++ {
			ok, err := once(low)
			if err != nil {
				return 0, nil, err
			}
			if ok {
				held++
			}
		}
		if held == 2 || c.late() {
			return low, why, nil
		}
		low = (low - max(capacityStep, low/20)) / capacityStep * capacityStep
		if ok, err := holds(max(low, capacityStep)); err != nil || !ok && low <= capacityStep {
			return 0, why, err
		}
	}
	return 0, why, nil
}

func (c *capacity) late() bool { return !c.end.IsZero() && time.Now().After(c.end) }

// coreOfEach is the part of the server's core that each player used, 0: unknown.
func (p *capacityProbe) coreOfEach() float64 {
	if p.Report == nil || p.Report.Server == nil || p.Report.Server.Seconds <= 0 {
		return 0
	}
	return p.Report.Server.CPUSeconds / p.Report.Server.Seconds / float64(p.Players)
}

// next is how many players to try between what held and what did not: as many as would fill the core, but never so
// near to either that the gap hardly shrinks.
func (c *capacity) next(low, high int, use float64) int {
	n := (low + high) / 2
	if use > 0 {
		n = int(capacityFull / use)
	}
	quarter := (high - low) / 4
	most := high - min(quarter, max(capacityStep, high/16))
	if high > c.to { // nothing has failed
		most = c.to
	}
	n = min(max(n, low+min(quarter, max(capacityStep, low/8))), most)
	return min(max(n/capacityStep*capacityStep, low/capacityStep*capacityStep+capacityStep), c.to)
}

// answer puts the result beside the floor.
func (c *capacity) answer(ctx context.Context, rate, best int, why *capacityProbe) capacityAnswer {
	a := capacityAnswer{Rate: rate, Players: best}
	switch {
	case c.late():
		a.LowerBound, a.Why = true, "the time was over"
	case why == nil:
		a.LowerBound, a.Why = true, "the most that was tried"
	default:
		a.LowerBound, a.Why = why.Tired, fmt.Sprintf("with %s: %s", number(float64(why.Players)), why.Why)
		if why.Tired {
			a.Why = fmt.Sprintf("with %s the generator gave way first: %s", number(float64(why.Players)), why.Why)
		}
	}
	for i := range c.probes {
		p := &c.probes[i]
		if p.Rate != rate || p.Players != best || !p.Holds || p.Report.Server == nil {
			continue
		}
		a.ServerCPU, a.Bytes = p.Report.Server.CPUPerState, p.Report.Bytes.PerSnapshot
		f := floor{min(best, capacityFloorMost), max(int(a.Bytes+0.5), 1), rate, c.serverCore, c.generatorCore}
		if cost, err := f.measure(ctx, c.measure/2); err != nil {
			fmt.Fprintf(c.out, "No floor at %d Hz: %v\n", rate, err)
		} else {
			a.FloorCPU = float64(cost.Nanoseconds()) / 1e3
			a.OverFloor = a.ServerCPU / a.FloorCPU
		}
		break
	}
	return a
}

func (a *capacityAnswer) text() string {
	least := ""
	if a.LowerBound {
		least = "at least "
	}
	s := fmt.Sprintf("%d Hz: one core holds %s%s players; %s", a.Rate, least, number(float64(a.Players)), a.Why)
	if a.ServerCPU > 0 {
		s += fmt.Sprintf("\n       the server's CPU is %.1f µs per snapshot of %.0f B, with its input and its simulation", a.ServerCPU, a.Bytes)
	}
	if a.FloorCPU > 0 {
		s += fmt.Sprintf(": %.2f × the floor of %.1f µs", a.OverFloor, a.FloorCPU)
	}
	return s
}
