package main

import (
	"math"
	"math/rand/v2"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/protocol"
)

// marksman is a bot that plays as a person does who has the page before it: its own ship where its inputs have brought
// it, the others drawn between two states, a little in the past. It flies about, shoots the rail at what it sees with a
// hand that is not quite sure, and tells the server what it saw. Its shots and hits are counted by the beams of the
// server, so that players behind a slow link can be compared with others.
type marksman struct {
	rand    *rand.Rand
	flight  *arena.Flight
	predict client.Predictor[arena.Flown]
	picture client.Picture
	columns aimColumns
	view    game.View // of the newest state

	stick  arena.Input
	turns  int64  // when the stick moves next, ns
	reload int64  // when it shoots again
	beam   uint32 // of the newest shot
	row    []float64
}

// aimColumns are where the fields stand that a marksman reads.
type aimColumns struct {
	x, y, flags, owner, hit int
	unit                    float64 // of a ship's place on the wire, in a body's
}

const (
	aimNearest  = 150 * arena.Unit
	aimFarthest = 650 * arena.Unit
	aimWobble   = 1.3 * arena.ShipRadius * arena.Unit // the most that it aims beside
)

// aim counts the rail shots of marksmen.
type aim struct{ Shots, Hits uint64 }

func newMarksman(seed uint64) *marksman {
	return &marksman{rand: rand.New(rand.NewPCG(seed, 0x61696d))}
}

// start begins with a new connection.
func (m *marksman) start(s *client.Session, d *game.Definition) {
	w := &s.Welcome
	m.view.Definition, m.view.Seat = d, game.Seat(w.Seat)
	if m.flight == nil { // the ship flies on over a cut
		m.flight = arena.NewFlight(int(w.TickRate))
		m.columns = columnsOf(w.Plan)
	}
	m.picture.Start(w)
	m.predict = client.Predictor[arena.Flown]{
		Step: func(b *arena.Flown, in []int32) {
			m.flight.Step(b, arena.Input{AX: int8(in[0]), AY: int8(in[1]), Aim: uint16(in[2]), Buttons: uint8(in[3])})
		},
		Read:  func(*protocol.State) (arena.Flown, uint64, bool) { return m.flight.Look(&m.view) },
		Equal: func(told, predicted *arena.Flown) bool { return told.Body == predicted.Body },
		Apart: func(from, to *arena.Flown) (dx, dy float64) {
			return float64(to.Body.X - from.Body.X), float64(to.Body.Y - from.Body.Y)
		},
		Snap: 100 * arena.Unit,
	}
}

func columnsOf(p *protocol.Plan) (c aimColumns) {
	field := func(kind uint8, name string) int {
		i, ok := client.FieldIndex(&p.Kinds[kind], name)
		if !ok {
			panic("loadtest: the arena's plan has no field " + name) // the plan's hash was compared
		}
		return i
	}
	c.x, c.y, c.flags = field(arena.KindShip, "x"), field(arena.KindShip, "y"), field(arena.KindShip, "flags")
	c.owner, c.hit = field(arena.KindBeam, "owner"), field(arena.KindBeam, "hit")
	c.unit = arena.Unit / float64(p.Kinds[arena.KindShip].Fields[c.x].Scale)
	return c
}

// state takes a snapshot in, and counts the shot that it shows first.
func (m *marksman) state(s *client.Session, now int64, count *aim) {
	rows := &s.State.Rows
	m.view.Tick, m.view.Rows, m.view.Private = s.State.Head.Tick, rows, nil
	if s.State.HasPrivate {
		m.view.Private = s.State.Private
	}
	m.picture.Push(&s.State, now)
	m.predict.State(&s.State, now)
	for i, kind := range rows.Kinds {
		if kind != arena.KindBeam {
			continue
		}
		row, id := rows.Row(i), rows.IDs[i]
		if row[m.columns.owner] != int32(s.Welcome.Seat) || id == m.beam { // a beam is seen for less than a reload
			continue
		}
		m.beam = id
		count.Shots++
		if row[m.columns.hit] != 0 {
			count.Hits++
		}
	}
}

// think fills in the next input and names what it saw.
func (m *marksman) think(s *client.Session, in *arena.Input, now int64) {
	if now >= m.turns {
		m.turns = now + 250e6 + m.rand.Int64N(750e6)
		m.stick = arena.Input{AX: int8(m.rand.IntN(255) - 127), AY: int8(m.rand.IntN(255) - 127)}
	}
	*in = m.stick
	if !m.picture.Draw(now) {
		return
	}
	s.SetView(m.picture.Tick, m.picture.Fraction)
	me, ok := m.predict.Body()
	if !ok || now < m.reload {
		return
	}
	m.flight.Step(&me, *in) // by when the shot falls
	seats := m.picture.Older().Len()
	first := m.rand.IntN(max(seats, 1))
	for k := range seats {
		i := (first + k) % seats
		rows := m.picture.Older()
		if rows.Kinds[i] != arena.KindShip || rows.IDs[i] == uint32(s.Welcome.Seat) {
			continue
		}
		_, row, ok := m.picture.Row(rows.IDs[i], m.row[:0])
		m.row = row
		if !ok || int(row[m.columns.flags])&(arena.FlagDead|arena.FlagShielded) != 0 {
			continue
		}
		x, y := row[m.columns.x]*m.columns.unit-float64(me.Body.X), row[m.columns.y]*m.columns.unit-float64(me.Body.Y)
		far := math.Hypot(x, y)
		if far < aimNearest || far > aimFarthest {
			continue
		}
		beside := (m.rand.Float64()*2 - 1) * aimWobble
		in.Aim = uint16(int32(math.Round((math.Atan2(y, x) + math.Atan2(beside, far)) / (2 * math.Pi) * 65536)))
		in.Buttons = arena.ButtonRail
		m.reload = now + (arena.RailInterval+300)*1e6
		return
	}
}

// sent takes in that the input went out.
func (m *marksman) sent(seq uint32, values []int32) { m.predict.Input(seq, values) }
