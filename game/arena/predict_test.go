package arena

import (
	"testing"
	"time"

	"skirmish/game"
)

// roam flies about at random: long turns and short ones, dashes, straight into walls, and after an overdrive.
func roam() func(r *remote, now int64) Input {
	var in Input
	left := 0
	return func(r *remote, _ int64) Input {
		if left--; left < 0 {
			left = 5 + r.rand.IntN(40)
			in = Input{AX: int8(r.rand.IntN(255) - 127), AY: int8(r.rand.IntN(255) - 127), Aim: uint16(r.rand.IntN(fullTurn))}
			switch b, _ := r.predict.Body(); r.rand.IntN(6) {
			case 3, 4:
				for _, s := range r.flight.spots {
					to := angleOf(s.x-b.Body.X, s.y-b.Body.Y)
					in.AX, in.AY = int8(cos(to)*127/One), int8(sin(to)*127/One)
				}
			case 0:
				in.AX, in.AY = 0, 0
			case 1, 2:
				in.Buttons = ButtonDash
			}
		}
		return in
	}
}

// pilot is a player whose predictions are kept, to be compared with what the server makes of the inputs.
type pilot struct {
	*remote
	first map[uint32]Body // as predicted when the input was sent
}

func newPilot(e *emulated, seat game.Seat, rtt, jitter time.Duration) *pilot {
	p := &pilot{remote: e.connect(seat, rtt, jitter), first: map[uint32]Body{}}
	fly := roam()
	p.think = func(r *remote, now int64) Input {
		if b, ok := p.predict.Body(); ok { // behind the input before this one
			p.first[p.next()-1] = b.Body
		}
		return fly(r, now)
	}
	return p
}

// next is the number of the next input.
func (p *pilot) next() uint32 { return p.session.Resumption().NextInput }

func TestTheOwnShipIsPredictedToTheBit(t *testing.T) {
	for _, c := range []struct {
		name        string
		rtt, jitter time.Duration
	}{
		{"100 ms", 100 * time.Millisecond, 0},
		{"100 ms and jitter", 100 * time.Millisecond, 10 * time.Millisecond},
		{"300 ms", 300 * time.Millisecond, 5 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEmulated(t, 2, 11, `{"rounds":0,"round_seconds":30}`)
			p := newPilot(e, 1, c.rtt, c.jitter)
			var walls, driven, deaths, rounds int
			compared, wrong := 0, 0
			p.state = func(r *remote) {
				// What was drawn at once must be what the server has now made of the same input.
				b, _, ok := r.flight.Look(&r.view)
				if was, known := p.first[r.session.State.Head.Ack]; ok && known {
					if compared++; was != b.Body {
						wrong++
					}
				}
			}
			e.run(2 * time.Second) // the input clock settles
			begun := p.predict.Stats
			compared, wrong = 0, 0
			from := e.engine.Now()
			dead, number := false, e.sim.Number
			for range 90 * 60 {
				e.run(time.Second / 60)
				s := e.ship(1)
				if s.Dead == 0 && e.engine.Now()%600 == 0 {
					s.HP = 1 // the next crash is the last
				}
				if s.Dead > 0 && !dead {
					deaths++
				}
				if e.sim.Number != number {
					rounds++
				}
				dead, number = s.Dead > 0, e.sim.Number
				if s.Body.Overdrive > 0 {
					driven++
				}
				if touches(&e.sim.ground, &s.Body) {
					walls++
				}
			}
			st := p.predict.Stats
			t.Logf("%d ticks: %d states as predicted, %d corrections, %d ticks without an input, %d beginnings (%d deaths, %d new rounds), %d ticks along walls, %d in overdrive; %d first predictions, %d wrong",
				e.engine.Now()-from, st.Right-begun.Right, st.Corrections-begun.Corrections, st.Missed-begun.Missed,
				st.Begun-begun.Begun, deaths, rounds, walls, driven, compared, wrong)
			if st.Corrections != begun.Corrections || st.Missed != begun.Missed {
				t.Error("there must be no correction without contact")
			}
			if wrong > (rounds+1)*(int(c.rtt/time.Millisecond)/33+2) { // sent before it was known that a round had begun elsewhere
				t.Errorf("%d of %d first predictions were wrong", wrong, compared)
			}
			if st.Right-begun.Right < 1500 || deaths == 0 || rounds == 0 || walls < 50 || driven == 0 {
				t.Error("the flight did not have it all: walls, overdrive, death, new rounds")
			}
		})
	}
}

// touches tells whether a ship lies against a wall or a bound.
func touches(g *Layout, b *Body) bool {
	const reach = radius + Unit
	for _, w := range g.Walls {
		dx, dy := b.X-min(max(b.X, w.X), w.X+w.W), b.Y-min(max(b.Y, w.Y), w.Y+w.H)
		if length(dx, dy) <= reach {
			return true
		}
	}
	return b.X <= reach || b.Y <= reach || b.X >= g.Width-reach || b.Y >= g.Height-reach
}

func TestContactIsCorrectedAndSettles(t *testing.T) {
	e := newEmulated(t, 8, 3, `{"rounds":0}`)
	p := newPilot(e, 1, 100*time.Millisecond, 5*time.Millisecond)
	for seat := game.Seat(2); seat <= 8; seat++ {
		if err := e.engine.Join(game.PlayerInfo{Seat: seat, ID: string(rune('A' + seat)), Bot: true}); err != nil {
			t.Fatal(err)
		}
	}
	e.run(40 * time.Second)
	fight := p.predict.Stats
	for seat := game.Seat(2); seat <= 8; seat++ {
		e.engine.Leave(seat, game.ReasonLeft)
	}
	e.run(2 * time.Second)
	calm := p.predict.Stats
	e.run(20 * time.Second)
	end := p.predict.Stats
	t.Logf("in the fight %+v, after it %+v", fight, end)
	if fight.Corrections == 0 || fight.Corrections*4 > fight.Right {
		t.Errorf("%d corrections beside %d right predictions in a fight", fight.Corrections, fight.Right)
	}
	if end.Corrections != calm.Corrections {
		t.Errorf("%d corrections with nobody there", end.Corrections-calm.Corrections)
	}
}
