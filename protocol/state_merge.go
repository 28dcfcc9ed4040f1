package protocol

import "math/bits"

// merge is the walk of a delta over a table in id order: base row b and removed id g are the next ones.
//
// Most deltas only change rows. So while none was removed or is new, next is a whole copy of base that is
// changed in place (BenchmarkApplyDelta: a third faster); from then on it is built row by row.
type merge struct {
	c          *cursor
	base, next *Rows
	gone       []uint32
	b, g       int
	whole      bool
}

// mergeRows reads a delta's removed and rows, and writes the rows with those changes into nextRows.
func (s *State) mergeRows(c *cursor) {
	s.readRemoved(c)
	m := merge{c: c, base: &s.Rows, next: &s.nextRows, gone: s.gone}
	m.next.Reset()
	if m.whole = len(m.gone) == 0; m.whole {
		m.next.CopyFrom(m.base)
	}
	left := c.list("rows", maxRowElements)
	id := uint32(0)
	for first := true; left > 0 && c.ok(); first = false {
		id = c.nextID("rows", id, first)
		mask := c.u32("mask")
		m.keepBelow(uint64(id))
		exists := m.at(id)
		switch {
		case !c.ok():
		case mask == 0 && exists:
			c.fail("rows", whyTwice)
		case mask == 0:
			m.build()
			left -= 3 + s.readNewRow(c, left-3, id)
		case !exists:
			c.fail("rows", whyMissing)
		default:
			left -= 2 + bits.OnesCount32(mask)
			m.change(s.Plan, mask)
		}
	}
	if left < 0 {
		c.fail("rows", whyCount)
	}
	m.keepBelow(1 << 32)
	if m.g < len(m.gone) {
		c.fail("removed", whyMissing)
	}
}

// readRemoved reads the removed ids into s.gone.
func (s *State) readRemoved(c *cursor) {
	s.gone = s.gone[:0]
	id := uint32(0)
	n := c.list("removed", MaxRows)
	for i := 0; i < n && c.ok(); i++ {
		id = c.nextID("removed", id, i == 0)
		s.gone = append(s.gone, id)
	}
}

// build cuts the whole copy off before the next base row.
func (m *merge) build() {
	if m.whole {
		m.whole = false
		m.next.truncate(m.b)
	}
}

// keepBelow copies the base rows with ids below limit, but for the removed ones.
func (m *merge) keepBelow(limit uint64) {
	if m.whole {
		for m.b < len(m.base.IDs) && uint64(m.base.IDs[m.b]) < limit {
			m.b++
		}
		return
	}
	from := m.b
	for m.b < len(m.base.IDs) && uint64(m.base.IDs[m.b]) < limit && m.c.ok() {
		if m.g < len(m.gone) && m.gone[m.g] <= m.base.IDs[m.b] {
			if m.gone[m.g] < m.base.IDs[m.b] {
				m.c.fail("removed", whyMissing)
				return
			}
			m.copyRows(from)
			m.g++
			from = m.b + 1
		}
		m.b++
	}
	m.copyRows(from)
}

// copyRows copies the base rows from … m.b.
func (m *merge) copyRows(from int) {
	if m.next.Len()+m.b-from > MaxRows {
		m.c.fail("rows", whyTooMany)
		return
	}
	m.next.appendRows(m.base, from, m.b)
}

// at tells whether the next base row is id and stays. A removed one is passed.
func (m *merge) at(id uint32) bool {
	if m.b == len(m.base.IDs) || m.base.IDs[m.b] != id {
		return false
	}
	if m.g < len(m.gone) && m.gone[m.g] == id {
		m.g++
		m.b++
		return false
	}
	return true
}

// change adds the differences that follow to the next base row.
func (m *merge) change(p *Plan, mask uint32) {
	at := m.b
	m.b++
	if !m.whole {
		m.copyRows(at)
		at = m.next.Len() - 1
	}
	if m.c.ok() {
		m.c.differences(p.Kinds[m.base.Kinds[m.b-1]].Fields, mask, m.next.Row(at))
	}
}
