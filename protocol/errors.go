package protocol

import "errors"

// ErrMessage matches (by errors.Is) every *MessageError: bytes that break SPEC.md.
var ErrMessage = errors.New("protocol: bad message")

// ErrTooBig is a message above its limit of bytes: MaxMessageBytes or, for a hello, MaxHelloBytes. The
// close code is 1009.
var ErrTooBig = errors.New("protocol: message over the limit of bytes")

// ErrBaseline is a delta against a state that the client does not hold. The message itself may be sound:
// the client asks for a keyframe and goes on.
var ErrBaseline = errors.New("protocol: delta against an unknown baseline")

// MessageError tells what is wrong with a message. Its text holds no byte of the message: it may be logged
// and sent to the peer.
type MessageError struct {
	Type   Type   // 0 when the fault lies before or in the type
	Field  string // name as in SPEC.md, "" for the message as a whole
	Reason string
}

func (e *MessageError) Error() string {
	if e.Field == "" {
		return "protocol: bad " + e.Type.String() + ": " + e.Reason
	}
	return "protocol: bad " + e.Type.String() + ": " + e.Field + ": " + e.Reason
}

// Is makes errors.Is(err, ErrMessage) true.
func (e *MessageError) Is(target error) bool { return target == ErrMessage }

// CloseCodeFor is the close code that answers an error of Decoder, 0 for nil.
func CloseCodeFor(err error) CloseCode {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrTooBig):
		return CloseTooBig
	case errors.Is(err, ErrMessage):
		return CloseBadMessage
	}
	return CloseInternal
}

// Reasons of a MessageError.
const (
	whyTruncated = "ends too early"
	whyTrailing  = "bytes behind the end"
	whyType      = "wrong type"
	whyRange     = "out of range"
	whyShort     = "too few elements"
	whyCount     = "wrong number of elements"
	whyTooMany   = "too many elements"
	whyTooLong   = "too long"
	whyUTF8      = "not UTF-8"
	whyUnknown   = "unknown"
	whyOrder     = "ids do not rise"
	whyMissing   = "no such row"
	whyTwice     = "the row exists already"
)
