package game_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"skirmish/game"
)

// TestViewersSeeTheRows: viewers that read each frame, some, or hardly any, all hold exactly the rows of the
// newest frame afterwards, through rows that come, go, change their kind and stand still.
func TestViewersSeeTheRows(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	shown := map[uint32]any{}
	g := &toy{}
	g.hooks.frame = func(f *game.Frame) {
		for id, row := range shown { // in the map's own order: the engine sorts
			f.Put(id, row)
		}
	}
	e := newToy(t, g, everyTick)
	for s := range game.Seat(5) {
		join(t, e, s+1)
	}
	var clients []*client
	for s := range game.Seat(6) {
		clients = append(clients, newClient(e, s))
	}
	seq := uint32(0)
	for step := range 3000 {
		for range 10 {
			id := 1000 + uint32(r.IntN(60))
			switch r.IntN(4) {
			case 0:
				delete(shown, id)
			case 1:
				shown[id] = &Mark{Kind: uint8(r.IntN(4))}
			default:
				shown[id] = &Mover{X: int32(r.Uint32()), Y: int32(r.IntN(1000)), Dir: uint16(r.Uint32()), HP: uint8(r.IntN(101))}
			}
		}
		seq++
		push(t, e, game.Seat(1+r.IntN(5)), seq, int32(r.IntN(201)-100))
		tick(e, 1)
		truth := newClient(e, 0) // a fresh viewer gets everything
		truth.read(t)
		truth.v.Close()
		for i, c := range clients {
			if r.IntN(1+i*i*i) != 0 { // the last one reads each 125th frame: beyond the baselines now and then
				continue
			}
			if r.IntN(100) == 0 {
				c.v.Rebase()
			}
			began, last := c.Begun(), c.Head.Tick
			c.read(t)
			if !c.Rows.Equal(&truth.Rows) {
				t.Fatalf("tick %d: client %d sees\n%v\nwant\n%v", e.Now(), i, c.Rows, truth.Rows)
			}
			if i > 0 && (!c.HasPrivate || c.Private[1] != int32(step+1)) {
				t.Fatalf("tick %d: client %d has the private row %v %v", e.Now(), i, c.HasPrivate, c.Private)
			}
			if i == 0 && c.HasPrivate {
				t.Fatal("a spectator has a private row")
			}
			if age := c.Head.Tick - last; began && age >= game.MaxBaselines && !c.full() {
				t.Fatalf("a delta against a baseline %d frames old", age)
			}
		}
	}
}

func TestStateOrder(t *testing.T) {
	e := newToy(t, &toy{npcs: 3}, nil) // frames at 30 Hz
	join(t, e, 1)
	c := newClient(e, 1)
	if c.read(t) {
		t.Error("a state before the first frame")
	}
	tick(e, 1)
	if !c.read(t) || !c.full() || c.Head.Tick != 1 || c.Head.ServerTime != uint64(epoch.Add(time.Second/60).UnixMicro()) {
		t.Errorf("the first state is %+v, full %v", c.Head, c.full())
	}
	if c.read(t) {
		t.Error("the same frame twice")
	}
	tick(e, 1)
	if !c.read(t) || c.full() || c.Head.Tick != 2 || c.Head.BaseTick != 1 {
		t.Errorf("the second state is %+v, full %v", c.Head, c.full())
	}
	tick(e, 1)
	if c.read(t) {
		t.Error("a state of a tick without a frame")
	}
	c.v.Rebase()
	if !c.read(t) || !c.full() || c.Head.Tick != 2 {
		t.Errorf("after Rebase %+v, full %v", c.Head, c.full())
	}
}

func TestViewersShareBytes(t *testing.T) {
	e := newToy(t, &toy{npcs: 20}, everyTick)
	a, b, late := newClient(e, 0), newClient(e, 0), newClient(e, 0)
	for i := range 10 {
		tick(e, 1)
		a.read(t)
		b.read(t)
		if !bytes.Equal(a.msg, b.msg) {
			t.Fatal("two spectators with the same baseline are sent different bytes")
		}
		if i == 0 || i == 9 {
			late.read(t)
		}
	}
	if bytes.Equal(a.msg, late.msg) || !a.Rows.Equal(&late.Rows) || late.full() {
		t.Error("a late spectator is not brought up by a delta of its own")
	}
}

func TestChecksumTravels(t *testing.T) {
	e := newToy(t, &toy{npcs: 4}, everyTick)
	c := newClient(e, 0)
	with := 0
	for range 200 {
		tick(e, 1)
		c.read(t) // checks it
		if c.HasCRC {
			with++
		}
	}
	if with != 200/64 {
		t.Errorf("%d of 200 states carried a checksum", with)
	}
}

func TestForgottenViewersCostLittle(t *testing.T) {
	e := newToy(t, &toy{}, everyTick)
	for range 1000 {
		tick(e, 1)
		newClient(e, 0).read(t) // never read again, never closed
	}
	c := newClient(e, 0)
	c.read(t)
	tick(e, game.MaxBaselines-1)
	if c.read(t); c.full() {
		t.Error("the oldest baseline allowed was not kept")
	}
	tick(e, game.MaxBaselines)
	if c.read(t); !c.full() {
		t.Error("a baseline beyond the oldest allowed was kept")
	}
}

func TestClampedIsTold(t *testing.T) {
	g := &toy{}
	g.hooks.frame = func(f *game.Frame) { f.Put(500, &Mark{Kind: 4}) }
	g.hooks.step = func(t *game.Tick) {
		t.Emit(nil, &SayEvent{Text: "this text is longer than the forty bytes it may have"})
	}
	e := newToy(t, g, everyTick)
	tick(e, 2)
	if n, first := e.Clamped(); n != 4 || first != "say.text is out of its range at tick 1" {
		t.Errorf("%d clamped, the first: %s", n, first)
	}
	c := newClient(e, 0)
	c.read(t)
	if v := c.row(t, 500); v[0] != 3 {
		t.Errorf("the row is %v", v)
	}
}
