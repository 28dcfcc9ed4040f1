package replay_test

import (
	"context"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/game/replay"
	"skirmish/protocol"
)

var began = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func arenaDefinition(t testing.TB) *game.Definition {
	d, err := game.Compile(arena.Arena{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// match is an arena at 20 Hz, recorded, with bots that the engine plays and people who send the inputs of a bot over a
// connection of their own.
type match struct {
	*game.Engine
	w      *replay.Writer
	stream []byte
	people []*person
	now    time.Time
}

// person is a player whose client looks two ticks back and now and then holds its keys.
type inputMessage = protocol.Input

type person struct {
	seat   game.Seat
	bot    game.Bot
	viewer *game.Viewer
	state  protocol.State
	in     protocol.Input
	msg    []byte
	spec   any
}

func newMatch(t testing.TB, d *game.Definition, people, bots int, o replay.Options) *match {
	m := d.NewMatch("recorded", 7, []byte(`{"rounds":0,"round_seconds":3600}`))
	m.TickRate, m.SnapshotRate, m.Players = 20, 20, people+bots+1
	e, err := game.NewEngine(context.Background(), d, m)
	if err != nil {
		t.Fatal(err)
	}
	o.Began = began
	x := &match{Engine: e, w: replay.NewWriter(e, o), now: began}
	e.Record(x.w)
	e.Attach(x)
	for i := range people + bots {
		seat := game.Seat(i + 1)
		if err := e.Join(game.PlayerInfo{Seat: seat, ID: "player", Name: "Player", Bot: i >= people}); err != nil {
			t.Fatal(err)
		}
		if i < people {
			p := &person{seat: seat, bot: d.Game.(game.Botter).Bot(uint64(seat)), viewer: e.NewViewer(seat), spec: d.NewInput()}
			p.state.Reset(d.Plan)
			x.people = append(x.people, p)
		}
	}
	return x
}

func (x *match) Collect(time.Time) {
	for _, p := range x.people {
		if !p.state.Begun() {
			continue
		}
		*p.spec.(*arena.Input) = arena.Input{}
		v := game.View{Tick: p.state.Head.Tick, Seat: p.seat, Definition: x.Definition(), Rows: &p.state.Rows, Private: p.state.Private}
		p.bot.Think(&v, p.spec)
		p.in.FirstSeq += uint32(p.in.Count)
		p.in.Count = 1
		p.in.Values = x.Definition().AppendInput(p.in.Values[:0], p.spec)
		p.in.BaseTick, p.in.NextTick, p.in.Fraction = x.Now()-min(x.Now(), 2), 0, uint8(40+3*int(p.seat)+int(x.Now()%3))
		if _, err := x.Push(p.seat, &p.in, x.now.UnixNano()); err != nil {
			panic(err)
		}
	}
}

func (x *match) Deliver(time.Time, bool) {
	for _, p := range x.people {
		if p.msg = x.AppendState(p.msg[:0], p.viewer); len(p.msg) > 0 {
			if err := p.state.Apply(p.msg); err != nil {
				panic(err)
			}
		}
	}
}

// play plays n ticks and cuts every other.
func (x *match) play(n int) {
	for range n {
		x.now = x.now.Add(time.Second / time.Duration(x.Match().TickRate))
		x.Tick(x.now)
		if x.Engine.Now()%2 == 0 {
			x.stream = x.w.Cut(x.stream)
		}
	}
	x.stream = x.w.Cut(x.stream)
}

func read(t testing.TB, b []byte) *replay.Recording {
	t.Helper()
	r, err := replay.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
