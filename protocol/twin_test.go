package protocol_test

import (
	"bytes"
	"errors"
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
