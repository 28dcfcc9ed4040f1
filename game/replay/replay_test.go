package replay_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/game/replay"
)

// end plays p to the end of the recording.
func end(t testing.TB, p *replay.Player) {
	t.Helper()
	for {
		if err := p.Step(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func play(t testing.TB, b []byte, d *game.Definition) *replay.Player {
	t.Helper()
	p, err := read(t, b).Play(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func state(t testing.TB, e *game.Engine) []byte {
	t.Helper()
	b, err := e.SaveState()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestReplayIsTheMatch: people who come, go, get lost and are kicked, and bots among them, from the start and from
// each checkpoint; every state hash, every checkpoint byte for byte, and what waits in the queues in the end.
func TestReplayIsTheMatch(t *testing.T) {
	d := arenaDefinition(t)
	x := newMatch(t, d, 5, 5, replay.Options{HashEvery: 1})
	checkpoint := func() {
		if err := x.w.Checkpoint([]byte("host")); err != nil {
			t.Fatal(err)
		}
	}
	x.play(100)
	x.SetLost(2, true)
	x.play(30)
	checkpoint()
	x.SetLost(2, false)
	x.Leave(3, game.ReasonLeft)
	checkpoint() // somebody is on the way out
	if err := x.Join(game.PlayerInfo{Seat: 11, ID: "late", Name: "Late", Team: 2, Data: []byte(`{"a":1}`), Bot: true}); err != nil {
		t.Fatal(err)
	}
	x.people = append(x.people[:2], x.people[3:]...)
	checkpoint() // and somebody on the way in
	x.play(300)
	x.people[0].in.FirstSeq -= 2 // doubles, and a jump, and more than one
	x.play(50)
	checkpoint()
	x.play(77)
	x.Collect(x.now) // what no step has used

	stream := x.w.Cut(x.stream)
	p := play(t, stream, d)
	end(t, p)
	if c := p.Checks(); c != (replay.Checks{Digests: 557, Hashes: 557, Checkpoints: 4}) {
		t.Errorf("compared: %+v", c)
	}
	if !bytes.Equal(state(t, p.Engine()), state(t, x.Engine)) {
		t.Error("the match and its replay are in other states")
	}
	for i, c := range p.Recording().Checkpoints() {
		if string(c.Host) != "host" {
			t.Errorf("the host's bytes are %q", c.Host)
		}
		if err := p.From(i); err != nil {
			t.Fatal(err)
		}
		if p.Engine().Now() != c.Tick {
			t.Errorf("checkpoint %d is at tick %d, not %d", i, p.Engine().Now(), c.Tick)
		}
		end(t, p)
		if !bytes.Equal(state(t, p.Engine()), state(t, x.Engine)) {
			t.Errorf("from checkpoint %d: the match and its replay are in other states", i)
		}
	}
}

// TestBotsThinkAgain: a match that is taken up after a crash goes on, is recorded further, and all of it replays.
func TestBotsThinkAgain(t *testing.T) {
	d := arenaDefinition(t)
	x := newMatch(t, d, 1, 3, replay.Options{HashEvery: 1})
	x.play(51)
	if err := x.w.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	x.play(50)
	p := play(t, x.stream, d)
	if err := p.From(0); err != nil {
		t.Fatal(err)
	}
	end(t, p)
	y := &match{Engine: p.Release(), stream: x.stream, now: x.now}
	w := replay.Continue(y.Engine, replay.Options{HashEvery: 1})
	if err := w.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	y.w = w
	y.Record(w)
	y.Attach(y)
	for i := range 4 {
		y.SetLost(game.Seat(i+1), true)
	}
	before := y.Hash()
	y.play(60)
	if y.Hash() == before {
		t.Error("nothing goes on")
	}
	p = play(t, y.stream, d)
	end(t, p)
	if c := p.Checks(); c != (replay.Checks{Digests: 161, Hashes: 161, Checkpoints: 2}) {
		t.Errorf("compared: %+v", c)
	}
}

func TestSeek(t *testing.T) {
	d := arenaDefinition(t)
	x := newMatch(t, d, 2, 2, replay.Options{})
	hashes := []uint64{x.Hash()}
	for tick := 1; tick <= 200; tick++ {
		x.play(1)
		hashes = append(hashes, x.Hash())
		if tick%50 == 0 {
			if err := x.w.Checkpoint(nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := play(t, x.w.Cut(x.stream), d)
	for _, tick := range []uint32{10, 120, 121, 50, 49, 200, 1, 0, 150, 199} {
		if err := p.Seek(tick); err != nil {
			t.Fatal(err)
		}
		if p.Engine().Now() != tick || p.Engine().Hash() != hashes[tick] {
			t.Errorf("tick %d: the replay is at %d with another state", tick, p.Engine().Now())
		}
	}
	if err := p.Seek(201); !errors.Is(err, replay.ErrNoTick) {
		t.Errorf("beyond the end: %v", err)
	}
}

// TestEnds: by the game, from outside, by a panic, and not at all.
func TestEnds(t *testing.T) {
	d := arenaDefinition(t)
	x := newMatch(t, d, 1, 1, replay.Options{})
	x.play(40)
	x.Stop(game.ReasonForce)
	x.w.End()
	x.play(1)
	r := read(t, x.stream)
	if r.End == nil || r.End.Reason != game.ReasonForce || r.End.Tick != 40 || len(r.End.Result) == 0 {
		t.Fatalf("the end is %+v", r.End)
	}
	p := play(t, x.stream, d)
	end(t, p)
	if got, over := p.Engine().Ended(); !over || got.Tick != 40 || string(got.Result) != string(r.End.Result) {
		t.Errorf("the replay ended %v: %+v", over, got)
	}
}

// TestDivergenceIsSeen: a recording whose inputs were changed, checksums and all, is not the match.
func TestDivergenceIsSeen(t *testing.T) {
	d := arenaDefinition(t)
	x := newMatch(t, d, 2, 0, replay.Options{})
	other := replay.NewWriter(x.Engine, replay.Options{}) // hears nothing of seat 1 and its coming
	x.Record(meddler{other})
	for _, p := range x.people {
		p.bot = contrary{p.bot}
	}
	other.Join(game.PlayerInfo{Seat: 1})
	other.Join(game.PlayerInfo{Seat: 2})
	x.play(60)
	x.stream = other.Cut(nil)
	p := play(t, x.stream, d)
	err := p.Run(80)
	diverged, ok := errors.AsType[*replay.DivergedError](err)
	if !ok || diverged.Tick > 20 {
		t.Errorf("it says %v", err)
	}
}

// contrary is a bot at full thrust.
type contrary struct{ game.Bot }

func (contrary) Think(_ *game.View, in any) { in.(*arena.Input).AX = 127 }

// meddler leaves the inputs of seat 1 out of the recording.
type meddler struct{ *replay.Writer }

func (m meddler) Input(s game.Seat, in *inputMessage) {
	if s != 1 {
		m.Writer.Input(s, in)
	}
}
