package client

import (
	"encoding/binary"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"skirmish/protocol"
)

// Frames of the client (RFC 6455 section 5.2): header, 4 octets of mask, masked payload.
//
//	1 octet fin, opcode · 1 octet 0x80 | length (or 126 and 2 octets) · 4 octets key · payload

const frameHead = 6 // of a payload up to 125 octets

// beginFrame leaves room for a header; the payload is appended behind it.
func beginFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0, 0, 0) }

// endFrame writes the header in front of what was appended since beginFrame at offset begin, and masks it.
// The payload is at most 65,535 octets. The key comes from the runtime's ChaCha8: it cannot be foreseen
// (RFC 6455 section 10.3) and costs a few ns.
func endFrame(dst []byte, begin int, op ws.OpCode) []byte {
	n := len(dst) - begin - frameHead
	at := begin + 2
	if n <= 125 {
		dst[begin+1] = 0x80 | byte(n)
	} else {
		if n > 65535 {
			panic("client: frame too long")
		}
		dst = append(dst, 0, 0)
		copy(dst[begin+frameHead+2:], dst[begin+frameHead:len(dst)-2])
		dst[begin+1] = 0x80 | 126
		binary.BigEndian.PutUint16(dst[begin+2:], uint16(n))
		at += 2
	}
	dst[begin] = 0x80 | byte(op)
	var key [4]byte
	binary.LittleEndian.PutUint32(key[:], rand.Uint32())
	copy(dst[at:], key[:])
	ws.Cipher(dst[at+4:], key, 0)
	return dst
}

// appendClose appends a Close frame. The reason is cut at the limit, at a whole character.
func appendClose(dst []byte, code protocol.CloseCode, reason string) []byte {
	begin := len(dst)
	dst = beginFrame(dst)
	if code != protocol.CloseNoStatus {
		dst = binary.BigEndian.AppendUint16(dst, uint16(code))
		for len(reason) > protocol.MaxReasonBytes || !utf8.ValidString(reason) {
			reason = reason[:len(reason)-1]
		}
		dst = append(dst, reason...)
	}
	return endFrame(dst, begin, ws.OpClose)
}

// frameReader cuts the server's stream into messages and control frames.
type frameReader struct {
	frame      []byte // a begun frame, or the last one given out if done
	done       bool   // frame was given out: it is dropped at the next call
	message    []byte // a begun fragmented message
	fragments  int
	fragmented bool
	whole      bool // message was given out
	op         ws.OpCode
}

// fault is a breach of RFC 6455 or of the limits by the server.
type fault struct {
	code   protocol.CloseCode
	reason string
}

// next returns the first complete message or control frame in p. op 0 (continuation) means: p is used up.
// Payload is valid until the next call or until p is re-used.
func (r *frameReader) next(p []byte) (op ws.OpCode, payload, rest []byte, bad *fault) {
	r.release()
	for {
		var h ws.Header
		h, payload, p, bad = r.one(p)
		if bad != nil || payload == nil {
			return 0, nil, nil, bad
		}
		if h.OpCode.IsControl() {
			return h.OpCode, payload, p, nil
		}
		if h.OpCode != ws.OpContinuation {
			if h.Fin {
				return h.OpCode, payload, p, nil
			}
			r.fragmented, r.op, r.fragments, r.message = true, h.OpCode, 0, r.message[:0]
		}
		if r.fragments++; r.fragments > maxFragments {
			return 0, nil, nil, &fault{protocol.CloseTooBig, "a message in more than 1,024 fragments"}
		}
		r.message = append(r.message, payload...)
		if h.Fin {
			r.fragmented, r.whole = false, true
			return r.op, r.message, p, nil
		}
		r.release()
	}
}

// release drops what was given out before.
func (r *frameReader) release() {
	if r.done {
		r.done = false
		if r.frame = r.frame[:0]; cap(r.frame) > keptFrameBytes {
			r.frame = nil
		}
	}
	if r.whole {
		r.whole = false
		if r.message = r.message[:0]; cap(r.message) > keptFrameBytes {
			r.message = nil
		}
	}
}

// one returns the next frame: in place if it lies complete in p, else from the own buffer, which grows only
// as bytes arrive. A nil payload means that more is needed.
func (r *frameReader) one(p []byte) (h ws.Header, payload, rest []byte, bad *fault) {
	if len(r.frame) == 0 {
		h, size, bad := r.header(p)
		if bad != nil {
			return h, nil, nil, bad
		}
		if size > 0 && len(p) >= size+int(h.Length) {
			return h, p[size : size+int(h.Length) : size+int(h.Length)], p[size+int(h.Length):], nil
		}
	}
	for {
		h, size, bad := r.header(r.frame)
		if bad != nil {
			return h, nil, nil, bad
		}
		want := headerSize(r.frame)
		if size > 0 {
			want = size + int(h.Length)
			if len(r.frame) == want {
				r.done = true
				return h, r.frame[size:want:want], p, nil
			}
		}
		n := min(want-len(r.frame), len(p))
		if n == 0 {
			return h, nil, nil, nil
		}
		r.frame = append(r.frame, p[:n]...)
		p = p[n:]
	}
}

// headerSize is how many octets of a header must be known next.
func headerSize(p []byte) int {
	if len(p) < 2 {
		return 2
	}
	switch p[1] & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

// header reads and checks the header at the start of p; size 0 means that it is incomplete. What is wrong is
// told as early as it can be seen.
func (r *frameReader) header(p []byte) (h ws.Header, size int, bad *fault) {
	if len(p) < 2 {
		return h, 0, nil
	}
	h.Fin = p[0]&0x80 != 0
	h.Rsv = p[0] & 0x70 >> 4
	h.OpCode = ws.OpCode(p[0] & 0x0f)
	h.Masked = p[1]&0x80 != 0
	h.Length = int64(p[1] & 0x7f)
	if h.OpCode.IsControl() && h.Length > maxControlBytes {
		return h, 0, &fault{protocol.CloseProtocol, "a control frame with a long payload"}
	}
	state := ws.StateClientSide
	if r.fragmented {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return h, 0, &fault{protocol.CloseProtocol, err.Error()}
	}
	size = headerSize(p)
	if len(p) < size {
		return h, 0, nil
	}
	length := uint64(h.Length)
	switch size {
	case 4:
		length = uint64(binary.BigEndian.Uint16(p[2:]))
	case 10:
		length = binary.BigEndian.Uint64(p[2:])
	}
	if size == 4 && length <= 125 || size == 10 && length <= 65535 {
		return h, 0, &fault{protocol.CloseProtocol, "a length that is not minimal"}
	}
	limit := uint64(maxMessageBytes)
	if r.fragmented && !h.OpCode.IsControl() {
		limit -= uint64(len(r.message))
	}
	if length > limit {
		return h, 0, &fault{protocol.CloseTooBig, "a message longer than 1 MiB"}
	}
	h.Length = int64(length)
	return h, size, nil
}

// closeFrame reads the payload of a Close frame (RFC 6455 sections 5.5.1 and 7.4).
func closeFrame(p []byte) (code protocol.CloseCode, reason string, bad *fault) {
	if len(p) == 0 {
		return protocol.CloseNoStatus, "", nil
	}
	if len(p) == 1 {
		return 0, "", &fault{protocol.CloseProtocol, "a Close frame with half a code"}
	}
	code = protocol.CloseCode(binary.BigEndian.Uint16(p))
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
	default:
		return 0, "", &fault{protocol.CloseProtocol, "a Close frame with a code that must not be sent"}
	}
	if !utf8.Valid(p[2:]) {
		return 0, "", &fault{protocol.CloseInvalidText, "a Close frame whose reason is not UTF-8"}
	}
	return code, string(p[2:]), nil
}
