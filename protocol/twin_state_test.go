package protocol_test

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"

	. "skirmish/protocol"
)

// twinState is a client's picture as a map.
type twinState struct {
	plan    *Plan
	begun   bool
	tick    uint32
	rows    map[uint32]row
	private []int32 // nil: none
	crc     any
}

// apply is State.Apply.
func (s *twinState) apply(msg []byte) error {
	next := *s
	next.begun = true
	baseline := false
	err := tried(func() {
		a := elements(msg)
		switch Type(num(a[0], 0x20, 0x29)) {
		case TypeSnapshot:
			several(a, 9, true)
			num(a[2], 0, 1<<53-1)
			next.twinHead(a)
			next.rows = map[uint32]row{}
			id := uint32(0)
			for list, first := flat(a[6]), true; len(list) > 0; first = false {
				id = twinID(&list, id, first)
				next.rows[id] = s.newRow(&list, id)
			}
			next.twinPrivate(a[7], nil)
			next.twinCRC(a[8])
		case TypeDelta:
			must(len(a) >= 10)
			next.twinHead(a)
			if base := num(a[2], 0, u32); !s.begun || base != int64(s.tick) {
				baseline = true
				return
			}
			several(a, 10, true)
			must(next.tick > s.tick)
			next.rows = map[uint32]row{}
			maps.Copy(next.rows, s.rows)
			id := uint32(0)
			for list, first := flat(a[6]), true; len(list) > 0; first = false {
				id = twinID(&list, id, first)
				_, is := s.rows[id]
				must(is)
				delete(next.rows, id)
			}
			id = 0
			for list, first := flat(a[7]), true; len(list) > 0; first = false {
				id = twinID(&list, id, first)
				mask := uint32(num(take(&list), 0, u32))
				old, is := next.rows[id]
				must(is == (mask != 0))
				if mask == 0 {
					next.rows[id] = s.newRow(&list, id)
				} else {
					next.rows[id] = row{id, old.kind, differ(s.plan.Kinds[old.kind].Fields, mask, old.values, &list)}
				}
			}
			next.twinPrivate(a[8], s.private)
			if a[8] == nil {
				next.private = s.private
			}
			next.twinCRC(a[9])
		default:
			panic(errTwin)
		}
	})
	if err == nil && baseline {
		return ErrBaseline
	}
	if err == nil {
		*s = next
	}
	return err
}

func (s *twinState) twinHead(a []any) {
	s.tick = uint32(num(a[1], 0, u32))
	num(a[3], 0, u32)
	num(a[4], -1<<15, 1<<15-1)
	num(a[5], 0, 255)
}

func (s *twinState) twinCRC(v any) {
	if s.crc = v; v != nil {
		s.crc = uint32(num(v, 0, u32))
	}
}

func flat(v any) []any {
	a, is := v.([]any)
	must(is)
	return a
}

func take(list *[]any) any {
	must(len(*list) > 0)
	v := (*list)[0]
	*list = (*list)[1:]
	return v
}

func twinID(list *[]any, id uint32, first bool) uint32 {
	d := num(take(list), 0, u32)
	must(first || d > 0)
	must(int64(id)+d <= u32)
	return id + uint32(d)
}

func (s *twinState) newRow(list *[]any, id uint32) row {
	kind := num(take(list), 0, int64(len(s.plan.Kinds))-1)
	r := row{id: id, kind: uint8(kind)}
	for _, f := range s.plan.Kinds[kind].Fields {
		r.values = append(r.values, int32(num(take(list), int64(f.Min), int64(f.Max))))
	}
	return r
}

func differ(fields []Field, mask uint32, old []int32, list *[]any) []int32 {
	now := slices.Clone(old)
	must(bits.Len32(mask) <= len(fields))
	for i, f := range fields {
		if mask>>i&1 == 0 {
			continue
		}
		d := num(take(list), -1<<53, 1<<53)
		v := int64(old[i]) + d
		if f.Wrap {
			span := int64(f.Max) - int64(f.Min) + 1
			must(d >= -(span/2) && d < span-span/2)
			v = int64(f.Min) + ((v-int64(f.Min))%span+span)%span
		}
		must(v >= int64(f.Min) && v <= int64(f.Max))
		now[i] = int32(v)
	}
	return now
}

func (s *twinState) twinPrivate(v any, base []int32) {
	s.private = nil
	if v == nil {
		return
	}
	must(s.plan.Private != nil)
	list, fields := flat(v), s.plan.Private.Fields
	mask := uint32(num(take(&list), 0, u32))
	if mask == 0 {
		s.private = []int32{}
		for _, f := range fields {
			s.private = append(s.private, int32(num(take(&list), int64(f.Min), int64(f.Max))))
		}
	} else {
		must(base != nil)
		s.private = differ(fields, mask, base, &list)
	}
	must(len(list) == 0)
}

// same compares the real picture with the twin's.
func (s *twinState) same(o *State) error {
	if o.Begun() != s.begun || o.Head.Tick != s.tick || o.Rows.Len() != len(s.rows) {
		return fmt.Errorf("tick %d with %d rows, not %d with %d", o.Head.Tick, o.Rows.Len(), s.tick, len(s.rows))
	}
	for i, id := range o.Rows.IDs {
		if r := s.rows[id]; r.kind != o.Rows.Kinds[i] || !slices.Equal(r.values, o.Rows.Row(i)) {
			return fmt.Errorf("row %d is %d %v, not %v", id, o.Rows.Kinds[i], o.Rows.Row(i), r)
		}
		if i > 0 && id <= o.Rows.IDs[i-1] {
			return fmt.Errorf("ids do not rise at %d", id)
		}
	}
	if o.HasPrivate != (s.private != nil) || o.HasPrivate && !slices.Equal(o.Private, s.private) {
		return fmt.Errorf("private %v %v, not %v", o.HasPrivate, o.Private, s.private)
	}
	if o.HasCRC != (s.crc != nil) || o.HasCRC && s.crc != o.CRC {
		return fmt.Errorf("crc %v %d, not %v", o.HasCRC, o.CRC, s.crc)
	}
	return nil
}
