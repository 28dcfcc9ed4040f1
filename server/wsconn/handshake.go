package wsconn

import "fmt"

// Request is the request head of a handshake. Its strings are the caller's to keep.
type Request struct {
	Method    string
	Target    string // as sent, at most MaxTargetBytes
	Path      string // Target up to the question mark, not percent-decoded
	Query     string // Target behind the question mark
	Host      string
	Origin    string   // empty: none was sent
	Protocols []string // the sub-protocols offered, in order
	Key       string   // Sec-WebSocket-Key
	Upgrade   bool     // an upgrade to WebSocket is asked for and its handshake is flawless
}

// Offers tells whether the client offered the sub-protocol.
func (r *Request) Offers(protocol string) bool {
	for _, p := range r.Protocols {
		if p == protocol {
			return true
		}
	}
	return false
}

// Field is one header field of a Refusal.
type Field struct{ Name, Value string }

// Refusal is the answer to a handshake that is not accepted: an HTTP status, a sentence for the body, and the
// header fields that this status wants.
type Refusal struct {
	Status int
	Reason string
	Header []Field
}

func (f *Refusal) Error() string { return fmt.Sprintf("wsconn: %d: %s", f.Status, f.Reason) }

// Handshake reads a request head. The zero value is ready.
type Handshake struct {
	buf []byte
}

// Feed takes the bytes that have arrived.
func (h *Handshake) Feed(p []byte) (done bool, err error) { return false, nil }

// Request is the head, once Feed said done.
func (h *Handshake) Request() *Request { return nil }

// Raw is everything received.
func (h *Handshake) Raw() []byte { return h.buf }

// Rest is what the client sent behind the head.
func (h *Handshake) Rest() []byte { return nil }

// Field is the value of a header field by its name.
func (h *Handshake) Field(name string) (value string, ok bool) { return "", false }

// AppendUpgrade appends the 101 answer.
func AppendUpgrade(dst []byte, r *Request, subprotocol string) []byte { return dst }

// AppendRefusal appends the answer that refuses.
func AppendRefusal(dst []byte, f *Refusal) []byte { return dst }
