package replay

import (
	"encoding/binary"
	"math"

	"skirmish/game"
	"skirmish/protocol"
)

// Flags of an input and of a thought.
const (
	asSeat   = 0x01
	asNumber = 0x02
	asView   = 0x04
	asPart   = 0x08
	asValues = 0x10
)

// expected is what both ends of a recording expect of the next input: writer and reader keep it alike.
type expected struct {
	fields int
	seats  []*seatLast // by seat, nil: not heard of
	last   game.Seat   // whose input or thought was the last
}

// seatLast is the last input of a seat.
type seatLast struct {
	after  game.Seat // whose came after it the last time
	seq    uint32
	base   uint32 // of the view
	gap    uint32 // from there to the next state
	part   uint8
	values []int32
}

// forget begins from zero.
func (x *expected) forget() {
	x.last = 0
	for _, l := range x.seats {
		if l != nil {
			clear(l.values)
			*l = seatLast{values: l.values}
		}
	}
}

func (x *expected) seat(s game.Seat) *seatLast {
	if int(s) >= len(x.seats) {
		x.seats = append(x.seats, make([]*seatLast, int(s)+1-len(x.seats))...)
	}
	if x.seats[s] == nil {
		x.seats[s] = &seatLast{values: make([]int32, x.fields)}
	}
	return x.seats[s]
}

// view is where the seat's picture is a tick after its last input.
func (l *seatLast) view() (base, gap uint32, part uint8) {
	if l.base == 0 {
		return 0, 0, 0
	}
	if l.gap == 0 {
		return l.base + 1, 0, l.part
	}
	at, whole := uint64(l.part)*uint64(l.gap)+256, uint64(l.gap)<<8
	base = l.base
	for ; at >= whole; at -= whole {
		base += l.gap
	}
	return base, l.gap, uint8(at / uint64(l.gap))
}

// appendSeat appends the head of an input or thought and whose it is.
func (x *expected) appendSeat(dst []byte, head byte, s game.Seat) []byte {
	before := x.seat(x.last)
	x.last = s
	if before.after == s {
		return append(dst, head|asSeat)
	}
	before.after = s
	return binary.AppendUvarint(append(dst, head), uint64(s))
}

func (x *expected) readSeat(c *cursor, head byte) game.Seat {
	before := x.seat(x.last)
	if head&asSeat == 0 {
		before.after = game.Seat(c.uvarint(math.MaxUint16))
	}
	x.last = before.after
	return x.last
}

// appendInput appends an input message.
func (x *expected) appendInput(dst []byte, s game.Seat, in *protocol.Input) []byte {
	at := len(dst)
	dst = x.appendSeat(dst, opInput, s)
	l := x.seat(s)
	flags := byte(0)
	if in.FirstSeq == l.seq+1 && in.Count == 1 {
		flags |= asNumber
	} else {
		dst = binary.AppendVarint(dst, int64(in.FirstSeq)-int64(l.seq)-1)
		dst = binary.AppendUvarint(dst, uint64(in.Count))
	}
	base, gap, part := l.view()
	if in.BaseTick == base && in.NextTick == base+gap {
		flags |= asView
	} else {
		dst = binary.AppendVarint(dst, int64(in.BaseTick)-int64(base))
		dst = binary.AppendVarint(dst, int64(in.NextTick-in.BaseTick)-int64(gap))
	}
	if in.Fraction == part {
		flags |= asPart
	} else {
		dst = append(dst, in.Fraction)
	}
	dst, same := l.appendValues(dst, in.Values, in.Count)
	if same {
		flags |= asValues
	}
	dst[at] |= flags
	l.seq = in.FirstSeq + uint32(in.Count) - 1
	l.base, l.gap, l.part = in.BaseTick, in.NextTick-in.BaseTick, in.Fraction
	return dst
}

func (x *expected) readInput(c *cursor, head byte, in *protocol.Input) game.Seat {
	s := x.readSeat(c, head)
	l := x.seat(s)
	in.FirstSeq, in.Count = l.seq+1, 1
	if head&asNumber == 0 {
		in.FirstSeq += uint32(c.varint())
		in.Count = int(c.uvarint(protocol.MaxInputsPerMessage))
	}
	base, gap, part := l.view()
	if head&asView == 0 {
		base += uint32(c.varint())
		gap += uint32(c.varint())
	}
	if head&asPart == 0 {
		part = c.u8()
	}
	in.BaseTick, in.NextTick, in.Fraction = base, base+gap, part
	in.Values = l.readValues(c, in.Values[:0], in.Count, head&asValues != 0)
	l.seq = in.FirstSeq + uint32(in.Count) - 1
	l.base, l.gap, l.part = base, gap, part
	return s
}

// appendThought appends what a bot does.
func (x *expected) appendThought(dst []byte, s game.Seat, values []int32) []byte {
	at := len(dst)
	dst = x.appendSeat(dst, opThought, s)
	dst, same := x.seat(s).appendValues(dst, values, 1)
	if same {
		dst[at] |= asValues
	}
	return dst
}

func (x *expected) readThought(c *cursor, head byte, values []int32) (game.Seat, []int32) {
	s := x.readSeat(c, head)
	return s, x.seat(s).readValues(c, values, 1, head&asValues != 0)
}

// appendValues appends the differences of count inputs, each to the one before; none when all are the same.
func (l *seatLast) appendValues(dst []byte, values []int32, count int) (out []byte, same bool) {
	begin, any := len(dst), uint32(0)
	n := len(l.values)
	for i := range count {
		now := values[i*n : (i+1)*n]
		mask := uint32(0)
		for f, v := range now {
			if v != l.values[f] {
				mask |= 1 << f
			}
		}
		any |= mask
		dst = binary.AppendUvarint(dst, uint64(mask))
		for f, v := range now {
			if mask>>f&1 != 0 {
				dst = binary.AppendVarint(dst, int64(v-l.values[f])) // modulo 2^32
				l.values[f] = v
			}
		}
	}
	if any == 0 {
		return dst[:begin], true
	}
	return dst, false
}

func (l *seatLast) readValues(c *cursor, dst []int32, count int, same bool) []int32 {
	for range count {
		if !same {
			mask := c.uvarint(1<<len(l.values) - 1)
			for f := range l.values {
				if mask>>f&1 != 0 {
					l.values[f] += int32(c.varint())
				}
			}
		}
		dst = append(dst, l.values...)
	}
	return dst
}
