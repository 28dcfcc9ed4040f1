package node_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"skirmish/protocol"
)

// mutantsOfEach is how many mutants of each client message are decoded.
const mutantsOfEach = 100_000

// goodMessages is one of each that a player sends, the last one the hello.
func goodMessages() [][]byte {
	return [][]byte{
		protocol.AppendInput(nil, &protocol.Input{BaseTick: 1000, Fraction: 7, FirstSeq: 5, Count: 3, Values: []int32{1, -1, 0}}, 1),
		protocol.AppendPing(nil, &protocol.Ping{ID: 9, T0: 1 << 40}),
		protocol.AppendRequest(nil, &protocol.Request{ID: 3, Op: 2, Payload: []byte("what is this")}),
		protocol.AppendKeyframe(nil, &protocol.Keyframe{Reason: 1, CRC: 12345}),
		protocol.AppendBye(nil, &protocol.Bye{Code: 1}),
		protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: "mt1.key.abcdefgh.ijklmnop", SDK: "go/1"}),
	}
}

// mutate changes a copy of b: bits, bytes, cuts, repetitions, lengths of msgpack.
func mutate(rnd *rand.Rand, b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + rnd.IntN(4) {
		if len(b) == 0 {
			return append(b, byte(rnd.Uint32()))
		}
		at := rnd.IntN(len(b))
		switch rnd.IntN(8) {
		case 0:
			b[at] ^= 1 << rnd.IntN(8)
		case 1:
			b[at] = byte(rnd.Uint32())
		case 2:
			b[at] = byte(0x80 + rnd.IntN(0x60)) // any head of msgpack
		case 3:
			b = b[:at]
		case 4:
			b = append(b[:at], b[min(len(b), at+1):]...)
		case 5:
			b = append(b, b[at:]...)
		case 6:
			b = append(b[:at], append([]byte{byte(rnd.Uint32())}, b[at:]...)...)
		case 7:
			b = append(b[:at], append([]byte{0xdd, 0xff, byte(rnd.Uint32()), 0xff, 0xff}, b[at:]...)...)
		}
		if len(b) > protocol.MaxMessageBytes {
			b = b[:protocol.MaxMessageBytes]
		}
	}
	return b
}

// TestMutantsOfEveryMessage: no mutant of a client's message makes the decoder panic, allocate what it promises, or err in
// any way but the one that closes with 4400.
func TestMutantsOfEveryMessage(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := protocol.NewDecoder()
	kind := &protocol.Kind{Name: "input", Fields: []protocol.Field{{Name: "push", Min: -100, Max: 100}}}
	var before, after runtime.MemStats
	for _, good := range goodMessages() {
		name, _ := d.Begin(good)
		taken := 0
		runtime.ReadMemStats(&before)
		for range mutantsOfEach {
			msg := mutate(rnd, good)
			err := decodeAny(d, msg, kind)
			if err == nil {
				taken++
				continue
			}
			if !errors.Is(err, protocol.ErrMessage) || protocol.CloseCodeFor(err) != protocol.CloseBadMessage {
				t.Fatalf("seed %d: %x: %v", seed, msg, err)
			}
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / mutantsOfEach
		t.Logf("%-9s %d mutants, %d of them still good, %d bytes allocated for each (mutating included)", name, mutantsOfEach, taken, each)
		if each > 4096 {
			t.Errorf("%s: %d bytes allocated for a mutant", name, each)
		}
	}
}

// decodeAny decodes as a room and a gate do.
func decodeAny(d *protocol.Decoder, msg []byte, kind *protocol.Kind) error {
	typ, err := d.Begin(msg)
	if err != nil {
		return err
	}
	switch typ {
	case protocol.TypeHello:
		return d.Hello(&protocol.Hello{})
	case protocol.TypeInput:
		return d.Input(&protocol.Input{}, kind)
	case protocol.TypePing:
		return d.Ping(&protocol.Ping{})
	case protocol.TypeRequest:
		return d.Request(&protocol.Request{})
	case protocol.TypeKeyframe:
		return d.Keyframe(&protocol.Keyframe{})
	case protocol.TypeBye:
		return d.Bye(&protocol.Bye{})
	}
	return &protocol.MessageError{Type: typ, Field: "type", Reason: "does not belong here"}
}
