package protocol

import "math/bits"

// The rows of a state may also be put together one by one, for viewers that each see others: every row is encoded
// once, without its idΔ, and a RowList gathers those that one viewer sees.

// AppendRowValues appends a whole row of a kind, [kind, v0 … vn−1], and counts its elements. In a snapshot it
// stands behind the idΔ, in a delta, as a new row, behind idΔ and a mask of 0.
func AppendRowValues(dst []byte, kind uint8, values []int32) (out []byte, elements int) {
	dst = append(dst, kind)
	for _, v := range values {
		dst = appendInt(dst, int64(v))
	}
	return dst, 1 + len(values)
}

// AppendRowChange appends what turns the row old, of kind k, into now, [mask, d …], and counts its elements: none
// if they are equal.
func AppendRowChange(dst []byte, k *Kind, old, now []int32) (out []byte, elements int) {
	mask := changes(old, now)
	if mask == 0 {
		return dst, 0
	}
	return appendDifferences(dst, k.Fields, mask, old, now), 1 + bits.OnesCount32(mask)
}

// RowList is one of the flat lists removed and rows while it is written. Ids rise.
type RowList struct {
	begin    int // of its head in dst
	elements int
	previous uint32
}

// Begin leaves room for the list's head.
func (l *RowList) Begin(dst []byte) []byte {
	*l = RowList{begin: len(dst)}
	return beginList(dst)
}

// Remove appends an id to a list of removed rows.
func (l *RowList) Remove(dst []byte, id uint32) []byte {
	dst = appendUint(dst, uint64(id-l.previous))
	l.previous = id
	l.elements++
	return dst
}

// Row appends an encoded row of so many elements.
func (l *RowList) Row(dst []byte, id uint32, row []byte, elements int) []byte {
	dst = appendUint(dst, uint64(id-l.previous))
	l.previous = id
	l.elements += 1 + elements
	return append(dst, row...)
}

// New appends the whole row of AppendRowValues to a delta.
func (l *RowList) New(dst []byte, id uint32, row []byte, elements int) []byte {
	dst = append(appendUint(dst, uint64(id-l.previous)), 0)
	l.previous = id
	l.elements += 2 + elements
	return append(dst, row...)
}

// End writes the head.
func (l *RowList) End(dst []byte) []byte { return endList(dst, l.begin, l.elements) }
