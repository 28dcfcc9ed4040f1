package client

import (
	"errors"
	"fmt"
	"time"

	"skirmish/protocol"
)

// Errors of a Client's methods.
var (
	ErrClosed  = errors.New("client: closed")
	ErrBacklog = errors.New("client: the connection does not take more: too much is unwritten")
	ErrRole    = errors.New("client: a spectator sends no inputs")
)

// RefusedError is an HTTP answer other than 101 to the WebSocket handshake.
type RefusedError struct {
	Status     int           // 0: the answer was not HTTP or broke RFC 6455
	Reason     string        // the sentence in the body, or what was wrong with the answer
	RetryAfter time.Duration // from Retry-After, 0 if not told
}

func (e *RefusedError) Error() string {
	if e.Status == 0 {
		return "client: handshake: " + e.Reason
	}
	return fmt.Sprintf("client: handshake refused: HTTP %d: %s", e.Status, e.Reason)
}

// CloseError is how a session ended.
type CloseError struct {
	Code       protocol.CloseCode
	Reason     string        // the server's, or what this end found wrong
	Local      bool          // this end found the fault or closed
	RetryAfter time.Duration // the server's wish, 0 if not told
	Cause      error         // with CloseAbnormal: what the socket said, or nil
}

func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("client: closed: %d", e.Code)
	}
	return fmt.Sprintf("client: closed: %d %s", e.Code, e.Reason)
}

func (e *CloseError) Unwrap() error { return e.Cause }
