//go:build !race

package game_test

import (
	"testing"
	"time"

	"skirmish/game"
)

// TestTickAllocatesNothing: in the steady state a whole tick, inputs, step, capture, states and events of every
// viewer included, makes no garbage, whatever the game's rows and events look like.
func TestTickAllocatesNothing(t *testing.T) {
	say := SayEvent{Text: "a text that the game keeps"}
	for _, c := range []struct {
		name string
		toy  func(*toy)
	}{
		{"rows in order", func(*toy) {}},
		{"rows out of order", func(g *toy) {
			g.hooks.frame = func(f *game.Frame) {
				for id := uint32(900); id > 600; id -= 7 {
					f.Put(id, &Mark{Kind: uint8(id % 4)})
				}
			}
		}},
		{"events", func(g *toy) {
			g.hooks.step = func(t *game.Tick) {
				t.Emit(nil, &HitEvent{By: 1, Victim: 2, Damage: uint8(t.Now())})
				t.Emit(t.Player(3), &say)
			}
		}},
		{"rewind", func(g *toy) {
			g.spec = func(s *game.Spec) { s.Rewind = []any{Mover{}} }
			g.hooks.step = func(t *game.Tick) {
				var m Mover
				for _, p := range t.Players() {
					t.Rewind(p).Row(1, &m)
				}
			}
		}},
		{"views, budget and rows of one seat", func(g *toy) {
			g.spec = func(s *game.Spec) { s.Interest = game.Interest{Radius: 40000, Hysteresis: 100, Budget: 70} }
			g.hooks.view = func(p *game.Player, v *game.ViewSet) {
				v.Show(1001)
				v.Hide(1002)
				v.Priority(1003, 50)
			}
			g.hooks.frame = func(f *game.Frame) {
				for s := range game.Seat(16) {
					f.PutFor(16-s, uint32(2000-s), &Mark{Kind: uint8(f.Tick() % 4)})
				}
			}
		}},
		{"late spectators", func(g *toy) {
			g.hooks.step = func(t *game.Tick) { t.Emit(nil, &say) }
			g.delay = time.Second
		}},
		{"bots", func(g *toy) {
			g.hooks.think = func(v *game.View, in *toyInput) {
				var own Mover
				for i := range v.Rows.Len() {
					v.Load(i, &own)
				}
				v.Find(uint32(v.Seat), &own)
				in.DY = int8(own.X)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &toy{npcs: 20}
			c.toy(g)
			b := newBench(t, g, 16, c.name == "bots")
			b.view = 5
			for range 3 * game.MaxEvents { // until every ring has gone round
				b.tick(t)
			}
			if n := testing.AllocsPerRun(500, func() { b.tick(t) }); n != 0 {
				t.Errorf("%v allocations per tick", n)
			}
		})
	}
}

func TestPushAllocatesNothing(t *testing.T) {
	e := newToy(t, &toy{}, nil)
	join(t, e, 1)
	in := input(0, 1, 2, 3, 4)
	if n := testing.AllocsPerRun(1000, func() {
		in.FirstSeq += 4
		if _, err := e.Push(1, in, 0); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per message", n)
	}
}
