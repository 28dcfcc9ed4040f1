package replay

import (
	"encoding/json"
	"fmt"
	"math"

	"skirmish/game"
	"skirmish/protocol"
)

// Operations, and the first byte of each.
const (
	opStep    = 0x01
	opHash    = 0x02
	opJoin    = 0x03
	opLeave   = 0x04
	opLost    = 0x05
	opBack    = 0x06
	opRequest = 0x07
	opSignal  = 0x08
	opStop    = 0x09
	opThought = 0x40
	opInput   = 0x80
)

// op is one operation as read.
type op struct {
	kind    byte
	seat    game.Seat
	info    game.PlayerInfo // join
	reason  game.Reason     // leave, stop
	code    uint16          // request
	name    string          // signal
	payload []byte          // request, signal; lies in what is read
	input   protocol.Input
	values  []int32 // thought
	digest  uint16  // step
	hash    uint64
}

// read takes the next operation off c, which is not empty.
func (o *op) read(c *cursor, x *expected) error {
	head := c.u8()
	switch {
	case head&opInput != 0:
		o.kind = opInput
		o.seat = x.readInput(c, head, &o.input)
	case head&opThought != 0:
		o.kind = opThought
		o.seat, o.values = x.readThought(c, head, o.values[:0])
	default:
		o.kind = head
		o.readRest(c, x)
	}
	if c.bad {
		return fmt.Errorf("%w: an operation of kind %#02x cannot be read", ErrCorrupt, head)
	}
	return nil
}

func (o *op) readRest(c *cursor, x *expected) {
	switch o.kind {
	case opStep:
		o.digest = c.u16()
		x.last = 0
	case opHash:
		o.hash = c.u64()
	case opJoin:
		o.seat = o.readSeat(c)
		bot, team := c.u8(), c.varint()
		o.info = game.PlayerInfo{Seat: o.seat, Bot: bot == 1, Team: int(team), ID: c.text(), Name: c.text()}
		if data := c.opaque(); len(data) > 0 {
			o.info.Data = json.RawMessage(data)
		}
	case opLeave:
		o.seat, o.reason = o.readSeat(c), game.Reason(c.text())
	case opLost, opBack:
		o.seat = o.readSeat(c)
	case opRequest:
		o.seat, o.code, o.payload = o.readSeat(c), uint16(c.uvarint(math.MaxUint16)), c.bytes(maxPayloadBytes)
	case opSignal:
		o.name, o.payload = string(c.bytes(maxPayloadBytes)), nil
		if c.u8() == 1 {
			o.payload = c.bytes(maxPayloadBytes)
		}
	case opStop:
		o.reason = game.Reason(c.text())
	default:
		c.fail()
	}
}

func (o *op) readSeat(c *cursor) game.Seat { return game.Seat(c.uvarint(math.MaxUint16)) }
