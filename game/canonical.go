package game

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// appendSorted appends the first msgpack value of src with the entries of its maps, at every depth, in the
// order of their keys' bytes, and returns what follows it. The library sorts a few map types only, and Go's
// order of iteration differs from run to run. src is our own encoder's output; anything else panics.
func appendSorted(dst, src []byte) (out, rest []byte) {
	head, items, payload, isMap := msgpackHead(src)
	dst = append(dst, src[:head+payload]...)
	src = src[head+payload:]
	if isMap {
		return appendEntries(dst, src, items)
	}
	for range items {
		dst, src = appendSorted(dst, src)
	}
	return dst, src
}

// entry is a key and its value in a buffer: from begin, the value from value, to end.
type entry struct{ begin, value, end int }

func appendEntries(dst, src []byte, n int) (out, rest []byte) {
	at := len(dst)
	entries := make([]entry, n)
	for i := range entries {
		entries[i].begin = len(dst)
		dst, src = appendSorted(dst, src)
		entries[i].value = len(dst)
		dst, src = appendSorted(dst, src)
		entries[i].end = len(dst)
	}
	byKey := func(a, b entry) int { return bytes.Compare(dst[a.begin:a.value], dst[b.begin:b.value]) }
	if slices.IsSortedFunc(entries, byKey) {
		return dst, src
	}
	slices.SortFunc(entries, byKey)
	moved := make([]byte, 0, len(dst)-at)
	for _, e := range entries {
		moved = append(moved, dst[e.begin:e.end]...)
	}
	copy(dst[at:], moved)
	return dst, src
}

// msgpackHead reads the head of a value: its length, how many values follow (twice over for a map) and how many
// bytes of payload.
func msgpackHead(b []byte) (head, items, payload int, isMap bool) {
	size := func(width int) int {
		switch width {
		case 1:
			return int(b[1])
		case 2:
			return int(binary.BigEndian.Uint16(b[1:]))
		}
		return int(binary.BigEndian.Uint32(b[1:]))
	}
	switch c := b[0]; {
	case c <= 0x7f || c >= 0xe0 || c >= 0xc0 && c <= 0xc3: // fixint, nil, bool
		return 1, 0, 0, false
	case c <= 0x8f:
		return 1, int(c & 0x0f), 0, true
	case c <= 0x9f:
		return 1, int(c & 0x0f), 0, false
	case c <= 0xbf:
		return 1, 0, int(c & 0x1f), false
	case c <= 0xc6: // bin 8, 16, 32
		w := 1 << (c - 0xc4)
		return 1 + w, 0, size(w), false
	case c <= 0xc9: // ext 8, 16, 32: a type byte before the payload
		w := 1 << (c - 0xc7)
		return 2 + w, 0, size(w), false
	case c == 0xca: // float32
		return 1, 0, 4, false
	case c == 0xcb: // float64
		return 1, 0, 8, false
	case c <= 0xcf: // uint 8 to 64
		return 1, 0, 1 << (c - 0xcc), false
	case c <= 0xd3: // int 8 to 64
		return 1, 0, 1 << (c - 0xd0), false
	case c <= 0xd8: // fixext 1 to 16
		return 2, 0, 1 << (c - 0xd4), false
	case c <= 0xdb: // str 8, 16, 32
		w := 1 << (c - 0xd9)
		return 1 + w, 0, size(w), false
	case c <= 0xdd: // array 16, 32
		w := 2 << (c - 0xdc)
		return 1 + w, size(w), 0, false
	default: // map 16, 32
		w := 2 << (c - 0xde)
		return 1 + w, size(w), 0, true
	}
}

// maxNesting is how deep the values of a checkpoint may lie in one another: the library's own recursion has no bound,
// and a stack that overflows takes the process with it.
const maxNesting = 100

// shallow tells whether b, of unknown origin, is one whole msgpack value of at most maxNesting.
func shallow(b []byte) bool {
	var left [maxNesting]int // values to come, at each depth
	left[0] = 1
	for depth := 0; depth >= 0; {
		if left[depth] == 0 {
			depth--
			continue
		}
		left[depth]--
		if len(b) == 0 || b[0] == 0xc1 { // the one byte that begins nothing
			return false
		}
		var whole [5]byte
		copy(whole[:], b)
		head, items, payload, isMap := msgpackHead(whole[:])
		if head+payload > len(b) || items > len(b) {
			return false
		}
		b = b[head+payload:]
		if isMap {
			items *= 2
		}
		if items > 0 {
			if depth++; depth == maxNesting {
				return false
			}
			left[depth] = items
		}
	}
	return len(b) == 0
}
