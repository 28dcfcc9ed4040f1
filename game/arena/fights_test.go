package arena

import (
	"testing"

	"skirmish/game"
)

const (
	east  = 0
	south = 1 << 14
	west  = 1 << 15
)

// Each story begins with two ships (or four in teams) on an empty ground, nobody protected.
func TestFights(t *testing.T) {
	for _, story := range []struct {
		name   string
		params string
		seats  int
		tell   func(t *testing.T, h *host)
	}{
		{"the rail hits at once and hurts", "", 2, func(t *testing.T, h *host) {
			h.place(1, 300, 300)
			b := h.place(2, 700, 300)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			if b.HP != MaxHP-RailDamage || len(h.sim.Beams) != 1 || h.sim.Beams[0].Hit != 2 {
				t.Errorf("hp %d, beams %+v", b.HP, h.sim.Beams)
			}
			if b.Body.VX <= 0 {
				t.Error("it is not pushed away")
			}
			h.seconds(1)
			if b.HP != MaxHP-RailDamage || len(h.sim.Beams) != 0 {
				t.Errorf("within its interval: hp %d, beams %d", b.HP, len(h.sim.Beams))
			}
			h.place(2, 700, 300)
			h.seconds(0.5)
			if b.HP != 0 || b.Dead == 0 {
				t.Errorf("after the second shot: hp %d", b.HP)
			}
		}},
		{"a wall stops the rail", "", 2, func(t *testing.T, h *host) {
			h.walls(Rect{500, 200, 40, 200})
			h.place(1, 300, 300)
			b := h.place(2, 700, 300)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			if x := h.sim.Beams[0].X2 / Unit; b.HP != MaxHP || h.sim.Beams[0].Hit != 0 || x < 499 || x > 500 {
				t.Errorf("hp %d, beam ends at %d", b.HP, x)
			}
		}},
		{"the rail pierces nobody and has a range", "", 3, func(t *testing.T, h *host) {
			h.place(1, 100, 300)
			b, c := h.place(2, 500, 300), h.place(3, 600, 300)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			if b.HP == MaxHP || c.HP != MaxHP {
				t.Errorf("hp %d and %d", b.HP, c.HP)
			}
			h.place(2, 100, 700)
			h.place(3, 100+RailRange+ShipRadius+10, 300)
			h.seconds(1.5)
			if c.HP != MaxHP {
				t.Errorf("beyond its range: hp %d", c.HP)
			}
		}},
		{"bolts fly, hit and push", "", 2, func(t *testing.T, h *host) {
			h.place(1, 300, 300)
			b := h.place(2, 500, 300)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonBolt}
			h.ticks(3)
			if b.HP != MaxHP || len(h.sim.Bolts) != 1 {
				t.Fatalf("hp %d, %d bolts", b.HP, len(h.sim.Bolts))
			}
			h.inputs[1] = Input{Aim: east}
			h.seconds(0.5)
			if b.HP != MaxHP-BoltDamage || b.Body.VX <= 0 || len(h.sim.Bolts) != 0 {
				t.Errorf("hp %d, vx %d, %d bolts", b.HP, b.Body.VX, len(h.sim.Bolts))
			}
		}},
		{"six bolts a second, ten in overdrive", "", 2, func(t *testing.T, h *host) {
			a := h.place(1, 700, 500)
			h.place(2, 100, 100)
			h.inputs[1] = Input{Aim: south, Buttons: ButtonBolt}
			first := h.sim.NextBolt
			h.seconds(2)
			if n := h.sim.NextBolt - first; n < 12 || n > 13 {
				t.Errorf("%d bolts in 2 s", n)
			}
			a.Body.Overdrive = 1000
			first = h.sim.NextBolt
			h.seconds(2)
			if n := h.sim.NextBolt - first; n < 19 || n > 21 {
				t.Errorf("%d bolts in 2 s of overdrive", n)
			}
		}},
		{"a wall stops bolts, also at the muzzle", "", 2, func(t *testing.T, h *host) {
			h.walls(Rect{400, 100, 40, 400})
			a := h.place(1, 300, 300)
			b := h.place(2, 480, 300)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonBolt}
			h.seconds(1)
			a.Body.X = (400 - ShipRadius) * Unit
			h.seconds(1)
			if b.HP != MaxHP {
				t.Errorf("hp %d", b.HP)
			}
		}},
		{"bolts die of age", "", 2, func(t *testing.T, h *host) {
			h.place(1, 30, 500)
			h.place(2, 300, 100)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonBolt}
			h.ticks(1)
			h.inputs[1] = Input{Aim: east}
			h.seconds(float64(BoltLife)/1000 - 0.1)
			if len(h.sim.Bolts) != 1 {
				t.Fatalf("%d bolts before", len(h.sim.Bolts))
			}
			h.seconds(0.2)
			if len(h.sim.Bolts) != 0 {
				t.Errorf("%d bolts after", len(h.sim.Bolts))
			}
		}},
		{"armor goes first", "", 2, func(t *testing.T, h *host) {
			h.place(1, 300, 300)
			b := h.place(2, 700, 300)
			b.Armor = 50
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			if b.Armor != 0 || b.HP != MaxHP-(RailDamage-50) {
				t.Errorf("armor %d, hp %d", b.Armor, b.HP)
			}
		}},
		{"spawn protection holds until the first shot", "", 2, func(t *testing.T, h *host) {
			a, b := h.place(1, 300, 300), h.place(2, 700, 300)
			b.Shield = h.sim.tune.protection
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			if b.HP != MaxHP || h.sim.Beams[0].Hit != 0 {
				t.Fatalf("protected: hp %d", b.HP)
			}
			h.inputs[1] = Input{}
			h.inputs[2] = Input{Aim: south, Buttons: ButtonBolt}
			h.ticks(1)
			if b.Shield != 0 {
				t.Fatal("firing does not end it")
			}
			a.Rail = 0
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			if b.HP != MaxHP-RailDamage {
				t.Errorf("after its shot: hp %d", b.HP)
			}
		}},
		{"a kill counts, the dead come back after a while", "", 2, func(t *testing.T, h *host) {
			a, b := h.place(1, 300, 300), h.place(2, 700, 300)
			b.HP = 10
			v := h.engine.NewViewer(0)
			h.events(v)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			h.inputs[1] = Input{}
			if a.Score != 1 || a.Kills != 1 || b.Deaths != 1 || b.Score != 0 || b.Dead == 0 {
				t.Fatalf("%+v %+v", a, b)
			}
			got := h.events(v)
			if len(got) != 1 || got[0].op != 0 || got[0].values[0].Int != 1 || got[0].values[1].Int != 2 || got[0].values[2].Int != WeaponRail {
				t.Errorf("a spectator heard %+v", got)
			}
			h.seconds(2.4)
			if b.alive() {
				t.Fatal("back too soon")
			}
			h.seconds(0.2)
			if !b.alive() || b.HP != MaxHP || b.Shield == 0 {
				t.Errorf("not back: %+v", b)
			}
			far := int64(0)
			for _, s := range h.sim.ground.Spawns {
				dx, dy := int64(s.X-a.Body.X), int64(s.Y-a.Body.Y)
				far = max(far, dx*dx+dy*dy)
			}
			if d := length(b.Body.X-a.Body.X, b.Body.Y-a.Body.Y); int64(d)*int64(d) < far*99/100 {
				t.Errorf("back %d units from its enemy, the farthest point is %d", d/Unit, isqrt(far)/Unit)
			}
		}},
		{"shooter and victim hear of a hit, nobody else", "", 3, func(t *testing.T, h *host) {
			h.place(1, 300, 300)
			h.place(2, 700, 300)
			h.place(3, 300, 700)
			viewers := []*game.Viewer{h.engine.NewViewer(1), h.engine.NewViewer(2), h.engine.NewViewer(3), h.engine.NewViewer(0)}
			for _, v := range viewers {
				h.events(v)
			}
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.ticks(1)
			for i, want := range []int{1, 1, 0, 0} {
				got := h.events(viewers[i])
				if len(got) != want || want == 1 && (got[0].op != 3 || got[0].values[2].Int != RailDamage) {
					t.Errorf("viewer %d heard %+v", i, got)
				}
			}
		}},
		{"two rails in one tick destroy both", "", 2, func(t *testing.T, h *host) {
			a, b := h.place(1, 300, 300), h.place(2, 700, 300)
			a.HP, b.HP = 10, 10
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail}
			h.inputs[2] = Input{Aim: west, Buttons: ButtonRail}
			h.ticks(1)
			if a.alive() || b.alive() || a.Score != 1 || b.Score != 1 {
				t.Errorf("%+v %+v", a, b)
			}
		}},
		{"ships bounce off each other", "", 2, func(t *testing.T, h *host) {
			a, b := h.place(1, 300, 300), h.place(2, 340, 300)
			a.Body.VX = 300 * Unit
			h.seconds(0.3)
			if b.Body.VX <= 0 || a.Body.VX >= b.Body.VX || a.HP != MaxHP || b.HP != MaxHP {
				t.Errorf("vx %d and %d, hp %d and %d", a.Body.VX/Unit, b.Body.VX/Unit, a.HP, b.HP)
			}
			if d := length(a.Body.X-b.Body.X, a.Body.Y-b.Body.Y); d < 2*radius-Unit {
				t.Errorf("they overlap: %d units", d/Unit)
			}
		}},
		{"a dash rams", "", 2, func(t *testing.T, h *host) {
			a, b := h.place(1, 300, 300), h.place(2, 400, 300)
			h.inputs[1] = Input{AX: 127, Buttons: ButtonDash}
			h.seconds(0.4)
			if b.HP != MaxHP-RamDamage || a.HP != MaxHP {
				t.Errorf("hp %d and %d", a.HP, b.HP)
			}
		}},
		{"a hard crash into a wall costs hp, and the last of it a point", "", 2, func(t *testing.T, h *host) {
			h.walls(Rect{400, 200, 80, 200})
			h.place(2, 100, 700)
			a := h.place(1, 320, 300)
			h.inputs[1] = Input{AX: 127, Buttons: ButtonDash}
			h.seconds(0.3)
			if a.HP == MaxHP || a.HP < MaxHP-CrashDamage-1 {
				t.Fatalf("hp %d", a.HP)
			}
			h.place(1, 320, 300)
			a.HP, a.Body.Dash = 1, 0
			h.seconds(0.3)
			if a.alive() || a.Score != -1 || a.Deaths != 1 || a.Kills != 0 {
				t.Errorf("%+v", a)
			}
		}},
		{"who was hit lately and crashes is a kill of the shooter", "", 2, func(t *testing.T, h *host) {
			h.walls(Rect{400, 200, 80, 200})
			a, b := h.place(1, 320, 300), h.place(2, 100, 700)
			a.HP, a.LastBy, a.LastAt = 1, 2, h.engine.Now()
			h.inputs[1] = Input{AX: 127, Buttons: ButtonDash}
			h.seconds(0.3)
			if a.alive() || a.Score != 0 || b.Score != 1 || b.Kills != 1 {
				t.Errorf("%+v %+v", a, b)
			}
		}},
		{"mates do each other no harm, and let the rail through", `{"mode":"teams"}`, 4, func(t *testing.T, h *host) {
			a, b, foe := h.place(1, 300, 300), h.place(3, 500, 300), h.place(2, 700, 300)
			h.place(4, 300, 700)
			if a.Team == foe.Team || a.Team != b.Team {
				t.Fatalf("teams %d %d %d", a.Team, b.Team, foe.Team)
			}
			h.inputs[1] = Input{Aim: east, Buttons: ButtonRail | ButtonBolt}
			h.ticks(1)
			if b.HP != MaxHP || foe.HP != MaxHP-RailDamage {
				t.Errorf("mate %d, foe %d", b.HP, foe.HP)
			}
			foe.HP, a.Rail = 1, 0
			foe.Body.X = 600 * Unit
			h.seconds(1)
			if b.HP != MaxHP || foe.alive() || h.sim.Red+h.sim.Blue != 1 || a.Score != 1 {
				t.Errorf("mate %d, foe %d, red %d, blue %d", b.HP, foe.HP, h.sim.Red, h.sim.Blue)
			}
		}},
		{"a lost player's ship drifts and holds its fire", "", 2, func(t *testing.T, h *host) {
			a := h.place(1, 300, 300)
			h.place(2, 300, 700)
			h.inputs[1] = Input{AX: 127, Aim: south, Buttons: ButtonBolt}
			h.seconds(0.5)
			h.engine.SetLost(1, true)
			h.ticks(1)
			shots, fast := h.sim.NextBolt, speed(&a.Body)
			h.seconds(1)
			if h.sim.NextBolt != shots || speed(&a.Body) >= fast || a.Aim != south {
				t.Errorf("%d shots, speed %d after %d, aim %d", h.sim.NextBolt-shots, speed(&a.Body), fast, a.Aim)
			}
		}},
		{"who leaves takes its bolts along", "", 3, func(t *testing.T, h *host) {
			h.place(1, 300, 300)
			b := h.place(2, 700, 300)
			h.place(3, 700, 700)
			h.inputs[1] = Input{Aim: east, Buttons: ButtonBolt}
			h.ticks(5)
			h.engine.Leave(1, game.ReasonLeft)
			h.seconds(1)
			if len(h.sim.Bolts) != 0 || b.HP != MaxHP || h.sim.slot(1) >= 0 || len(h.sim.Records) != 1 {
				t.Errorf("%d bolts, hp %d, records %+v", len(h.sim.Bolts), b.HP, h.sim.Records)
			}
		}},
		{"repair, armor and overdrive", "", 2, func(t *testing.T, h *host) {
			a := h.place(1, 300, 300)
			h.place(2, 100, 100)
			spots := []Spawner{{300 * Unit, 300 * Unit, PickupRepair}, {600 * Unit, 300 * Unit, PickupArmor},
				{900 * Unit, 300 * Unit, PickupOverdrive}}
			h.sim.ground.Pickups, h.sim.Pickups = spots, []int32{0, 0, 0}
			h.ticks(2)
			if h.sim.Pickups[0] != 0 {
				t.Fatal("a whole ship takes repair")
			}
			a.HP = 50
			h.ticks(1)
			if a.HP != 50+RepairHP || h.sim.Pickups[0] == 0 {
				t.Fatalf("hp %d, wait %d", a.HP, h.sim.Pickups[0])
			}
			h.place(1, 600, 300)
			h.ticks(1)
			if a.Armor != MaxArmor {
				t.Errorf("armor %d", a.Armor)
			}
			h.place(1, 900, 300)
			h.ticks(1)
			if a.Body.Overdrive == 0 {
				t.Error("no overdrive")
			}
			h.seconds(8.1)
			if a.Body.Overdrive != 0 {
				t.Error("overdrive does not end")
			}
			h.place(1, 100, 900)
			h.seconds(5)
			if h.sim.Pickups[0] != 0 || h.sim.Pickups[1] == 0 {
				t.Errorf("after 13 s: %v", h.sim.Pickups)
			}
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			h := newHost(t, story.seats, 1, story.params)
			for seat := range story.seats {
				h.join(game.Seat(seat + 1))
			}
			h.play()
			story.tell(t, h)
		})
	}
}
