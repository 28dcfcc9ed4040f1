package protocol

import "math/bits"

// State is a client's picture of the match, kept by snapshots and deltas. Set Plan from the welcome, then
// Apply every state message in order. One goroutine owns a State.
//
// Two tables are kept, and a message is decoded from the one into the other: a bad message leaves the
// picture as it was, and nothing is allocated once both have grown.
type State struct {
	Plan       *Plan
	Head       StateHead // of the newest message
	Rows       Rows      // valid until the next Apply
	Private    []int32   // the player's own row, valid until the next Apply
	HasPrivate bool
	CRC        uint32 // of the server's rows at Head.Tick, if HasCRC
	HasCRC     bool

	begun       bool // a snapshot was applied
	skimmed     bool // Rows are not those of Head
	nextRows    Rows
	nextPrivate []int32
	gone        []uint32 // a delta's removed ids
}

// Skim is Apply for who wants the head and the own row alone, at a small part of the cost: the other rows are passed
// over, Rows is empty and there is no CRC. Apply goes on behind it with the next snapshot, and takes a delta for
// ErrBaseline.
func (s *State) Skim(msg []byte) error { return s.apply(msg, true) }

// Apply takes a snapshot or a delta in. It returns ErrBaseline for a delta against another state than this
// one, and a *MessageError for a malformed message; then the state is unchanged and the client asks for a
// keyframe. It does not compare the CRC: see Sound.
func (s *State) Apply(msg []byte) error { return s.apply(msg, false) }

func (s *State) apply(msg []byte, skim bool) error {
	if s.Plan == nil {
		return &MessageError{Reason: "a state before the welcome"}
	}
	t, err := ServerType(msg)
	if err != nil {
		return err
	}
	switch t {
	case TypeSnapshot:
		err = s.applySnapshot(msg, skim)
	case TypeDelta:
		err = s.applyDelta(msg, skim)
	default:
		err = &MessageError{Type: t, Reason: "not a state"}
	}
	if err != nil {
		return err
	}
	if s.skimmed = skim; skim {
		s.HasCRC = false
	}
	return nil
}

// Reset forgets the picture and keeps the memory: the next message must be a snapshot.
func (s *State) Reset(p *Plan) {
	s.Plan, s.Head, s.begun, s.skimmed = p, StateHead{}, false, false
	s.Rows.Reset()
	s.Private, s.HasPrivate = s.Private[:0], false
	s.CRC, s.HasCRC = 0, false
}

// Begun tells whether there is a picture at all.
func (s *State) Begun() bool { return s.begun }

// Sound tells whether the rows match the server's checksum. It is true when the newest message had none.
func (s *State) Sound() bool { return !s.HasCRC || s.Rows.CRC() == s.CRC }

func (s *State) applySnapshot(msg []byte, skim bool) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeSnapshot, 9)
	h := StateHead{Tick: c.u32("tick"), ServerTime: c.micros("server_time")}
	c.stateHead(&h)
	if skim {
		s.skimRows(&c)
	} else {
		s.readRows(&c)
	}
	has := s.readPrivate(&c, false)
	return s.finish(&c, extra, &h, has)
}

func (s *State) applyDelta(msg []byte, skim bool) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeDelta, 10)
	h := StateHead{Tick: c.u32("tick"), BaseTick: c.u32("base_tick")}
	c.stateHead(&h)
	if c.ok() && (!s.begun || h.BaseTick != s.Head.Tick || s.skimmed && !skim) {
		return ErrBaseline
	}
	if c.ok() && h.Tick <= h.BaseTick {
		c.fail("tick", "not above base_tick")
	}
	if skim {
		c.skimInts("removed", MaxRows)
		s.skimRows(&c)
	} else {
		s.mergeRows(&c)
	}
	has := s.readPrivate(&c, true)
	return s.finish(&c, extra, &h, has)
}

func (c *cursor) stateHead(h *StateHead) {
	h.Ack = c.u32("ack")
	h.LeadMS = int16(c.int("lead_ms", -1<<15, 1<<15-1))
	h.Flags = c.u8("flags")
}

// finish reads the crc and what may follow, and turns the tables if all of the message was sound.
func (s *State) finish(c *cursor, extra int, h *StateHead, hasPrivate bool) error {
	crc, hasCRC := uint32(0), !c.null()
	if hasCRC {
		crc = c.u32("crc")
	}
	if err := c.end(extra); err != nil {
		return err
	}
	s.Head, s.CRC, s.HasCRC, s.begun = *h, crc, hasCRC, true
	s.Rows, s.nextRows = s.nextRows, s.Rows
	s.Private, s.nextPrivate, s.HasPrivate = s.nextPrivate, s.Private, hasPrivate
	return nil
}

// readRows reads a snapshot's rows into nextRows.
func (s *State) readRows(c *cursor) {
	rows := &s.nextRows
	rows.Reset()
	left := c.list("rows", maxRowElements)
	id := uint32(0)
	for first := true; left > 0 && c.ok(); first = false {
		id = c.nextID("rows", id, first)
		left -= 2 + s.readNewRow(c, left-2, id)
	}
	if left < 0 {
		c.fail("rows", whyCount)
	}
}

// skimRows passes over the rows of a message: nextRows is empty.
func (s *State) skimRows(c *cursor) {
	s.nextRows.Reset()
	c.skimInts("rows", maxRowElements)
}

// skimInts reads over a list of integers. Nearly all of them are one octet.
func (c *cursor) skimInts(field string, max int) {
	for n := c.list(field, max); n > 0 && c.at < len(c.msg); n-- {
		b := c.msg[c.at]
		switch {
		case int8(b) >= -32:
			c.at++
		case b >= codeUint8 && b <= codeInt64:
			c.skipInt()
		default:
			c.fail(field, whyType)
		}
	}
}

// nextID reads an idΔ. Only the first of a list may be 0.
func (c *cursor) nextID(field string, id uint32, first bool) uint32 {
	d := c.int(field, 0, 0xffffffff)
	switch {
	case d == 0 && !first:
		c.fail(field, whyOrder)
	case d > int64(^uint32(0)-id):
		c.fail(field, whyRange)
	}
	return id + uint32(d)
}

// readNewRow reads [kind, v0 … vn−1] into nextRows and returns n. Left is how many elements the list still
// has for the values.
func (s *State) readNewRow(c *cursor, left int, id uint32) int {
	kind := c.uint("kind", MaxKinds-1)
	if c.ok() && int(kind) >= len(s.Plan.Kinds) {
		c.fail("kind", whyUnknown)
	}
	if !c.ok() {
		return 0
	}
	fields := s.Plan.Kinds[kind].Fields
	if len(fields) > left {
		c.fail("rows", whyCount)
		return 0
	}
	values := s.addRow(c, id, uint8(kind), len(fields))
	for i := range values {
		f := &fields[i]
		values[i] = int32(c.int(f.Name, int64(f.Min), int64(f.Max)))
	}
	return len(fields)
}

// addRow appends a row to nextRows, none if there are too many.
func (s *State) addRow(c *cursor, id uint32, kind uint8, n int) []int32 {
	if s.nextRows.Len() == MaxRows {
		c.fail("rows", whyTooMany)
		return nil
	}
	return s.nextRows.Append(id, kind, n)
}

// readPrivate reads the private row into nextPrivate and tells whether there is one now. In a delta nil
// means unchanged, in a snapshot none.
func (s *State) readPrivate(c *cursor, delta bool) bool {
	s.nextPrivate = s.nextPrivate[:0]
	if c.null() {
		if delta {
			s.nextPrivate = append(s.nextPrivate, s.Private...)
			return s.HasPrivate
		}
		return false
	}
	if s.Plan.Private == nil {
		c.fail("private", "the plan has none")
		return false
	}
	fields := s.Plan.Private.Fields
	n := c.list("private", 1+MaxFields)
	mask := c.u32("private")
	if mask == 0 {
		if n != 1+len(fields) {
			c.fail("private", whyCount)
			return false
		}
		for i := range fields {
			f := &fields[i]
			s.nextPrivate = append(s.nextPrivate, int32(c.int(f.Name, int64(f.Min), int64(f.Max))))
		}
		return true
	}
	switch {
	case !delta || !s.HasPrivate:
		c.fail("private", "differences without a base")
	case n != 1+bits.OnesCount32(mask):
		c.fail("private", whyCount)
	default:
		s.nextPrivate = append(s.nextPrivate, s.Private...)
		c.differences(fields, mask, s.nextPrivate)
	}
	return true
}

// differences adds the differences that mask announces to values.
func (c *cursor) differences(fields []Field, mask uint32, values []int32) {
	if bits.Len32(mask) > len(fields) {
		c.fail("mask", "names a field that is not there")
		return
	}
	for m := mask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		values[i] = c.difference(&fields[i], values[i])
	}
}

// difference reads one difference and adds it to old.
func (c *cursor) difference(f *Field, old int32) int32 {
	min, max := int64(f.Min), int64(f.Max)
	if !f.Wrap {
		return int32(int64(old) + c.int(f.Name, min-int64(old), max-int64(old)))
	}
	span := f.span()
	half := span / 2
	v := int64(old) + c.int(f.Name, -half, span-half-1)
	switch {
	case v < min:
		v += span
	case v > max:
		v -= span
	}
	return int32(v)
}

// maxRowElements bounds the flat list of rows: each has an id, a mask and a kind before its values.
const maxRowElements = MaxRows * (3 + MaxFields)
