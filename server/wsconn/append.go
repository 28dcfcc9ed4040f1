package wsconn

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Frames to the client are whole messages: one frame each, FIN set, unmasked (RFC 6455, 5.1: "A server MUST NOT
// mask any frames that it sends to the client"). Layout (5.2):
//
//	byte 0      1 0 0 0 opcode
//	byte 1      0 length            length ≤ 125
//	            0 126, u16          length ≤ 65,535
//	            0 127, u64          beyond
//	then the payload. The shortest form that fits is obligatory.

// opcodes translates an Op. A message to be sent has one of these.
var opcodes = [...]ws.OpCode{
	OpText:   ws.OpText,
	OpBinary: ws.OpBinary,
	OpPing:   ws.OpPing,
	OpPong:   ws.OpPong,
	OpClose:  ws.OpClose,
}

// BeginFrame reserves room for the head of a frame behind dst. The caller appends the payload to what it returns
// and calls EndFrame with begin = len(dst), the length before BeginFrame.
func BeginFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// EndFrame makes a frame of what was appended since BeginFrame and returns dst with it: the head stands directly
// before the payload, nothing between what was in dst before and the frame. A payload of 126 to 65,535 bytes stays where it
// is; a shorter one moves down by two bytes, a longer one up by six. No allocation up to 65,535 bytes.
// The payload of a control frame must not exceed MaxControlBytes.
func EndFrame(dst []byte, begin int, op Op) []byte {
	payload := begin + serverHeadSpace
	n := len(dst) - payload
	switch {
	case n <= 125:
		copy(dst[begin+2:], dst[payload:])
		dst[begin+1] = byte(n)
		dst = dst[:begin+2+n]
	case op >= OpPing:
		panic("wsconn: a control frame of more than 125 bytes")
	case n <= 65535:
		dst[begin+1] = 126
		binary.BigEndian.PutUint16(dst[begin+2:], uint16(n))
	default:
		dst = append(dst, make([]byte, maxServerHead-serverHeadSpace)...)
		copy(dst[begin+maxServerHead:], dst[payload:payload+n])
		dst[begin+1] = 127
		binary.BigEndian.PutUint64(dst[begin+2:], uint64(n))
	}
	dst[begin] = 0x80 | byte(opcodes[op])
	return dst
}

// AppendFrame appends one whole frame around payload.
func AppendFrame(dst []byte, op Op, payload []byte) []byte {
	begin := len(dst)
	return EndFrame(append(BeginFrame(dst), payload...), begin, op)
}

// AppendClose appends a Close frame. CodeNoStatus (or 0) sends neither code nor reason; a reason longer than
// MaxReasonBytes is cut between two characters.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	begin := len(dst)
	dst = BeginFrame(dst)
	if code != 0 && code != CodeNoStatus {
		dst = binary.BigEndian.AppendUint16(dst, code)
		dst = append(dst, cut(reason, MaxReasonBytes)...)
	}
	return EndFrame(dst, begin, OpClose)
}

// cut returns at most n bytes of s, ending at a character's end.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
