package game

import (
	"slices"

	"skirmish/protocol"
)

// gather puts the states of viewers together that each see others. What costs is shared: each frame's rows are
// sorted into the grid once, and each row is encoded once against a baseline, however many viewers have it; per
// viewer there is a walk over what it has and what it sees, both in order of ids, and a copy of bytes.
//
// A viewer keeps, for each row that its client has, the number of a frame in which the row was as the client has
// it. So a row that a budget leaves out of a state has an older baseline than the others, and nothing else
// follows from it: to the client it looks like a row that did not change.
//
// It is the scratch of its engine and made anew for each frame.
type gather struct {
	interest Interest
	number   uint64 // of the frame that all below is made for
	always   rowSet // rows that everybody sees
	owned    []ownedRow
	grid     grid
	weights  []uint16 // by row; empty without a budget

	tables []chunkTable // encoded rows, by baseline
	used   int
	last   int    // of tables, the one looked into last
	bytes  []byte // of all chunks; byte 0 is not used

	set   ViewSet
	next  []known
	rowOf []int32 // of each in next
	picks []pick
	gone  []uint32 // ids that leave
	order []uint64
	rows  protocol.Rows

	nobody Player // whose seat is empty
}

// ownedRow is a row that one seat sees.
type ownedRow struct {
	seat Seat
	row  int32
}

// known is a row in a viewer's picture, or on its way there.
type known struct {
	id   uint32
	have uint32 // number of a frame in which it was as the client has it; 0: the client does not have it yet
	wait uint32 // its claim to a place in the budget
}

// pick is a row that a state should have.
type pick struct {
	at      int32 // in next
	chunk   chunk
	whole   bool // all of it
	replace bool // the client has another one of this id
	left    bool // out, for lack of room
}

// chunk is an encoded row in gather.bytes; at = 0: none yet.
type chunk struct {
	at       uint32
	size     uint16
	elements uint16
}

// chunkTable is the rows of the newest frame as encoded against one baseline, 0 for whole.
type chunkTable struct {
	base   uint32
	chunks []chunk
}

// gathering makes sure that viewers are served one by one from now on.
func (e *Engine) gathering() *gather {
	if e.gather == nil {
		e.gather = &gather{interest: e.def.interest(e.match)}
		e.gather.set.e = e
		e.frames.keep = 1
		if e.gather.interest.Budget > 0 {
			e.frames.keep = budgetFrames
		}
	}
	return e.gather
}

// prepare makes everything ready for the newest frame, once.
func (g *gather) prepare(e *Engine) {
	now := e.frames.newest
	if g.number == now.number {
		return
	}
	g.number = now.number
	n := now.rows.Len()
	g.used, g.bytes = 0, append(g.bytes[:0], 0)
	g.always = g.always.sized(n)
	g.owned = g.owned[:0]
	g.grid.reset()
	everything := g.interest.Radius == 0 && e.seer == nil
	for i, kind := range now.rows.Kinds {
		switch l := &e.def.kinds[kind]; {
		case len(now.owners) > 0 && now.owners[i] != 0:
			g.owned = append(g.owned, ownedRow{seat: now.owners[i], row: int32(i)})
		case everything, g.interest.Radius > 0 && l.x < 0:
			g.always.set(i)
		case g.interest.Radius > 0:
			values := now.rows.Row(i)
			g.grid.add(i, values[l.x], values[l.y])
		}
	}
	g.grid.build(g.reach())
	slices.SortFunc(g.owned, func(a, b ownedRow) int { return int(a.seat) - int(b.seat) })
	if g.interest.Budget > 0 {
		g.weights = slices.Grow(g.weights[:0], n)[:n]
		for i := range g.weights {
			g.weights[i] = nearWeight
		}
	}
}

func (g *gather) reach() int64 { return int64(g.interest.Radius) + int64(g.interest.Hysteresis) }

// appendGathered appends removed and rows as v sees them.
func (e *Engine) appendGathered(dst []byte, v *Viewer, base *frame) []byte {
	g := e.gather
	g.prepare(e)
	if base == nil {
		v.known = v.known[:0]
	}
	p := e.seat(v.seat)
	if p == nil {
		p = &g.nobody
	}
	g.see(e, p, &v.centre)
	g.walk(e, v)
	g.choose()
	g.seen()
	return g.append(e, dst, v, base == nil)
}

// appendGatheredSum appends the checksum of what v sees, once in crcFrames; not of all viewers at a time.
func (e *Engine) appendGatheredSum(dst []byte, v *Viewer, base *frame) []byte {
	v.sumDue = v.sumDue || base != nil && sumDue(base.number+uint64(v.seat), e.frames.newest.number+uint64(v.seat))
	if v.sumDue {
		if rows, ok := e.gather.picture(e); ok {
			v.sumDue = false
			return protocol.AppendCRC(dst, rows.CRC(), true)
		}
	}
	return protocol.AppendCRC(dst, 0, false)
}

// append appends a state's elements removed, unless it is a snapshot, and rows, and settles v's picture.
func (g *gather) append(e *Engine, dst []byte, v *Viewer, snapshot bool) []byte {
	number := uint32(e.frames.newest.number)
	var l protocol.RowList
	if !snapshot {
		dst = l.Begin(dst)
		k := 0
		for i := range g.picks {
			p := &g.picks[i]
			if !p.replace || p.left {
				continue
			}
			id := g.next[p.at].id
			for ; k < len(g.gone) && g.gone[k] < id; k++ {
				dst = l.Remove(dst, g.gone[k])
			}
			dst = l.Remove(dst, id)
		}
		for _, id := range g.gone[k:] {
			dst = l.Remove(dst, id)
		}
		dst = l.End(dst)
	}
	dst = l.Begin(dst)
	for i := range g.picks {
		p := &g.picks[i]
		if p.left {
			continue
		}
		n := &g.next[p.at]
		row := g.bytes[p.chunk.at : p.chunk.at+uint32(p.chunk.size)]
		if p.whole && !snapshot {
			dst = l.New(dst, n.id, row, int(p.chunk.elements))
		} else {
			dst = l.Row(dst, n.id, row, int(p.chunk.elements))
		}
		n.have, n.wait = number, 0
	}
	dst = l.End(dst)
	v.known = append(v.known[:0], g.next...)
	return dst
}

// picture is the rows as v's client has them once the state just appended has come, for its checksum; false if
// one of them is too old to tell.
func (g *gather) picture(e *Engine) (*protocol.Rows, bool) {
	now := e.frames.newest
	g.rows.Reset()
	for at := range g.next {
		n, i := &g.next[at], int(g.rowOf[at])
		if n.have == 0 {
			continue
		}
		from := now
		if n.have < now.changed[i] {
			if from = e.frames.find(n.have); from == nil {
				return nil, false
			}
			var ok bool
			if i, ok = from.rows.Find(n.id); !ok {
				return nil, false
			}
		}
		values := from.rows.Row(i)
		copy(g.rows.Append(n.id, from.rows.Kinds[i], len(values)), values)
	}
	return &g.rows, true
}
