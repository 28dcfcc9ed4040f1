package game_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"skirmish/game"
)

// late makes a match whose spectators see it so much later. Each step says its number, to all and to seat 1.
func late(t testing.TB, delay time.Duration, change func(*game.Match)) *game.Engine {
	g := &toy{npcs: 5}
	g.hooks.step = func(t *game.Tick) {
		t.Emit(nil, &SayEvent{Text: fmt.Sprint(t.Now())})
		t.Emit(t.Player(1), &SayEvent{Seat: 1, Text: "secret"})
	}
	e := newToy(t, g, func(m *game.Match) {
		m.SpectatorDelay = delay
		if change != nil {
			change(m)
		}
	})
	join(t, e, 1)
	return e
}

// frameTold is a host that notes whether there is a new frame.
type frameTold struct{ frame bool }

func (*frameTold) Collect(time.Time)                 {}
func (f *frameTold) Deliver(_ time.Time, frame bool) { f.frame = frame }

func TestSpectatorsSeeLate(t *testing.T) {
	e := late(t, 2*time.Second, nil) // 120 ticks, 60 frames
	player, spectator := newClient(e, 1), newClient(e, 0)
	var then []string // what the player saw, by frame
	for range 600 {
		tick(e, 1)
		if player.read(t) {
			then = append(then, fmt.Sprint(player.Head.Tick, player.Rows.IDs, player.Rows.Values))
		}
		if !spectator.read(t) {
			continue
		}
		if age := e.Now() - spectator.Head.Tick; age != 120 && spectator.Head.Tick != 1 {
			t.Fatalf("tick %d: what it sees is %d ticks old", e.Now(), age)
		}
		if now := fmt.Sprint(spectator.Head.Tick, spectator.Rows.IDs, spectator.Rows.Values); now != then[0] {
			t.Fatalf("it sees %s, the player saw %s", now, then[0])
		}
		then = then[1:]
		events := drain(t, e, spectator.v)
		if last := fmt.Sprintf(":%d", spectator.Head.Tick); len(events) == 0 || !strings.HasSuffix(events[len(events)-1], last) {
			t.Fatalf("with the state of tick %d it hears %v", spectator.Head.Tick, events)
		}
		if at := time.UnixMicro(int64(spectator.Head.ServerTime)); spectator.full() && !at.Equal(epoch.Add(time.Second/60).Truncate(time.Microsecond)) {
			t.Errorf("its first state is said to be of %v", at)
		}
	}
	if len(then) != 60 {
		t.Errorf("%d frames are held back, want 60", len(then))
	}
	fresh := newClient(e, 0)
	if fresh.read(t); fresh.Head.Tick != spectator.Head.Tick || !fresh.Rows.Equal(&spectator.Rows) {
		t.Errorf("a new spectator begins at tick %d, the other one is at %d", fresh.Head.Tick, spectator.Head.Tick)
	}
	if got := drain(t, e, fresh.v); got != nil {
		t.Errorf("a new spectator hears %v", got)
	}

	e.Stop(game.ReasonForce)
	told := &frameTold{}
	e.Attach(told)
	tick(e, 1)
	if !told.frame {
		t.Error("the host is not told of what the end let out")
	}
	if spectator.read(t); spectator.Head.Tick != e.Now() {
		t.Errorf("after the end it sees tick %d of %d", spectator.Head.Tick, e.Now())
	}
	for _, s := range drain(t, e, spectator.v) {
		if strings.Contains(s, "secret") {
			t.Error("it hears what was for seat 1")
		}
	}
}

// TestLateEvents: none is lost, doubled or out of order, though others' events lie between and the match's own
// ring goes round many times.
func TestLateEvents(t *testing.T) {
	e := late(t, 30*time.Second, everyTick)
	v := e.NewViewer(0)
	next := 1
	for range 4000 {
		tick(e, 1)
		for _, s := range drain(t, e, v) {
			if want := fmt.Sprintf("%d:%d", 2*next-1, next); s != want {
				t.Fatalf("it hears %s, want %s", s, want)
			}
			next++
		}
		if n, _ := v.Behind(); n != 0 {
			t.Fatal("it is behind")
		}
	}
	if next != 4000-30*60+1 {
		t.Errorf("the next one is %d", next)
	}
	v.Skip(2*uint32(next) - 9) // a resume
	if got := drain(t, e, v); len(got) != 3 {
		t.Errorf("after a resume it hears %v", got)
	}
}

func TestLateAfterARestart(t *testing.T) {
	a := late(t, time.Second, nil)
	tick(a, 300)
	state, err := a.SaveState()
	if err != nil {
		t.Fatal(err)
	}
	b := late(t, time.Second, nil)
	b.Leave(1, game.ReasonLeft)
	if err := b.LoadState(state); err != nil {
		t.Fatal(err)
	}
	c := newClient(b, 0)
	tick(b, 30)
	if c.read(t) {
		t.Error("a spectator is shown what has only just been")
	}
	tick(b, 70)
	if !c.read(t) || b.Now()-c.Head.Tick < 60 {
		t.Errorf("at tick %d it sees tick %d", b.Now(), c.Head.Tick)
	}
	if got := drain(t, b, c.v); len(got) == 0 || got[0] != "601:301" {
		t.Errorf("it hears %v", got)
	}
}

func TestSpectatorDelayIsChecked(t *testing.T) {
	d, err := game.Compile(&toy{})
	if err != nil {
		t.Fatal(err)
	}
	for _, delay := range []time.Duration{-1, game.MaxSpectatorDelay + 1} {
		m := d.NewMatch("m", 1, nil)
		m.SpectatorDelay = delay
		if _, err := game.NewEngine(t.Context(), d, m); err == nil || !strings.Contains(err.Error(), "spectator delay") {
			t.Errorf("%v: %v", delay, err)
		}
	}
}

// TestSpectatorsShareMessages: whatever players see, all spectators with the same baseline are sent the same
// bytes, from the first to the last.
func TestSpectatorsShareMessages(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Second} {
		g := &toy{npcs: 20, spec: func(s *game.Spec) { s.Interest = game.Interest{Radius: 50, Budget: 100} }}
		g.hooks.frame = func(f *game.Frame) { f.PutFor(1, 5000, &Mark{}) }
		e := newToy(t, g, func(m *game.Match) { everyTick(m); m.SpectatorDelay = delay })
		join(t, e, 1)
		tick(e, 100)
		player, a, b := newClient(e, 1), newClient(e, 0), newClient(e, 0)
		for range 100 {
			tick(e, 1)
			a.read(t)
			b.read(t)
			player.read(t)
			if !bytes.Equal(a.msg, b.msg) || a.Head.Ack != 0 || a.Head.Flags != 0 || a.HasPrivate {
				t.Fatalf("% x\n% x", a.msg, b.msg)
			}
			if _, ok := a.Rows.Find(5000); ok {
				t.Fatal("a spectator sees a row of seat 1")
			}
		}
	}
}

// TestLateInBounds: more than may wait is shown early, not kept.
func TestLateInBounds(t *testing.T) {
	g := &toy{bare: true}
	g.hooks.frame = func(f *game.Frame) {
		for id := range uint32(3000) {
			f.Put(id, &Mover{X: int32(f.Tick()*7919+id*104729) << 5, Y: int32(f.Tick()*104729+id*7919) << 5})
		}
	}
	e := newToy(t, g, func(m *game.Match) { everyTick(m); m.SpectatorDelay = game.MaxSpectatorDelay })
	c := newClient(e, 0)
	tick(e, 600)
	if !c.read(t) || e.Now()-c.Head.Tick < 100 {
		t.Errorf("at tick %d it sees tick %d", e.Now(), c.Head.Tick)
	}
}
