package replay

import (
	"errors"
	"fmt"
)

var (
	ErrForeign = errors.New("replay: this is not a recording of a match")
	ErrFormat  = errors.New("replay: the recording was made by a newer program and cannot be read by this one")
	ErrCorrupt = errors.New("replay: the recording is damaged")
	ErrTorn    = errors.New("replay: the recording breaks off in the middle of a chunk")
	ErrTooLong = errors.New("replay: the recording is larger than any that this program makes")
	ErrGame    = errors.New("replay: the recording is of another game or another version of it")
	ErrNoTick  = errors.New("replay: the recording does not reach that tick")
)

// DivergedError tells that the replay came out differently from the match.
type DivergedError struct {
	Tick uint32
	What string // "digest", "state hash", "checkpoint", "end", …
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("replay: tick %d: the replay differs from the match: %s", e.Tick, e.What)
}
