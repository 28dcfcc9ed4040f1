package protocol

// Rows is a table of replicated rows in ascending id order: the server's ring holds one per snapshot, a
// client holds the newest. Three columns and one flat run of values; no garbage once grown.
// One goroutine owns a Rows.
type Rows struct {
	IDs    []uint32
	Kinds  []uint8
	At     []int32 // where a row's values begin in Values
	Values []int32
}

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.IDs) }

// Reset empties the table and keeps its memory.
func (r *Rows) Reset() {
	r.IDs, r.Kinds, r.At, r.Values = r.IDs[:0], r.Kinds[:0], r.At[:0], r.Values[:0]
}

// Append adds a row of n zero values behind the last one and returns the values to fill in, valid until the
// next Append. The caller keeps ids rising.
func (r *Rows) Append(id uint32, kind uint8, n int) []int32 {
	at := len(r.Values)
	r.IDs = append(r.IDs, id)
	r.Kinds = append(r.Kinds, kind)
	r.At = append(r.At, int32(at))
	for range n {
		r.Values = append(r.Values, 0)
	}
	return r.Values[at:]
}

// Row returns the values of row i, valid until the table changes.
func (r *Rows) Row(i int) []int32 {
	end := len(r.Values)
	if i+1 < len(r.At) {
		end = int(r.At[i+1])
	}
	return r.Values[r.At[i]:end]
}
