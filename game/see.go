package game

import (
	"math/bits"
	"slices"

	"skirmish/protocol"
)

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
