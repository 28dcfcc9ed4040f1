package arena

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"skirmish/game"
)

// mash gives every seat random inputs, each held for a while.
func (h *host) mash(r *rand.Rand) {
	for _, seat := range h.seated() {
		if r.IntN(12) == 0 {
			h.inputs[seat] = Input{AX: int8(r.IntN(255) - 127), AY: int8(r.IntN(255) - 127),
				Aim: uint16(r.IntN(fullTurn)), Buttons: uint8(r.IntN(8))}
		}
	}
}

func TestInvariantsUnderRandomPlay(t *testing.T) {
	for _, c := range []struct {
		players, rate int
		params        string
	}{
		{16, 60, `{"rounds":0,"round_seconds":10}`}, {64, 60, `{"mode":"teams"}`}, {2, 10, `{}`},
		{8, 120, `{}`}, {200, 10, `{"rounds":0,"round_seconds":10}`},
	} {
		t.Run(fmt.Sprintf("%d players at %d Hz", c.players, c.rate), func(t *testing.T) {
			h := &host{t: t}
			h.rate = c.rate
			h.start(watched{sim: &h.sim}, c.players, 9, c.params)
			for seat := range c.players {
				h.join(game.Seat(seat + 1))
			}
			r := rand.New(rand.NewPCG(9, 9))
			for range 800 {
				h.mash(r)
				h.ticks(1)
				if fault := h.sim.fault(); fault != "" {
					t.Fatalf("tick %d: %s", h.engine.Now(), fault)
				}
			}
			if n, first := h.engine.Clamped(); n > 0 {
				t.Errorf("%d values out of the plan: %s", n, first)
			}
		})
	}
}

// fault is the first invariant that does not hold, "" if all do.
func (s *Sim) fault() string {
	score := int32(0)
	for i := range s.Ships {
		p := &s.Ships[i]
		if p.Seat == 0 {
			continue
		}
		score += p.Score
		b := &p.Body
		switch {
		case b.X < radius || b.Y < radius || b.X > s.ground.Width-radius || b.Y > s.ground.Height-radius:
			return fmt.Sprintf("ship %d is outside: %+v", i, b)
		case length(b.VX, b.VY) > hardCap:
			return fmt.Sprintf("ship %d is at %d units per second", i, speed(b))
		case p.HP < 0 || p.HP > MaxHP || p.Armor < 0 || p.Armor > MaxArmor || (p.HP == 0) != (p.Dead > 0):
			return fmt.Sprintf("ship %d: hp %d, armor %d, dead %d", i, p.HP, p.Armor, p.Dead)
		case b.Dash < 0 || b.Dash > s.tune.Cooldown || b.Overdrive < 0 || b.Overdrive > s.tune.overdrive,
			p.Rail < 0 || p.Rail > s.tune.railInterval || p.Bolt < 0 || p.Bolt > s.tune.boltInterval,
			p.Shield < 0 || p.Shield > s.tune.protection || p.Dead > s.tune.respawn:
			return fmt.Sprintf("ship %d: a timer is off: %+v", i, p)
		case p.Kills < 0 || p.Deaths < 0 || p.Score > p.Kills:
			return fmt.Sprintf("ship %d: score %d, kills %d", i, p.Score, p.Kills)
		}
		for _, w := range s.ground.Walls {
			px, py := min(max(b.X, w.X), w.X+w.W), min(max(b.Y, w.Y), w.Y+w.H)
			if d := length(b.X-px, b.Y-py); d < radius-2*Unit {
				return fmt.Sprintf("ship %d is %d/256 units deep in a wall", i, radius-d)
			}
		}
	}
	if s.teams() && score != s.Red+s.Blue {
		return fmt.Sprintf("scores are %d, teams %d and %d", score, s.Red, s.Blue)
	}
	for i := range s.Bolts {
		b := &s.Bolts[i]
		if b.X <= 0 || b.Y <= 0 || b.X >= s.ground.Width || b.Y >= s.ground.Height || b.Life < 0 || s.Ships[b.Slot].Seat != b.Owner {
			return fmt.Sprintf("bolt %+v", b)
		}
		for _, w := range s.ground.Walls {
			if b.X > w.X && b.X < w.X+w.W && b.Y > w.Y && b.Y < w.Y+w.H {
				return fmt.Sprintf("bolt %+v is in a wall", b)
			}
		}
	}
	return ""
}

// The grid only leaves out what cannot matter: with everything in every cell the match is the same.
func TestGridAgainstEverything(t *testing.T) {
	for _, rate := range []int{10, 60} {
		fast, twin := &host{t: t, rate: rate}, &host{t: t, rate: rate}
		for _, h := range []*host{fast, twin} {
			h.start(watched{sim: &h.sim}, 32, 5, `{}`)
			for seat := range game.Seat(32) {
				h.join(seat + 1)
			}
		}
		twin.sim.tune.reach, twin.sim.tune.boltNear = twin.sim.ground.Width, twin.sim.ground.Width
		twin.sim.grid.build(&twin.sim.ground, twin.sim.tune.reach)
		r := rand.New(rand.NewPCG(5, 5))
		for range 700 {
			fast.mash(r)
			clear(twin.inputs)
			maps.Copy(twin.inputs, fast.inputs)
			fast.ticks(1)
			twin.ticks(1)
			if fast.engine.Now()%8 == 0 && fast.engine.Hash() != twin.engine.Hash() {
				t.Fatalf("%d Hz: different at tick %d", rate, fast.engine.Now())
			}
		}
		if fast.sim.NextBolt < FirstBoltID+200 {
			t.Errorf("only %d bolts", fast.sim.NextBolt-FirstBoltID)
		}
	}
}

func TestLayouts(t *testing.T) {
	var l Layout // one for all: what is left of the last one must not matter
	for _, players := range []int{2, 3, 5, 8, 16, 24, 33, 48, 64, 100, 200} {
		fewest, most := MaxWalls, 0
		for seed := range uint64(40) {
			l.Build(seed*977+1, players)
			fewest, most = min(fewest, len(l.Walls)), max(most, len(l.Walls))
			if fault := l.fault(players); fault != "" {
				t.Errorf("%d players, seed %d: %s", players, seed*977+1, fault)
			}
		}
		t.Logf("%d players: %d × %d units, %d to %d walls, %d spawn points, %d pickups", players, l.Width/Unit,
			l.Height/Unit, fewest, most, len(l.Spawns), len(l.Pickups))
	}
}

func (l *Layout) fault(players int) string {
	if len(l.Walls) < 4 || len(l.Walls) > MaxWalls || len(l.Spawns) < players || len(l.Spawns) > MaxSpawns ||
		len(l.Pickups) < 5 || len(l.Pickups) > min(MaxPickups, FirstStandingID-FirstPickupID) {
		return fmt.Sprintf("%d walls, %d spawn points, %d pickups", len(l.Walls), len(l.Spawns), len(l.Pickups))
	}
	walls := map[Rect]bool{}
	for _, w := range l.Walls {
		walls[w] = true
	}
	for _, w := range l.Walls {
		if !walls[Rect{l.Width - w.X - w.W, w.Y, w.W, w.H}] || !walls[Rect{w.X, l.Height - w.Y - w.H, w.W, w.H}] {
			return fmt.Sprintf("no image of wall %+v", w)
		}
	}
	spots := append([]Spot(nil), l.Spawns...)
	for _, p := range l.Pickups {
		spots = append(spots, Spot{p.X, p.Y})
	}
	seen := map[Spot]bool{}
	for _, s := range spots {
		if seen[s] {
			return fmt.Sprintf("two spots at %+v", s)
		}
		seen[s] = true
		for _, w := range l.Walls {
			px, py := min(max(s.X, w.X), w.X+w.W), min(max(s.Y, w.Y), w.Y+w.H)
			if length(s.X-px, s.Y-py) < 2*radius {
				return fmt.Sprintf("spot %+v is at wall %+v", s, w)
			}
		}
	}
	// Every spot can be flown to from the first, on the bots' raster too.
	e := &eyes{width: l.Width, height: l.Height, walls: l.Walls}
	var p path
	p.lay(e)
	p.plan(p.place(spots[0].X, spots[0].Y), -1)
	for _, s := range spots {
		if p.step[p.place(s.X, s.Y)] == 0 {
			return fmt.Sprintf("no way to %+v", s)
		}
	}
	return ""
}
