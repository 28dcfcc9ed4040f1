package replay

import (
	"encoding/binary"
	"hash/crc32"
)

// Kinds of chunks.
const (
	kindHead       = 'H'
	kindTicks      = 'T'
	kindCheckpoint = 'C'
	kindForget     = 'F'
	kindEnd        = 'E'
)

const crcBytes = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendChunk appends one chunk whole.
func appendChunk(dst []byte, kind byte, payload []byte) []byte {
	at := len(dst)
	dst = binary.AppendUvarint(append(dst, kind), uint64(len(payload)))
	dst = append(dst, payload...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// nextChunk takes the first chunk off b. ErrTorn: b ends within it, or its checksum is another.
func nextChunk(b []byte) (kind byte, payload, rest []byte, err error) {
	n, w := binary.Uvarint(b[1:])
	switch {
	case w < 0, w > 0 && n > maxPayload(b[0]):
		return 0, nil, nil, ErrCorrupt
	case w == 0, uint64(len(b)) < 1+uint64(w)+n+crcBytes:
		return 0, nil, nil, ErrTorn
	}
	begin := 1 + w
	end := begin + int(n)
	if binary.LittleEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return 0, nil, nil, ErrTorn
	}
	return b[0], b[begin:end], b[end+crcBytes:], nil
}

func maxPayload(kind byte) uint64 {
	if kind == kindCheckpoint {
		return MaxCheckpointBytes
	}
	return MaxChunkBytes
}

// cursor reads foreign bytes. After the first fault everything that it reads is zero.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) fail() { c.b, c.bad = nil, true }

func (c *cursor) u8() byte {
	if len(c.b) < 1 {
		c.fail()
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) u16() uint16 {
	if len(c.b) < 2 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint16(c.b)
	c.b = c.b[2:]
	return v
}

func (c *cursor) u32() uint32 {
	if len(c.b) < 4 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(c.b)
	c.b = c.b[4:]
	return v
}

func (c *cursor) u64() uint64 {
	if len(c.b) < 8 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(c.b)
	c.b = c.b[8:]
	return v
}

// uvarint reads a number of at most most.
func (c *cursor) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > most {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

// bytes reads at most most bytes with their length in front; they lie in what is read.
func (c *cursor) bytes(most int) []byte {
	n := c.uvarint(uint64(most))
	if n > uint64(len(c.b)) {
		c.fail()
	}
	if c.bad {
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) text() string { return string(c.bytes(maxTextBytes)) }

// opaque is bytes of its own; nil for none.
func (c *cursor) opaque() []byte { return append([]byte(nil), c.bytes(maxPayloadBytes)...) }

func appendText[T string | []byte](dst []byte, v T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
}

func appendBytes[T ~[]byte](dst []byte, v T) []byte { return appendText(dst, []byte(v)) }
