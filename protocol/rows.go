package protocol

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sort"
)

// Rows is a table of replicated rows in ascending id order: the server's ring holds one per snapshot, a
// client holds the newest. Three columns and one flat run of values; no garbage once grown.
// One goroutine owns a Rows.
type Rows struct {
	IDs    []uint32
	Kinds  []uint8
	At     []int32 // where a row's values begin in Values
	Values []int32

	chunk []byte // scratch of CRC: a local one would escape
}

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.IDs) }

// Reset empties the table and keeps its memory.
func (r *Rows) Reset() {
	r.IDs, r.Kinds, r.At, r.Values = r.IDs[:0], r.Kinds[:0], r.At[:0], r.Values[:0]
}

// Grow makes room for so many more rows and values at once: for exactly those, where there is too little.
func (r *Rows) Grow(rows, values int) {
	if n := len(r.IDs) + rows; n > cap(r.IDs) {
		r.IDs = append(make([]uint32, 0, n), r.IDs...)
		r.Kinds = append(make([]uint8, 0, n), r.Kinds...)
		r.At = append(make([]int32, 0, n), r.At...)
	}
	if n := len(r.Values) + values; n > cap(r.Values) {
		r.Values = append(make([]int32, 0, n), r.Values...)
	}
}

// Append adds a row of n zero values behind the last one and returns the values to fill in, valid until the
// next Append. The caller keeps ids rising.
func (r *Rows) Append(id uint32, kind uint8, n int) []int32 {
	at := len(r.Values)
	r.IDs = append(r.IDs, id)
	r.Kinds = append(r.Kinds, kind)
	r.At = append(r.At, int32(at))
	r.Values = slices.Grow(r.Values, n)[:at+n]
	clear(r.Values[at:])
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

// Find returns the index of the row id, or where it would stand.
func (r *Rows) Find(id uint32) (i int, ok bool) {
	i = sort.Search(len(r.IDs), func(i int) bool { return r.IDs[i] >= id })
	return i, i < len(r.IDs) && r.IDs[i] == id
}

// Equal tells whether both tables hold the same rows.
func (r *Rows) Equal(o *Rows) bool {
	return slices.Equal(r.IDs, o.IDs) && slices.Equal(r.Kinds, o.Kinds) &&
		slices.Equal(r.At, o.At) && slices.Equal(r.Values, o.Values)
}

// CopyFrom makes r the same as o, in r's own memory.
func (r *Rows) CopyFrom(o *Rows) {
	r.IDs = append(r.IDs[:0], o.IDs...)
	r.Kinds = append(r.Kinds[:0], o.Kinds...)
	r.At = append(r.At[:0], o.At...)
	r.Values = append(r.Values[:0], o.Values...)
}

// appendRows adds rows from … to−1 of o.
func (r *Rows) appendRows(o *Rows, from, to int) {
	if from == to {
		return
	}
	begin, end := int(o.At[from]), len(o.Values)
	if to < len(o.At) {
		end = int(o.At[to])
	}
	shift := int32(len(r.Values) - begin)
	r.IDs = append(r.IDs, o.IDs[from:to]...)
	r.Kinds = append(r.Kinds, o.Kinds[from:to]...)
	r.Values = append(r.Values, o.Values[begin:end]...)
	for _, at := range o.At[from:to] {
		r.At = append(r.At, at+shift)
	}
}

// truncate keeps the first n rows.
func (r *Rows) truncate(n int) {
	if n < len(r.IDs) {
		r.Values = r.Values[:r.At[n]]
		r.IDs, r.Kinds, r.At = r.IDs[:n], r.Kinds[:n], r.At[:n]
	}
}

// CRC is the checksum that a state message carries: CRC-32 (IEEE) over the rows in order, each as its id
// (u32), kind (u8) and values (i32 each), little-endian.
func (r *Rows) CRC() uint32 {
	crc, p := uint32(0), r.chunk[:0]
	for i, id := range r.IDs {
		p = binary.LittleEndian.AppendUint32(p, id)
		p = append(p, r.Kinds[i])
		for _, v := range r.Row(i) {
			p = binary.LittleEndian.AppendUint32(p, uint32(v))
		}
		if len(p) >= crcChunk {
			crc, p = crc32.Update(crc, crc32.IEEETable, p), p[:0]
		}
	}
	r.chunk = p[:0]
	return crc32.Update(crc, crc32.IEEETable, p)
}

// crcChunk is how many bytes CRC gathers before it sums them, in bytes: the scratch stays in the L1 cache.
const crcChunk = 1024
