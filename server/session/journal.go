package session

import (
	"time"

	"skirmish/game/replay"
)

// Journal takes down what a room needs to go on in another process. It must not block; it copies what it is given. Safe from
// any goroutine.
type Journal interface {
	// Checkpoint begins anew: what was taken down before is not needed any more.
	Checkpoint(state []byte) error
	// Ticks is what has happened since, to follow the checkpoint in the order of the calls.
	Ticks(chunks []byte) error
	// Seats is how some seats are now.
	Seats(state []byte) error
	// Gaps rises when something was lost, and a checkpoint is needed.
	Gaps() uint32
}

// CheckpointEvery is how often a room takes its whole state down. A restart plays again what came since.
const CheckpointEvery = 10 * time.Second

// never is a HashEvery that does not come: every step has a digest.
const never = 1 << 30

// scribe keeps a room's journal. It belongs to the match's goroutine.
type scribe struct {
	journal Journal // nil: nobody takes anything down
	writer  *replay.Writer
	head    []byte // of every checkpoint
	chunks  []byte // scratch
	next    time.Time
	gaps    uint32
	failing bool
}

// keepJournal begins the journal with a checkpoint.
func (r *Room) keepJournal(now time.Time) {
	k := &r.scribe
	k.journal = r.cfg.Journal
	if k.journal == nil {
		return
	}
	k.writer = replay.NewWriter(r.engine, replay.Options{Began: r.created, HashEvery: never})
	k.head = k.writer.Cut(nil)
	r.engine.Record(k.writer)
	r.checkpoint(now)
}

// writeJournal takes down what this tick was given, and the whole state when it is time.
func (r *Room) writeJournal(now time.Time) {
	k := &r.scribe
	if k.journal == nil {
		return
	}
	if k.chunks = k.writer.Cut(k.chunks[:0]); len(k.chunks) > 0 {
		k.note(r, k.journal.Ticks(k.chunks))
	}
	if !now.Before(k.next) || k.journal.Gaps() != k.gaps {
		r.checkpoint(now)
	}
}

// checkpoint takes the whole state down. It is for between two ticks.
func (r *Room) checkpoint(now time.Time) {
	k := &r.scribe
	if _, over := r.engine.Ended(); k.journal == nil || over {
		return
	}
	k.next = now.Add(CheckpointEvery)
	k.gaps = k.journal.Gaps()
	version := r.ledger.version.Load()
	host, err := r.save(now)
	if err == nil {
		r.lend() // the game hears of who came and went before its state is taken
		err = k.writer.Checkpoint(host)
		r.reclaim()
	}
	if err == nil {
		k.chunks = k.writer.Cut(append(k.chunks[:0], k.head...))
		err = k.journal.Checkpoint(k.chunks)
	}
	k.chunks = nil // a checkpoint is large, and comes seldom
	r.ledger.soil(version)
	k.note(r, err)
}

// note tells once that a match cannot be taken down, and that it can again.
func (k *scribe) note(r *Room, err error) {
	if failing := err != nil; failing != k.failing {
		k.failing = failing
		if failing {
			r.log.Error().Err(err).Msg("the match goes on without a journal: it would not survive a crash of the node")
		} else {
			r.log.Info().Msg("the match has a journal again")
		}
	}
}

// JournalSeats takes the seats down that have changed since the last call. Safe from any goroutine.
func (r *Room) JournalSeats() {
	if r.cfg.Journal == nil || !r.ledger.dirty.Load() {
		return
	}
	if seats := r.ledger.takeDirty(); len(seats) > 0 {
		if b, err := encodeSeats(seats); err == nil {
			r.cfg.Journal.Seats(b) //nolint:errcheck // too many seats for one entry are in the next checkpoint
		}
	}
}
