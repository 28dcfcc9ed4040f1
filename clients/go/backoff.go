package client

import (
	"errors"
	"time"

	"skirmish/protocol"
)

// Backoff is the client's rule of coming back into a seat whose connection was lost: how long to wait before each
// attempt, and when to make no more. It has no clock: its owner does, and stops once Welcome.ReconnectMS have passed
// since the loss, for as long does the server hold the seat.
type Backoff struct{ wait time.Duration }

// NewBackoff begins after a loss that is Retryable.
func NewBackoff(lost *CloseError) Backoff {
	wait := resumeFirst
	if lost.Code == protocol.CloseRestart || lost.Code == protocol.CloseAbnormal {
		wait = 0 // the rule says: retry now
	}
	return Backoff{max(wait, lost.RetryAfter)}
}

// Wait is the time to the next attempt, with jitter so that not all players of a server come back at once. Dice is a
// random number from 0 up to, not with, 1.
func (b *Backoff) Wait(dice float64) time.Duration {
	half := b.wait / 2
	return half + time.Duration(dice*float64(half+1))
}

// Failed takes in how an attempt failed. False: the seat is gone and no attempt will succeed.
func (b *Backoff) Failed(err error) bool {
	b.wait = min(max(2*b.wait, resumeFirst), resumeLast)
	if e, ok := errors.AsType[*CloseError](err); ok {
		if !Retryable(e.Code) {
			return false
		}
		b.wait = max(b.wait, e.RetryAfter)
	}
	if e, ok := errors.AsType[*RefusedError](err); ok {
		b.wait = max(b.wait, e.RetryAfter)
	}
	return true
}

// Retryable is the client's rule: after these codes the same seat is worth another connection, with jittered
// backoff; after all others it is not.
func Retryable(code protocol.CloseCode) bool { return code.Retry() }
