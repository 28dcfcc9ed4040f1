package wsconn_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/gobwas/ws"

	"skirmish/server/wsconn"
)

const fin = true

// client is a frame as a client sends it, its mask made from its length.
func client(final bool, op ws.OpCode, payload string) []byte {
	f := ws.NewFrame(op, final, []byte(payload))
	return ws.MustCompileFrame(ws.MaskFrameInPlaceWith(f, [4]byte{0x37, 0xfa, 0x21, byte(len(payload))}))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func closing(code uint16, reason string) string {
	return string([]byte{byte(code >> 8), byte(code)}) + reason
}

// play is what a match accepts, echo what the echo does.
var (
	play = wsconn.ReaderLimits{MessageBytes: 4096, Fragments: 16}
	echo = wsconn.ReaderLimits{MessageBytes: 70000, Fragments: 16, Text: true}
)

type story struct {
	name   string
	limits wsconn.ReaderLimits
	stream []byte
	want   []message
	fault  uint16
	midway bool
}

func bin(payload string) message  { return message{op: wsconn.OpBinary, payload: payload} }
func txt(payload string) message  { return message{op: wsconn.OpText, payload: payload} }
func ping(payload string) message { return message{op: wsconn.OpPing, payload: payload} }

func stories() []story {
	long, longer := strings.Repeat("x", 126), strings.Repeat("y", 65536)
	many := client(!fin, ws.OpBinary, "0")
	for range 14 {
		many = append(many, client(!fin, ws.OpContinuation, "1")...)
	}
	return []story{
		{"one input", play, client(fin, ws.OpBinary, "sixteen bytes in"), []message{bin("sixteen bytes in")}, 0, false},
		{"an empty message", play, client(fin, ws.OpBinary, ""), []message{bin("")}, 0, false},
		{"a length of two bytes", play, client(fin, ws.OpBinary, long), []message{bin(long)}, 0, false},
		{"a length of eight bytes", echo, client(fin, ws.OpBinary, longer), []message{bin(longer)}, 0, false},
		{"three in a row", play, join(client(fin, ws.OpBinary, "a"), client(fin, ws.OpPing, "p"), client(fin, ws.OpPong, "")), []message{bin("a"), ping("p"), {op: wsconn.OpPong}}, 0, false},
		{"fragments", play, join(client(!fin, ws.OpBinary, "ab"), client(!fin, ws.OpContinuation, ""), client(fin, ws.OpContinuation, "cd")), []message{bin("abcd")}, 0, false},
		{"pings between fragments", play, join(client(!fin, ws.OpBinary, "ab"), client(fin, ws.OpPing, "1"), client(!fin, ws.OpContinuation, "cd"), client(fin, ws.OpPing, "22"), client(fin, ws.OpContinuation, "ef")), []message{ping("1"), ping("22"), bin("abcdef")}, 0, false},
		{"a ping inside an empty beginning", play, join(client(!fin, ws.OpBinary, ""), client(fin, ws.OpPing, "1"), client(fin, ws.OpContinuation, "x")), []message{ping("1"), bin("x")}, 0, false},
		{"as long as allowed", play, client(fin, ws.OpBinary, strings.Repeat("z", 4096)), []message{bin(strings.Repeat("z", 4096))}, 0, false},
		{"as many fragments as allowed", play, join(many, client(fin, ws.OpContinuation, "2")), []message{bin("011111111111111" + "2")}, 0, false},
		{"half a frame", play, client(fin, ws.OpBinary, "half")[:8], nil, 0, true},
		{"half a head", play, client(fin, ws.OpBinary, "half")[:3], nil, 0, true},
		{"one byte", play, []byte{0x82}, nil, 0, true},
		{"half a message", play, client(!fin, ws.OpBinary, "half"), nil, 0, true},

		{"one too long", play, []byte{0x82, 0xfe, 0x10, 0x01}, nil, 1009, false},
		{"too long by far", play, []byte{0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255}, nil, 1009, false},
		{"too long together", play, join(client(!fin, ws.OpBinary, strings.Repeat("z", 4096)), client(fin, ws.OpContinuation, "z")), nil, 1009, false},
		{"a fragment too many", play, join(many, client(!fin, ws.OpContinuation, "2"), client(fin, ws.OpContinuation, "")), nil, 1009, false},
		{"the highest bit of a length", play, []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, nil, 1002, false},
		{"a length of 125 in two bytes", play, []byte{0x82, 0xfe, 0, 125}, nil, 1002, false},
		{"a length of 65535 in eight bytes", echo, []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255}, nil, 1002, false},
		{"unmasked", play, []byte{0x82, 0x01, 'x'}, nil, 1002, false},
		{"reserved bit 1", play, []byte{0xc2, 0x80}, nil, 1002, false},
		{"reserved bit 2", play, []byte{0xa2, 0x80}, nil, 1002, false},
		{"reserved bit 3", play, []byte{0x92, 0x80}, nil, 1002, false},
		{"an unknown opcode", play, []byte{0x83, 0x80}, nil, 1002, false},
		{"an unknown control opcode", play, []byte{0x8b, 0x80}, nil, 1002, false},
		{"a stray continuation", play, client(fin, ws.OpContinuation, "x"), nil, 1002, false},
		{"a continuation after the end", play, join(client(fin, ws.OpBinary, "x"), client(fin, ws.OpContinuation, "x")), []message{bin("x")}, 1002, false},
		{"a message inside a message", play, join(client(!fin, ws.OpBinary, "x"), client(fin, ws.OpBinary, "y")), nil, 1002, false},
		{"a long ping", play, []byte{0x89, 0xfe}, nil, 1002, false},
		{"a fragmented ping", play, []byte{0x09, 0x80}, nil, 1002, false},
		{"a fault behind a message", play, join(client(fin, ws.OpBinary, "x"), []byte{0xff, 0xff}), []message{bin("x")}, 1002, false},
		{"text where there is none", play, []byte{0x81, 0x80}, nil, 1003, false},

		{"text", echo, client(fin, ws.OpText, "κόσμε"), []message{txt("κόσμε")}, 0, false},
		{"text cut inside a character", echo, join(client(!fin, ws.OpText, "\xf0\x9f"), client(!fin, ws.OpContinuation, "\x98"), client(fin, ws.OpContinuation, "\x80")), []message{txt("😀")}, 0, false},
		{"not UTF-8", echo, client(fin, ws.OpText, "\xce\xba\xff"), nil, 1007, false},
		{"a surrogate", echo, client(fin, ws.OpText, "\xed\xa0\x80"), nil, 1007, false},
		{"overlong", echo, client(fin, ws.OpText, "\xc0\xaf"), nil, 1007, false},
		{"too high, told before the frame is complete", echo, client(fin, ws.OpText, "\xf4\x90\x80\x80 and so on")[:8], nil, 1007, false},
		{"not UTF-8 in a fragment, told before the last", echo, client(!fin, ws.OpText, "\x80"), nil, 1007, false},
		{"an unfinished character at the end", echo, join(client(!fin, ws.OpText, "ok\xf0"), client(fin, ws.OpContinuation, "\x9f")), nil, 1007, false},
		{"binary need not be UTF-8", echo, client(fin, ws.OpBinary, "\xff\xfe"), []message{bin("\xff\xfe")}, 0, false},

		{"close", play, client(fin, ws.OpClose, closing(1000, "bye")), []message{{wsconn.OpClose, "bye", 1000}}, 0, false},
		{"close without a code", play, client(fin, ws.OpClose, ""), []message{{wsconn.OpClose, "", 1005}}, 0, false},
		{"close inside a message", play, join(client(!fin, ws.OpBinary, "x"), client(fin, ws.OpClose, closing(4001, ""))), []message{{wsconn.OpClose, "", 4001}}, 0, false},
		{"frames after close", play, join(client(fin, ws.OpClose, ""), client(fin, ws.OpBinary, "x"), []byte{0xff, 0xff}), []message{{wsconn.OpClose, "", 1005}}, 0, false},
		{"close of one byte", play, client(fin, ws.OpClose, "x"), nil, 1002, false},
		{"close 999", play, client(fin, ws.OpClose, closing(999, "")), nil, 1002, false},
		{"close 1004", play, client(fin, ws.OpClose, closing(1004, "")), nil, 1002, false},
		{"close 1005", play, client(fin, ws.OpClose, closing(1005, "")), nil, 1002, false},
		{"close 1006", play, client(fin, ws.OpClose, closing(1006, "")), nil, 1002, false},
		{"close 1014", play, client(fin, ws.OpClose, closing(1014, "")), []message{{wsconn.OpClose, "", 1014}}, 0, false},
		{"close 1015", play, client(fin, ws.OpClose, closing(1015, "")), nil, 1002, false},
		{"close 2999", play, client(fin, ws.OpClose, closing(2999, "")), nil, 1002, false},
		{"close 3000", play, client(fin, ws.OpClose, closing(3000, "")), []message{{wsconn.OpClose, "", 3000}}, 0, false},
		{"close 5000", play, client(fin, ws.OpClose, closing(5000, "")), nil, 1002, false},
		{"close with a reason that is not UTF-8", play, client(fin, ws.OpClose, closing(1000, "\xff")), nil, 1007, false},
	}
}

func (s *story) check(t *testing.T, how string, got told) {
	t.Helper()
	if !reflect.DeepEqual(got.messages, s.want) || got.fault != s.fault || got.midway != s.midway {
		t.Fatalf("%s: got %v", how, got)
	}
}

func TestReader(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			s.check(t, "in one piece", read(s.limits, s.stream))
			if t2 := twin(s.stream, s.limits); !t2.headCut && s.fault == 0 || t2.fault != 0 {
				s.check(t, "the twin", t2)
			}
			if len(s.stream) > 5000 {
				for range 50 {
					s.check(t, "random cuts", read(s.limits, cutAtRandom(rnd, s.stream)...))
				}
				return
			}
			for i := range s.stream {
				s.check(t, fmt.Sprint("cut at ", i), read(s.limits, s.stream[:i], s.stream[i:]))
			}
			s.check(t, "byte by byte", read(s.limits, bytes.SplitAfter(s.stream, nil)...))
		})
	}
}

// TestReaderStreams chains random stories, so that what one leaves behind would show in the next.
func TestReaderStreams(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	all := stories()
	for range 300 {
		var stream []byte
		for range 1 + rnd.IntN(8) {
			if s := all[rnd.IntN(len(all))]; len(s.stream) < 5000 && (s.fault == 0 || rnd.IntN(8) == 0) {
				stream = append(stream, s.stream...)
			}
		}
		want := twin(stream, echo)
		got := read(echo, cutAtRandom(rnd, stream)...)
		if !same(want, got) {
			t.Fatalf("seed %d: stream %x: got %v, want %v", seed, stream, got, want)
		}
	}
}

// same compares with the twin's answer, which waits for whole heads where the Reader need not.
func same(twin, got told) bool {
	if twin.headCut && got.fault != 0 {
		return reflect.DeepEqual(twin.messages, got.messages)
	}
	return reflect.DeepEqual(twin.messages, got.messages) && twin.fault == got.fault && twin.midway == got.midway
}

func cutAtRandom(rnd *rand.Rand, p []byte) (pieces [][]byte) {
	for len(p) > 0 {
		n := min(len(p), 1+rnd.IntN(1+rnd.IntN(40)))
		if rnd.IntN(10) == 0 {
			n = len(p)
		}
		pieces = append(pieces, p[:n])
		p = p[n:]
	}
	return pieces
}

func TestReaderDefaults(t *testing.T) {
	var r wsconn.Reader
	r.Init(wsconn.ReaderLimits{})
	if _, _, err := r.Next([]byte{0x82, 0xfe, 0x10, 0x01}); err == nil || err.(*wsconn.CloseError).Code != wsconn.CodeTooBig {
		t.Errorf("4,097 bytes with the default limits: %v", err)
	}
	if _, _, err := r.Next(client(fin, ws.OpBinary, "x")); err == nil {
		t.Error("a fault does not stay")
	}
	r.Init(wsconn.ReaderLimits{MessageBytes: 1 << 62, Fragments: -1})
	for range 100 {
		if m, _, err := r.Next(client(!fin, ws.OpBinary, "x")); m.Op != wsconn.OpNone || err != nil {
			t.Fatal(m, err)
		}
		for range 1000 {
			if _, _, err := r.Next(client(!fin, ws.OpContinuation, "")); err != nil {
				t.Fatal(err)
			}
		}
		if m, _, err := r.Next(client(fin, ws.OpContinuation, "y")); string(m.Payload) != "xy" || err != nil {
			t.Fatal(m, err)
		}
	}
}

// TestReaderPayloadStays: a payload that was put together is good until the next Next, also while a
// fragmented message is under way.
func TestReaderPayloadStays(t *testing.T) {
	var r wsconn.Reader
	r.Init(play)
	stream := join(client(!fin, ws.OpBinary, "begin "), client(fin, ws.OpPing, "are you there"), client(fin, ws.OpContinuation, "end"))
	var got []string
	for _, b := range stream {
		m, rest, err := r.Next([]byte{b})
		if err != nil || len(rest) != 0 {
			t.Fatal(rest, err)
		}
		if m.Op != wsconn.OpNone {
			got = append(got, string(m.Payload))
		}
	}
	if want := []string{"are you there", "begin end"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReaderSize(t *testing.T) {
	if size := unsafe.Sizeof(wsconn.Reader{}); size > 128 {
		t.Errorf("a Reader has %d bytes, the budget of an idle connection allows 128", size)
	}
}

func FuzzFrames(f *testing.F) {
	for _, s := range stories() {
		if len(s.stream) < 5000 {
			f.Add(s.stream, uint64(len(s.stream)), s.limits.Text)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, takesText bool) {
		limits := wsconn.ReaderLimits{MessageBytes: 1000, Fragments: 5, Text: takesText}
		want, whole := twin(stream, limits), read(limits, stream)
		if !same(want, whole) {
			t.Fatalf("in one piece: got %v, want %v", whole, want)
		}
		for _, pieces := range [][][]byte{bytes.SplitAfter(stream, nil), cutAtRandom(rand.New(rand.NewPCG(seed, 2)), stream)} {
			if got := read(limits, pieces...); !reflect.DeepEqual(got, whole) {
				t.Fatalf("in %d pieces: got %v, in one %v", len(pieces), got, whole)
			}
		}
	})
}
