package session

import (
	"time"

	"skirmish/game"
	"skirmish/game/replay"
)

// Tape keeps the recording of one match. The match's goroutine calls it, so it must not block; it copies what it is given.
type Tape interface {
	// Add takes the next chunks (package replay).
	Add(chunks []byte)
	// Rewind cuts off what is behind the first size bytes: the match goes on from there, once more. False: it cannot, and the
	// recording is spoilt. It may wait for the disk.
	Rewind(size int64) bool
	// Spoil gives the recording up.
	Spoil(why error)
}

// tapeEvery is how often a room hands over what it has recorded.
const tapeEvery = 100 * time.Millisecond

// tape is the room's end of a Tape. It belongs to the match's goroutine.
type tape struct {
	to     Tape // nil: the match is not recorded
	writer *replay.Writer
	size   int64  // bytes handed over
	chunks []byte // scratch
	next   time.Time
}

// beginTape records the match from here on.
func (r *Room) beginTape() {
	if t := &r.tape; r.cfg.Tape != nil && t.to == nil {
		t.to, t.writer = r.cfg.Tape, replay.NewWriter(r.engine, replay.Options{Began: r.created})
		r.engine.Record(t.writer)
	}
}

// resumeTape records the match from a checkpoint on, once more: what the tape has behind it may be undone. size is where it was
// then; 0: the match had not begun.
func resumeTape(to Tape, e *game.Engine, size int64, created time.Time) tape {
	if !to.Rewind(size) {
		return tape{}
	}
	o := replay.Options{Began: created}
	t := tape{to: to, size: size}
	if size == 0 {
		t.writer = replay.NewWriter(e, o)
	} else {
		t.writer = replay.Continue(e, o)
	}
	e.Record(t.writer)
	return t
}

// mark hands everything over, with a place to go on from after a restart: it is for a checkpoint.
func (t *tape) mark() int64 {
	if t.to != nil {
		t.writer.Mark()
		t.cut()
	}
	return t.size
}

// runTape hands over what has been recorded, when it is time.
func (r *Room) runTape(now time.Time) {
	if t := &r.tape; t.to != nil && !now.Before(t.next) {
		t.next = now.Add(tapeEvery)
		t.cut()
	}
}

// endTape hands the rest over, with the match's end.
func (r *Room) endTape() {
	if t := &r.tape; t.to != nil {
		t.writer.End()
		t.cut()
	}
}

func (t *tape) cut() {
	if t.chunks = t.writer.Cut(t.chunks[:0]); len(t.chunks) > 0 {
		t.size += int64(len(t.chunks))
		t.to.Add(t.chunks)
	}
}
