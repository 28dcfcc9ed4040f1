package game_test

import (
	"context"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// The toy is the game of these tests: each player pushes a mover about, and a test may put a hook into any call.

type toyInput struct {
	DX   int8 `net:"dx,min=-100,max=100"`
	DY   int8 `net:"dy,min=-100,max=100"`
	Fire bool `net:"fire"`
}

type Mover struct {
	X   int32  `net:"x,scale=256,shift=5,interp=linear,pos=x"`
	Y   int32  `net:"y,scale=256,shift=5,interp=linear,pos=y"`
	Dir uint16 `net:"dir,shift=8,interp=angle,wrap"`
	HP  uint8  `net:"hp,max=100"`
}

type Mark struct {
	Kind uint8 `net:"kind,max=3"`
}

type Drone struct { // has a past, and an odd mixture of fields
	X     int32   `net:"x,scale=256,shift=5,interp=linear"`
	Fine  int32   `net:"fine,interp=linear"`
	Dir   uint16  `net:"dir,shift=8,interp=angle,wrap"`
	Bias  int8    `net:"bias,min=-10,max=9,interp=angle,wrap"`
	Speed float32 `net:"speed,scale=100,interp=linear"`
	Turn  float64 `net:"turn,scale=10,min=0,max=35.9,interp=angle,wrap"`
	Mode  uint8   `net:"mode"`
	On    bool    `net:"on"`
}

type SelfRow struct {
	X     int32  `net:"x"`
	Steps uint32 `net:"steps,max=1000000"`
}

type HitEvent struct {
	By, Victim game.Seat
	Damage     uint8
}

type SayEvent struct {
	Seat game.Seat
	Text string `net:"text,max=40"`
}

type toy struct {
	hooks hooks
	spec  func(*game.Spec)
	npcs  int           // movers beside the players'
	bare  bool          // no rows but the hook's
	delay time.Duration // of spectators, in benches
}

// hooks run inside the calls of their names.
type hooks struct {
	new     func(*game.Match) error
	admit   func(*game.Tick, *game.Player) error
	join    func(*game.Tick, *game.Player)
	leave   func(*game.Tick, *game.Player, game.Reason)
	step    func(*game.Tick)
	frame   func(*game.Frame)
	private func(*game.Player, *SelfRow)
	request func(*game.Tick, *game.Player, uint16, []byte) ([]byte, error)
	stop    func(*game.Tick, game.Reason)
	think   func(*game.View, *toyInput)
	focus   func(*game.Player) uint32
	view    func(*game.Player, *game.ViewSet)
}

func (g *toy) Spec() game.Spec {
	s := game.Spec{Name: "toy", Version: "1", Input: toyInput{}, Kinds: []any{Mover{}, Mark{}}, Private: SelfRow{},
		Events: []any{HitEvent{}, SayEvent{}}, TickRate: 60, SnapshotRate: 30, MaxPlayers: 400, DefaultPlayers: 16}
	if g.spec != nil {
		g.spec(&s)
	}
	return s
}

func (g *toy) New(_ context.Context, m *game.Match) (game.Sim, error) {
	if g.hooks.new != nil {
		if err := g.hooks.new(m); err != nil {
			return nil, err
		}
	}
	s := toySim{h: &g.hooks, bare: g.bare, NPCs: make([]Mover, g.npcs)}
	if g.hooks.focus != nil || g.hooks.view != nil {
		return &seer{s}, nil
	}
	return &s, nil
}

// seer is a toySim that decides what is seen.
type seer struct{ toySim }

func (s *seer) Focus(p *game.Player) uint32 {
	if s.h.focus != nil {
		return s.h.focus(p)
	}
	return uint32(p.Seat)
}

func (s *seer) View(p *game.Player, v *game.ViewSet) {
	if s.h.view != nil {
		s.h.view(p, v)
	}
}

func (g *toy) Bot(seed uint64) game.Bot { return &toyBot{h: &g.hooks, rand: game.NewRand(seed)} }

type toySim struct {
	h       *hooks
	bare    bool
	Players [401]Mover // by seat
	NPCs    []Mover
	Steps   uint32
}

func (s *toySim) Admit(t *game.Tick, p *game.Player) error {
	if s.h.admit != nil {
		return s.h.admit(t, p)
	}
	return nil
}

func (s *toySim) Join(t *game.Tick, p *game.Player) {
	s.Players[p.Seat] = Mover{X: int32(p.Seat) * 256, HP: 100}
	if s.h.join != nil {
		s.h.join(t, p)
	}
}

func (s *toySim) Leave(t *game.Tick, p *game.Player, why game.Reason) {
	s.Players[p.Seat] = Mover{}
	if s.h.leave != nil {
		s.h.leave(t, p, why)
	}
}

func (s *toySim) Step(t *game.Tick) {
	s.Steps++
	for _, p := range t.Players() {
		in, _ := game.Input[toyInput](t, p)
		m := &s.Players[p.Seat]
		m.X += int32(in.DX)
		m.Y += int32(in.DY)
		m.Dir += 256
	}
	for i := range s.NPCs {
		s.NPCs[i].X += 40
		s.NPCs[i].Y -= 72
	}
	if s.h.step != nil {
		s.h.step(t)
	}
}

func (s *toySim) Frame(f *game.Frame) {
	for i := range s.Players {
		if s.Players[i].HP > 0 && !s.bare {
			f.Put(uint32(i), &s.Players[i])
		}
	}
	for i := range s.NPCs {
		f.Put(uint32(1000+i), &s.NPCs[i])
	}
	if s.h.frame != nil {
		s.h.frame(f)
	}
}

func (s *toySim) Private(p *game.Player, row any) {
	self := row.(*SelfRow)
	self.X, self.Steps = s.Players[p.Seat].X, s.Steps
	if s.h.private != nil {
		s.h.private(p, self)
	}
}

func (s *toySim) Request(t *game.Tick, p *game.Player, op uint16, in []byte) ([]byte, error) {
	if s.h.request != nil {
		return s.h.request(t, p, op, in)
	}
	return in, nil
}

func (s *toySim) Stop(t *game.Tick, why game.Reason) {
	if s.h.stop != nil {
		s.h.stop(t, why)
	}
}

type toyBot struct {
	h    *hooks
	rand *game.Rand
}

func (b *toyBot) Think(v *game.View, in any) {
	i := in.(*toyInput)
	i.DX = int8(b.rand.Between(-100, 100))
	if b.h.think != nil {
		b.h.think(v, i)
	}
}

// newToy makes a match of the toy; change may be nil.
func newToy(t testing.TB, g *toy, change func(*game.Match)) *game.Engine {
	t.Helper()
	d, err := game.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	m := d.NewMatch("toy-match", 1, nil)
	if change != nil {
		change(m)
	}
	e, err := game.NewEngine(t.Context(), d, m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// everyTick makes a match capture a frame in each tick.
func everyTick(m *game.Match) { m.SnapshotRate = m.TickRate }

// join seats a player and fails the test if it cannot.
func join(t testing.TB, e *game.Engine, s game.Seat) {
	t.Helper()
	if err := e.Join(game.PlayerInfo{Seat: s, ID: "p", Name: "P"}); err != nil {
		t.Fatal(err)
	}
}

// epoch is when the matches of these tests begin.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// tick runs n ticks at their own times.
func tick(e *game.Engine, n int) {
	for range n {
		e.Tick(epoch.Add(time.Duration(e.Now()+1) * time.Second / time.Duration(e.Match().TickRate)))
	}
}

// input is one message of inputs that all push (dx, 0).
func input(first uint32, dx ...int32) *protocol.Input {
	in := &protocol.Input{FirstSeq: first, Count: len(dx)}
	for _, x := range dx {
		in.Values = append(in.Values, x, 0, 0)
	}
	return in
}

// push queues inputs that arrive at the epoch and fails the test if they are refused.
func push(t testing.TB, e *game.Engine, s game.Seat, first uint32, dx ...int32) game.PushResult {
	t.Helper()
	r, err := e.Push(s, input(first, dx...), epoch.UnixNano())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// client follows a viewer's states as a real one does.
type client struct {
	e *game.Engine
	v *game.Viewer
	protocol.State
	msg []byte
}

func newClient(e *game.Engine, s game.Seat) *client {
	c := &client{e: e, v: e.NewViewer(s)}
	c.Reset(e.Definition().Plan)
	return c
}

// read takes the newest state in; it is false if there was none.
func (c *client) read(t testing.TB) bool {
	t.Helper()
	c.msg = c.e.AppendState(c.msg[:0], c.v)
	if len(c.msg) == 0 {
		return false
	}
	if err := c.Apply(c.msg); err != nil {
		t.Fatalf("tick %d: %v (% x)", c.e.Now(), err, c.msg)
	}
	if !c.Sound() {
		t.Fatalf("tick %d: checksum differs", c.e.Now())
	}
	return true
}

// full tells that the last message was a snapshot.
func (c *client) full() bool {
	typ, _ := protocol.ServerType(c.msg)
	return typ == protocol.TypeSnapshot
}

// row is the row of an id as the client has it.
func (c *client) row(t testing.TB, id uint32) []int32 {
	t.Helper()
	i, ok := c.Rows.Find(id)
	if !ok {
		t.Fatalf("no row %d in %v", id, c.Rows.IDs)
	}
	return c.Rows.Row(i)
}
