package wsconn

import (
	"encoding/binary"
	"unicode/utf8"
)

// control makes a message of a complete control frame.
func (r *Reader) control(payload []byte) (m Message, fault *CloseError) {
	m = Message{Op: r.frame, Payload: payload}
	if r.frame != OpClose {
		return m, nil
	}
	// RFC 6455, 5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer".
	switch len(payload) {
	case 0:
		m.Code = CodeNoStatus
	case 1:
		return Message{}, faultCloseLength
	default:
		m.Code, m.Payload = binary.BigEndian.Uint16(payload), payload[2:]
		if !validCloseCode(m.Code) {
			return Message{}, faultCloseCode
		}
		// 5.5.1: "Following the 2-byte integer, the body MAY contain UTF-8-encoded data".
		if !utf8.Valid(m.Payload) {
			return Message{}, faultCloseReason
		}
	}
	r.over, r.buf = true, nil
	return m, nil
}

// validCloseCode tells whether an endpoint may send that code (RFC 6455, 7.4, and the registry it opened): not
// below 1000, not 1004 (reserved), not 1005, 1006 and 1015 (never on the wire), nothing unassigned below 3000, nothing
// from 5000 on.
func validCloseCode(code uint16) bool {
	switch {
	case code >= 3000:
		return code < 5000
	case code >= 1007:
		return code <= 1014
	}
	return code >= 1000 && code <= 1003
}
