package client_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// The server's side of these tests, written by hand from the wire.

var plan = &protocol.Plan{
	Kinds: []protocol.Kind{
		{Name: "ship", Fields: []protocol.Field{
			{Name: "x", Min: -32768, Max: 32767, Scale: 8, Interp: protocol.InterpLinear},
			{Name: "y", Min: -32768, Max: 32767, Scale: 8, Interp: protocol.InterpLinear},
			{Name: "aim", Min: 0, Max: 255, Scale: 1, Interp: protocol.InterpAngle, Wrap: true},
		}},
	},
	Input: protocol.Kind{Name: "input", Fields: []protocol.Field{
		{Name: "ax", Min: -127, Max: 127, Scale: 1},
		{Name: "turn", Min: 0, Max: 100, Scale: 10},
	}},
	Private: &protocol.Kind{Name: "self", Fields: []protocol.Field{{Name: "dash", Min: 0, Max: 255, Scale: 1}}},
	Events: []protocol.Kind{{Name: "kill", Fields: []protocol.Field{
		{Name: "killer", Min: 0, Max: 65535, Scale: 1},
		{Name: "text", Type: protocol.FieldText, Max: 32, Scale: 1},
	}}},
}

func welcome() *protocol.Welcome {
	return &protocol.Welcome{
		Version: protocol.Version, Seat: 3, PlayerID: "p3", TickRate: 20, SnapshotRate: 20, Tick: 100, ServerTime: 5_000_000,
		ResumeToken: "rt1.x", ReconnectMS: 5000,
		Limits: protocol.Limits{MessageBytes: 4096, InputsPerMessage: 32, InputsPerSecond: 40, SeqAhead: 40},
		Plan:   plan, PlanHash: plan.Hash(), MatchID: "m", Game: "test", GameVersion: "1",
	}
}

// frame is one unmasked frame.
func frame(op ws.OpCode, fin bool, payload []byte) []byte {
	b := []byte{byte(op)}
	if fin {
		b[0] |= 0x80
	}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, byte(n))
	case n <= 65535:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

func message(payload []byte) []byte { return frame(ws.OpBinary, true, payload) }

func closing(code uint16, reason string) []byte {
	return frame(ws.OpClose, true, append(binary.BigEndian.AppendUint16(nil, code), reason...))
}

// rows is a table of n ships that all stand at x.
func rows(n int, x int32) *protocol.Rows {
	r := new(protocol.Rows)
	for i := range n {
		v := r.Append(uint32(i+1), 0, 3)
		v[0], v[1], v[2] = x, int32(i), 7
	}
	return r
}

func snapshot(tick, ack uint32, now *protocol.Rows) []byte {
	h := protocol.StateHead{Tick: tick, ServerTime: 5_000_000 + uint64(tick-100)*50_000, Ack: ack, LeadMS: 9}
	b := protocol.AppendSnapshotHead(nil, &h)
	b = protocol.AppendSnapshotRows(b, now)
	b = protocol.AppendPrivate(b, plan.Private, nil, []int32{5})
	return protocol.AppendCRC(b, now.CRC(), true)
}

func delta(tick, base, ack uint32, from, now *protocol.Rows, crc uint32) []byte {
	h := protocol.StateHead{Tick: tick, BaseTick: base, Ack: ack, LeadMS: 9}
	b := protocol.AppendDeltaHead(nil, &h)
	b = protocol.AppendDeltaRows(b, plan, from, now)
	b = protocol.AppendPrivate(b, plan.Private, nil, nil)
	return protocol.AppendCRC(b, crc, crc != 0)
}

// accept is a proper 101 to the request that s has put out, which it takes away.
func accept(t testing.TB, s *client.Session) []byte {
	t.Helper()
	head := string(s.Out())
	s.Wrote(len(head))
	_, key, ok := strings.Cut(head, "Sec-WebSocket-Key: ")
	if !ok {
		t.Fatalf("no key in %q", head)
	}
	key, _, _ = strings.Cut(key, "\r\n")
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: skirmish.v1\r\n\r\n")
}

// sent takes the frames out of Out, unmasked.
func sent(t testing.TB, s *client.Session) []ws.Frame {
	t.Helper()
	r := bytes.NewReader(s.Out())
	var frames []ws.Frame
	for r.Len() > 0 {
		f, err := readFrame(r)
		if err != nil {
			t.Fatalf("what was put out is not whole frames: %v", err)
		}
		if !f.Header.Masked {
			t.Fatal("a client's frame must be masked")
		}
		frames = append(frames, ws.UnmaskFrame(f))
	}
	s.Wrote(len(s.Out()))
	return frames
}

func readFrame(r *bytes.Reader) (f ws.Frame, err error) {
	if f.Header, err = ws.ReadHeader(r); err != nil {
		return f, err
	}
	if f.Header.Length > int64(r.Len()) {
		return f, io.ErrUnexpectedEOF
	}
	f.Payload = make([]byte, f.Header.Length)
	_, err = io.ReadFull(r, f.Payload)
	return f, err
}

// playing is a session behind its welcome.
func playing(t testing.TB) *client.Session {
	t.Helper()
	s := client.NewSession(client.Config{Host: "h", Token: "mt1.t"})
	stream := append(accept(t, s), message(protocol.AppendWelcome(nil, welcome()))...)
	if got := feed(t, s, stream, len(stream)); len(got) != 2 || got[1] != client.SignalWelcome {
		t.Fatalf("signals %v", got)
	}
	sent(t, s)
	return s
}

// feed feeds p in pieces of n bytes and returns the signals.
func feed(t testing.TB, s *client.Session, p []byte, n int) (got []client.Signal) {
	t.Helper()
	err := feedErr(s, p, n, func(what client.Signal) { got = append(got, what) })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func feedErr(s *client.Session, p []byte, n int, f func(client.Signal)) error {
	piece := make([]byte, 0, n)
	for len(p) > 0 {
		piece = append(piece[:0], p[:min(n, len(p))]...)
		p = p[len(piece):]
		for rest := piece; len(rest) > 0; {
			what, r, err := s.Feed(rest, 1)
			if err != nil {
				return err
			}
			if what != client.SignalNone {
				f(what)
			}
			rest = r
		}
		clear(piece[:cap(piece)]) // what is kept must have been copied
	}
	return nil
}
