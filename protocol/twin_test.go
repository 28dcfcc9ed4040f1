package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	. "skirmish/protocol"
)

// The stupid twins: what SPEC.md says, word for word, over values that the library decoded into
// interfaces. Slow, recursive and easy to believe. Fuzzing holds the real decoders to them.

var errTwin = errors.New("refused")

// twin panics with errTwin at the first fault; tried turns that into an error.
func tried(f func()) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case errTwin:
			err = errTwin
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

func must(ok bool) {
	if !ok {
		panic(errTwin)
	}
}

// elements decodes a message into its elements. The library reads what is in them; only the arrays, and
// the lengths that it would allocate for, are looked after here.
func elements(msg []byte) []any {
	r := bytes.NewReader(msg)
	v := element(msgpack.NewDecoder(r), r)
	must(r.Len() == 0)
	a, is := v.([]any)
	must(is && len(a) > 0)
	return a
}

func element(d *msgpack.Decoder, r *bytes.Reader) any {
	code, err := d.PeekCode()
	must(err == nil)
	switch {
	case msgpcode.IsFixedArray(code) || code == msgpcode.Array16 || code == msgpcode.Array32:
		n, err := d.DecodeArrayLen()
		must(err == nil && n <= r.Len())
		a := make([]any, n)
		for i := range a {
			a[i] = element(d, r)
		}
		return a
	case msgpcode.IsString(code) || msgpcode.IsBin(code):
		n, err := d.DecodeBytesLen()
		must(err == nil && n <= r.Len())
		b := make([]byte, n)
		must(d.ReadFull(b) == nil)
		if msgpcode.IsString(code) {
			return string(b)
		}
		return b
	case msgpcode.IsFixedMap(code) || msgpcode.IsExt(code) || code == msgpcode.Map16 || code == msgpcode.Map32:
		panic(errTwin)
	}
	v, err := d.DecodeInterface()
	must(err == nil)
	return v
}

// num is an integer of any width within [min, max].
func num(v any, min, max int64) int64 {
	var n int64
	switch v := v.(type) {
	case int8:
		n = int64(v)
	case int16:
		n = int64(v)
	case int32:
		n = int64(v)
	case int64:
		n = v
	case uint8:
		n = int64(v)
	case uint16:
		n = int64(v)
	case uint32:
		n = int64(v)
	case uint64:
		must(v < 1<<53)
		n = int64(v)
	default:
		panic(errTwin)
	}
	must(n >= min && n <= max)
	return n
}

func str(v any, min, max int) string {
	s, is := v.(string)
	must(is && len(s) >= min && len(s) <= max && utf8.ValidString(s))
	return s
}

func blob(v any, max int) []byte {
	b, is := v.([]byte)
	must(is && len(b) <= max)
	return b
}

// several is an array of at least n elements; the ones behind must be such as may be skipped.
func several(v any, n int, nested bool) []any {
	a, is := v.([]any)
	must(is && len(a) >= n)
	for _, x := range a[n:] {
		must(skippable(x, nested))
	}
	return a
}

func skippable(v any, nested bool) bool {
	switch v := v.(type) {
	case nil, bool, string, []byte, int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return true
	case []any:
		for _, x := range v {
			if !nested || !skippable(x, true) {
				return false
			}
		}
		return nested
	}
	return false
}

const u32 = 1<<32 - 1

// twinClient decodes a client's message.
func twinClient(msg []byte, p *Plan) (m any, err error) {
	err = tried(func() {
		a := elements(msg)
		switch Type(num(a[0], 1, 6)) {
		case TypeHello:
			must(len(a) >= 2)
			h := &Hello{Version: uint32(num(a[1], 0, u32))}
			m = h
			if h.Version != 1 {
				return
			}
			several(a, 5, false)
			if r, is := a[2].([]any); is {
				several(r, 2, false)
				h.Resume, h.LastEventSeq = str(r[0], 1, 1024), uint32(num(r[1], 0, u32))
			} else {
				h.Token = str(a[2], 1, 1024)
			}
			h.SDK, h.Capabilities = str(a[3], 0, 64), uint64(num(a[4], 0, 1<<53-1))
		case TypeInput:
			several(a, 4, false)
			in := &Input{}
			if a[1] != nil {
				view := several(a[1], 2, false)
				in.BaseTick, in.Fraction = uint32(num(view[0], 0, u32)), uint8(num(view[1], 0, 255))
			}
			list := several(a[3], 1, true)
			must(len(list) <= 32)
			in.FirstSeq, in.Count = uint32(num(a[2], 1, u32)), len(list)
			must(int64(in.FirstSeq)+int64(in.Count)-1 <= u32)
			for _, x := range list {
				values, is := x.([]any)
				must(is && len(values) == len(p.Input.Fields))
				for i, f := range p.Input.Fields {
					in.Values = append(in.Values, int32(num(values[i], int64(f.Min), int64(f.Max))))
				}
			}
			m = in
		case TypePing:
			several(a, 3, false)
			m = &Ping{ID: uint32(num(a[1], 0, u32)), T0: uint64(num(a[2], 0, 1<<53-1))}
		case TypeRequest:
			several(a, 4, false)
			m = &Request{ID: uint32(num(a[1], 0, u32)), Op: uint16(num(a[2], 0, 65535)), Payload: blob(a[3], 2048)}
		case TypeKeyframe:
			several(a, 3, false)
			m = &Keyframe{Reason: KeyframeReason(num(a[1], 1, 3)), CRC: uint32(num(a[2], 0, u32))}
		case TypeBye:
			several(a, 2, false)
			m = &Bye{Code: uint16(num(a[1], 0, 65535))}
		}
	})
	return m, err
}

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
			for id, r := range s.rows {
				next.rows[id] = r
			}
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
