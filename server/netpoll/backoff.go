package netpoll

import (
	"errors"
	"syscall"
	"time"
)

// Backoff spaces the attempts of an accepting loop when the system is out of descriptors or memory. Its owner
// is the accepting goroutine. The zero value is ready.
//
// The listeners of this package have one inside: after Accept returned such an error their Set is silent about
// them for as long, so that an owner that only counts the error neither spins nor stops.
type Backoff struct {
	pause time.Duration
}

// Next says how long to wait after err: 0 if err has nothing to do with exhausted resources, else 5 ms for the
// first time in a row, doubled each time up to 1 s.
func (b *Backoff) Next(err error) time.Duration {
	if !Exhausted(err) {
		return 0
	}
	b.pause = min(max(2*b.pause, backoffMin), backoffMax)
	return b.pause
}

// Reset is to be called after a success.
func (b *Backoff) Reset() { b.pause = 0 }

// Exhausted tells whether err means that descriptors or memory have run out: it passes, but not at once.
func Exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}
