package node

import (
	"encoding/binary"
	"time"

	"skirmish/server/journal"
	"skirmish/server/session"
	"skirmish/server/ticket"
)

// burntTickets takes down which tickets were used, so that none becomes good again by a restart.
type burntTickets struct {
	log    *journal.Log // nil: nobody takes anything down
	burned *ticket.Burned
	next   time.Time // when all of them are taken down anew; of the log's goroutine
}

// burnt takes one down.
func (b *burntTickets) burnt(id string, expires time.Time) {
	b.log.Append(ownKey, kindBurnt, burntEntry(id, expires.Unix())) //nolint:errcheck // it fits
}

func burntEntry(id string, expires int64) []byte {
	return append(binary.AppendUvarint(nil, uint64(expires)), id...)
}

// gather takes all of them down once in a while.
func (b *burntTickets) gather(now time.Time) {
	if now.Before(b.next) {
		return
	}
	b.next = now.Add(session.CheckpointEvery)
	b.anew()
}

// anew takes all of them down: then the log before that is not needed any more.
func (b *burntTickets) anew() {
	b.log.Checkpoint(ownKey, nil) //nolint:errcheck // it fits
	for id, expires := range b.burned.All() {
		b.burnt(id, time.Unix(expires, 0))
	}
}

// load burns what was burnt before.
func (b *burntTickets) load(entries []journal.Entry, now time.Time) {
	for _, e := range entries {
		if expires, n := binary.Uvarint(e.Data); e.Kind == kindBurnt && n > 0 {
			b.burned.Burn(string(e.Data[n:]), time.Unix(int64(expires), 0), now)
		}
	}
}
