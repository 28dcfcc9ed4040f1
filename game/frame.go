package game

// Frame collects the rows of one snapshot. It is valid until Sim.Frame returns.
type Frame struct{ e *Engine }

// Tick is the number of the step that the frame shows.
func (f *Frame) Tick() uint32 { return f.e.tick }

// Put writes one row, in any order of ids; ascending is fastest. row points to one of the structs of Spec.Kinds
// and is copied. Values out of a field's range are clamped. A second row of the same id panics, and so does
// anything that is no row.
func (f *Frame) Put(id uint32, row any) { f.e.put(0, id, row) }

// PutFor writes a row that only the player of one seat sees, such as a hand of cards or a trap; no other player, no
// bot of another seat and no spectator is sent it. For the rest it is as Put: ids are those of all rows together.
func (f *Frame) PutFor(owner Seat, id uint32, row any) {
	f.e.gathering()
	f.e.put(owner, id, row)
}
