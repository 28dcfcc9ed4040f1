package main

import (
	"context"
	"time"
)

// climb is the search at one rate, between what held and what did not.
type climb struct {
	*capacity
	rate      int
	low, high int            // high above capacity.to: nothing has failed
	use       float64        // of the server's core by each player, with the most that held; 0 unknown
	why       *capacityProbe // the fewest players that failed
	end       time.Time      // of the time that it has
}

// ratedPlayers is the load that the CPU of a snapshot is promised at.
func ratedPlayers(rate int) int {
	if rate <= 30 {
		return 640
	}
	return 960
}

// answer measures the rated load beside the floor, then searches the most.
func (s *climb) answer(ctx context.Context) (*capacityAnswer, error) {
	a := &capacityAnswer{Rate: s.rate}
	rated, err := s.holds(ctx, min(ratedPlayers(s.rate), s.to), s.measure)
	if err != nil {
		return nil, err
	}
	s.besideFloor(ctx, a, rated)
	if err := s.rise(ctx, a); err != nil {
		return nil, err
	}
	return a, nil
}

// rise goes on from the rated load, by half a core and nine tenths of it, to the most.
func (s *climb) rise(ctx context.Context, a *capacityAnswer) error {
	for _, share := range []float64{0.5, 0.9} {
		if n := s.filling(share); n > s.low && n < s.high && !s.late() {
			if _, err := s.holds(ctx, n, s.measure); err != nil {
				return err
			}
		}
	}
	if err := s.approach(ctx); err != nil {
		return err
	}
	confirmed, err := s.confirm(ctx)
	if err == nil {
		a.conclude(s, confirmed)
	}
	return err
}

// approach halves the gap between what held and what did not until it is under a twentieth. It leaves the time to
// confirm what held.
func (s *climb) approach(ctx context.Context) error {
	for (s.high > s.to && s.low < s.to || s.high <= s.to && s.high-s.low > max(capacityStep, s.high/20)) && !s.lateIn(2*(s.measure+capacityAround)) {
		if _, err := s.holds(ctx, s.next(), s.measure*capacityShort/10); err != nil {
			return err
		}
	}
	return nil
}

// confirm has what held measured for longer: it counts when it holds in two of three, else it goes down by a twentieth.
// False: the time was over before.
func (s *climb) confirm(ctx context.Context) (bool, error) {
	for s.low > 0 {
		n := s.low
		for held, runs := 0, 0; runs < 3 && held < 2 && runs-held < 2; runs++ {
			if s.late() {
				return false, nil
			}
			p, err := s.once(ctx, n, s.measure)
			if err != nil {
				return false, err
			}
			if p.Holds {
				if held++; held == 2 {
					return true, nil
				}
			}
		}
		s.low = max((n-max(capacityStep, n/20))/capacityStep*capacityStep, 0)
	}
	return true, nil
}

// once is one run.
func (s *climb) once(ctx context.Context, n int, measure time.Duration) (*capacityProbe, error) {
	p, err := s.try(ctx, s.rate, n, measure)
	if err != nil {
		return nil, err
	}
	switch {
	case !p.Holds:
		if s.high = min(s.high, max(n, s.low+1)); s.why == nil || n <= s.why.Players {
			s.why = p
		}
	case n >= s.low:
		s.low, s.use = n, p.core()/float64(n)
	}
	return p, nil
}

// holds is a run, and another one before it counts as failed: the machine has its moments.
func (s *climb) holds(ctx context.Context, n int, measure time.Duration) (*capacityProbe, error) {
	high, why := s.high, s.why
	p, err := s.once(ctx, n, measure)
	if err != nil || p.Holds || s.late() {
		return p, err
	}
	if p, err = s.once(ctx, n, measure); err == nil && p.Holds {
		s.high, s.why = high, why
	}
	return p, err
}

func (s *climb) late() bool { return s.lateIn(0) }

func (s *climb) lateIn(d time.Duration) bool {
	return !s.end.IsZero() && time.Now().Add(d).After(s.end)
}

// filling is how many players would take a share of the server's core, 0: unknown.
func (s *climb) filling(share float64) int {
	if s.use == 0 {
		return 0
	}
	return min(int(share/s.use)/capacityStep*capacityStep, s.to)
}

// next is how many players to try between what held and what did not: as many as would fill the core, but never so
// near to either that the gap hardly shrinks.
func (s *climb) next() int {
	n := (s.low + s.high) / 2
	if fill := s.filling(capacityFull); fill > 0 {
		n = fill
	}
	quarter := (s.high - s.low) / 4
	most := s.high - min(quarter, max(capacityStep, s.high/16))
	if s.high > s.to { // nothing has failed
		most = s.to
	}
	n = min(max(n, s.low+min(quarter, max(capacityStep, s.low/16))), most)
	return min(max(n/capacityStep*capacityStep, s.low/capacityStep*capacityStep+capacityStep), s.to)
}
