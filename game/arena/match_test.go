package arena

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
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

func TestRounds(t *testing.T) {
	for _, story := range []struct {
		name   string
		params string
		tell   func(t *testing.T, h *host)
	}{
		{"the warm-up waits for the first player", `{}`, func(t *testing.T, h *host) {
			h.seconds(10)
			if h.sim.Phase != PhaseWarmup || h.sim.Ends != 0 {
				t.Fatalf("phase %d ends %d", h.sim.Phase, h.sim.Ends)
			}
			h.join(1)
			h.seconds(2.9)
			if h.sim.Phase != PhaseWarmup {
				t.Fatalf("phase %d", h.sim.Phase)
			}
			h.seconds(0.2)
			if h.sim.Phase != PhasePlaying || h.sim.Number != 1 {
				t.Errorf("phase %d, round %d", h.sim.Phase, h.sim.Number)
			}
		}},
		{"rounds, intermissions and a result", `{"rounds":2,"round_seconds":10}`, func(t *testing.T, h *host) {
			h.join(1)
			h.join(2)
			v := h.engine.NewViewer(0)
			h.seconds(3.1)
			h.sim.Ships[1].Score, h.sim.Ships[1].Kills = 4, 4
			h.seconds(10)
			if h.sim.Phase != PhaseIntermission || h.sim.Ships[1].Score != 4 {
				t.Fatalf("phase %d, score %d", h.sim.Phase, h.sim.Ships[1].Score)
			}
			walls := slices.Clone(h.sim.ground.Walls)
			h.inputs[1] = Input{Buttons: ButtonBolt | ButtonRail}
			h.seconds(7.8)
			if len(h.sim.Bolts)+len(h.sim.Beams) > 0 {
				t.Error("shots in the intermission")
			}
			h.inputs[1] = Input{}
			h.seconds(0.4)
			if h.sim.Phase != PhasePlaying || h.sim.Number != 2 || h.sim.Ships[1].Score != 0 {
				t.Fatalf("phase %d, round %d, score %d", h.sim.Phase, h.sim.Number, h.sim.Ships[1].Score)
			}
			if slices.Equal(walls, h.sim.ground.Walls) {
				t.Error("the second round has the walls of the first")
			}
			h.sim.Ships[0].Score, h.sim.Ships[0].Kills = 3, 3
			h.seconds(18.5)
			ending, over := h.engine.Ended()
			if !over || ending.Reason != game.ReasonFinished {
				t.Fatalf("%v %+v", over, ending)
			}
			want := `{"mode":"ffa","winner":"p2","rounds":[{"number":1,"winner":"p2","red":0,"blue":0},` +
				`{"number":2,"winner":"p1","red":0,"blue":0}],"players":[` +
				`{"player_id":"p2","team":"","score":4,"kills":4,"deaths":0,"wins":1,"rank":1,"outcome":"win"},` +
				`{"player_id":"p1","team":"","score":3,"kills":3,"deaths":0,"wins":1,"rank":2,"outcome":"loss"}]}`
			if string(ending.Result) != want {
				t.Errorf("result %s\nwant %s", ending.Result, want)
			}
			var phases []int32
			for _, e := range h.events(v) {
				if e.op == 2 {
					phases = append(phases, e.values[0].Int*100+e.values[1].Int*10+e.values[2].Int)
				}
			}
			if !slices.Equal(phases, []int32{10, 110, 212, 120, 221}) { // phase, number, winner
				t.Errorf("phases %v", phases)
			}
		}},
		{"a fixed map stays", `{"rounds":0,"round_seconds":10,"map":7}`, func(t *testing.T, h *host) {
			h.join(1)
			h.seconds(4)
			walls := slices.Clone(h.sim.ground.Walls)
			h.seconds(18)
			if h.sim.Number != 2 || !slices.Equal(walls, h.sim.ground.Walls) {
				t.Errorf("round %d", h.sim.Number)
			}
		}},
		{"the score limit ends a round", `{"score_limit":3}`, func(t *testing.T, h *host) {
			h.join(1)
			h.join(2)
			h.seconds(4)
			h.sim.score(0, 3)
			h.ticks(1)
			if h.sim.Phase != PhaseIntermission {
				t.Errorf("phase %d", h.sim.Phase)
			}
		}},
		{"a team's score counts in teams", `{"score_limit":3,"mode":"teams"}`, func(t *testing.T, h *host) {
			for seat := range game.Seat(4) {
				h.join(seat + 1)
			}
			h.seconds(4)
			h.sim.score(h.sim.slot(1), 2)
			h.sim.score(h.sim.slot(3), 1)
			h.ticks(1)
			if h.sim.Phase != PhaseIntermission || h.sim.Rounds[0].Winner != "red" || h.sim.Ships[0].Total.Wins != 1 {
				t.Errorf("phase %d, %+v", h.sim.Phase, h.sim.Rounds)
			}
		}},
		{"teams start in their halves", `{"mode":"teams"}`, func(t *testing.T, h *host) {
			for seat := range game.Seat(8) {
				h.joinAs(game.PlayerInfo{Seat: seat + 1, Team: 1 + int(seat)/4})
			}
			h.ticks(int(h.sim.tune.warmup) + 2)
			for i := range h.sim.Ships {
				p := &h.sim.Ships[i]
				if p.Seat != 0 && (p.Body.X < h.sim.ground.Width/2) != (p.Team == TeamRed) {
					t.Errorf("team %d at %d", p.Team, p.Body.X/Unit)
				}
			}
		}},
		{"a late player plays at once, one that left is in the result", `{"round_seconds":10}`, func(t *testing.T, h *host) {
			h.join(1)
			h.join(2)
			h.seconds(5)
			h.sim.Ships[0].Score, h.sim.Ships[0].Kills = 2, 2
			h.join(3)
			h.engine.Leave(1, game.ReasonLeft)
			h.ticks(1)
			if !h.ship(3).alive() || h.ship(3).Shield == 0 {
				t.Fatal("the late player is not in play")
			}
			h.seconds(20)
			ending, _ := h.engine.Ended()
			var r Result
			if err := json.Unmarshal(ending.Result, &r); err != nil {
				t.Fatal(err)
			}
			if len(r.Players) != 3 || r.Players[2].PlayerID != "p1" || r.Players[2].Outcome != "left" ||
				r.Players[2].Kills != 2 || r.Players[0].Outcome != "draw" || r.Winner != "" {
				t.Errorf("%+v", r)
			}
		}},
		{"who comes back goes on with its totals", `{"rounds":0,"round_seconds":10}`, func(t *testing.T, h *host) {
			h.join(1)
			h.join(2)
			h.seconds(5)
			h.sim.Ships[0].Score = 2
			h.engine.Leave(1, game.ReasonExpired)
			h.ticks(1)
			h.join(1)
			h.ticks(1)
			if p := h.ship(1); p.Total.Score != 2 || p.Score != 0 || len(h.sim.Records) != 0 {
				t.Errorf("%+v", p)
			}
		}},
		{"an end from outside gives the result so far", `{}`, func(t *testing.T, h *host) {
			h.join(1)
			h.join(2)
			h.seconds(5)
			h.sim.Ships[1].Score, h.sim.Ships[1].Kills = 1, 1
			h.engine.Stop(game.ReasonForce)
			ending, over := h.engine.Ended()
			if !over || !strings.Contains(string(ending.Result), `"winner":"p2"`) {
				t.Errorf("%v %s", over, ending.Result)
			}
		}},
		{"a result never outgrows the engine", `{"rounds":0}`, func(t *testing.T, h *host) {
			for range MaxRecords + 10 {
				h.sim.record(&Ship{ID: strings.Repeat("\u0001", 120), Seat: 1})
			}
			if n := len(h.sim.result()); n > game.MaxResultBytes {
				t.Errorf("%d bytes", n)
			}
		}},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, newHost(t, 8, 1, story.params)) })
	}
}

func TestParams(t *testing.T) {
	for _, c := range []struct {
		name, params string
		players      int
		rate         int
		want         []string // parts of the error; none: it is accepted
	}{
		{"none", ``, 16, 60, nil},
		{"all", `{"mode":"teams","round_seconds":10,"rounds":100,"score_limit":1000,"map":2147483647}`, 2, 120, nil},
		{"zeroes", `{"rounds":0,"score_limit":0,"map":0}`, 64, 10, nil},
		{"a mode that is none", `{"mode":"duel"}`, 16, 60, []string{"params.mode", `"duel"`, "ffa", "teams"}},
		{"a round too short", `{"round_seconds":9}`, 16, 60, []string{"params.round_seconds", "9", "10 to 3600"}},
		{"a round too long", `{"round_seconds":3601}`, 16, 60, []string{"params.round_seconds", "10 to 3600"}},
		{"too many rounds", `{"rounds":101}`, 16, 60, []string{"params.rounds", "0 to 100"}},
		{"a negative score limit", `{"score_limit":-1}`, 16, 60, []string{"params.score_limit", "0 to 1000"}},
		{"a negative map", `{"map":-1}`, 16, 60, []string{"params.map", "0 to 2147483647"}},
		{"several faults at once", `{"rounds":-1,"map":-1,"mode":""}`, 16, 60, []string{"params.rounds", "params.map", "params.mode"}},
		{"an unknown field", `{"bots":3}`, 16, 60, []string{"bots", "unknown"}},
		{"a wrong type", `{"rounds":"two"}`, 16, 60, []string{"rounds"}},
		{"no object", `[1]`, 16, 60, []string{"params"}},
		{"one player", ``, 1, 60, []string{"players", "2 to 64"}},
		{"too slow a rate", ``, 16, 5, []string{"tick_rate", "10 to 120"}},
		{"too fast a rate", ``, 16, 240, []string{"tick_rate", "10 to 120"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &game.Match{ID: "m", Game: "arena", Params: json.RawMessage(c.params), Players: c.players,
				TickRate: c.rate, SnapshotRate: c.rate}
			_, err := New().New(context.Background(), m)
			if (err == nil) != (c.want == nil) {
				t.Fatalf("error %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if c.want != nil && strings.HasPrefix(c.want[0], "params.") {
				if _, ok := errors.AsType[*game.ParamError](err); !ok {
					t.Errorf("%T is no ParamError", err)
				}
			}
		})
	}
}
