package arena

import (
	"testing"

	"skirmish/game"
)

// busy is a match in full swing: every ship circles, turns its guns and fires, nobody stays dead for long.
func busy(t testing.TB, players int) *host {
	h := newHost(t, players, 7, `{"rounds":0,"round_seconds":3600}`)
	for seat := range players {
		h.join(game.Seat(seat + 1))
	}
	return h
}

// steer gives every seat its next input.
func (h *host) steer(tick int) {
	for i := range h.sim.Ships {
		a := uint16(tick*150 + i*4001)
		h.sim.inputs[i] = Input{}
		h.inputs[h.sim.Ships[i].Seat] = Input{AX: int8(cos(a) / 130), AY: int8(sin(a) / 130),
			Aim: uint16(i*9001 + tick*90), Buttons: ButtonBolt | ButtonRail | uint8(tick/64&1)*ButtonDash}
	}
}

// stepper is a game whose Step is the arena's, measured from the inside.
func benchmarkStep(b *testing.B, players int) {
	h := busy(b, players)
	for tick := range 600 {
		h.steer(tick)
		h.ticks(1)
	}
	bolts := 0
	tick := 600
	for b.Loop() {
		h.steer(tick)
		h.ticks(1)
		tick++
		bolts += len(h.sim.Bolts)
	}
	b.ReportMetric(float64(bolts)/float64(b.N), "bolts")
}

func BenchmarkTick16(b *testing.B) { benchmarkStep(b, 16) }
func BenchmarkTick64(b *testing.B) { benchmarkStep(b, 64) }
