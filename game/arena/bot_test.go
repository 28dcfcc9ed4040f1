package arena

import (
	"encoding/json"
	"testing"

	"skirmish/game"
	"skirmish/protocol"
)

// brawl is what a test sees of a match of bots.
type brawl struct {
	*host
	viewer  *game.Viewer
	kills   int
	weapons [3]int
	pickups [3]int
	still   map[game.Seat]int // ticks in a row that an own living ship has stayed near a place
	where   map[game.Seat]Spot
	longest int // of still
	way     map[game.Seat]int64
	last    map[game.Seat]Spot
}

func newBrawl(h *host) *brawl {
	return &brawl{host: h, viewer: h.engine.NewViewer(0), still: map[game.Seat]int{}, where: map[game.Seat]Spot{},
		way: map[game.Seat]int64{}, last: map[game.Seat]Spot{}}
}

// watch runs n ticks and notes what happens.
func (b *brawl) watch(n int) {
	for range n {
		if _, over := b.engine.Ended(); over {
			return
		}
		b.ticks(1)
		for _, e := range b.events(b.viewer) {
			switch e.op {
			case 0:
				b.kills++
				b.weapons[e.values[2].Int]++
			case 1:
				b.pickups[e.values[1].Int]++
			}
		}
		for i := range b.sim.Ships {
			p := &b.sim.Ships[i]
			if !p.alive() || b.sim.Phase != PhasePlaying {
				b.still[p.Seat], b.last[p.Seat] = 0, Spot{p.Body.X, p.Body.Y}
				continue
			}
			l := b.last[p.Seat]
			b.way[p.Seat] += int64(length(p.Body.X-l.X, p.Body.Y-l.Y))
			b.last[p.Seat] = Spot{p.Body.X, p.Body.Y}
			w := b.where[p.Seat]
			if b.still[p.Seat] == 0 || length(p.Body.X-w.X, p.Body.Y-w.Y) > 40*Unit {
				b.where[p.Seat], b.still[p.Seat] = Spot{p.Body.X, p.Body.Y}, 0
			}
			b.still[p.Seat]++
			b.longest = max(b.longest, b.still[p.Seat])
		}
	}
}

func TestAMatchOfBotsIsLively(t *testing.T) {
	for _, c := range []struct {
		name    string
		players int
		params  string
		seed    uint64
		kills   int
		rate    int // Hz
	}{
		{"sixteen, each for itself", 16, `{"rounds":1}`, 3, 60, 60},
		{"teams of eight", 16, `{"mode":"teams","rounds":1,"round_seconds":60}`, 4, 20, 60},
		{"a duel", 2, `{"rounds":1}`, 5, 6, 60},
		{"sixty-four", 64, `{"rounds":1,"round_seconds":20}`, 6, 25, 60},
		{"sixteen at twenty steps a second", 16, `{"round_seconds":60}`, 7, 20, 20},
		{"eight at a hundred and twenty", 8, `{"round_seconds":60}`, 8, 10, 120},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &host{t: t, rate: c.rate}
			h.start(watched{sim: &h.sim}, c.players, c.seed, c.params)
			b := newBrawl(h)
			for seat := range c.players {
				b.joinAs(game.PlayerInfo{Seat: game.Seat(seat + 1), Bot: true})
			}
			b.watch(c.rate * 200)
			ending, over := b.engine.Ended()
			if !over || ending.Reason != game.ReasonFinished {
				t.Fatalf("after 200 s: %v %q", over, ending.Reason)
			}
			t.Logf("%d kills (bolt, rail, crash: %v), pickups %v, longest stay %.1f s", b.kills, b.weapons, b.pickups,
				float64(b.longest)/float64(c.rate))
			if b.kills < c.kills {
				t.Errorf("%d kills, want %d", b.kills, c.kills)
			}
			if c.players > 2 && (b.weapons[WeaponBolt] == 0 || b.weapons[WeaponRail] == 0 || b.weapons[WeaponCrash] == 0) {
				t.Errorf("weapons %v, want all of them used", b.weapons)
			}
			if b.pickups[PickupRepair] == 0 {
				t.Error("nobody ever went for repair")
			}
			if b.longest > 5*c.rate {
				t.Errorf("a bot stayed within 40 units for %.1f s", float64(b.longest)/float64(c.rate))
			}
			seconds := int64(b.sim.params.RoundSeconds)
			for seat, way := range b.way {
				if seat != 0 && way/Unit < 60*seconds {
					t.Errorf("seat %d went %d units in %d s", seat, way/Unit, seconds)
				}
			}
			checkResult(t, b, ending.Result, c.players)
			if n, first := b.engine.Clamped(); n > 0 {
				t.Errorf("%d values out of the plan: %s", n, first)
			}
		})
	}
}

// checkResult holds the result to the final state: scores add up, everybody is there, in order.
func checkResult(t *testing.T, b *brawl, raw json.RawMessage, players int) {
	t.Helper()
	var r Result
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Players) != players || len(r.Rounds) != 1 || r.Mode != b.sim.params.Mode {
		t.Fatalf("%d players, %d rounds, mode %q", len(r.Players), len(r.Rounds), r.Mode)
	}
	seen, kills, deaths, score := map[string]bool{}, int32(0), int32(0), int32(0)
	for i, p := range r.Players {
		seen[p.PlayerID] = true
		kills, deaths, score = kills+p.Kills, deaths+p.Deaths, score+p.Score
		if p.Rank < 1 || p.Rank > i+1 || p.Outcome == "" || p.Outcome == "left" {
			t.Errorf("%+v", p)
		}
		if i > 0 && p.Score > r.Players[i-1].Score {
			t.Errorf("rank %d has more than rank %d", p.Rank, r.Players[i-1].Rank)
		}
	}
	if len(seen) != players {
		t.Errorf("%d different players", len(seen))
	}
	// Every death was somebody's kill (+1) or the victim's own fault (−1).
	if score != kills-(deaths-kills) || kills > deaths {
		t.Errorf("score %d, kills %d, deaths %d do not add up", score, kills, deaths)
	}
	if b.sim.teams() && score != r.Rounds[0].Red+r.Rounds[0].Blue {
		t.Errorf("score %d, teams %+v", score, r.Rounds[0])
	}
	if int(deaths) > b.kills {
		t.Errorf("%d deaths but %d kill events", deaths, b.kills)
	}
}

// twoSkills is the arena whose bots differ by the seat's parity.
type twoSkills struct {
	watched
	next *int
}

func (w twoSkills) Bot(seed uint64) game.Bot {
	*w.next++
	if *w.next%2 == 1 {
		return NewBotOfSkill(seed, 90)
	}
	return NewBotOfSkill(seed, 10)
}

func TestSkillWinsDuels(t *testing.T) {
	good, bad := int32(0), int32(0)
	for seed := range uint64(6) {
		h := &host{t: t}
		next := 0
		h.start(twoSkills{watched{sim: &h.sim}, &next}, 2, seed, `{"round_seconds":90}`)
		h.joinAs(game.PlayerInfo{Seat: 1, Bot: true})
		h.joinAs(game.PlayerInfo{Seat: 2, Bot: true})
		h.seconds(92)
		good, bad = good+h.ship(1).Kills, bad+h.ship(2).Kills
	}
	t.Logf("%d to %d", good, bad)
	if good < 2*bad || good < 20 {
		t.Errorf("skill 90 against skill 10: %d to %d kills", good, bad)
	}
}

func TestColumns(t *testing.T) {
	d, err := game.Compile(Arena{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(fields []protocol.Field, name string) int {
		for i, f := range fields {
			if f.Name == name {
				return i
			}
		}
		return -1
	}
	kind := func(k uint8) []protocol.Field { return d.Plan.Kinds[k].Fields }
	for _, c := range []struct {
		fields []protocol.Field
		name   string
		want   int
	}{
		{kind(KindShip), "x", colX}, {kind(KindShip), "y", colY}, {kind(KindShip), "hp", colHP},
		{kind(KindShip), "flags", colFlags}, {kind(KindShip), "team", colTeam}, {kind(KindShip), "aim", colAim},
		{kind(KindBolt), "x", colX}, {kind(KindBolt), "aim", colAim}, {kind(KindBolt), "owner", colBoltOwner},
		{kind(KindPickup), "x", colX}, {kind(KindPickup), "type", colPickupType},
		{kind(KindWall), "w", colW}, {kind(KindWall), "h", colH},
		{kind(KindRound), "phase", colPhase}, {kind(KindRound), "number", colNumber},
		{kind(KindRound), "width", colWidth}, {kind(KindRound), "height", colHeight},
		{d.Plan.Private.Fields, "x", colX}, {d.Plan.Private.Fields, "vx", colVX}, {d.Plan.Private.Fields, "vy", colVY},
		{d.Plan.Private.Fields, "dash", colDash}, {d.Plan.Private.Fields, "rail", colRail},
	} {
		if got := at(c.fields, c.name); got != c.want {
			t.Errorf("%s is column %d, not %d", c.name, got, c.want)
		}
	}
	if n := len(d.Plan.Private.Fields); n != selfColumns {
		t.Errorf("the private row has %d columns, not %d", n, selfColumns)
	}
	for i, want := range []string{"ship", "bolt", "beam", "pickup", "wall", "round", "standing"} {
		if d.Plan.Kinds[i].Name != want {
			t.Errorf("kind %d is %q, not %q", i, d.Plan.Kinds[i].Name, want)
		}
	}
	for i, want := range []string{"kill", "pickup", "phase", "hit"} {
		if d.Plan.Events[i].Name != want {
			t.Errorf("event %d is %q, not %q", i, d.Plan.Events[i].Name, want)
		}
	}
}
