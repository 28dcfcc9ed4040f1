package game

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrNoSignals says that a game takes no calls of the back end.
var ErrNoSignals = errors.New("game: this game has no signals")

// Signal passes a call of the back end to the game: ErrNoSignals, ErrEnded, or a *SignalError with the game's own
// words. Out is JSON of at most MaxResultBytes.
func (e *Engine) Signal(op string, in json.RawMessage) (json.RawMessage, error) {
	switch {
	case e.signaler == nil:
		return nil, ErrNoSignals
	case e.over:
		return nil, ErrEnded
	}
	if e.recorder != nil {
		e.recorder.Signal(op, in)
	}
	was := e.enter("Signal")
	out, err := e.signaler.Signal(&e.tk, op, in)
	e.calling = was
	if err != nil {
		return nil, &SignalError{Err: err}
	}
	b, err := json.Marshal(out)
	switch {
	case err != nil:
		return nil, fmt.Errorf("game: Signal: the answer is not JSON: %w", err)
	case len(b) > MaxResultBytes:
		return nil, fmt.Errorf("game: Signal: the answer takes %d bytes, %d are allowed", len(b), MaxResultBytes)
	}
	return b, nil
}

// SignalError is the game's own no to a call of the back end.
type SignalError struct{ Err error }

func (e *SignalError) Error() string { return e.Err.Error() }
func (e *SignalError) Unwrap() error { return e.Err }
