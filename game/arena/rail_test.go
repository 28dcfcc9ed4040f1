package arena

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// shots is how many of each kind of gunners.
var shots = flag.Int("shots", shotsEach, "rail shots of each kind of gunners")

// gunner is a player that flies about and shoots the rail at what it sees.
type gunner struct {
	*remote
	blind  bool  // it tells the server nothing of what it sees
	reload int64 // when it may shoot again
	fly    func(r *remote, now int64) Input
	row    []float64
	shots  int // by the beams
	hits   int
}

// shoot is the next input: now and then a shot at a target that it has in the picture.
func (g *gunner) shoot(r *remote, now int64) Input {
	in := g.fly(r, now)
	if g.blind {
		r.session.SetView(0, 0)
	}
	me, ok := r.predict.Body()
	if !ok || now < g.reload || r.picture.Tick == 0 {
		return in
	}
	after := me // the own ship will have moved by this input when it is fired
	r.flight.Step(&after, in)
	first := firstTarget + game.Seat(r.rand.IntN(targets))
	for k := range game.Seat(targets) {
		seat := firstTarget + (first-firstTarget+k)%targets
		_, row, ok := r.picture.Row(uint32(seat), g.row[:0])
		g.row = row
		if !ok || uint8(row[colFlags])&FlagDead != 0 {
			continue
		}
		x, y := row[colX]*(1<<wireShift)-float64(after.Body.X), row[colY]*(1<<wireShift)-float64(after.Body.Y)
		far := math.Hypot(x, y)
		if far < 150*Unit || far > 650*Unit {
			continue
		}
		beside := (r.rand.Float64()*2 - 1) * 1.3 * radius // of a hand that is not sure
		in.Aim = uint16(int32(math.Round((math.Atan2(y, x) + math.Atan2(beside, far)) / (2 * math.Pi) * fullTurn)))
		in.Buttons = ButtonRail
		g.reload = now + int64((RailInterval+300)*time.Millisecond)
		break
	}
	return in
}

const (
	gunners     = 8 // of each kind
	targets     = 16
	firstTarget = game.Seat(3*gunners + 1)
)

// dodge is how a target flies: it changes its mind all the time.
func dodge(r *rand.Rand, in *Input) {
	if r.IntN(25) == 0 {
		in.AX, in.AY = int8(r.IntN(255)-127), int8(r.IntN(255)-127)
		in.Buttons = 0
		if r.IntN(8) == 0 {
			in.Buttons = ButtonDash
		}
	}
}

// target is a player that only flies, beside the server.
type target struct {
	seat game.Seat
	seq  uint32
	in   Input
}

// TestTheRailHitsWhatIsSeen lets gunners of a good link and of a slow one shoot at the same targets, and some of the
// slow one who keep to themselves what they see.
func TestTheRailHitsWhatIsSeen(t *testing.T) {
	e := newEmulated(t, 64, 9, `{"rounds":0,"round_seconds":3600}`)
	random := rand.New(rand.NewPCG(4, 2))
	var all [3][]*gunner
	seat := game.Seat(0)
	for kind := range all {
		for range gunners {
			seat++
			rtt, jitter := time.Millisecond, time.Duration(0)
			if kind > 0 {
				rtt, jitter = 100*time.Millisecond, 5*time.Millisecond
			}
			g := &gunner{remote: e.connect(seat, rtt, jitter), fly: roam(), blind: kind == 2}
			g.think = g.shoot
			all[kind] = append(all[kind], g)
		}
	}
	var prey []*target
	for k := range game.Seat(targets) {
		prey = append(prey, &target{seat: firstTarget + k})
		e.joinAs(game.PlayerInfo{Seat: firstTarget + k})
	}
	e.play()
	for _, r := range e.remotes {
		r.flight.round = 0 // the walls are gone in the middle of a round
	}
	e.step = int64(time.Millisecond)
	e.at, e.due = e.now.UnixNano(), e.now.UnixNano()+int64(time.Second)/60
	for all[0][0].shots+all[2][0].shots < 2**shots/gunners {
		for _, p := range prey {
			dodge(random, &p.in)
			p.seq++
			e.values = append(e.values[:0], int32(p.in.AX), int32(p.in.AY), int32(p.in.Aim), int32(p.in.Buttons))
			in := protocol.Input{FirstSeq: p.seq, Count: 1, Values: e.values}
			if _, err := e.engine.Push(p.seat, &in, e.at); err != nil {
				t.Fatal(err)
			}
		}
		for i := range e.sim.Ships { // nobody dies, nobody is protected
			p := &e.sim.Ships[i]
			p.HP, p.Armor, p.Shield = MaxHP, 0, 0
		}
		e.run(time.Second / 60)
		for _, b := range e.sim.Beams {
			if b.Life != e.sim.tune.beamLife-1 {
				continue // of an earlier tick
			}
			g := all[(b.Owner-1)/gunners][(b.Owner-1)%gunners]
			g.shots++
			if b.Hit != 0 {
				g.hits++
			}
		}
	}
	var rate [3]float64
	for kind, name := range []string{"1 ms", "100 ms", "100 ms, without a view"} {
		fired, hits := 0, 0
		for _, g := range all[kind] {
			fired, hits = fired+g.shots, hits+g.hits
		}
		share := float64(hits) / float64(fired)
		rate[kind] = 100 * share
		t.Logf("%-24s %5d shots, %5d hits: %.2f ± %.2f %% (95 %%)", name, fired, hits, rate[kind], 196*math.Sqrt(share*(1-share)/float64(fired)))
		if fired < *shots*9/10 {
			t.Errorf("only %d shots", fired)
		}
	}
	if d := rate[1] - rate[0]; d > shotsApart || d < -shotsApart {
		t.Errorf("a round trip of 100 ms changes the hits by %.1f points, want at most %d", d, shotsApart)
	}
	if rate[2] > rate[0]-15 {
		t.Error("without a view it must be clearly worse, or this test shows nothing")
	}
}
