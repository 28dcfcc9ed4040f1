package client

import (
	"errors"
	"testing"
	"time"

	"skirmish/protocol"
)

func TestBackoff(t *testing.T) {
	lost := func(code protocol.CloseCode, after time.Duration) *CloseError {
		return &CloseError{Code: code, RetryAfter: after}
	}
	refused := errors.New("connection refused")
	for _, c := range []struct {
		name  string
		lost  *CloseError
		fails []error
		waits []time.Duration // the longest, before each attempt
	}{
		{"a broken connection is retried at once", lost(protocol.CloseAbnormal, 0), []error{refused, refused, refused, refused, refused, refused, refused},
			[]time.Duration{0, 100, 200, 400, 800, 1600, 2000, 2000}},
		{"a restart is retried at once", lost(protocol.CloseRestart, 0), []error{refused, refused}, []time.Duration{0, 100, 200}},
		{"the server's wish", lost(protocol.CloseUnavailable, 3*time.Second),
			[]error{lost(protocol.CloseUnavailable, 5*time.Second), &RefusedError{Status: 503, RetryAfter: 7 * time.Second}, refused},
			[]time.Duration{3000, 5000, 7000, 2000}},
	} {
		b := NewBackoff(c.lost)
		for i, want := range c.waits {
			want *= time.Millisecond
			if least, most := b.Wait(0), b.Wait(0.999999); least != want/2 || most > want || most < want*99/100 {
				t.Errorf("%s: attempt %d waits %v to %v, want %v to %v", c.name, i+1, least, most, want/2, want)
			}
			if i < len(c.fails) && !b.Failed(c.fails[i]) {
				t.Errorf("%s: no attempt after %v", c.name, c.fails[i])
			}
		}
	}
	b := NewBackoff(lost(protocol.CloseAbnormal, 0))
	if b.Failed(lost(protocol.CloseNoMatch, 0)) {
		t.Error("another attempt into a match that is gone")
	}
}
