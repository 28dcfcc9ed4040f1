package protocol

import (
	"encoding/binary"
	"unicode/utf8"
)

// maxInteger bounds every 64-bit integer on the wire: a JavaScript number holds it exactly.
const maxInteger = 1<<53 - 1

// cursor reads a server's message. The first fault sticks: from then on every read gives zero, so that a
// caller reads a run of elements and asks once. Loops over a count from the wire must ask in each round
// (ok), or bound the count by the bytes left (list), or both.
type cursor struct {
	msg []byte
	at  int
	typ Type
	err *MessageError
}

func (c *cursor) ok() bool { return c.err == nil }

// fail keeps the first fault and makes the rest of the message unreadable.
func (c *cursor) fail(field, why string) {
	if c.err == nil {
		c.err = &MessageError{Type: c.typ, Field: field, Reason: why}
	}
	c.at = len(c.msg)
}

func (c *cursor) left() int { return len(c.msg) - c.at }

// begin reads the array head and the type of a message of at least min elements, and returns how many
// elements stand behind those.
func (c *cursor) begin(t Type, min int) (extra int) {
	c.typ = t
	n, is := c.array("")
	if !is {
		c.fail("", whyType)
		return 0
	}
	if n < min {
		c.fail("", whyShort)
		return 0
	}
	if v := c.uint("type", 0xff); c.ok() && Type(v) != t {
		c.fail("type", "another message")
	}
	return n - min
}

// end skips what a later version may have put behind the known elements and refuses everything after that.
func (c *cursor) end(extra int) error {
	c.skip(extra)
	if c.err == nil && c.at != len(c.msg) {
		c.fail("", whyTrailing)
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

// int reads an integer of any width into [min, max].
func (c *cursor) int(field string, min, max int64) int64 {
	if c.at < len(c.msg) {
		if b := c.msg[c.at]; int8(b) >= -32 { // one byte: 0 … 127 and −32 … −1
			c.at++
			v := int64(int8(b))
			if v < min || v > max {
				c.fail(field, whyRange)
				return 0
			}
			return v
		}
	}
	return c.wideInt(field, min, max)
}

// uint reads an integer of any width into [0, max], max ≤ maxInteger.
func (c *cursor) uint(field string, max int64) int64 { return c.int(field, 0, max) }

func (c *cursor) u8(field string) uint8      { return uint8(c.int(field, 0, 0xff)) }
func (c *cursor) u16(field string) uint16    { return uint16(c.int(field, 0, 0xffff)) }
func (c *cursor) u32(field string) uint32    { return uint32(c.int(field, 0, 0xffffffff)) }
func (c *cursor) micros(field string) uint64 { return uint64(c.int(field, 0, maxInteger)) }

func (c *cursor) wideInt(field string, min, max int64) int64 {
	if c.left() == 0 {
		c.fail(field, whyTruncated)
		return 0
	}
	p := c.msg[c.at:]
	width := 0
	switch p[0] {
	case codeUint8, codeInt8:
		width = 1
	case codeUint16, codeInt16:
		width = 2
	case codeUint32, codeInt32:
		width = 4
	case codeUint64, codeInt64:
		width = 8
	default:
		c.fail(field, whyType)
		return 0
	}
	if len(p) <= width {
		c.fail(field, whyTruncated)
		return 0
	}
	var v int64
	switch p[0] {
	case codeUint8:
		v = int64(p[1])
	case codeInt8:
		v = int64(int8(p[1]))
	case codeUint16:
		v = int64(binary.BigEndian.Uint16(p[1:]))
	case codeInt16:
		v = int64(int16(binary.BigEndian.Uint16(p[1:])))
	case codeUint32:
		v = int64(binary.BigEndian.Uint32(p[1:]))
	case codeInt32:
		v = int64(int32(binary.BigEndian.Uint32(p[1:])))
	case codeInt64:
		v = int64(binary.BigEndian.Uint64(p[1:]))
	case codeUint64:
		u := binary.BigEndian.Uint64(p[1:])
		if u > maxInteger {
			c.fail(field, whyRange)
			return 0
		}
		v = int64(u)
	}
	c.at += 1 + width
	if v < min || v > max {
		c.fail(field, whyRange)
		return 0
	}
	return v
}

func (c *cursor) bool(field string) bool {
	if c.left() == 0 {
		c.fail(field, whyTruncated)
		return false
	}
	b := c.msg[c.at]
	if b != codeTrue && b != codeFalse {
		c.fail(field, whyType)
		return false
	}
	c.at++
	return b == codeTrue
}

// null takes a nil if one is next.
func (c *cursor) null() bool {
	if c.left() > 0 && c.msg[c.at] == codeNil {
		c.at++
		return true
	}
	return false
}

// array takes an array head if one is next. The count is bounded by the bytes left.
func (c *cursor) array(field string) (n int, is bool) {
	if c.left() == 0 {
		c.fail(field, whyTruncated)
		return 0, true
	}
	p := c.msg[c.at:]
	switch b := p[0]; {
	case b&0xf0 == 0x90:
		n, p = int(b&0x0f), p[1:]
	case b == codeArray16 && len(p) >= 3:
		n, p = int(binary.BigEndian.Uint16(p[1:])), p[3:]
	case b == codeArray32 && len(p) >= 5:
		n, p = int(binary.BigEndian.Uint32(p[1:])), p[5:]
	case b == codeArray16 || b == codeArray32:
		c.fail(field, whyTruncated)
		return 0, true
	default:
		return 0, false
	}
	if n > len(p) { // an element is a byte at least
		c.fail(field, whyTruncated)
		return 0, true
	}
	c.at = len(c.msg) - len(p)
	return n, true
}

// list reads the head of an array of at most max elements.
func (c *cursor) list(field string, max int) int {
	n, is := c.array(field)
	if !is {
		c.fail(field, whyType)
	}
	if n > max {
		c.fail(field, whyTooMany)
		return 0
	}
	return n
}

// tuple reads the head of an array of known elements and returns how many more there are.
func (c *cursor) tuple(field string, known int) (extra int) {
	n, is := c.array(field)
	switch {
	case !is:
		c.fail(field, whyType)
	case n < known:
		c.fail(field, whyShort)
	default:
		return n - known
	}
	return 0
}

// bytes reads the head of a str (bin = false) or bin of at most max bytes and returns its bytes, which
// belong to the message.
func (c *cursor) bytes(field string, bin bool, max int) []byte {
	if c.left() == 0 {
		c.fail(field, whyTruncated)
		return nil
	}
	n, head, isBin, is := stringHead(c.msg[c.at:])
	switch {
	case !is || isBin != bin:
		c.fail(field, whyType)
		return nil
	case head > c.left() || n > uint64(c.left()-head):
		c.fail(field, whyTruncated)
		return nil
	case n > uint64(max):
		c.fail(field, whyTooLong)
		return nil
	}
	b := c.msg[c.at+head : c.at+head+int(n)]
	c.at += head + int(n)
	return b
}

func (c *cursor) bin(field string, max int) []byte { return c.bytes(field, true, max) }

func (c *cursor) str(field string, max int) string {
	b := c.bytes(field, false, max)
	if !utf8.Valid(b) {
		c.fail(field, whyUTF8)
		return ""
	}
	return string(b)
}

// optionalStr reads a str or nil.
func (c *cursor) optionalStr(field string, max int) string {
	if c.null() {
		return ""
	}
	return c.str(field, max)
}

// stringHead reads the head of a str or bin at the begin of p. If head is larger than p, the head itself
// is cut and n means nothing.
func stringHead(p []byte) (n uint64, head int, bin, is bool) {
	switch b := p[0]; {
	case b&0xe0 == 0xa0:
		return uint64(b & 0x1f), 1, false, true
	case b == codeStr8 || b == codeBin8:
		bin, head = b == codeBin8, 2
	case b == codeStr16 || b == codeBin16:
		bin, head = b == codeBin16, 3
	case b == codeStr32 || b == codeBin32:
		bin, head = b == codeBin32, 5
	default:
		return 0, 0, false, false
	}
	if head <= len(p) {
		for _, b := range p[1:head] {
			n = n<<8 | uint64(b)
		}
	}
	return n, head, bin, true
}

// skip reads over n elements: nil, bool, integers, str, bin and arrays of those to any depth. It counts
// instead of recursing, so that a nesting costs no stack.
func (c *cursor) skip(n int) {
	for ; n > 0 && c.ok(); n-- {
		if c.left() == 0 {
			c.fail("", whyTruncated)
			return
		}
		switch b := c.msg[c.at]; {
		case b == codeNil || b == codeTrue || b == codeFalse:
			c.at++
		case int8(b) >= -32 || b >= codeUint8 && b <= codeInt64:
			c.skipInt()
		case b&0xf0 == 0x90 || b == codeArray16 || b == codeArray32:
			more, _ := c.array("")
			n += more
		default:
			_, _, bin, _ := stringHead(c.msg[c.at:])
			c.bytes("", bin, len(c.msg))
		}
	}
}

// skipInt reads over an integer of any value.
func (c *cursor) skipInt() {
	width := 0
	if b := c.msg[c.at]; b >= codeUint8 && b <= codeInt64 {
		width = 1 << ((b - codeUint8) & 3)
	}
	if c.left() <= width {
		c.fail("", whyTruncated)
		return
	}
	c.at += 1 + width
}
