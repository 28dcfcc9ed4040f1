package game

import "skirmish/protocol"

// Picture is the rows as the client of v has them after the last state appended for it, by the engine's own books.
// It is false if a frame that they name is gone.
func (v *Viewer) Picture() (rows protocol.Rows, ok bool) {
	base := v.baseline()
	if base == nil {
		return rows, false
	}
	if !v.gathered {
		return *base.shared(), true
	}
	for _, k := range v.known {
		if k.have == 0 {
			continue
		}
		f := v.e.frames.find(k.have)
		if f == nil {
			return rows, false
		}
		i, found := f.rows.Find(k.id)
		if !found {
			return rows, false
		}
		values := f.rows.Row(i)
		copy(rows.Append(k.id, f.rows.Kinds[i], len(values)), values)
	}
	return rows, true
}

// Waiting counts the rows that v has yet to be told of for the first time.
func (v *Viewer) Waiting() (n int) {
	for _, k := range v.known {
		if k.have == 0 {
			n++
		}
	}
	return n
}
