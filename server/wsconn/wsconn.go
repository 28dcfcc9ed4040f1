// Package wsconn is the server end of RFC 6455 without I/O: bytes in, messages out; messages in, bytes out.
// The opening handshake is read by a Handshake, the frames behind it by a Reader; frames to the client are
// appended to the caller's buffer. Nothing here knows sockets, clocks, goroutines or sessions.
package wsconn

import "fmt"

// Op is the kind of a message.
type Op uint8

// The kinds of messages. OpNone says that there is none yet.
const (
	OpNone Op = iota
	OpText
	OpBinary
	OpPing
	OpPong
	OpClose
)

// Message is one whole message: data put together from its fragments, or a control frame.
type Message struct {
	Op Op
	// Payload is the data, or the reason of a Close (valid UTF-8). Borrowed: see Reader.Next.
	Payload []byte
	// Code is the close code of a Close; CodeNoStatus if the client sent none.
	Code uint16
}

// Close codes of RFC 6455, section 7.4.1, that this layer uses itself.
const (
	CodeNormal          = 1000
	CodeGoingAway       = 1001
	CodeProtocolError   = 1002
	CodeUnsupportedData = 1003
	CodeNoStatus        = 1005 // never on the wire: a Close without a code
	CodeInvalidPayload  = 1007
	CodePolicy          = 1008
	CodeTooBig          = 1009
)

// CloseError is a fault of the client: the connection is over, and Code and Reason belong into the Close
// frame that ends it. Reason is short, constant text.
type CloseError struct {
	Code   uint16
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("wsconn: %d: %s", e.Code, e.Reason) }
