package wsconn_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"

	"skirmish/server/wsconn"
)

// Other libraries read the same streams. Their verdicts must be ours, but for what they are known to do otherwise; each
// difference has its name here, and a stream is excused by it only if it really shows it.

// differentialLimits are what both sides are set to.
var differentialLimits = wsconn.ReaderLimits{MessageBytes: 1000, Fragments: -1, Text: true}

// verdict is what a reader made of a stream.
type verdict struct {
	messages []message // data and pings
	closed   uint16    // the client's close code; 0: it sent none
	fault    uint16    // the code the reader closed with; 0: it did not
	why      string    // our reason for it
}

// ours is our verdict in the form that the others have.
func ours(stream []byte) (v verdict) {
	var r wsconn.Reader
	r.Init(differentialLimits)
	for rest := bytes.Clone(stream); ; {
		m, behind, err := r.Next(rest)
		if fault, ok := errors.AsType[*wsconn.CloseError](err); ok {
			v.fault, v.why = fault.Code, fault.Reason
			return v
		}
		switch rest = behind; m.Op {
		case wsconn.OpNone:
			return v
		case wsconn.OpClose:
			v.closed = m.Code
		case wsconn.OpPong:
		default:
			v.messages = append(v.messages, message{op: m.Op, payload: string(m.Payload)})
		}
	}
}

// scripted is a connection whose peer has said everything already.
type scripted struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (c *scripted) Read(p []byte) (int, error)       { return c.in.Read(p) }
func (c *scripted) Write(p []byte) (int, error)      { return c.out.Write(p) }
func (c *scripted) Close() error                     { return nil }
func (c *scripted) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *scripted) SetDeadline(time.Time) error      { return nil }
func (c *scripted) SetReadDeadline(time.Time) error  { return nil }
func (c *scripted) SetWriteDeadline(time.Time) error { return nil }

// hijacked hands a scripted connection to gorilla's Upgrader.
type hijacked struct{ c *scripted }

func (h hijacked) Header() http.Header         { return http.Header{} }
func (h hijacked) Write(p []byte) (int, error) { return len(p), nil }
func (h hijacked) WriteHeader(int)             {}
func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.c, bufio.NewReadWriter(bufio.NewReader(h.c), bufio.NewWriter(h.c)), nil
}

// byGorilla is the verdict of gorilla's server.
func byGorilla(t *testing.T, stream []byte) (v verdict) {
	t.Helper()
	c := &scripted{in: bytes.NewReader(stream)}
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(also()))))
	if err != nil {
		t.Fatal(err)
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(hijacked{c}, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.out.Reset()
	conn.SetReadLimit(differentialLimits.MessageBytes)
	conn.SetPingHandler(func(p string) error {
		v.messages = append(v.messages, message{op: wsconn.OpPing, payload: p})
		return nil
	})
	conn.SetCloseHandler(func(code int, _ string) error { v.closed = uint16(code); return nil })
	for {
		kind, p, err := conn.ReadMessage()
		if err != nil {
			break
		}
		op := wsconn.OpBinary
		if kind == websocket.TextMessage {
			op = wsconn.OpText
		}
		v.messages = append(v.messages, message{op: op, payload: string(p)})
	}
	if h, err := ws.ReadHeader(&c.out); err == nil && h.OpCode == ws.OpClose && h.Length >= 2 {
		v.fault = binary.BigEndian.Uint16(c.out.Next(2))
	}
	return v
}

// byGobwas is the verdict of gobwas' stream reader. It tells faults by errors, not by codes.
func byGobwas(stream []byte) (v verdict) {
	in := bytes.NewReader(stream)
	control := func(h ws.Header, body io.Reader) error {
		p, err := io.ReadAll(body)
		if err != nil || int64(len(p)) < h.Length {
			return io.ErrUnexpectedEOF
		}
		switch h.OpCode {
		case ws.OpPing:
			v.messages = append(v.messages, message{op: wsconn.OpPing, payload: string(p)})
		case ws.OpClose:
			return closedBy(&v, p)
		}
		return nil
	}
	r := wsutil.Reader{Source: in, State: ws.StateServerSide, CheckUTF8: true, MaxMessageSize: differentialLimits.MessageBytes, OnIntermediate: control}
	for {
		h, err := r.NextFrame()
		if err == nil {
			if h.OpCode.IsControl() {
				err = control(h, &r)
			} else {
				var p []byte
				if p, err = io.ReadAll(&r); err == nil {
					op := wsconn.OpBinary
					if h.OpCode == ws.OpText {
						op = wsconn.OpText
					}
					v.messages = append(v.messages, message{op: op, payload: string(p)})
				}
			}
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, errClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		case errors.Is(err, wsutil.ErrInvalidUTF8):
			v.fault = 1007
		case errors.Is(err, wsutil.ErrMessageTooLarge):
			v.fault = 1009
		default:
			v.fault = 1002
		}
		return v
	}
}

var errClosed = errors.New("closed")

// closedBy judges a Close frame by the library's own rules.
func closedBy(v *verdict, p []byte) error {
	if len(p) == 0 {
		v.closed = wsconn.CodeNoStatus
		return errClosed
	}
	if len(p) == 1 {
		return ws.ErrProtocolStatusCodeUnknown
	}
	code, reason := ws.ParseCloseFrameData(p)
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		if errors.Is(err, ws.ErrProtocolInvalidUTF8) {
			return wsutil.ErrInvalidUTF8
		}
		return err
	}
	v.closed = uint16(code)
	return errClosed
}

// difference is one thing that a library does otherwise.
type difference struct {
	name   string
	excuse func(us, them verdict) bool
}

// prefixed tells whether they agree on all that we took before our fault.
func prefixed(us, them verdict) bool {
	return len(them.messages) >= len(us.messages) && slices.Equal(us.messages, them.messages[:len(us.messages)])
}

// because makes a difference that shows when we fail a connection for that reason, and they have agreed up to there.
func because(why, name string) difference {
	return difference{name, func(us, them verdict) bool { return us.why == why && prefixed(us, them) }}
}

// cutHead shows when they wait for the rest of a head that we have judged by its beginning.
var cutHead = difference{"it reads a head to its end before it judges it: one that is cut is no fault yet", func(us, them verdict) bool {
	return us.fault != 0 && them.fault == 0 && them.closed == 0 && slices.Equal(us.messages, them.messages)
}}

var (
	gorillaDiffers = []difference{
		because("text is not UTF-8", "RFC 6455, 8.1: it leaves the UTF-8 of a text to its caller"),
		because("length not in its shortest form", "5.2: it takes lengths in a longer form"),
		because("close frame of one byte", "5.5.1: a Close frame of one byte passes as one without a code"),
		because("close reason is not UTF-8", "8.1: a reason that is not UTF-8 is 1002 for it, 1007 for us"),
		{"7.4.1: it does not know code 1014", func(us, them verdict) bool { return us.closed == 1014 && them.fault == 1002 && prefixed(us, them) }},
		{"a sum of lengths beyond 63 bits ends without a Close frame", func(us, them verdict) bool {
			return us.fault == 1009 && them.fault == 0 && slices.Equal(us.messages, them.messages)
		}},
		cutHead,
	}
	gobwasDiffers = []difference{
		because("length not in its shortest form", "5.2: it takes lengths in a longer form"),
		because("control frame longer than 125 bytes", "5.5: it takes a control frame whose length is in a longer form"),
		because("text is not UTF-8", "8.1: it judges a text at its end, and before that whatever comes in between"),
		{"7.4.2: it takes codes from 5000 on, and judges the reason behind them", func(us, them verdict) bool {
			return us.why == "invalid close code" && (them.closed >= 5000 || them.fault == 1007) && prefixed(us, them)
		}},
		{"7.4.1: it refuses 1012 to 1014, which the registry has", func(us, them verdict) bool {
			unknown := us.closed >= 1012 && us.closed <= 1014 || us.why == "close reason is not UTF-8"
			return unknown && them.fault == 1002 && slices.Equal(us.messages, them.messages)
		}},
		cutHead,
	}
)

// compare fails unless the verdicts agree or a known difference explains them.
func compare(t *testing.T, who string, stream []byte, us, them verdict, known []difference) (excused string) {
	t.Helper()
	if us.fault == them.fault && us.closed == them.closed && slices.Equal(us.messages, them.messages) {
		return ""
	}
	for _, d := range known {
		if d.excuse(us, them) {
			return d.name
		}
	}
	t.Fatalf("%s reads %x otherwise:\nwe  %+v\nthey %+v", who, stream, us, them)
	return ""
}

// against compares one stream with both libraries.
func against(t *testing.T, stream []byte) (excused []string) {
	t.Helper()
	us := ours(stream)
	for _, other := range []struct {
		who   string
		them  verdict
		known []difference
	}{{"gorilla", byGorilla(t, stream), gorillaDiffers}, {"gobwas", byGobwas(bytes.Clone(stream)), gobwasDiffers}} {
		if name := compare(t, other.who, stream, us, other.them, other.known); name != "" {
			excused = append(excused, other.who+": "+name)
		}
	}
	return excused
}

// TestDifferential: the stories and 20,000 random streams, and which differences they showed.
func TestDifferential(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 9))
	shown := map[string]int{}
	note := func(stream []byte) {
		for _, name := range against(t, stream) {
			shown[name]++
		}
	}
	for _, s := range stories() {
		note(s.stream)
	}
	for range 20_000 {
		note(randomStream(rnd))
	}
	for name, n := range shown {
		t.Logf("%6d × %s", n, name)
	}
}

// randomStream is a few frames, most of them good.
func randomStream(rnd *rand.Rand) (stream []byte) {
	ops := []ws.OpCode{ws.OpContinuation, ws.OpContinuation, ws.OpText, ws.OpText, ws.OpBinary, ws.OpBinary, ws.OpPing, ws.OpPong, ws.OpClose}
	texts := []string{"", "x", "κόσμε", "\xce", "\xba", "\xff", "\xf0\x9f", "\x98\x80", "\x03\xe8", "\x03\xe8bye", "\x03\xf6", "\x0f\xa0", "\x03", string(make([]byte, 130)), string(make([]byte, 600))}
	for range 1 + rnd.IntN(7) {
		op := ops[rnd.IntN(len(ops))]
		text := texts[rnd.IntN(len(texts))]
		if op.IsControl() && len(text) > 125 && rnd.IntN(4) > 0 {
			text = "short"
		}
		frame := client(rnd.IntN(3) > 0 || op.IsControl(), op, text)
		if rnd.IntN(12) == 0 {
			frame[rnd.IntN(min(len(frame), 8))] ^= 1 << rnd.IntN(8)
		}
		stream = append(stream, frame...)
	}
	if rnd.IntN(5) == 0 {
		stream = stream[:rnd.IntN(len(stream)+1)]
	}
	return stream
}

func FuzzDifferential(f *testing.F) {
	for _, s := range stories() {
		if len(s.stream) < 5000 {
			f.Add(s.stream)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) { against(t, stream) })
}
