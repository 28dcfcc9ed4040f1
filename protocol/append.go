package protocol

import "encoding/binary"

// The msgpack subset of the wire, written in the shortest form: nil, bool, integers, str, bin and arrays.
// TestAppendMatchesLibrary holds these against vmihailenco/msgpack, which takes 6 times as long per snapshot.

const (
	codeNil     = 0xc0
	codeFalse   = 0xc2
	codeTrue    = 0xc3
	codeBin8    = 0xc4
	codeBin16   = 0xc5
	codeBin32   = 0xc6
	codeUint8   = 0xcc
	codeUint16  = 0xcd
	codeUint32  = 0xce
	codeUint64  = 0xcf
	codeInt8    = 0xd0
	codeInt16   = 0xd1
	codeInt32   = 0xd2
	codeInt64   = 0xd3
	codeStr8    = 0xd9
	codeStr16   = 0xda
	codeStr32   = 0xdb
	codeArray16 = 0xdc
	codeArray32 = 0xdd
)

func appendUint(dst []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(dst, byte(v))
	case v < 1<<8:
		return append(dst, codeUint8, byte(v))
	case v < 1<<16:
		return append(dst, codeUint16, byte(v>>8), byte(v))
	case v < 1<<32:
		return append(dst, codeUint32, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, codeUint64), v)
}

func appendInt(dst []byte, v int64) []byte {
	if uint64(v+32) < 32+128 { // one byte: −32 … 127
		return append(dst, byte(v))
	}
	return appendWideInt(dst, v)
}

func appendWideInt(dst []byte, v int64) []byte {
	switch {
	case v >= 0:
		return appendUint(dst, uint64(v))
	case v >= -1<<7:
		return append(dst, codeInt8, byte(v))
	case v >= -1<<15:
		return append(dst, codeInt16, byte(v>>8), byte(v))
	case v >= -1<<31:
		return append(dst, codeInt32, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, codeInt64), uint64(v))
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, codeTrue)
	}
	return append(dst, codeFalse)
}

func appendStr(dst []byte, s string) []byte {
	switch n := len(s); {
	case n < 32:
		dst = append(dst, 0xa0|byte(n))
	case n < 1<<8:
		dst = append(dst, codeStr8, byte(n))
	case n < 1<<16:
		dst = append(dst, codeStr16, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, codeStr32), uint32(n))
	}
	return append(dst, s...)
}

func appendOptionalStr(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, codeNil)
	}
	return appendStr(dst, s)
}

func appendBin(dst, b []byte) []byte {
	switch n := len(b); {
	case n < 1<<8:
		dst = append(dst, codeBin8, byte(n))
	case n < 1<<16:
		dst = append(dst, codeBin16, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, codeBin32), uint32(n))
	}
	return append(dst, b...)
}

func appendArray(dst []byte, n int) []byte {
	switch {
	case n < 16:
		return append(dst, 0x90|byte(n))
	case n < 1<<16:
		return append(dst, codeArray16, byte(n>>8), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, codeArray32), uint32(n))
}

// listRoom is what beginList leaves for the head of a list: that of 16 … 65,535 elements.
const listRoom = 3

// beginList leaves room for the head of a list whose count is not known yet.
func beginList(dst []byte) []byte { return append(dst, codeArray16, 0, 0) }

// endList writes the head of the list that began at dst[at:] and moves the elements, where the shortest
// head is not the one that was left room for.
func endList(dst []byte, at, n int) []byte {
	switch {
	case n < 16:
		dst[at] = 0x90 | byte(n)
		return append(dst[:at+1], dst[at+listRoom:]...)
	case n < 1<<16:
		binary.BigEndian.PutUint16(dst[at+1:], uint16(n))
		return dst
	}
	dst = append(dst, 0, 0)
	copy(dst[at+5:], dst[at+listRoom:len(dst)-2])
	dst[at] = codeArray32
	binary.BigEndian.PutUint32(dst[at+1:], uint32(n))
	return dst
}
