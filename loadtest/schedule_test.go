package main

import "testing"

func TestTheScheduleDoesNotDrift(t *testing.T) {
	for _, rate := range []int{10, 20, 30, 60, 64, 120} {
		s := newSchedule(1_000_000_007, rate)
		for k := range s.slots * 3 * int64(rate) {
			if k%s.slots == 0 && s.at(k) != s.start+k/s.slots*s.period {
				t.Fatalf("%d Hz: period %d begins at %d", rate, k/s.slots, s.at(k))
			}
			if s.at(k+1) <= s.at(k) {
				t.Fatalf("%d Hz: slot %d is not after slot %d", rate, k+1, k)
			}
			for _, now := range []int64{s.at(k), s.at(k+1) - 1} {
				if got := s.last(now); got != k {
					t.Fatalf("%d Hz: at %d the last slot is %d, want %d", rate, now, got, k)
				}
			}
		}
		if s.last(s.start-1) != -1 {
			t.Errorf("%d Hz: a slot is due before the start", rate)
		}
		if d := s.period / s.slots; d < 500_000 || d > 1_500_000 {
			t.Errorf("%d Hz: slots of %d ns", rate, d)
		}
	}
}

func TestBotsAreSpreadOverThePeriod(t *testing.T) {
	s := newSchedule(0, 20)
	count := make([]int, s.slots)
	for i := range 1000 {
		count[s.slotOf(i)]++
	}
	for slot, n := range count {
		if n < 15 || n > 25 {
			t.Errorf("slot %d has %d of 1,000 bots, want about 20", slot, n)
		}
	}
}
