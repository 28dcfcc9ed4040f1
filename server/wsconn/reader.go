package wsconn

import (
	"encoding/binary"
	"math"

	"github.com/gobwas/ws"
)

// ReaderLimits bound what a Reader accepts. A zero field means the default of limits.go.
type ReaderLimits struct {
	MessageBytes int64 // longest message, all fragments together
	Fragments    int   // most frames of one message; negative: no bound
	Text         bool  // text messages are taken (and their UTF-8 checked) instead of refused with 1003
}

// Reader turns the bytes behind a handshake into messages, however they were cut on their way: the same bytes
// give the same messages and the same fault. Its owner is the connection's; it is used by one goroutine at a
// time. Init makes it ready. An idle Reader holds no memory besides itself.
type Reader struct {
	// What has arrived of a message that is unfinished, unmasked; behind it, while a control frame that came in
	// the middle is unfinished, what has arrived of that one. nil while there is neither.
	buf     []byte
	message int // bytes of the message in buf
	text    utf8Stream

	limit     int // bytes of a message
	fragments int // frames of a message; negative: no limit
	frames    int // of the unfinished message, so far
	left      int // bytes of the current frame's payload still to come
	done      int // bytes of it that have arrived: the position in the mask

	mask      [4]byte
	kind      Op // of the unfinished message; OpNone: there is none
	frame     Op // of the current frame; OpNone: a continuation
	fin       bool
	inFrame   bool // the head of the current frame is known, its payload is not all there
	takesText bool
	over      bool // a Close or a fault has come: what follows is ignored

	headLen uint8
	head    [maxClientHead]byte // beginning of a head that was cut

	fault *CloseError
}

// Init makes r ready for a new connection.
func (r *Reader) Init(l ReaderLimits) {
	*r = Reader{limit: math.MaxInt, fragments: l.Fragments, takesText: l.Text}
	if l.MessageBytes == 0 {
		r.limit = DefaultMessageBytes
	} else if l.MessageBytes < math.MaxInt {
		r.limit = int(l.MessageBytes)
	}
	if r.fragments == 0 {
		r.fragments = DefaultFragments
	}
}

// Midway tells whether a frame or a fragmented message is unfinished: the client has begun something that must
// end in time.
func (r *Reader) Midway() bool {
	return !r.over && (r.headLen > 0 || r.inFrame || r.kind != OpNone)
}

// Next reads on in p, which holds bytes as they arrived, and returns the next message and what of p lies behind
// it: call it with rest until Op is OpNone. p is used up then, and all of it that is still needed is kept.
//
// p is written to: payloads are unmasked where they are. The payload of a message is a part of p, or of a
// buffer of its own if it did not arrive in one piece; it is valid until Next is called again or p is used
// for something else.
//
// A fault of the client is a *CloseError, and stays the answer. After a Close everything is ignored (RFC 6455, 5.5.1),
// Next returns OpNone.
func (r *Reader) Next(p []byte) (m Message, rest []byte, err error) {
	if r.over {
		if r.fault != nil {
			return m, nil, r.fault
		}
		return m, nil, nil
	}
	for {
		if !r.inFrame {
			if len(p) == 0 {
				return m, nil, nil
			}
			used, fault := r.readHead(p)
			if fault != nil {
				return m, nil, r.fail(fault)
			}
			p = p[used:]
			if !r.inFrame {
				return m, nil, nil
			}
		}
		n := min(r.left, len(p))
		chunk := p[:n]
		p = p[n:]
		ws.Cipher(chunk, r.mask, r.done)
		r.left -= n
		m, fault := r.take(chunk)
		if fault != nil {
			return Message{}, nil, r.fail(fault)
		}
		if m.Op != OpNone {
			return m, p, nil
		}
		if r.inFrame { // p is used up
			return m, nil, nil
		}
	}
}

func (r *Reader) fail(f *CloseError) error {
	r.over, r.fault, r.buf = true, f, nil
	return f
}

// take adds the next piece of the current frame's payload, already unmasked, and returns the message if that
// completes one. inFrame tells afterwards whether the frame goes on.
func (r *Reader) take(chunk []byte) (m Message, fault *CloseError) {
	whole := r.left == 0 && r.done == 0 // the frame lies in one piece in p
	r.inFrame = r.left > 0
	r.done += len(chunk)
	switch {
	case r.frame >= OpPing:
		if !whole {
			r.buf = append(r.buf, chunk...)
		}
		if r.inFrame {
			return m, nil
		}
		if !whole {
			chunk = r.buf[r.message:]
			r.release()
		}
		return r.control(chunk)
	case whole && r.fin && r.frames == 1:
		if r.kind == OpText && !r.text.whole(chunk) {
			return m, faultText
		}
		m = Message{Op: r.kind, Payload: chunk}
		r.kind, r.frames = OpNone, 0
		return m, nil
	}
	r.buf = append(r.buf, chunk...)
	r.message = len(r.buf)
	last := !r.inFrame && r.fin
	// RFC 6455, 8.1: a text that is not UTF-8 fails the connection; as soon as it can be told.
	if r.kind == OpText && !r.text.add(r.buf, last) {
		return m, faultText
	}
	if last {
		m = Message{Op: r.kind, Payload: r.buf}
		r.kind, r.frames, r.message, r.text = OpNone, 0, 0, utf8Stream{}
		r.release()
	}
	return m, nil
}

// release takes the part behind the unfinished message out of buf; the bytes stay as they are for whoever
// borrows them, until the next append. Without an unfinished message the buffer goes with them.
func (r *Reader) release() {
	r.buf = r.buf[:r.message]
	if r.message == 0 {
		r.buf = nil
	}
}

// readHead reads the head of a frame, which may have begun in an earlier p, and tells how much of p belongs to
// it. inFrame is set once the head is complete; until then p is used up.
func (r *Reader) readHead(p []byte) (used int, fault *CloseError) {
	if r.headLen == 0 {
		used, fault = r.parseHead(p)
		if used == 0 && fault == nil {
			r.headLen = uint8(copy(r.head[:], p))
			used = len(p)
		}
		return used, fault
	}
	had := int(r.headLen)
	have := had + copy(r.head[had:], p)
	used, fault = r.parseHead(r.head[:have])
	if used == 0 && fault == nil {
		r.headLen = uint8(have)
		return len(p), nil
	}
	r.headLen = 0
	return used - had, fault
}

// parseHead reads a head off b and returns its length, 0 if it is not all there. Everything is decided as soon as
// it can be told: the rules of the first two bytes on these, the length before the mask has come, and
// nothing is allocated for it. (ws.ReadHeaderBuffer wants an io.Reader and starts again after each cut; it is
// the twin in the tests.)
func (r *Reader) parseHead(b []byte) (n int, fault *CloseError) {
	if len(b) < 2 {
		return 0, nil
	}
	code := ws.OpCode(b[0] & 0x0f)
	fin := b[0]&0x80 != 0
	short := b[1] & 0x7f
	// RFC 6455, 5.2: "MUST be 0 unless an extension is negotiated". None ever is.
	if b[0]&0x70 != 0 {
		return 0, faultReserved
	}
	// 5.1: "The server MUST close the connection upon receiving a frame that is not masked."
	if b[1]&0x80 == 0 {
		return 0, faultUnmasked
	}
	op := OpNone
	switch code {
	case ws.OpContinuation:
		// 5.4: a continuation only inside a fragmented message.
		if r.kind == OpNone {
			return 0, faultStray
		}
	case ws.OpText, ws.OpBinary:
		// 5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message".
		if r.kind != OpNone {
			return 0, faultInterleaved
		}
		op = OpBinary
		if code == ws.OpText {
			op = OpText
		}
	case ws.OpPing, ws.OpPong, ws.OpClose:
		// 5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
		if short > MaxControlBytes {
			return 0, faultControlLength
		}
		if !fin {
			return 0, faultControlFragment
		}
		op = OpPing + Op(code-ws.OpPing)
		if code == ws.OpClose {
			op = OpClose
		}
	default:
		// 5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
		return 0, faultOpcode
	}
	if op == OpText && !r.takesText {
		return 0, faultNoText
	}
	if op < OpPing && r.fragments > 0 && r.frames >= r.fragments {
		return 0, faultFragments
	}

	length, n := uint64(short), 2
	switch short {
	case 126:
		if len(b) < 4 {
			return 0, nil
		}
		// 5.2: "the minimal number of bytes MUST be used to encode the length"
		if length, n = uint64(binary.BigEndian.Uint16(b[2:])), 4; length < 126 {
			return 0, faultLength
		}
	case 127:
		if len(b) < 10 {
			return 0, nil
		}
		// 5.2: 64 bits, "the most significant bit MUST be 0"
		if length, n = binary.BigEndian.Uint64(b[2:]), 10; length < 65536 || length>>63 != 0 {
			return 0, faultLength
		}
	}
	// Compared as uint64, before the conversion; r.message ≤ r.limit always holds.
	if op < OpPing && length > uint64(r.limit-r.message) {
		return 0, faultTooBig
	}
	if len(b) < n+4 {
		return 0, nil
	}
	r.mask = [4]byte(b[n:])
	r.frame, r.fin, r.inFrame = op, fin, true
	r.left, r.done = int(length), 0
	if op < OpPing {
		r.frames++
		if op != OpNone {
			r.kind = op
		}
	}
	return n + 4, nil
}
