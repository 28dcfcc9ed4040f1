package wsconn_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"skirmish/server/wsconn"
)

// told is what a stream amounts to: the messages in order, then the close code of the fault, 0 if there is none.
type told struct {
	messages []message
	fault    uint16
	midway   bool
	// headCut: the stream ends inside a head, whose beginning may or may not suffice to tell a fault.
	headCut bool
}

type message struct {
	op      wsconn.Op
	payload string
	code    uint16
}

// twin is the stupid twin of Reader: the whole stream at once, heads read by the library, every payload copied,
// every text checked from its beginning, every rule in its simplest words.
func twin(stream []byte, limits wsconn.ReaderLimits) (t told) {
	r := bytes.NewReader(stream)
	var text, fragmented bool
	var data []byte
	frames := 0
	for r.Len() > 0 {
		before := r.Len()
		h, err := ws.ReadHeaderBuffer(r, make([]byte, 2, 14))
		if err != nil && err != ws.ErrHeaderLengthMSB {
			t.headCut, t.midway = true, true
			return t
		}
		state := ws.StateServerSide
		if fragmented {
			state = state.Set(ws.StateFragmented)
		}
		switch shortest := ws.HeaderSize(h); {
		case ws.CheckHeader(h, state) != nil:
			t.fault = 1002
		case h.OpCode == ws.OpText && !limits.Text:
			t.fault = 1003
		case h.OpCode.IsData() && frames == limits.Fragments:
			t.fault = 1009
		case err != nil || before-r.Len() != shortest:
			t.fault = 1002
		case h.OpCode.IsData() && h.Length > limits.MessageBytes-int64(len(data)):
			t.fault = 1009
		}
		if t.fault != 0 {
			return t
		}
		payload := make([]byte, min(int64(r.Len()), h.Length))
		_, _ = r.Read(payload)
		for i := range payload {
			payload[i] ^= h.Mask[i%4]
		}
		whole := int64(len(payload)) == h.Length
		if h.OpCode.IsControl() {
			if !whole {
				t.midway = true
				return t
			}
			m := message{payload: string(payload)}
			switch h.OpCode {
			case ws.OpPing:
				m.op = wsconn.OpPing
			case ws.OpPong:
				m.op = wsconn.OpPong
			case ws.OpClose:
				m.op, m.code = wsconn.OpClose, wsconn.CodeNoStatus
				if len(payload) == 1 {
					t.fault = 1002
					return t
				}
				if len(payload) >= 2 {
					m.code, m.payload = binary.BigEndian.Uint16(payload), string(payload[2:])
					if !sendable[m.code] && (m.code < 3000 || m.code > 4999) {
						t.fault = 1002
						return t
					}
					if !utf8.ValidString(m.payload) {
						t.fault = 1007
						return t
					}
				}
				t.messages = append(t.messages, m)
				return t
			}
			t.messages = append(t.messages, m)
			continue
		}
		frames++
		if h.OpCode != ws.OpContinuation {
			text = h.OpCode == ws.OpText
		}
		fragmented = !h.Fin || !whole
		data = append(data, payload...)
		last := whole && h.Fin
		if text && !(last && utf8.Valid(data) || !last && canBecomeText(data)) {
			t.fault = 1007
			return t
		}
		if !whole {
			t.midway = true
			return t
		}
		if last {
			m := message{op: wsconn.OpBinary, payload: string(data)}
			if text {
				m.op = wsconn.OpText
			}
			t.messages = append(t.messages, m)
			data, frames = nil, 0
		}
	}
	t.midway = fragmented
	return t
}

// sendable: RFC 6455, 7.4.1, and the IANA registry.
var sendable = map[uint16]bool{1000: true, 1001: true, 1002: true, 1003: true, 1007: true, 1008: true, 1009: true,
	1010: true, 1011: true, 1012: true, 1013: true, 1014: true}

// canBecomeText tries every kind of continuation.
func canBecomeText(b []byte) bool {
	if utf8.Valid(b) {
		return true
	}
	tails := []string{"\x80", "\x90", "\xa0", "\xbf"}
	for _, x := range tails {
		for _, y := range append(tails, "") {
			for _, z := range append(tails, "") {
				if utf8.Valid(append(bytes.Clone(b), x+y+z...)) {
					return true
				}
			}
		}
	}
	return false
}

// read feeds r the pieces and notes what it says. Every piece is a buffer of its own that is overwritten
// afterwards: whoever keeps a payload too long is found out.
func read(limits wsconn.ReaderLimits, pieces ...[]byte) (t told) {
	var r wsconn.Reader
	r.Init(limits)
	for _, piece := range pieces {
		p := bytes.Clone(piece)
		for rest := p; ; {
			m, behind, err := r.Next(rest)
			if err != nil {
				t.fault = err.(*wsconn.CloseError).Code
				break
			}
			if m.Op == wsconn.OpNone {
				break
			}
			t.messages = append(t.messages, message{m.Op, string(m.Payload), m.Code})
			rest = behind
		}
		for i := range p {
			p[i] = 0xee
		}
	}
	t.midway = r.Midway()
	return t
}

func (t told) String() string {
	var b []byte
	for _, m := range t.messages {
		b = fmt.Appendf(b, "[%d %d %.60q] ", m.op, m.code, m.payload)
	}
	return string(fmt.Appendf(b, "fault %d, midway %v", t.fault, t.midway))
}
