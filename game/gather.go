package game

import (
	"math/bits"
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
		e.gather = &gather{interest: e.def.Spec.Interest}
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

// see settles what p sees of the newest frame in g.set. The centre is where the picture lies around if the focus
// is gone; it is moved along.
func (g *gather) see(e *Engine, p *Player, c *centre) {
	now := e.frames.newest
	s := &g.set
	s.now, s.seat = now, p.Seat
	s.near = append(s.near[:0], g.always...)
	s.far = append(s.far[:0], g.always...)
	focus := -1
	if g.interest.Radius > 0 {
		if focus = e.focus(p); focus >= 0 {
			if l := &e.def.kinds[now.rows.Kinds[focus]]; l.x >= 0 {
				values := now.rows.Row(focus)
				*c = centre{x: values[l.x], y: values[l.y], known: true}
			}
		}
		if c.known {
			g.look(int64(c.x), int64(c.y))
		}
	}
	if e.seer != nil {
		was := e.enter("View")
		e.seer.View(p, s)
		e.calling = was
	}
	i, _ := slices.BinarySearchFunc(g.owned, p.Seat, func(o ownedRow, s Seat) int { return int(o.seat) - int(s) })
	for ; i < len(g.owned) && g.owned[i].seat == p.Seat; i++ {
		row := int(g.owned[i].row)
		s.near.set(row)
		s.far.set(row)
		if len(g.weights) > 0 {
			g.weights[row] = ownWeight
		}
	}
	if focus >= 0 && len(g.weights) > 0 {
		s.prios = append(s.prios, changedPriority{row: focus, was: g.weights[focus]})
		g.weights[focus] = max(g.weights[focus], ownWeight)
	}
}

// seen puts back what one player's view changed.
func (g *gather) seen() {
	for i := len(g.set.prios) - 1; i >= 0; i-- {
		g.weights[g.set.prios[i].row] = g.set.prios[i].was
	}
	g.set.prios = g.set.prios[:0]
}

// centre is where a viewer looks from.
type centre struct {
	x, y  int32
	known bool
}

// focus is the row around which p sees, −1 if there is none.
func (e *Engine) focus(p *Player) int {
	id := uint32(p.Seat)
	if e.focuser != nil {
		was := e.enter("Focus")
		id = e.focuser.Focus(p)
		e.calling = was
	}
	if i, ok := e.frames.newest.rows.Find(id); ok {
		return i
	}
	return -1
}

// look shows what is near a place.
func (g *gather) look(x, y int64) {
	radius, reach := int64(g.interest.Radius), g.reach()
	inner, outer := radius*radius, reach*reach
	fromX, toX := g.grid.span(x, g.grid.minX, reach, g.grid.cols)
	fromY, toY := g.grid.span(y, g.grid.minY, reach, g.grid.rows)
	if fromX >= toX {
		return
	}
	near, far := g.set.near, g.set.far
	for cy := fromY; cy < toY; cy++ {
		line := cy * g.grid.cols
		spots := g.grid.spots[g.grid.begin[line+fromX]:g.grid.begin[line+toX]]
		for i := range spots {
			s := &spots[i]
			dx, dy := int64(s.x)-x, int64(s.y)-y
			if dx > reach || dx < -reach || dy > reach || dy < -reach {
				continue // before it is squared
			}
			d := dx*dx + dy*dy
			if d > outer {
				continue
			}
			far.set(int(s.row))
			if d <= inner {
				near.set(int(s.row))
			}
			if len(g.weights) > 0 {
				g.weights[s.row] = uint16(nearWeight - (nearWeight-farWeight)*d/outer)
			}
		}
	}
}

// walk goes over what v has and what it sees, and settles v's next picture, what leaves it, and what the state
// should tell.
func (g *gather) walk(e *Engine, v *Viewer) {
	now := e.frames.newest
	ids, born, changed := now.rows.IDs, now.born, now.changed
	g.next, g.rowOf, g.picks, g.gone = g.next[:0], g.rowOf[:0], g.picks[:0], g.gone[:0]
	old, k := v.known, 0
	for w, word := range g.set.far {
		for ; word != 0; word &= word - 1 {
			i := w<<6 | bits.TrailingZeros64(word)
			id := ids[i]
			for ; k < len(old) && old[k].id < id; k++ {
				if old[k].have != 0 {
					g.gone = append(g.gone, old[k].id)
				}
			}
			n := known{id: id}
			if k < len(old) && old[k].id == id {
				n = old[k]
				k++
			} else if !g.set.near.has(i) {
				continue
			}
			if n.have == 0 || n.have < changed[i] {
				p := pick{at: int32(len(g.next))}
				switch {
				case n.have == 0:
					p.whole = true
				case n.have < born[i]:
					p.whole, p.replace = true, true
				default:
					p.chunk = g.change(e, n.have, i)
					if p.chunk.at == 0 { // the baseline is gone
						p.whole, p.replace = true, true
					}
				}
				if p.whole {
					p.chunk = g.whole(e, i)
				}
				switch {
				case p.chunk.elements > 0:
					g.picks = append(g.picks, p)
				default: // changed and back again
					n.have, n.wait = uint32(now.number), 0
				}
			} else {
				n.have, n.wait = uint32(now.number), 0
			}
			g.next, g.rowOf = append(g.next, n), append(g.rowOf, int32(i))
		}
	}
	for ; k < len(old); k++ {
		if old[k].have != 0 {
			g.gone = append(g.gone, old[k].id)
		}
	}
}

// table is the chunks against a baseline.
func (g *gather) table(base uint32, rows int) []chunk {
	if g.last < g.used && g.tables[g.last].base == base {
		return g.tables[g.last].chunks
	}
	for i := range g.tables[:g.used] {
		if g.tables[i].base == base {
			g.last = i
			return g.tables[i].chunks
		}
	}
	if g.used == len(g.tables) {
		g.tables = append(g.tables, chunkTable{})
	}
	t := &g.tables[g.used]
	g.last = g.used
	g.used++
	t.base = base
	t.chunks = slices.Grow(t.chunks[:0], rows)[:rows]
	clear(t.chunks)
	return t.chunks
}

// whole is row i in full, encoded once.
func (g *gather) whole(e *Engine, i int) chunk {
	rows := &e.frames.newest.rows
	c := &g.table(0, rows.Len())[i]
	if c.at == 0 {
		at, n := len(g.bytes), 0
		g.bytes, n = protocol.AppendRowValues(g.bytes, rows.Kinds[i], rows.Row(i))
		*c = chunk{at: uint32(at), size: uint16(len(g.bytes) - at), elements: uint16(n)}
	}
	return *c
}

// change is row i against what it was in the frame of a number, encoded once; the zero chunk if that frame is gone.
func (g *gather) change(e *Engine, base uint32, i int) chunk {
	rows := &e.frames.newest.rows
	c := &g.table(base, rows.Len())[i]
	if c.at != 0 {
		return *c
	}
	f := e.frames.find(base)
	if f == nil {
		return chunk{}
	}
	j, ok := f.rows.Find(rows.IDs[i])
	if !ok {
		return chunk{}
	}
	at, n := len(g.bytes), 0
	g.bytes, n = protocol.AppendRowChange(g.bytes, &e.def.Plan.Kinds[rows.Kinds[i]], f.rows.Row(j), rows.Row(i))
	*c = chunk{at: uint32(at), size: uint16(len(g.bytes) - at), elements: uint16(n)}
	return *c
}

// idBytes is what the budget counts for an idΔ and the mask of a new row.
const idBytes = 2

// choose leaves out what the budget has no room for: the smallest claims, from the first on that does not fit. The
// greatest one goes out however large it is, so all have their turn.
func (g *gather) choose() {
	budget := g.interest.Budget
	if budget == 0 {
		return
	}
	total := 0
	for i := range g.picks {
		total += int(g.picks[i].chunk.size) + idBytes
	}
	if total <= budget {
		return
	}
	g.order = g.order[:0]
	greatest := uint64(0)
	for i := range g.picks {
		p := &g.picks[i]
		p.left = true
		n := &g.next[p.at]
		n.wait = min(n.wait+uint32(g.weights[g.rowOf[p.at]]), 1<<31)
		c := claim(n.wait, i, int(p.chunk.size)+idBytes)
		greatest = max(greatest, c)
		g.order = append(g.order, c)
	}
	g.picks[claimed(greatest)].left = false
	g.admit(g.order, budget)
}

// claim packs what choosing needs into a number whose order is that of the claims.
func claim(wait uint32, pick, size int) uint64 {
	return uint64(wait)<<32 | uint64(protocol.MaxRows-1-pick)<<16 | uint64(size)
}

func claimed(claim uint64) (pick int) { return protocol.MaxRows - 1 - int(claim>>16&0xffff) }

// admit lets the greatest claims in until one does not fit: a quicksort of which only the halves are sorted that
// the room ends in.
func (g *gather) admit(claims []uint64, room int) {
	for len(claims) > 0 {
		last := len(claims) - 1
		pivot := claims[last/2]
		claims[last/2] = claims[last]
		n, size := 0, 0
		for i, c := range claims[:last] {
			if c > pivot {
				claims[i], claims[n] = claims[n], c
				size += int(c & 0xffff)
				n++
			}
		}
		if size > room {
			claims = claims[:n]
			continue
		}
		for _, c := range claims[:n] {
			g.picks[claimed(c)].left = false
		}
		if room -= size + int(pivot&0xffff); room < 0 {
			return
		}
		g.picks[claimed(pivot)].left = false
		claims[last] = claims[n] // n is where the pivot would stand
		claims = claims[n+1:]
	}
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

// behold is what the bot p sees of the newest frame.
func (e *Engine) behold(p *Player) *protocol.Rows {
	b := p.eyes
	if b == nil {
		b = new(eyes)
		p.eyes = b
	}
	now := e.frames.newest
	if b.number == now.number {
		return &b.rows
	}
	b.number = now.number
	g := e.gather
	g.prepare(e)
	g.see(e, p, &b.centre)
	b.rows, b.last = b.last, b.rows
	b.rows.Reset()
	k := 0
	for w, word := range g.set.far {
		for ; word != 0; word &= word - 1 {
			i := w<<6 | bits.TrailingZeros64(word)
			id := now.rows.IDs[i]
			for k < b.last.Len() && b.last.IDs[k] < id {
				k++
			}
			if g.set.near.has(i) || k < b.last.Len() && b.last.IDs[k] == id {
				values := now.rows.Row(i)
				copy(b.rows.Append(id, now.rows.Kinds[i], len(values)), values)
			}
		}
	}
	g.seen()
	return &b.rows
}

// eyes are what a bot sees where not everybody sees everything.
type eyes struct {
	number     uint64 // of the frame
	centre     centre
	rows, last protocol.Rows
}
