package game_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// The model is a match kept a second time in the plainest way: which rows there were at each tick, and which of
// them each client may have. A storm of joins, drops, resumes, skipped states, rows that come, go, move, change
// their kind and their owner goes over both, and after every state the client's picture must be what the model
// says, field by field.

type modelRow struct {
	on     bool
	mark   bool
	owner  game.Seat
	values [4]int32 // wire values; a mark has one
}

func (r *modelRow) wire() (kind uint8, values []int32) {
	if r.mark {
		return 1, r.values[:1]
	}
	return 0, r.values[:]
}

const (
	modelSeats = 6 // and one of a bot
	modelBot   = game.Seat(modelSeats + 1)
	modelIDs   = 48 // row i has the id i + 1; the first ones are the players' ships
	modelSize  = 1000
	modelTicks = 512 // of the past that the model keeps
)

// modelWorld is what there is at one tick.
type modelWorld struct {
	tick uint32
	rows [modelIDs]modelRow
}

type storm struct {
	name     string
	interest game.Interest
	seer     bool
	owned    bool
	delay    time.Duration
}

var storms = []storm{
	{name: "everything"},
	{name: "owned rows", owned: true, delay: time.Second},
	{name: "radius", interest: game.Interest{Radius: 250, Hysteresis: 60}, owned: true},
	{name: "budget", interest: game.Interest{Budget: 100}},
	{name: "radius and budget", interest: game.Interest{Radius: 400, Hysteresis: 50, Budget: 80}, owned: true},
	{name: "own rule", seer: true, owned: true, delay: 333 * time.Millisecond},
	{name: "own rule, radius and budget", seer: true, interest: game.Interest{Radius: 300, Budget: 120}},
}

var modelSeed = flag.Uint64("model.seed", 0, "seed of TestModel, to run it again as it was; 0: a new one")

func TestModel(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again with -model.seed %d", seed)
	total, sums := 0, 0
	for i, s := range storms {
		t.Run(s.name, func(t *testing.T) {
			m := newModel(t, &storms[i], seed)
			for m.steps < 1+modelSteps/len(storms) {
				m.turn()
			}
			if m.lost > m.steps/100 {
				t.Errorf("%d of %d states with rows that the engine cannot tell any more", m.lost, m.steps)
			}
			if m.sums == 0 || m.fulls == 0 || m.skips == 0 {
				t.Errorf("%d checksums, %d snapshots, %d skipped: the storm was none", m.sums, m.fulls, m.skips)
			}
			total, sums = total+m.steps, sums+m.sums
		})
	}
	t.Logf("%d steps, %d checksums", total, sums)
}

// model is one storm.
type model struct {
	t     *testing.T
	storm *storm
	seed  uint64
	rand  *rand.Rand
	e     *game.Engine
	world modelWorld
	past  [modelTicks]modelWorld
	seats [modelSeats + 1]bool // by seat
	all   []*modelClient
	bot   modelSight

	steps, sums, fulls, skips, lost int
}

// modelClient is one connection.
type modelClient struct {
	client
	seat  game.Seat // 0: spectator
	sight modelSight
	stale [modelIDs]int // states since the row differs from what is
	age   int           // how rarely it reads
	seen  modelWorld    // its picture after the state before
}

// modelSight is what somebody sees, as the model has it.
type modelSight struct {
	x, y  int32
	known bool
	rows  [modelIDs]bool
	tick  uint32 // of the frame, bots only
}

func newModel(t *testing.T, s *storm, seed uint64) *model {
	m := &model{t: t, storm: s, seed: seed, rand: rand.New(rand.NewPCG(seed, 1))}
	g := &toy{bare: true, spec: func(spec *game.Spec) { spec.Interest = s.interest }}
	g.hooks.frame = func(f *game.Frame) { m.frame(f) }
	g.hooks.step = func(t *game.Tick) {
		m.move()
		if t.Now()%3 == 0 {
			t.Emit(nil, &HitEvent{By: game.Seat(t.Now() % 7)})
		}
	}
	g.hooks.think = func(v *game.View, _ *toyInput) { m.lookAtBot(v) }
	if s.seer {
		g.hooks.view = m.view
	}
	m.e = newToy(t, g, func(match *game.Match) { match.SnapshotRate, match.SpectatorDelay = 60, s.delay })
	if err := m.e.Join(game.PlayerInfo{Seat: modelBot, Bot: true}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		m.all = append(m.all, m.newClient(0))
	}
	return m
}

func (m *model) newClient(seat game.Seat) *modelClient {
	return &modelClient{client: *newClient(m.e, seat), seat: seat, age: 1 + m.rand.IntN(4)*m.rand.IntN(4)}
}

func (m *model) fatalf(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d, tick %d: %s", m.seed, m.e.Now(), fmt.Sprintf(format, args...))
}

// move changes the world.
func (m *model) move() {
	r := m.rand
	for i := range m.world.rows {
		row := &m.world.rows[i]
		switch dice := r.IntN(400); {
		case dice < 3:
			row.on = !row.on
		case dice < 5:
			*row = modelRow{on: row.on, mark: i%3 == 0 && !row.mark, owner: row.owner}
		case dice < 7 && m.storm.owned && i >= modelSeats:
			row.owner = game.Seat(r.IntN(modelSeats + 2)) // nobody's, a player's, the bot's
		case dice == 7:
			row.values = [4]int32{r.Int32N(modelSize), r.Int32N(modelSize), r.Int32N(256), r.Int32N(101)}
		case i%4 == 3: // stands still
		case dice < 200:
			row.values[0] = (row.values[0] + r.Int32N(20)) % modelSize
			row.values[1] = (row.values[1] + modelSize - r.Int32N(20)) % modelSize
		}
		if row.mark {
			row.values[0] %= 4
		}
	}
}

func (m *model) frame(f *game.Frame) {
	for i := range m.world.rows {
		r := &m.world.rows[(i*7)%modelIDs] // in no order
		id := uint32((i*7)%modelIDs + 1)
		if !r.on {
			continue
		}
		var row any = &Mover{X: r.values[0] << 5, Y: r.values[1] << 5, Dir: uint16(r.values[2]) << 8, HP: uint8(r.values[3])}
		if r.mark {
			row = &Mark{Kind: uint8(r.values[0])}
		}
		if r.owner != 0 {
			f.PutFor(r.owner, id, row)
		} else {
			f.Put(id, row)
		}
	}
	m.world.tick = f.Tick()
	m.past[f.Tick()%modelTicks] = m.world
}

// view is the game's own rule: some rows by turns, none of the others' flags.
func (m *model) view(p *game.Player, v *game.ViewSet) {
	for id := uint32(1); id <= modelIDs+3; id++ { // some are not there
		switch ownRule(p.Seat, id, v.Tick()) {
		case 1:
			v.Show(id)
		case 2:
			v.Hide(id)
		}
		if id%5 == 0 {
			v.Priority(id, int(id)*40)
		}
	}
}

func ownRule(s game.Seat, id, tick uint32) int { return int(uint32(s)*7+id*3+tick/40) % 4 }

// look settles what a seat sees of the world.
func (m *model) look(w *modelWorld, seat game.Seat, s *modelSight) {
	in := m.storm.interest
	if focus := &w.rows[seat-1]; in.Radius > 0 && focus.on && !focus.mark {
		s.x, s.y, s.known = focus.values[0], focus.values[1], true
	}
	for i := range w.rows {
		r := &w.rows[i]
		sees := in.Radius == 0 && !m.storm.seer || in.Radius > 0 && r.mark
		if in.Radius > 0 && !r.mark && s.known {
			dx, dy := int64(r.values[0]-s.x), int64(r.values[1]-s.y)
			reach := int64(in.Radius)
			if s.rows[i] {
				reach += int64(in.Hysteresis)
			}
			sees = dx*dx+dy*dy <= reach*reach
		}
		if m.storm.seer {
			switch ownRule(seat, uint32(i+1), w.tick) {
			case 1:
				sees = true
			case 2:
				sees = false
			}
		}
		s.rows[i] = r.on && (r.owner == 0 && sees || r.owner == seat)
	}
}

func (m *model) lookAtBot(v *game.View) {
	if v.Tick == m.bot.tick {
		return
	}
	m.bot.tick = v.Tick
	m.look(&m.past[v.Tick%modelTicks], modelBot, &m.bot)
	m.compare("the bot", v.Rows, &m.past[v.Tick%modelTicks], func(i int) bool { return m.bot.rows[i] })
}

// compare holds rows against those of the world that are seen.
func (m *model) compare(who string, rows *protocol.Rows, w *modelWorld, sees func(i int) bool) {
	m.t.Helper()
	at := 0
	for i := range w.rows {
		if !w.rows[i].on || !sees(i) {
			continue
		}
		kind, values := w.rows[i].wire()
		if at == rows.Len() || rows.IDs[at] != uint32(i+1) || rows.Kinds[at] != kind || !slices.Equal(rows.Row(at), values) {
			m.fatalf("%s: row %d should be %d %v; rows %v", who, i+1, kind, values, rows)
		}
		at++
	}
	if at != rows.Len() {
		m.fatalf("%s has %d rows, %d are right; rows %v", who, rows.Len(), at, rows)
	}
}

// turn is one tick and what the clients do after it.
func (m *model) turn() {
	for s := range game.Seat(modelSeats) {
		m.seat(s + 1)
	}
	tick(m.e, 1)
	for i := 0; i < len(m.all); i++ {
		c := m.all[i]
		m.steps++
		switch {
		case m.rand.IntN(c.age) != 0:
			m.skips++
		case m.rand.IntN(300) == 0:
			c.v.Rebase() // a keyframe
			c.sight.rows = [modelIDs]bool{}
		case m.rand.IntN(300) == 0:
			m.reconnect(c)
		case c.seat == 0 && m.rand.IntN(300) == 0:
			m.all[i] = m.newClient(0)
		case m.rand.IntN(2000) == 0:
			c.age = 90 // asleep, beyond all baselines, until it changes its mind
		case c.age == 90:
			c.age = 1 + m.rand.IntN(8)
		default:
			m.read(c)
		}
	}
}

// seat lets players come and go.
func (m *model) seat(s game.Seat) {
	switch {
	case !m.seats[s] && m.rand.IntN(50) == 0:
		m.seats[s] = true
		join(m.t, m.e, s)
		m.all = append(m.all, m.newClient(s))
	case m.seats[s] && m.rand.IntN(2000) == 0:
		m.seats[s] = false
		m.e.Leave(s, game.ReasonLeft)
		m.all = slices.DeleteFunc(m.all, func(c *modelClient) bool { return c.seat == s })
	}
}

// reconnect is a resume: the same viewer with a client that knows nothing, or all anew.
func (m *model) reconnect(c *modelClient) {
	if m.rand.IntN(2) == 0 {
		c.v.Rebase()
		c.sight.rows = [modelIDs]bool{}
	} else {
		c.v.Close()
		c.v = m.e.NewViewer(c.seat)
		c.sight = modelSight{}
	}
	c.Reset(m.e.Definition().Plan)
	c.stale = [modelIDs]int{}
}

// read takes one state in and holds it against the model.
func (m *model) read(c *modelClient) {
	began := c.Begun()
	if !c.read(m.t) { // it checks the checksum
		return
	}
	if c.HasCRC {
		m.sums++
	}
	who := fmt.Sprintf("seat %d", c.seat)
	w := &m.past[c.Head.Tick%modelTicks]
	if c.seat == 0 {
		if late := time.Duration(m.e.Now()-c.Head.Tick) * time.Second / 60; late < m.storm.delay || late > m.storm.delay+time.Second/30 {
			m.fatalf("a spectator sees what was %v ago", late)
		}
		m.compare("a spectator", &c.Rows, w, func(i int) bool { return w.rows[i].owner == 0 })
		return
	}
	if !c.HasPrivate || c.Private[1] != int32(m.e.Now()) {
		m.fatalf("%s: private row %v %v", who, c.HasPrivate, c.Private)
	}
	full := c.full()
	if full {
		m.fulls++
		if began {
			c.sight.rows = [modelIDs]bool{}
		}
		c.seen = modelWorld{}
	}
	m.look(w, c.seat, &c.sight)
	picture, ok := c.v.Picture()
	switch {
	case !ok && m.storm.interest.Budget > 0: // a row was left behind so long that it will be sent anew
		m.lost++
	case !ok || !picture.Equal(&c.Rows):
		m.fatalf("%s: the engine's books say %v\nthe client has %v", who, picture, c.Rows)
	}
	if m.storm.interest.Budget == 0 {
		m.compare(who, &c.Rows, w, func(i int) bool { return c.sight.rows[i] })
		return
	}
	m.budgeted(c, who, w)
}

// budgeted: a row is as it is now or as the client had it before, none is left behind for ever, and none is seen
// that should not be.
func (m *model) budgeted(c *modelClient, who string, w *modelWorld) {
	var now modelWorld
	fresh := 0
	for at, id := range c.Rows.IDs {
		r := &now.rows[id-1]
		r.on, r.mark = true, c.Rows.Kinds[at] == 1
		copy(r.values[:], c.Rows.Row(at))
		if r.mark {
			r.values = [4]int32{r.values[0]}
		}
	}
	for i := range now.rows {
		has, is, was := now.rows[i], w.rows[i], c.seen.rows[i]
		is.owner = 0
		if is.mark {
			is.values = [4]int32{is.values[0]}
		}
		switch {
		case !c.sight.rows[i]:
			if has.on {
				m.fatalf("%s sees row %d", who, i+1)
			}
			c.stale[i] = 0
			continue
		case has == is:
			c.stale[i] = 0
		case has != was:
			m.fatalf("%s has row %d as %+v: it is %+v and the client had %+v", who, i+1, has, is, was)
		default:
			c.stale[i]++
		}
		if has != was {
			fresh++
		}
		if c.stale[i] > 100 {
			m.fatalf("%s has row %d left behind for %d states", who, i+1, c.stale[i])
		}
	}
	if most := m.storm.interest.Budget/3 + 1; fresh > most { // a changed row takes 3 bytes at least
		m.fatalf("%s: %d rows in one state", who, fresh)
	}
	c.seen = now
}
