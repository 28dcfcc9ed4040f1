package arena

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// host runs one match by hand: it feeds each seat an input per tick and can look into the simulation.
type host struct {
	t      testing.TB
	engine *game.Engine
	sim    *Sim
	inputs map[game.Seat]Input
	seqs   map[game.Seat]uint32
	now    time.Time
	values []int32
	rate   int  // Hz; the game's default when 0
	placed bool // somebody stands elsewhere than anybody has seen
}

// watched is the arena, but the test gets hold of its simulation.
type watched struct {
	Arena
	sim **Sim
}

func (w watched) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	s, err := w.Arena.New(ctx, m)
	if err == nil {
		*w.sim = s.(*Sim)
	}
	return s, err
}

// newHost makes a match of so many seats. Params may be "".
func newHost(t testing.TB, players int, seed uint64, params string) *host {
	t.Helper()
	h := &host{t: t}
	h.start(watched{sim: &h.sim}, players, seed, params)
	return h
}

func (h *host) start(g game.Game, players int, seed uint64, params string) {
	h.t.Helper()
	h.inputs, h.seqs, h.now = map[game.Seat]Input{}, map[game.Seat]uint32{}, time.Unix(1000, 0)
	d, err := game.Compile(g)
	if err != nil {
		h.t.Fatal(err)
	}
	m := d.NewMatch("test", seed, json.RawMessage(params))
	m.Players = players
	if h.rate > 0 {
		m.TickRate, m.SnapshotRate = h.rate, h.rate
	}
	if h.engine, err = game.NewEngine(h.t.Context(), d, m); err != nil {
		h.t.Fatal(err)
	}
	h.engine.Attach(h)
}

// newSimOf makes a simulation without an engine.
func newSimOf(players, rate int, seed uint64) *Sim {
	return newSim(&game.Match{ID: "test", Game: "arena", Seed: seed, TickRate: rate, SnapshotRate: rate,
		Players: players}, DefaultParams())
}

// join seats a player for whom the test gives inputs.
func (h *host) join(seat game.Seat) { h.joinAs(game.PlayerInfo{Seat: seat}) }

func (h *host) joinAs(info game.PlayerInfo) {
	h.t.Helper()
	if info.ID == "" {
		info.ID = fmt.Sprintf("p%d", info.Seat)
	}
	h.seqs[info.Seat] = 0
	if err := h.engine.Join(info); err != nil {
		h.t.Fatal(err)
	}
}

// Collect pushes the inputs of this tick.
func (h *host) Collect(now time.Time) {
	for _, seat := range h.seated() {
		in := h.inputs[seat]
		h.seqs[seat]++
		h.values = append(h.values[:0], int32(in.AX), int32(in.AY), int32(in.Aim), int32(in.Buttons))
		p := protocol.Input{FirstSeq: h.seqs[seat], Count: 1, Values: h.values}
		if _, err := h.engine.Push(seat, &p, now.UnixNano()); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *host) Deliver(time.Time, bool) {}

// seated are the seats that the test plays.
func (h *host) seated() (seats []game.Seat) {
	for seat := game.Seat(1); seat < 200; seat++ {
		if p := h.engine.Player(seat); p != nil && !p.Bot && !p.Lost() {
			seats = append(seats, seat)
		}
	}
	return seats
}

// ticks runs n steps. Before them everybody sees who was placed elsewhere.
func (h *host) ticks(n int) {
	if h.placed {
		h.placed = false
		inputs := h.inputs
		h.inputs = map[game.Seat]Input{}
		h.ticks(2)
		h.inputs = inputs
	}
	for range n {
		h.now = h.now.Add(time.Second / time.Duration(h.sim.tune.Rate))
		h.engine.Tick(h.now)
	}
}

// seconds runs that many seconds.
func (h *host) seconds(s float64) { h.ticks(int(s * float64(h.sim.tune.Rate))) }

// play runs the warm-up away and clears the ground of walls and pickups, so that a story has the stage.
func (h *host) play() {
	h.t.Helper()
	h.ticks(int(h.sim.tune.warmup) + 2)
	if h.sim.Phase != PhasePlaying {
		h.t.Fatalf("phase %d after the warm-up", h.sim.Phase)
	}
	h.walls()
	h.sim.ground.Pickups, h.sim.Pickups = nil, nil
	for i := range h.sim.Ships {
		h.sim.Ships[i].Shield = 0
	}
}

// walls replaces all walls, in units.
func (h *host) walls(walls ...Rect) {
	g := &h.sim.ground
	g.Walls = nil
	for _, w := range walls {
		g.Walls = append(g.Walls, Rect{w.X * Unit, w.Y * Unit, w.W * Unit, w.H * Unit})
	}
	h.sim.grid.build(g, h.sim.tune.reach)
}

// ship is the ship of a seat.
func (h *host) ship(seat game.Seat) *Ship {
	h.t.Helper()
	i := h.sim.slot(seat)
	if i < 0 {
		h.t.Fatalf("seat %d has no ship", seat)
	}
	return &h.sim.Ships[i]
}

// place puts a ship at a place, in units, at rest.
func (h *host) place(seat game.Seat, x, y int32) *Ship {
	h.t.Helper()
	h.placed = true
	p := h.ship(seat)
	p.Body.X, p.Body.Y, p.Body.VX, p.Body.VY = x*Unit, y*Unit, 0, 0
	return p
}

// event is one that a viewer got.
type event struct {
	op     uint16
	values []protocol.Value
}

// events are those that the viewer has not had yet.
func (h *host) events(v *game.Viewer) (events []event) {
	h.t.Helper()
	for {
		msg, ok, err := h.engine.NextEvent(v)
		if err != nil {
			h.t.Fatal(err)
		}
		if !ok {
			return events
		}
		var e protocol.Event
		if err := protocol.DecodeEvent(msg, h.engine.Definition().Plan, &e); err != nil {
			h.t.Fatal(err)
		}
		events = append(events, event{op: e.Op, values: append([]protocol.Value(nil), e.Values...)})
	}
}
