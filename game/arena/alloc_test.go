//go:build !race

package arena

import (
	"testing"

	"skirmish/game"
)

func TestStepAllocatesNothing(t *testing.T) {
	for _, players := range []int{2, 16, 200} {
		inStep(t, players, func(_ *game.Tick, step func()) {
			for range 3000 { // until the engine's ring of events has been round once
				step()
			}
			if n := testing.AllocsPerRun(500, step); n != 0 {
				t.Errorf("%d players: %v allocations", players, n)
			}
		})
	}
}

func TestBotMatchAllocatesNothing(t *testing.T) {
	h := newHost(t, 16, 7, `{"rounds":0,"round_seconds":3600}`)
	for seat := range game.Seat(16) {
		h.joinAs(game.PlayerInfo{Seat: seat + 1, Bot: true})
	}
	h.ticks(60 * 60)
	if n := testing.AllocsPerRun(600, func() { h.ticks(1) }); n != 0 {
		t.Errorf("%v allocations per tick of step, frame and 16 thoughts", n)
	}
}
