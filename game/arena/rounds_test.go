package arena

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"skirmish/game"
)

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
