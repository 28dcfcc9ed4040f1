package game

import (
	"errors"
	"fmt"
)

var (
	ErrSeat       = errors.New("game: nobody plays this seat")
	ErrSeatTaken  = errors.New("game: the seat is taken")
	ErrFull       = errors.New("game: every seat of the match is taken")
	ErrEnded      = errors.New("game: the match has ended")
	ErrNoBots     = errors.New("game: this game has no bots")
	ErrInput      = errors.New("game: an input does not fit the plan")
	ErrSeqAhead   = errors.New("game: an input's number runs too far ahead")
	ErrEventsLost = errors.New("game: the viewer is too far behind in reliable events")
	ErrState      = errors.New("game: not a saved state of this match")
)

// RefusedError is the game's own no to a join (Admitter): close code 4403 with the text of Err.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return "game: join refused: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// PanicError is a panic during a match, of the game or of the host's own part of the tick.
type PanicError struct {
	Call  string // what the engine was at: "New", "Step", "Frame", … "Collect", "Deliver"
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("game: panic in %s: %v", e.Call, e.Value) }

// Unwrap is the panic's value if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
