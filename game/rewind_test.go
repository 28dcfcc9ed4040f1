package game_test

import (
	"fmt"
	"math"
	"testing"

	"skirmish/game"
)

// rewinder is a match whose one drone, id 50, is at 3,200 × the number of the tick, and which notes in every
// step where player 1 saw it: in wire units (1/8 of X), −1 when it saw none.
type rewinder struct {
	*game.Engine
	saw  []float64 // by tick − 1
	seq  uint32
	hide func(tick uint32) bool
}

func newRewinder(t testing.TB, change func(*game.Match)) *rewinder {
	r := &rewinder{}
	g := &toy{spec: func(s *game.Spec) {
		s.Kinds = append(s.Kinds, Drone{})
		s.Rewind = []any{Drone{}}
	}}
	g.hooks.frame = func(f *game.Frame) {
		if r.hide == nil || !r.hide(f.Tick()) {
			f.Put(50, &Drone{X: int32(f.Tick()) * 3200})
		}
	}
	g.hooks.step = func(t *game.Tick) {
		r.saw = append(r.saw, -1)
		if p := t.Player(1); p != nil {
			var d Drone
			if t.Rewind(p).Row(50, &d) {
				r.saw[len(r.saw)-1] = float64(d.X) / 32
			}
		}
	}
	r.Engine = newToy(t, g, change)
	join(t, r.Engine, 1)
	return r
}

// look pushes one input with a view and ticks. It returns what player 1 saw, as a tick.
func (r *rewinder) look(t testing.TB, base uint32, fraction uint8) float64 {
	t.Helper()
	r.seq++
	in := input(r.seq, 0)
	in.BaseTick, in.Fraction = base, fraction
	if _, err := r.Push(1, in, 0); err != nil {
		t.Fatal(err)
	}
	return r.next()
}

func (r *rewinder) next() float64 {
	tick(r.Engine, 1)
	return r.saw[len(r.saw)-1] / 100
}

func TestRewindIsWhatWasDrawn(t *testing.T) {
	r := newRewinder(t, nil) // 60 Hz, frames at 30 Hz: ticks 1, 2, 4, 6 …
	c := newClient(r.Engine, 1)
	if saw := r.look(t, 7, 9); saw != -0.01 {
		t.Errorf("tick 1 saw %v before the first frame", saw)
	}
	for range 29 {
		c.read(t)
		tick(r.Engine, 1)
	}
	c.read(t) // tick 30
	for _, l := range []struct {
		story    string
		base     uint32
		fraction uint8
		want     float64
	}{
		{"in a state", 24, 0, 24},
		{"half-way to the next one", 24, 128, 25},
		{"nearly there", 24, 255, 24 + 2*255/256.},
		{"the newest state", 30, 0, 30},
		{"beyond the newest state: never newer than what was sent", 30, 200, 30},
		{"a tick to come", 4000, 0, 30},
		{"no view: the newest frame, whoever has it", 0, 0, 36},
		{"a tick between two frames", 25, 0, 25},
	} {
		if saw := r.look(t, l.base, l.fraction); math.Abs(saw-l.want) > 1./256 {
			t.Errorf("%s: at %d+%d/256 tick %d saw %v, want %v", l.story, l.base, l.fraction, r.Now(), saw, l.want)
		}
	}
	// Tick 38 comes to an end; 250 ms are 15 ticks.
	if saw, want := r.look(t, 8, 77), float64(r.Now())-15; saw != want {
		t.Errorf("far back: tick %d saw %v, want %v", r.Now(), saw, want)
	}
}

// TestRewindOfSkippedStates: whoever was sent only some states saw lines drawn between those.
func TestRewindOfSkippedStates(t *testing.T) {
	r := newRewinder(t, func(m *game.Match) { m.SnapshotRate = m.TickRate })
	c := newClient(r.Engine, 1)
	for n := range 30 {
		tick(r.Engine, 1)
		if n%8 == 7 {
			c.read(t) // ticks 8, 16, 24
		}
	}
	if saw := r.look(t, 16, 128); saw != 20 {
		t.Errorf("half-way between states 16 and 24: %v", saw)
	}
	if saw := r.look(t, 20, 128); saw != 20 {
		t.Errorf("a state that was not sent: %v, want its own place", saw)
	}
	if saw := r.look(t, 24, 255); saw != 24 {
		t.Errorf("beyond the newest state that was sent: %v", saw)
	}
}

// TestRewindOfASilentLink: whoever was sent nothing for long cannot have seen anything newer.
func TestRewindOfASilentLink(t *testing.T) {
	r := newRewinder(t, func(m *game.Match) { m.SnapshotRate = m.TickRate })
	c := newClient(r.Engine, 1)
	tick(r.Engine, 5)
	c.read(t)
	tick(r.Engine, 100)
	if saw, want := r.look(t, 105, 0), float64(r.Now())-15; saw != want {
		t.Errorf("saw %v, want %v", saw, want)
	}
}

func TestRewindOfRepeatedAndWaitingInputs(t *testing.T) {
	r := newRewinder(t, func(m *game.Match) { m.SnapshotRate = m.TickRate })
	tick(r.Engine, 40)
	if saw := r.look(t, 35, 128); saw != 35.5 {
		t.Errorf("saw %v", saw)
	}
	if saw := r.next(); saw != 36.5 {
		t.Errorf("a repeated input looks as far back as the last one did: %v", saw)
	}
	// Three inputs in one message: the view is the newest one's.
	in := input(r.seq+1, 0, 0, 0)
	in.BaseTick, in.Fraction = 39, 64
	r.seq += 3
	if _, err := r.Push(1, in, 0); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if saw, want := r.next(), 37.25+float64(i); saw != want {
			t.Errorf("input %d of 3 saw %v, want %v", i, saw, want)
		}
	}
}

func TestRewindOfRowsThatComeAndGo(t *testing.T) {
	r := newRewinder(t, func(m *game.Match) { m.SnapshotRate = m.TickRate })
	r.hide = func(tick uint32) bool { return tick < 10 || tick > 20 }
	tick(r.Engine, 21)
	if saw := r.look(t, 9, 200); saw != -0.01 {
		t.Errorf("a row that was to come: %v", saw)
	}
	if saw := r.look(t, 20, 128); saw != 20 {
		t.Errorf("a row that went away stands still: %v", saw)
	}
	if saw := r.look(t, 21, 0); saw != -0.01 {
		t.Errorf("a row that is gone: %v", saw)
	}
}

// TestRewindInterpolates: by each field's hint and to the struct's own precision.
func TestRewindInterpolates(t *testing.T) {
	rows := []Drone{
		{X: 0, Fine: 10, Dir: 250 << 8, Bias: 8, Speed: 1, Turn: 35, Mode: 3, On: true},
		{X: 320, Fine: -11, Dir: 6 << 8, Bias: -9, Speed: -2, Turn: 1, Mode: 9},
	}
	for _, c := range []struct {
		part uint8
		want Drone
	}{
		{0, rows[0]},
		{64, Drone{X: 80, Fine: 5, Dir: 253 << 8, Bias: 9, Speed: 0.25, Turn: 35.5, Mode: 3, On: true}},
		{128, Drone{X: 160, Fine: 0, Dir: 0, Bias: -10, Speed: -0.5, Turn: 0, Mode: 3, On: true}},
		{192, Drone{X: 240, Fine: -6, Dir: 3 << 8, Bias: -10, Speed: -1.25, Turn: 0.5, Mode: 3, On: true}},
		{1, Drone{X: 1, Fine: 10, Dir: 250<<8 + 12, Bias: 8, Speed: 0.98828125, Turn: 35.0078125, Mode: 3, On: true}},
	} {
		var saw Drone
		g := &toy{spec: func(s *game.Spec) {
			s.Kinds, s.Rewind = append(s.Kinds, Drone{}), []any{&Drone{}}
		}}
		g.hooks.frame = func(f *game.Frame) { f.Put(50, &rows[min(f.Tick(), 2)-1]) }
		g.hooks.step = func(t *game.Tick) {
			past := t.Rewind(t.Player(1))
			if t.Now() < 3 {
				return
			}
			if past.Tick() != 1 || past.Row(51, &saw) || past.Row(50, &Mark{}) || !past.Row(50, &saw) {
				panic(fmt.Sprint("the past is that of tick ", past.Tick()))
			}
		}
		e := newToy(t, g, everyTick)
		join(t, e, 1)
		tick(e, 2)
		in := input(1, 0)
		in.BaseTick, in.Fraction = 1, c.part
		if _, err := e.Push(1, in, 0); err != nil {
			t.Fatal(err)
		}
		tick(e, 1)
		if math.Abs(saw.Turn-c.want.Turn) < 1e-9 {
			saw.Turn = c.want.Turn
		}
		if saw != c.want {
			t.Errorf("at %d/256: %+v, want %+v", c.part, saw, c.want)
		}
	}
}

// TestRewindReplays: what Push left in an input gives the same past in a match without viewers.
func TestRewindReplays(t *testing.T) {
	everyTick := func(m *game.Match) { m.SnapshotRate = m.TickRate }
	a, b := newRewinder(t, everyTick), newRewinder(t, everyTick)
	c := newClient(a.Engine, 1)
	rand := game.NewRand(5)
	for n := range uint32(500) {
		if rand.IntN(3) == 0 {
			c.read(t)
		}
		in := input(n+1, 0)
		in.BaseTick, in.Fraction = a.Now()-min(a.Now(), uint32(rand.IntN(20))), uint8(rand.IntN(256))
		for _, r := range []*rewinder{a, b} {
			if _, err := r.Push(1, in, 0); err != nil {
				t.Fatal(err)
			}
			if r.next(); n == 250 && r == b { // from the middle on it is a restored match
				state, err := b.SaveState()
				if err != nil {
					t.Fatal(err)
				}
				b = newRewinder(t, everyTick)
				b.Leave(1, game.ReasonLeft)
				if err := b.LoadState(state); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n != 250 && a.saw[len(a.saw)-1] != b.saw[len(b.saw)-1] {
			t.Fatalf("tick %d: %v and %v", a.Now(), a.saw[len(a.saw)-1], b.saw[len(b.saw)-1])
		}
	}
}

func TestRewindOfABotIsItsFrame(t *testing.T) {
	thought := uint32(0)
	g := &toy{spec: func(s *game.Spec) { s.Rewind = []any{Mover{}} }}
	g.hooks.think = func(v *game.View, _ *toyInput) { thought = v.Tick }
	g.hooks.step = func(t *game.Tick) {
		if past := t.Rewind(t.Player(1)); past.Tick() != thought {
			panic(fmt.Sprint("it saw tick ", thought, ", the past is ", past.Tick()))
		}
	}
	e := newToy(t, g, nil)
	if err := e.Join(game.PlayerInfo{Seat: 1, Bot: true}); err != nil {
		t.Fatal(err)
	}
	tick(e, 20)
}

func TestRewindWithoutThePast(t *testing.T) {
	g := &toy{}
	g.hooks.step = func(t *game.Tick) { t.Rewind(t.Player(1)) }
	e := newToy(t, g, nil)
	join(t, e, 1)
	defer func() {
		if v := recover(); v != "game: Rewind, but Spec.Rewind names no kinds" {
			t.Errorf("it says %v", v)
		}
	}()
	tick(e, 1)
}

func BenchmarkRewind(b *testing.B) {
	g := &toy{npcs: 20, spec: func(s *game.Spec) { s.Rewind = []any{Mover{}} }}
	rows := 0
	g.hooks.step = func(t *game.Tick) {
		var m Mover
		for _, p := range t.Players() {
			past := t.Rewind(p)
			for _, q := range t.Players() {
				if past.Row(uint32(q.Seat), &m) {
					rows++
				}
			}
		}
	}
	m := newBench(b, g, 16, false)
	m.view = 6
	for range 100 {
		m.tick(b)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.tick(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}
