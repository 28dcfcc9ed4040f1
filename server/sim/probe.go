package sim

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"skirmish/game"
)

// probe is a game that checks the engine it runs in, and whose clients can check what they are shown: what it wrote into each
// frame is on record in its audit.
type probe struct{ audit *audit }

type (
	probeInput struct {
		N    int32 `net:"n"` // counts the inputs of a player, over all its connections
		Turn int8  `net:"turn,min=-1,max=1"`
	}
	pulse struct {
		Tick  int32 `net:"tick"`
		Noise int32 `net:"noise"`
	}
	runner struct {
		Seat  game.Seat `net:"seat"`
		Last  int32     `net:"last"`
		Count int32     `net:"count"`
		X     int32     `net:"x,interp=linear"`
	}
	beat struct { // to everybody
		N int32 `net:"n"`
	}
	whisper struct { // to one player
		N int32 `net:"n"`
	}
	probeParams struct {
		Ticks   int32 `json:"ticks"`    // until it finishes by itself, 0: never
		PanicAt int32 `json:"panic_at"` // the tick at which it panics, 0: never
		SlowAt  int32 `json:"slow_at"`  // the tick that takes SlowMS
		SlowMS  int32 `json:"slow_ms"`
	}
	probeResult struct {
		Sum   uint32 `json:"sum"` // of everything that was applied
		Ticks uint32 `json:"ticks"`
	}
)

// probePlayer is a player in the state.
type probePlayer struct {
	Seat     game.Seat
	ID       string
	Last     int32 // N of the newest input applied
	Count    int32
	X        int32
	Whispers int32
}

// probeSim is one match. Its exported fields are its state.
type probeSim struct {
	Tick    uint32
	Beats   int32
	Noise   int32
	Sum     uint32
	Players []probePlayer
	Left    []probePlayer
	Drones  []int32 // places of rows that come and go; negative: not there

	params probeParams
	match  *game.Match
	audit  *matchAudit
	fail   func(string, ...any)
}

const (
	pulseID  = 1
	runnerID = 100
	droneID  = 1000
)

func (probe) Spec() game.Spec {
	return game.Spec{
		Name: "probe", Version: "1",
		Input: probeInput{}, Kinds: []any{pulse{}, runner{}}, Events: []any{beat{}, whisper{}},
		TickRate: 20, SnapshotRate: 20, MaxPlayers: 8, DefaultPlayers: 4, Idle: game.IdleRepeat,
	}
}

func (p probe) New(_ context.Context, m *game.Match) (game.Sim, error) {
	s := &probeSim{match: m, fail: p.audit.fail, Drones: make([]int32, 6)}
	if err := m.Decode(&s.params); err != nil {
		return nil, err
	}
	s.audit = p.audit.begin(m)
	return s, nil
}

func (s *probeSim) player(seat game.Seat) *probePlayer {
	for i := range s.Players {
		if s.Players[i].Seat == seat {
			return &s.Players[i]
		}
	}
	return nil
}

func (s *probeSim) Join(_ *game.Tick, p *game.Player) {
	if s.player(p.Seat) != nil {
		s.fail("%s: seat %d is given out twice", s.match.ID, p.Seat)
	}
	for _, other := range s.Players {
		if other.ID == p.ID {
			s.fail("%s: %s sits on the seats %d and %d", s.match.ID, p.ID, other.Seat, p.Seat)
		}
	}
	s.Players = append(s.Players, probePlayer{Seat: p.Seat, ID: p.ID, Last: s.lastOf(p.ID)})
	if len(s.Players) > s.match.Players {
		s.fail("%s: %d players in a match for %d", s.match.ID, len(s.Players), s.match.Players)
	}
}

// lastOf is the newest input of a player who has been there before.
func (s *probeSim) lastOf(id string) (last int32) {
	for i := range s.Left {
		if s.Left[i].ID == id {
			last = max(last, s.Left[i].Last)
		}
	}
	return last
}

func (s *probeSim) Leave(_ *game.Tick, p *game.Player, _ game.Reason) {
	for i := range s.Players {
		if s.Players[i].Seat == p.Seat {
			s.Left = append(s.Left, s.Players[i])
			s.Players = append(s.Players[:i], s.Players[i+1:]...)
			return
		}
	}
	s.fail("%s: %s leaves seat %d, on which nobody sits", s.match.ID, p.ID, p.Seat)
}

func (s *probeSim) Step(t *game.Tick) {
	s.Tick++
	if t.Now() != s.Tick {
		s.fail("%s: step %d is called %d", s.match.ID, s.Tick, t.Now())
	}
	s.audit.stepped(t.Now(), time.Now())
	if p := &s.params; p.SlowMS > 0 && int32(t.Now()) == p.SlowAt {
		s.audit.slow()
		time.Sleep(time.Duration(p.SlowMS) * time.Millisecond)
	}
	if int32(t.Now()) == s.params.PanicAt {
		panic("as ordered")
	}
	s.Noise = int32(t.Rand().IntN(1 << 20))
	for _, p := range t.Players() {
		s.apply(t, p)
	}
	if i := t.Rand().IntN(4 * len(s.Drones)); i < len(s.Drones) {
		s.Drones[i] = int32(t.Rand().IntN(4000)) - 2000
	}
	if t.Now()%7 == 0 {
		s.Beats++
		t.Emit(nil, &beat{s.Beats})
	}
	if s.params.Ticks > 0 && int32(t.Now()) >= s.params.Ticks {
		t.Finish(s.result())
	}
}

// apply takes a player's input. Each is used once, and in order.
func (s *probeSim) apply(t *game.Tick, p *game.Player) {
	own := s.player(p.Seat)
	if own == nil {
		s.fail("%s: %s has a step before its join", s.match.ID, p.ID)
		return
	}
	in, status := game.Input[probeInput](t, p)
	if status != game.InputOnTime {
		return
	}
	if in.N <= own.Last {
		s.fail("%s: input %d of %s is applied behind %d", s.match.ID, in.N, p.ID, own.Last)
	}
	own.Last = in.N
	own.Count++
	own.X += int32(in.Turn)
	s.Sum = s.Sum*16777619 ^ uint32(in.N)<<3 ^ uint32(p.Seat)
	if own.Count%5 == 0 {
		own.Whispers++
		t.Emit(p, &whisper{own.Whispers})
	}
}

// Stop gives what there is of a result.
func (s *probeSim) Stop(t *game.Tick, _ game.Reason) { t.Finish(s.result()) }

func (s *probeSim) result() probeResult { return probeResult{s.Sum, s.Tick} }

func (s *probeSim) Frame(f *game.Frame) {
	var d digest
	put := func(id uint32, row any, values ...int32) {
		f.Put(id, row)
		d.add(id, values)
	}
	put(pulseID, &pulse{int32(s.Tick), s.Noise}, int32(s.Tick), s.Noise)
	for _, p := range s.Players {
		put(runnerID+uint32(p.Seat), &runner{p.Seat, p.Last, p.Count, p.X}, int32(p.Seat), p.Last, p.Count, p.X)
	}
	for i, x := range s.Drones {
		if x >= 0 {
			put(droneID+uint32(i), &pulse{x, x / 2}, x, x/2)
		}
	}
	s.audit.framed(f.Tick(), d)
}

// digest is a sum over rows in any order.
type digest struct{ sum uint64 }

func (d *digest) add(id uint32, values []int32) {
	h := uint64(id)*0x9E3779B97F4A7C15 + uint64(len(values))
	for _, v := range values {
		h = (h ^ uint64(uint32(v))) * 0x100000001B3
		h ^= h >> 29
	}
	d.sum += h
}

// audit is what the games tell of their matches. It outlives every node. Safe from any goroutine.
type audit struct {
	fail   func(string, ...any)
	trace  *Trace
	mu     sync.Mutex
	all    map[string]*matchAudit
	checks map[string]int
}

// matchAudit is what is known of one match.
type matchAudit struct {
	audit  *audit
	id     string
	period time.Duration

	frames map[uint32]digest
	tick   uint32
	at     time.Time
	loose  int // ticks that need not be on the grid: the first one, and those behind a slow one

	restored  bool   // and the first tick behind that has not come
	replaying bool   // its ticks come again, at one moment
	recheck   bool   // how much was undone is not known yet
	torn      bool   // with the power, or on a sick disk, the log of inputs has lost more than it may otherwise
	before    uint32 // the newest tick before that
}

// mostUndone is how much of a match may be undone when the process dies.
const mostUndone = 100 * time.Millisecond

func newAudit(w *World) *audit {
	return &audit{fail: w.Fail, trace: w.trace, all: map[string]*matchAudit{}, checks: map[string]int{}}
}

// begin is a match that is made, or made again after the node has died.
func (a *audit) begin(m *game.Match) *matchAudit {
	a.mu.Lock()
	defer a.mu.Unlock()
	ma := a.all[m.ID]
	if ma == nil {
		ma = &matchAudit{
			audit: a, id: m.ID, period: time.Second / time.Duration(m.TickRate),
			frames: map[uint32]digest{}, loose: 2,
		}
		a.all[m.ID] = ma
		return ma
	}
	again := *ma // those who still hold the old one have no say any more
	again.restored, again.replaying, again.recheck = true, true, true
	again.before = max(ma.tick, ma.before)
	again.frames = maps.Clone(ma.frames)
	a.all[m.ID] = &again
	return &again
}

// serves tells that the node has restored what it could: its matches go on from now.
func (a *audit) serves() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.all {
		m.replaying, m.loose = false, 2
	}
}

// died tells how the node died, which decides how much of a match may be undone.
func (a *audit) died(power bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.all {
		m.torn = m.torn || power
	}
}

func (a *audit) checked(what string) {
	a.mu.Lock()
	a.checks[what]++
	a.mu.Unlock()
}

// stepped checks that ticks rise by one and come on the grid: no time passes in a bubble while a match works.
func (m *matchAudit) stepped(tick uint32, now time.Time) {
	m.audit.mu.Lock()
	defer m.audit.mu.Unlock()
	m.audit.checks["tick in order and on the grid"]++
	if m.restored { // the first one is that behind the checkpoint
		m.restored, m.tick = false, tick-1
	}
	if tick != m.tick+1 {
		m.audit.fail("%s: tick %d follows tick %d", m.id, tick, m.tick)
	}
	if m.replaying {
		m.tick, m.at = tick, now
		return
	}
	if m.recheck {
		m.audit.checks["little is undone by a kill"]++
		if undone := time.Duration(int(m.before)-int(m.tick)) * m.period; undone > mostUndone+m.period && !m.torn {
			m.audit.fail("%s: %v are undone, from tick %d to %d", m.id, undone, m.before, m.tick)
		}
		m.recheck, m.torn, m.before = false, false, 0
	}
	off := now.Sub(m.at) - m.period
	if m.loose == 0 && (off > 1 || off < -1) { // a period need not be whole nanoseconds
		m.audit.fail("%s: tick %d comes %v after the one before, not %v", m.id, tick, now.Sub(m.at), m.period)
	}
	m.loose = max(0, m.loose-1)
	m.tick, m.at = tick, now
}

// slow allows ticks off the grid: behind one that took long they catch up.
func (m *matchAudit) slow() { m.loose = 2 + game.MaxCatchUp }

func (m *matchAudit) framed(tick uint32, d digest) {
	m.audit.mu.Lock()
	defer m.audit.mu.Unlock()
	m.frames[tick] = d
	m.audit.trace.add("match "+m.id, tick, d.sum)
}

// shown checks what a client has of a tick.
func (a *audit) shown(match string, tick uint32, d digest) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.checks["state of a client is the server's"]++
	m := a.all[match]
	if m == nil {
		return fmt.Errorf("there is no match %s", match)
	}
	want, known := m.frames[tick]
	switch {
	case !known:
		return fmt.Errorf("%s has no frame %d", match, tick)
	case want != d:
		return fmt.Errorf("%s: frame %d is not what was written", match, tick)
	}
	return nil
}
