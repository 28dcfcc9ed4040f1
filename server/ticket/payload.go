package ticket

import (
	"encoding/binary"
	"math"
)

// The payload is a flat msgpack array of a fixed length. It is read by hand: no reflection, no recursion,
// nothing allocated on a length that a stranger declared.

const (
	claimsElements = 10
	resumeElements = 3
	filmElements   = 2
)

func appendClaims(dst []byte, c *Claims) []byte {
	dst = append(dst, 0x90|claimsElements)
	dst = appendString(dst, c.Match)
	dst = appendString(dst, c.Player)
	dst = appendUint(dst, uint64(c.Seat))
	dst = appendUint(dst, uint64(c.Role))
	dst = appendUint(dst, uint64(c.Team))
	dst = appendUint(dst, uint64(c.IssuedAt))
	dst = appendUint(dst, uint64(c.Expires))
	dst = appendString(dst, c.ID)
	dst = appendString(dst, c.Node)
	return appendBin(dst, c.Ext)
}

func appendResume(dst []byte, r *Resume) []byte {
	dst = append(dst, 0x90|resumeElements)
	dst = appendString(dst, r.Match)
	dst = appendUint(dst, uint64(r.Seat))
	return appendUint(dst, uint64(r.Generation))
}

func appendFilm(dst []byte, f *Film) []byte {
	dst = append(dst, 0x90|filmElements)
	dst = appendString(dst, f.Match)
	return appendUint(dst, uint64(f.Expires))
}

// readClaims refuses anything but the ten elements, each in its range.
func readClaims(payload []byte) (Claims, error) {
	p := parser{rest: payload}
	p.array(claimsElements)
	var c Claims
	c.Match = p.text()
	c.Player = p.text()
	c.Seat = uint16(p.uint(math.MaxUint16))
	c.Role = uint8(p.uint(math.MaxUint8))
	c.Team = uint8(p.uint(math.MaxUint8))
	c.IssuedAt = int64(p.uint(math.MaxUint32))
	c.Expires = int64(p.uint(math.MaxUint32))
	c.ID = p.text()
	c.Node = p.text()
	c.Ext = p.bin()
	if p.bad || len(p.rest) > 0 || c.fault() != "" {
		return Claims{}, ErrMalformed
	}
	return c, nil
}

func readResume(payload []byte) (Resume, error) {
	p := parser{rest: payload}
	p.array(resumeElements)
	var r Resume
	r.Match = p.text()
	r.Seat = uint16(p.uint(math.MaxUint16))
	r.Generation = uint32(p.uint(math.MaxUint32))
	if p.bad || len(p.rest) > 0 || r.fault() != "" {
		return Resume{}, ErrMalformed
	}
	return r, nil
}

func readFilm(payload []byte) (Film, error) {
	p := parser{rest: payload}
	p.array(filmElements)
	var f Film
	f.Match = p.text()
	f.Expires = int64(p.uint(math.MaxUint32))
	if p.bad || len(p.rest) > 0 || f.fault() != "" {
		return Film{}, ErrMalformed
	}
	return f, nil
}

// parser walks over a payload. After the first fault it is bad and gives zeros.
type parser struct {
	rest []byte
	bad  bool
}

// take cuts off n bytes.
func (p *parser) take(n int) []byte {
	if p.bad || n > len(p.rest) {
		p.bad = true
		return nil
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *parser) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *parser) array(n byte) {
	if p.byte() != 0x90|n {
		p.bad = true
	}
}

// uint reads an integer of any width from 0 to max.
func (p *parser) uint(max uint64) uint64 {
	var v uint64
	switch b := p.byte(); {
	case b <= 0x7f:
		v = uint64(b)
	case b == 0xcc || b == 0xd0:
		v = uint64(p.byte())
		p.bad = p.bad || b == 0xd0 && v > math.MaxInt8
	case b == 0xcd || b == 0xd1:
		if raw := p.take(2); raw != nil {
			v = uint64(binary.BigEndian.Uint16(raw))
		}
		p.bad = p.bad || b == 0xd1 && v > math.MaxInt16
	case b == 0xce || b == 0xd2:
		if raw := p.take(4); raw != nil {
			v = uint64(binary.BigEndian.Uint32(raw))
		}
		p.bad = p.bad || b == 0xd2 && v > math.MaxInt32
	case b == 0xcf || b == 0xd3:
		if raw := p.take(8); raw != nil {
			v = binary.BigEndian.Uint64(raw)
		}
		p.bad = p.bad || b == 0xd3 && v > math.MaxInt64
	default:
		p.bad = true
	}
	if p.bad || v > max {
		p.bad = true
		return 0
	}
	return v
}

// text reads a str of at most MaxIDBytes. The string is a copy.
func (p *parser) text() string {
	n := 0
	switch b := p.byte(); {
	case b&0xe0 == 0xa0:
		n = int(b & 0x1f)
	case b == 0xd9:
		n = int(p.byte())
	default:
		p.bad = true
	}
	if n > MaxIDBytes {
		p.bad = true
	}
	return string(p.take(n))
}

// bin reads a bin of at most MaxExtBytes or nil. The slice is a copy.
func (p *parser) bin() []byte {
	n := 0
	switch b := p.byte(); b {
	case 0xc0:
		return nil
	case 0xc4:
		n = int(p.byte())
	case 0xc5:
		if raw := p.take(2); raw != nil {
			n = int(binary.BigEndian.Uint16(raw))
		}
	default:
		p.bad = true
	}
	if n > MaxExtBytes {
		p.bad = true
	}
	return append([]byte(nil), p.take(n)...)
}

func appendUint(dst []byte, v uint64) []byte {
	switch {
	case v <= 0x7f:
		return append(dst, byte(v))
	case v <= math.MaxUint8:
		return append(dst, 0xcc, byte(v))
	case v <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(v))
	case v <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), v)
}

// appendString takes at most MaxIDBytes.
func appendString(dst []byte, s string) []byte {
	if len(s) <= 31 {
		dst = append(dst, 0xa0|byte(len(s)))
	} else {
		dst = append(dst, 0xd9, byte(len(s)))
	}
	return append(dst, s...)
}

// appendBin takes at most MaxExtBytes.
func appendBin(dst, b []byte) []byte {
	switch {
	case len(b) == 0:
		return append(dst, 0xc0)
	case len(b) <= math.MaxUint8:
		dst = append(dst, 0xc4, byte(len(b)))
	default:
		dst = binary.BigEndian.AppendUint16(append(dst, 0xc5), uint16(len(b)))
	}
	return append(dst, b...)
}
