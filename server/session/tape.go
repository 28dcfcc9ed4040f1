package session

import (
	"time"

	"skirmish/game/replay"
)

// Tape keeps the recording of one match. The match's goroutine calls it, so it must not block; it copies what it is given.
type Tape interface {
	// Add takes the next chunks (package replay).
	Add(chunks []byte)
}

// tapeEvery is how often a room hands over what it has recorded.
const tapeEvery = 100 * time.Millisecond

// tape is the room's end of a Tape. It belongs to the match's goroutine.
type tape struct {
	to     Tape // nil: the match is not recorded
	writer *replay.Writer
	chunks []byte // scratch
	next   time.Time
}

// beginTape records the match from here on.
func (r *Room) beginTape() {
	if r.cfg.Tape == nil {
		return
	}
	t := &r.tape
	t.to, t.writer = r.cfg.Tape, replay.NewWriter(r.engine, replay.Options{Began: r.created})
	r.engine.Record(t.writer)
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
		t.to.Add(t.chunks)
	}
}
