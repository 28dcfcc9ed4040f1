package gametest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"skirmish/game"
	"skirmish/game/gametest"
)

// A sound game, which each offender below spoils in one way. The conformance test must catch every one of them
// by the named check and with words that lead to the cause.

type Input struct {
	Move int8 `net:"move,min=-10,max=10"`
}

type Row struct {
	X float32 `net:"x,scale=100,min=-100000,max=100000"`
	N int32   `net:"n,min=-100000,max=100000"`
}

type Bang struct {
	Seat game.Seat `net:"seat"`
}

type base struct{}

func (base) Spec() game.Spec {
	return game.Spec{Name: "sound", Version: "1", Input: Input{}, Kinds: []any{Row{}}, Private: Row{}, Events: []any{Bang{}},
		TickRate: 30, SnapshotRate: 10, MaxPlayers: 6}
}

func (base) New(_ context.Context, m *game.Match) (game.Sim, error) { return newSim(m), nil }

func (base) Bot(seed uint64) game.Bot { return &bot{rand: game.NewRand(seed)} }

type bot struct{ rand *game.Rand }

func (b *bot) Think(_ *game.View, in any) { in.(*Input).Move = int8(b.rand.Between(-10, 10)) }

type sim struct {
	At    map[game.Seat]int32
	Sum   int32
	Draws uint32
	match *game.Match // New's own
}

func newSim(m *game.Match) *sim { return &sim{At: map[game.Seat]int32{}, match: m} }

func (s *sim) Join(_ *game.Tick, p *game.Player)                 { s.At[p.Seat] = 0 }
func (s *sim) Leave(_ *game.Tick, p *game.Player, _ game.Reason) { delete(s.At, p.Seat) }

func (s *sim) Step(t *game.Tick) {
	s.Draws = t.Rand().Uint32()
	for _, p := range t.Players() {
		in, _ := game.Input[Input](t, p)
		s.At[p.Seat] = min(max(s.At[p.Seat]+int32(in.Move), -1000), 1000)
		s.Sum = (s.Sum + s.At[p.Seat]) % 1000
		if s.At[p.Seat]%7 == 1 {
			t.Emit(p, &Bang{Seat: p.Seat})
		}
	}
}

func (s *sim) Frame(f *game.Frame) {
	for seat, x := range s.At { // any order: the engine sorts
		f.Put(uint32(seat), &Row{X: float32(x), N: x})
	}
}

func (s *sim) Private(p *game.Player, row any) { row.(*Row).N = s.At[p.Seat] }

func TestSoundGame(t *testing.T) {
	gametest.Run(t, func() game.Game { return base{} }, gametest.Options{Dir: "testdata/sound"})
}

// hunter is a sound game as well: it rewinds, and takes signals.
type hunter struct{ base }

func (hunter) Spec() game.Spec {
	s := base{}.Spec()
	s.Rewind = []any{Row{}}
	return s
}

func (hunter) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &hunterSim{sim: *newSim(m)}, nil
}

type hunterSim struct{ sim }

func (s *hunterSim) Step(t *game.Tick) {
	s.sim.Step(t)
	var row Row
	for _, p := range t.Players() {
		for _, other := range t.Players() {
			if t.Rewind(p).Row(uint32(other.Seat), &row) {
				s.Sum = (s.Sum + int32(row.X*100) + row.N) % 1000
			}
		}
	}
}

func (s *hunterSim) Signal(t *game.Tick, op string, in json.RawMessage) (any, error) {
	if op != "add" {
		return nil, fmt.Errorf("no signal %q", op)
	}
	var n int32
	if err := json.Unmarshal(in, &n); err != nil {
		return nil, err
	}
	s.Sum = (s.Sum + n%1000) % 1000
	return s.Sum, nil
}

func TestSoundHunter(t *testing.T) {
	gametest.Run(t, func() game.Game { return hunter{} }, gametest.Options{Dir: "testdata/sound",
		Signals: []gametest.Signal{{Op: "add", In: json.RawMessage("7")}}})
}

// lookingHunter: Frame counts how often it is called, and so would Private.
type lookingHunter struct{ hunter }

func (lookingHunter) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &lookingHunterSim{hunterSim{sim: *newSim(m)}}, nil
}

type lookingHunterSim struct{ hunterSim }

func (s *lookingHunterSim) Frame(f *game.Frame) {
	s.sim.Frame(f)
	s.Draws++
}

// memory: what it remembers of the past is not saved.
type memory struct{ hunter }

func (memory) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &memorySim{hunterSim: hunterSim{sim: *newSim(m)}}, nil
}

type memorySim struct {
	hunterSim
	last Row
}

func (s *memorySim) Step(t *game.Tick) {
	s.hunterSim.Step(t)
	s.Sum = (s.Sum + s.last.N) % 1000
	for _, p := range t.Players() {
		t.Rewind(p).Row(uint32(p.Seat), &s.last)
	}
}

// gossip: the answer to a signal is the same for all matches.
type gossip struct{ hunter }

func (gossip) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &gossipSim{hunterSim{sim: *newSim(m)}}, nil
}

type gossipSim struct{ hunterSim }

func (s *gossipSim) Signal(*game.Tick, string, json.RawMessage) (any, error) {
	shared++
	return shared, nil
}

// brittle: a signal that it does not expect is a panic.
type brittle struct{ hunter }

func (brittle) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &brittleSim{hunterSim{sim: *newSim(m)}}, nil
}

type brittleSim struct{ hunterSim }

func (s *brittleSim) Signal(_ *game.Tick, _ string, in json.RawMessage) (any, error) {
	return in[0] == '{', nil
}

// mapOrder: which player is hit first depends on the order of a map's iteration.
type mapOrder struct{ base }

func (mapOrder) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &mapOrderSim{sim: *newSim(m)}, nil
}

type mapOrderSim struct {
	sim
	First game.Seat
}

func (s *mapOrderSim) Step(t *game.Tick) {
	s.sim.Step(t)
	for seat := range s.At {
		s.First = seat
	}
}

// eventOrder: the state is fine, but the events come in the order of a map's iteration.
type eventOrder struct{ base }

func (eventOrder) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &eventOrderSim{sim: *newSim(m)}, nil
}

type eventOrderSim struct{ sim }

func (s *eventOrderSim) Step(t *game.Tick) {
	s.sim.Step(t)
	for seat := range s.At {
		t.Emit(nil, &Bang{Seat: seat})
	}
}

// global: matches of the game share a package variable.
type global struct{ base }

var shared int32

func (global) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &globalSim{sim: *newSim(m)}, nil
}

type globalSim struct{ sim }

func (s *globalSim) Step(t *game.Tick) {
	s.sim.Step(t)
	shared = (shared*31 + s.Sum) % 1009
	s.Sum = (s.Sum + shared) % 1000
}

// hidden: state in an unexported field.
type hidden struct{ base }

func (hidden) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &hiddenSim{sim: *newSim(m)}, nil
}

type hiddenSim struct {
	sim
	cooldown int32
}

func (s *hiddenSim) Step(t *game.Tick) {
	s.sim.Step(t)
	s.cooldown = (s.cooldown + 1) % 20
	if s.cooldown == 0 {
		s.Sum++
	}
}

// keepsPlayers: it holds on to what is valid during a call only, and to what has no type.
type keepsPlayers struct{ base }

func (keepsPlayers) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &keepsPlayersSim{sim: *newSim(m)}, nil
}

func (s *keepsPlayersSim) Join(t *game.Tick, p *game.Player) {
	if s.sim.Join(t, p); s.leader == nil {
		s.leader = p
	}
}

type keepsPlayersSim struct {
	sim
	leader *game.Player
	Any    map[string]any
}

// looking: Frame counts how often it is called.
type looking struct{ base }

func (looking) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &lookingSim{sim: *newSim(m)}, nil
}

type lookingSim struct{ sim }

func (s *lookingSim) Frame(f *game.Frame) {
	s.sim.Frame(f)
	s.Sum = (s.Sum + 1) % 1000
}

// nan: a row that is not a number.
type nan struct{ base }

func (nan) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &nanSim{sim: *newSim(m)}, nil
}

type nanSim struct{ sim }

func (s *nanSim) Frame(f *game.Frame) {
	s.sim.Frame(f)
	f.Put(99, &Row{X: float32(math.NaN())})
}

// wide: a private row out of its range.
type wide struct{ base }

func (wide) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &wideSim{sim: *newSim(m)}, nil
}

type wideSim struct{ sim }

func (s *wideSim) Private(p *game.Player, row any) { row.(*Row).N = math.MaxInt32 }

// fragile: New panics on parameters it does not expect.
type fragile struct{ base }

func (fragile) New(_ context.Context, m *game.Match) (game.Sim, error) {
	if m.Params != nil && m.Params[0] != '{' {
		panic(fmt.Sprintf("what is %s", m.Params))
	}
	return newSim(m), nil
}

// impatient: the tick rate is a divisor, of a table of four.
type impatient struct{ base }

func (impatient) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &impatientSim{sim: *newSim(m)}, nil
}

type impatientSim struct{ sim }

func (s *impatientSim) Step(t *game.Tick) { s.Sum = 100 / int32(t.Rate()/10) }

// lonely: it does not expect that everybody leaves.
type lonely struct{ base }

func (lonely) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &lonelySim{sim: *newSim(m)}, nil
}

type lonelySim struct{ sim }

func (s *lonelySim) Leave(t *game.Tick, p *game.Player, why game.Reason) {
	s.sim.Leave(t, p, why)
	s.Sum = 100 / int32(len(t.Players()))
}

// moody: its bots share a random source.
type moody struct{ base }

var mood = game.NewRand(1)

func (moody) Bot(uint64) game.Bot { return &bot{rand: mood} }

// peeping: what a player is shown changes the state, so that the match depends on who looks.
type peeping struct{ base }

func (peeping) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &peepingSim{sim: *newSim(m)}, nil
}

type peepingSim struct{ sim }

func (s *peepingSim) Frame(f *game.Frame) {
	s.sim.Frame(f)
	f.PutFor(1, 1000, &Row{}) // makes everybody see other rows
}

func (s *peepingSim) View(*game.Player, *game.ViewSet) { s.Sum = (s.Sum + 1) % 1000 }

// fickle: Spec differs from call to call.
type fickle struct {
	base
	n *int
}

func (g fickle) Spec() game.Spec {
	s := g.base.Spec()
	*g.n++
	if *g.n%2 == 0 {
		s.Version = "2"
	}
	return s
}

// faulty: its Spec does not compile.
type faulty struct{ base }

func (faulty) Spec() game.Spec { return game.Spec{Name: "faulty"} }

func TestOffendersAreCaught(t *testing.T) {
	calls := new(int)
	for _, c := range []struct {
		name  string
		game  func() game.Game
		check string
		words string
	}{
		{"order of a map in the state", func() game.Game { return mapOrder{} }, "determinism", "First is"},
		{"order of a map in the events", func() game.Game { return eventOrder{} }, "determinism", "different events"},
		{"a package variable", func() game.Game { return global{} }, "determinism", "package variables"},
		{"state in an unexported field", func() game.Game { return hidden{} }, "checkpoint", "Sum is"},
		{"a pointer to a player", func() game.Game { return keepsPlayers{} }, "state", "keepsPlayersSim.leader holds a game.Player"},
		{"an interface in the state", func() game.Game { return keepsPlayers{} }, "state", "keepsPlayersSim.Any is a interface {}"},
		{"a Frame that changes the state", func() game.Game { return looking{} }, "frame", "Sum is"},
		{"a Frame that changes the state of a game that rewinds", func() game.Game { return lookingHunter{} }, "frame", "Draws is"},
		{"a memory of the past that is not saved", func() game.Game { return memory{} }, "checkpoint", "Sum is"},
		{"an answer from a package variable", func() game.Game { return gossip{} }, "signals", "is answered by"},
		{"a signal that panics", func() game.Game { return brittle{} }, "signals", "index out of range"},
		{"a row that is not a number", func() game.Game { return nan{} }, "ranges", "row.x is out of its range"},
		{"a private row out of range", func() game.Game { return wide{} }, "ranges", "row.n is out of its range"},
		{"a New that panics", func() game.Game { return fragile{} }, "params", "what is null"},
		{"a tick rate it cannot do", func() game.Game { return impatient{} }, "rates", "divide by zero"},
		{"an empty match", func() game.Game { return lonely{} }, "endings", "divide by zero"},
		{"bots with a common source", func() game.Game { return moody{} }, "bots", "bots played differently"},
		{"a View that changes the state", func() game.Game { return peeping{} }, "replay", "hashes to another number"},
		{"a Spec that changes", func() game.Game { return fickle{n: calls} }, "plan", "not the same"},
		{"a Spec that does not compile", func() game.Game { return faulty{} }, "plan", "version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []string
			for _, f := range gametest.Check(c.game, gametest.Options{Dir: "testdata/sound"}) {
				all = append(all, f.Error())
				if f.Check == c.check && strings.Contains(f.Err.Error(), c.words) {
					return
				}
			}
			t.Errorf("not caught by %s with %q; caught:\n%s", c.check, c.words, strings.Join(all, "\n"))
		})
	}
}

func TestSourceIsInspected(t *testing.T) {
	for _, c := range []struct {
		dir  string
		want []string
	}{
		{"testdata/sound", nil},
		{"testdata/unsound", []string{
			"import of os: a game does no I/O", "import of math/rand/v2: use Tick.Rand", "import of net/http: a game does no I/O",
			"time.Now: a match knows ticks", "time.Sleep: a match knows ticks", "a go statement",
		}},
		{"testdata/elsewhere", []string{`no file in "testdata/elsewhere" declares the game's type base: set Options.Dir`}},
		{"testdata/nowhere", []string{"no such file"}},
	} {
		t.Run(c.dir, func(t *testing.T) {
			var got strings.Builder
			for _, f := range gametest.Check(func() game.Game { return base{} }, gametest.Options{Ticks: 10, Dir: c.dir}) {
				got.WriteString(f.Error() + "\n")
			}
			for _, want := range c.want {
				if !strings.Contains(got.String(), want) {
					t.Errorf("missing: %s", want)
				}
			}
			if c.want == nil && got.String() != "" || strings.Contains(got.String(), "time.Duration") || strings.Contains(got.String(), "main.go") {
				t.Errorf("too much:\n%s", got.String())
			}
		})
	}
}
