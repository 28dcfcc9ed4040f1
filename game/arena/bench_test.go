package arena

import (
	"context"
	"testing"
	"time"

	"skirmish/game"
)

// steer gives every seat its next input.
func (h *host) steer(tick int) {
	for i := range h.sim.Ships {
		a := uint16(tick*150 + i*4001)
		h.inputs[h.sim.Ships[i].Seat] = Input{AX: int8(cos(a) / 130), AY: int8(sin(a) / 130),
			Aim: uint16(i*9001 + tick*90), Buttons: ButtonBolt | ButtonRail | uint8(tick/64&1)*ButtonDash}
	}
}

// thinkers is a match of bots in full swing.
func thinkers(t testing.TB, players int) *host {
	h := newHost(t, players, 7, `{"rounds":0,"round_seconds":3600}`)
	for seat := range players {
		h.joinAs(game.PlayerInfo{Seat: game.Seat(seat + 1), Bot: true})
	}
	h.ticks(600)
	return h
}

func benchmarkBots(b *testing.B, players int) {
	h := thinkers(b, players)
	for b.Loop() {
		h.ticks(1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*players), "ns/player")
}

func BenchmarkBotMatch16(b *testing.B)  { benchmarkBots(b, 16) }
func BenchmarkBotMatch64(b *testing.B)  { benchmarkBots(b, 64) }
func BenchmarkBotMatch200(b *testing.B) { benchmarkBots(b, 200) }

// timedBots is the arena whose bots' thoughts are timed.
type timedBots struct {
	watched
	thoughts *int64
}

type timedBot struct {
	*Bot
	took *int64
}

func (t timedBot) Think(v *game.View, in any) {
	start := time.Now()
	t.Bot.Think(v, in)
	*t.took += time.Since(start).Nanoseconds()
}

func (w timedBots) Bot(seed uint64) game.Bot { return timedBot{NewBot(seed), w.thoughts} }

func benchmarkThink(b *testing.B, players int) {
	h, took := &host{t: b}, int64(0)
	h.start(timedBots{watched{sim: &h.sim}, &took}, players, 7, `{"rounds":0,"round_seconds":3600}`)
	for seat := range players {
		h.joinAs(game.PlayerInfo{Seat: game.Seat(seat + 1), Bot: true})
	}
	h.ticks(600)
	took = 0
	for b.Loop() {
		h.ticks(1)
	}
	b.ReportMetric(float64(took)/float64(b.N*players), "ns/think")
}

func BenchmarkThink16(b *testing.B)  { benchmarkThink(b, 16) }
func BenchmarkThink64(b *testing.B)  { benchmarkThink(b, 64) }
func BenchmarkThink200(b *testing.B) { benchmarkThink(b, 200) }

// inner runs an arena's Step in a loop within one tick of the engine, so that nothing else is measured.
type inner struct {
	Sim  *Sim
	loop func(t *game.Tick)
}

func (i *inner) Join(t *game.Tick, p *game.Player)                   { i.Sim.Join(t, p) }
func (i *inner) Leave(t *game.Tick, p *game.Player, why game.Reason) { i.Sim.Leave(t, p, why) }
func (i *inner) Frame(f *game.Frame)                                 { i.Sim.Frame(f) }
func (i *inner) Step(t *game.Tick) {
	if i.loop != nil {
		i.loop(t)
		return
	}
	i.Sim.Step(t)
}

type innerGame struct {
	Arena
	sim *inner
}

func (g innerGame) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	s, err := g.Arena.New(ctx, m)
	if err == nil {
		g.sim.Sim = s.(*Sim)
	}
	return g.sim, err
}

// inStep runs f inside a Step of a match in full swing.
func inStep(t testing.TB, players int, f func(t *game.Tick, step func())) {
	h, in := &host{t: t}, &inner{}
	h.start(innerGame{sim: in}, players, 7, `{"rounds":0,"round_seconds":3600}`)
	h.sim = in.Sim
	for seat := range players {
		h.join(game.Seat(seat + 1))
	}
	for tick := range 600 {
		h.steer(tick)
		h.ticks(1)
	}
	tick := 600
	in.loop = func(t *game.Tick) {
		f(t, func() {
			tick++
			for i, p := range t.Players() {
				in, _ := game.Input[Input](t, p)
				a := uint16(tick*150 + i*4001)
				*in = Input{AX: int8(cos(a) / 130), AY: int8(sin(a) / 130), Aim: uint16(i*9001 + tick*90),
					Buttons: ButtonBolt | ButtonRail | uint8(tick/64&1)*ButtonDash}
			}
			h.sim.Step(t)
		})
	}
	h.ticks(1)
}

func benchmarkStep(b *testing.B, players int) {
	inStep(b, players, func(t *game.Tick, step func()) {
		for b.Loop() {
			step()
		}
	})
}

func BenchmarkStep16(b *testing.B)  { benchmarkStep(b, 16) }
func BenchmarkStep64(b *testing.B)  { benchmarkStep(b, 64) }
func BenchmarkStep200(b *testing.B) { benchmarkStep(b, 200) }

func benchmarkNew(b *testing.B, players int) {
	b.ReportAllocs()
	for b.Loop() {
		newSimOf(players, 60, 7)
	}
}

func BenchmarkNew16(b *testing.B)  { benchmarkNew(b, 16) }
func BenchmarkNew64(b *testing.B)  { benchmarkNew(b, 64) }
func BenchmarkNew200(b *testing.B) { benchmarkNew(b, 200) }
