package replay

import (
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/s2"

	"skirmish/game"
)

// Recording is a stream of chunks, read. It does not change and is safe from any goroutine.
type Recording struct {
	Head   Head
	End    *game.Ending // nil: it does not say how the match ended
	Torn   bool         // its bytes end within a chunk, which is left out
	Bytes  int          // of its whole chunks
	chunks []chunk
	points []Checkpoint
}

type chunk struct {
	kind    byte
	tick    uint32 // the last step before it
	payload []byte // behind the tick
	point   int    // of a checkpoint: its number
}

// Checkpoint is a place from which a replay can begin.
type Checkpoint struct {
	Tick   uint32
	Host   []byte // what Writer.Checkpoint was given
	packed []byte // the engine's saved state
	chunk  int
}

// State is the engine's saved state, for game.Engine.LoadState: ErrCorrupt.
func (c *Checkpoint) State() ([]byte, error) {
	if n, err := s2.DecodedLen(c.packed); err != nil || n > MaxCheckpointBytes {
		return nil, fmt.Errorf("%w: the checkpoint at tick %d cannot be unpacked", ErrCorrupt, c.Tick)
	}
	b, err := s2.Decode(nil, c.packed)
	if err != nil {
		return nil, fmt.Errorf("%w: the checkpoint at tick %d cannot be unpacked: %w", ErrCorrupt, c.Tick, err)
	}
	return b, nil
}

// Read reads a stream; b belongs to the recording from then on. A torn tail is no error, see Torn. ErrForeign,
// ErrFormat, ErrTooLong, ErrCorrupt.
func Read(b []byte) (*Recording, error) {
	b, torn, err := unpacked(b)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxRecordingBytes {
		return nil, ErrTooLong
	}
	r := &Recording{Torn: torn}
	whole := len(b)
	for first := true; len(b) > 0; first = false {
		kind, payload, rest, err := nextChunk(b)
		if first && (err != nil || kind != kindHead) {
			return nil, ErrForeign
		}
		if errors.Is(err, ErrTorn) {
			r.Torn = true
			break
		}
		if err == nil {
			err = r.add(kind, payload, first)
		}
		if err != nil {
			return nil, err
		}
		b = rest
	}
	r.Bytes = whole - len(b)
	if r.Bytes == 0 {
		return nil, ErrForeign
	}
	return r, nil
}

// add takes in a chunk.
func (r *Recording) add(kind byte, payload []byte, first bool) error {
	c := cursor{b: payload}
	switch {
	case kind == kindHead && first:
		h, err := parseHead(payload)
		if err != nil {
			return err
		}
		r.Head = *h
	case r.End != nil:
		return fmt.Errorf("%w: it goes on behind its end", ErrCorrupt)
	case kind == kindTicks, kind == kindForget:
		r.chunks = append(r.chunks, chunk{kind: kind, tick: uint32(c.uvarint(math.MaxUint32)), payload: c.b})
	case kind == kindCheckpoint:
		p := Checkpoint{Tick: uint32(c.uvarint(math.MaxUint32)), packed: c.bytes(MaxCheckpointBytes), Host: c.bytes(MaxCheckpointBytes), chunk: len(r.chunks)}
		r.chunks = append(r.chunks, chunk{kind: kind, tick: p.Tick, point: len(r.points)})
		r.points = append(r.points, p)
		c.bad = c.bad || len(c.b) > 0
	case kind == kindEnd:
		end, err := parseEnd(payload)
		if err != nil {
			return err
		}
		r.End = end
	default:
		return fmt.Errorf("%w: a chunk of kind %q", ErrCorrupt, kind)
	}
	if c.bad {
		return fmt.Errorf("%w: a chunk of kind %q cannot be read", ErrCorrupt, kind)
	}
	return nil
}

// Checkpoints are the places from which a replay can begin besides the start, in order.
func (r *Recording) Checkpoints() []Checkpoint { return r.points }
