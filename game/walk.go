package game

import (
	"math/bits"
	"slices"

	"skirmish/protocol"
)

// walk goes over what v has and what it sees, and settles v's next picture, what leaves it, and what the state
// should tell.
func (g *gather) walk(e *Engine, v *Viewer) {
	now := e.frames.newest
	ids := now.rows.IDs
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
			g.meet(e, n, i)
		}
	}
	for ; k < len(old); k++ {
		if old[k].have != 0 {
			g.gone = append(g.gone, old[k].id)
		}
	}
}

// meet takes row i into v's next picture, n being what its client has of it, and picks it if that is not what
// the row is now.
func (g *gather) meet(e *Engine, n known, i int) {
	now := e.frames.newest
	p := pick{at: int32(len(g.next))}
	switch {
	case n.have == 0:
		p.whole = true
	case n.have >= now.changed[i]:
		n.have, n.wait = uint32(now.number), 0
	case n.have < now.born[i]:
		p.whole, p.replace = true, true
	default:
		if p.chunk = g.change(e, n.have, i); p.chunk.at == 0 { // the baseline is gone
			p.whole, p.replace = true, true
		} else if p.chunk.elements == 0 { // changed and back again
			n.have, n.wait = uint32(now.number), 0
		}
	}
	if p.whole {
		p.chunk = g.whole(e, i)
	}
	if p.chunk.elements > 0 {
		g.picks = append(g.picks, p)
	}
	g.next, g.rowOf = append(g.next, n), append(g.rowOf, int32(i))
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
