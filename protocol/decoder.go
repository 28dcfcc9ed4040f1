package protocol

import (
	"bytes"
	"io"
	"math"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// Decoder reads what clients send: Begin, then the method of the type that Begin told. It is kept and used
// again, so that a message costs no allocation; one goroutine owns it.
//
// The library's scalar calls do the reading, with three guards around them, since they take nil for 0, cut
// integers to size and allocate for a length before its bytes are there: the first byte of every element is
// looked at before, integers are read wide and checked against their range, and lengths and counts are
// checked against the bytes left. Nothing recurses and nothing decodes into an interface.
type Decoder struct {
	msg   []byte
	r     bytes.Reader
	lib   *msgpack.Decoder
	typ   Type
	count int // elements of the message, type included
	err   *MessageError
}

// NewDecoder makes a Decoder.
func NewDecoder() *Decoder {
	d := new(Decoder)
	d.lib = msgpack.NewDecoder(&d.r) // a bytes.Reader is a ByteScanner: the library reads it without a buffer
	return d
}

// Begin takes a message, reads its head and returns its type. The message must stay as it is until it is
// decoded, and as long as a Request's payload is in use.
func (d *Decoder) Begin(msg []byte) (Type, error) {
	d.msg, d.typ, d.err, d.count = msg, 0, nil, 0
	d.r.Reset(msg)
	if len(msg) > MaxMessageBytes {
		return 0, ErrTooBig
	}
	d.count = d.array("", math.MaxInt32)
	if d.err == nil && d.count == 0 {
		d.fail("", whyShort)
	}
	t := Type(d.int("type", 0, math.MaxUint8))
	if d.err == nil && (t < TypeHello || t > TypeBye) {
		d.fail("type", whyUnknown)
	}
	if d.err != nil {
		return 0, d.err
	}
	d.typ = t
	return t, nil
}

// expect begins the decoding of a message of the known elements, and returns how many more there are.
func (d *Decoder) expect(t Type, known int) (extra int) {
	switch {
	case d.typ != t:
		d.fail("type", "another message")
	case d.count < known:
		d.fail("", whyShort)
	}
	return d.count - known
}

// end skips what a later version may have put behind the known elements and refuses everything after that.
func (d *Decoder) end(extra int) error {
	d.skip(extra)
	if d.err == nil && d.r.Len() != 0 {
		d.fail("", whyTrailing)
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// fail keeps the first fault.
func (d *Decoder) fail(field, why string) {
	if d.err == nil {
		d.err = &MessageError{Type: d.typ, Field: field, Reason: why}
	}
}

// peek returns the first byte of the next element, and false at the end or after a fault.
func (d *Decoder) peek(field string) (byte, bool) {
	left := d.r.Len()
	if d.err != nil {
		return 0, false
	}
	if left == 0 {
		d.fail(field, whyTruncated)
		return 0, false
	}
	return d.msg[len(d.msg)-left], true
}

// int reads an integer of any width and checks it against [min, max].
func (d *Decoder) int(field string, min, max int64) int64 {
	b, ok := d.peek(field)
	if !ok {
		return 0
	}
	var v int64
	var err error
	switch {
	case int8(b) >= -32: // 0 … 127, −32 … −1: most of what there is (BenchmarkDecodeInput)
		d.r.ReadByte()
		v = int64(int8(b))
	case b >= codeUint8 && b <= codeInt64 && b != codeUint64:
		v, err = d.lib.DecodeInt64()
	case b == codeUint64:
		var u uint64
		u, err = d.lib.DecodeUint64()
		if u > maxInteger {
			d.fail(field, whyRange)
			return 0
		}
		v = int64(u)
	default:
		d.fail(field, whyType)
		return 0
	}
	if err != nil {
		d.fail(field, whyTruncated)
		return 0
	}
	if v < min || v > max {
		d.fail(field, whyRange)
		return 0
	}
	return v
}

func (d *Decoder) u8(field string) uint8      { return uint8(d.int(field, 0, math.MaxUint8)) }
func (d *Decoder) u16(field string) uint16    { return uint16(d.int(field, 0, math.MaxUint16)) }
func (d *Decoder) u32(field string) uint32    { return uint32(d.int(field, 0, math.MaxUint32)) }
func (d *Decoder) micros(field string) uint64 { return uint64(d.int(field, 0, maxInteger)) }

// array reads the head of an array of at most max elements, each of which needs a byte.
func (d *Decoder) array(field string, max int) int {
	b, ok := d.peek(field)
	if !ok {
		return 0
	}
	if !isArray(b) {
		d.fail(field, whyType)
		return 0
	}
	var n int
	var err error
	if b&0xf0 == 0x90 {
		d.r.ReadByte()
		n = int(b & 0x0f)
	} else {
		n, err = d.lib.DecodeArrayLen()
	}
	switch {
	case err != nil || n > d.r.Len():
		d.fail(field, whyTruncated)
		return 0
	case n > max:
		d.fail(field, whyTooMany)
		return 0
	}
	return n
}

// tuple reads the head of an array of known elements and returns how many more there are.
func (d *Decoder) tuple(field string, known int) (extra int) {
	n := d.array(field, math.MaxInt32)
	if d.err == nil && n < known {
		d.fail(field, whyShort)
	}
	return n - known
}

func isArray(b byte) bool { return b&0xf0 == 0x90 || b == codeArray16 || b == codeArray32 }

func isStr(b byte) bool { return b&0xe0 == 0xa0 || b >= codeStr8 && b <= codeStr32 }

func isBin(b byte) bool { return b >= codeBin8 && b <= codeBin32 }

// bytes reads a str or bin of at most max bytes, which belong to the message.
func (d *Decoder) bytes(field string, max int, is func(byte) bool) []byte {
	b, ok := d.peek(field)
	if !ok {
		return nil
	}
	if !is(b) {
		d.fail(field, whyType)
		return nil
	}
	n, err := d.lib.DecodeBytesLen()
	switch {
	case err != nil || n > d.r.Len():
		d.fail(field, whyTruncated)
		return nil
	case n > max:
		d.fail(field, whyTooLong)
		return nil
	}
	at := len(d.msg) - d.r.Len()
	d.r.Seek(int64(n), io.SeekCurrent)
	return d.msg[at : at+n]
}

// str reads a str of at most max bytes.
func (d *Decoder) str(field string, max int) string {
	b := d.bytes(field, max, isStr)
	if !utf8.Valid(b) {
		d.fail(field, whyUTF8)
		return ""
	}
	return string(b)
}

// skip reads over n elements, scalars, str and bin only: what a player sent is never followed into the
// depth.
func (d *Decoder) skip(n int) {
	for ; n > 0 && d.err == nil; n-- {
		b, ok := d.peek("")
		switch {
		case !ok:
		case b == codeNil:
			d.lib.DecodeNil()
		case b == codeTrue || b == codeFalse:
			d.lib.DecodeBool()
		case isStr(b) || isBin(b):
			d.bytes("", MaxMessageBytes, func(byte) bool { return true })
		case int8(b) >= -32 || b >= codeUint8 && b <= codeInt64:
			if _, err := d.lib.DecodeInt64(); err != nil {
				d.fail("", whyTruncated)
			}
		default:
			d.fail("", whyType)
		}
	}
}
