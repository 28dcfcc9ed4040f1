package node

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"skirmish/game"
	"skirmish/server/journal"
	"skirmish/server/session"
)

// savedMatch is the record of a match that has no result yet. It is on the disk before anybody hears of the match, so that
// everybody who hears of a match also hears of its end, and goes away when the result is there.
type savedMatch struct {
	UID        string            `json:"uid"`
	Match      game.Match        `json:"match"`
	Spectators int               `json:"spectators"`
	Start      session.StartRule `json:"start"`
	Reconnect  time.Duration     `json:"reconnect"`
	NoShow     time.Duration     `json:"no_show"`
	Empty      time.Duration     `json:"empty"`
	MaxLength  time.Duration     `json:"max_length"`
	Created    time.Time         `json:"created"`
	Lanes      []lane            `json:"lanes"`
	Seats      []session.Seat    `json:"seats"` // the first ones
	Recorded   bool              `json:"recorded,omitempty"`
	About      about             `json:"about"`
	State      []byte            `json:"state,omitempty"` // of the room before its first tick; none without a journal
}

// about is what the directory knows of a match and the room does not.
type about struct {
	Seq      uint64            `json:"seq"` // of its newest event
	Metadata map[string]string `json:"metadata"`
	Open     bool              `json:"open"`
}

// keep makes the record of a match that is being made.
func (m *matches) keep(ctx context.Context, e *entry) error {
	cfg := &e.cfg
	seats, _ := e.room.Seats()
	s := savedMatch{
		UID: e.events.uid, Match: cfg.Match, Spectators: cfg.Spectators, Start: cfg.Start, Reconnect: cfg.Reconnect, NoShow: cfg.NoShow, Empty: cfg.Empty,
		MaxLength: cfg.MaxLength, Created: e.room.Created(), Lanes: e.events.targets, Seats: seats, Recorded: e.tape != nil, About: e.aboutNow(),
	}
	var err error
	if cfg.Journal != nil {
		if s.State, err = e.room.Save(); err != nil {
			return fmt.Errorf("save a match: %w", err)
		}
	}
	record, err := json.Marshal(&s)
	if err != nil {
		return fmt.Errorf("encode a match: %w", err)
	}
	e.record, err = m.store.matches.Append(ctx, cfg.Match.ID, e.events.uid, record)
	if m.store.tried(err); err != nil {
		return errStore("its disk has refused the record of this one")
	}
	return nil
}

// parted forgets the record of a match whose result is on the disk, or that nobody has heard of. What is left of it when that
// fails, the next start finds and forgets.
func (m *matches) parted(e *entry) {
	if e.record != 0 {
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		if err := m.store.matches.Delete(ctx, e.record); err != nil {
			m.log.Warn().Err(err).Str("match", e.cfg.Match.ID).Msg("the record of a match that has ended stays for now")
		}
	}
	if m.store.inputs != nil {
		m.store.inputs.End(e.events.uid)
	}
}

// aboutNow is the directory's part of a match.
func (e *entry) aboutNow() about {
	metadata, open := e.about()
	e.events.mu.Lock()
	defer e.events.mu.Unlock()
	return about{Seq: e.events.seq, Metadata: metadata, Open: open}
}

// Kinds of entries in the log of inputs. Its keys are the matches' uids, and ownKey for the node.
const (
	kindTicks = journal.KindFirst + iota
	kindSeats
	kindAbout
	kindBurnt // a ticket: uvarint Unix second of its expiry, id

	ownKey = "node"
)

// matchJournal takes a match down in the log of inputs (session.Journal).
type matchJournal struct {
	log     *journal.Log
	replays *replays
	entry   *entry
}

func (j matchJournal) key() string { return j.entry.events.uid }

// Checkpoint puts the directory's part before that of the room, with its length.
func (j matchJournal) Checkpoint(state []byte) error {
	a := j.entry.aboutNow()
	head, err := json.Marshal(&a)
	if err != nil {
		return fmt.Errorf("encode a match: %w", err)
	}
	if j.entry.tape != nil {
		j.replays.marked(j.entry.tape)
	}
	return j.log.Checkpoint(j.key(), append(append(binary.AppendUvarint(nil, uint64(len(head))), head...), state...))
}

func (j matchJournal) Ticks(chunks []byte) error { return j.log.Append(j.key(), kindTicks, chunks) }
func (j matchJournal) Seats(state []byte) error  { return j.log.Append(j.key(), kindSeats, state) }
func (j matchJournal) Gaps() uint32              { return j.log.Gaps() }

// errLog says that an entry of the log makes no sense.
var errLog = errors.New("its journal cannot be read")

// collect makes what a room is restored from of the entries of its match. What the log does not hold is as it was at the start.
func (s *savedMatch) collect(entries []journal.Entry) (saved session.Saved, now about, err error) {
	now = s.About
	saved.Checkpoint = s.State
	for i, e := range entries {
		switch {
		case i == 0: // the checkpoint
			n, w := binary.Uvarint(e.Data)
			if w <= 0 || n > uint64(len(e.Data)-w) {
				return saved, now, errLog
			}
			if err := json.Unmarshal(e.Data[w:w+int(n)], &now); err != nil {
				return saved, now, errLog
			}
			saved.Checkpoint = e.Data[w+int(n):]
		case e.Kind == kindTicks:
			saved.Ticks = append(saved.Ticks, e.Data)
		case e.Kind == kindSeats:
			saved.Seats = append(saved.Seats, e.Data)
		case e.Kind == kindAbout:
			if err := json.Unmarshal(e.Data, &now); err != nil {
				return saved, now, errLog
			}
		}
	}
	if len(saved.Checkpoint) == 0 {
		return saved, now, errNoJournal
	}
	return saved, now, nil
}

// errNoJournal says that a match had no journal when the node ended.
var errNoJournal = errors.New("the node was killed and the match had no journal")

// gather takes down what the matches do not take down themselves: seats, and what the directory knows. It is called before each
// record of the log.
func (m *matches) gather() {
	for _, e := range m.all() {
		if e.room.Outcome() != nil {
			continue
		}
		e.room.JournalSeats()
		now := e.aboutNow()
		if e.noted.Load() == e.revision.Load() && e.notedSeq.Load() == now.Seq {
			continue
		}
		e.noted.Store(e.revision.Load())
		e.notedSeq.Store(now.Seq)
		if b, err := json.Marshal(&now); err == nil {
			m.store.inputs.Append(e.events.uid, kindAbout, b) //nolint:errcheck // it fits
		}
	}
	m.tickets.gather(time.Now())
}
