package game

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"skirmish/protocol"
)

// frame is one captured snapshot.
type frame struct {
	rows   protocol.Rows
	owners []Seat        // who alone sees row i, 0: everybody; empty: there are no such rows
	open   protocol.Rows // what everybody sees, where there are owners
	number uint64        // of the capture, 1 and up; a re-used frame has a new one
	tick   uint32
	at     time.Time
	crc    uint32 // of the rows that everybody sees
	hasCRC bool
	refs   int    // viewers that have it as their baseline
	moment uint64 // its number in the history, 0: none

	// Where viewers see different rows: since which frame row i is, and since which it is as it is now.
	born, changed []uint32
}

// seenBy tells whether a seat may see row i.
func (n *frame) seenBy(i int, s Seat) bool {
	return len(n.owners) == 0 || n.owners[i] == 0 || n.owners[i] == s
}

// shared is the rows that everybody sees.
func (n *frame) shared() *protocol.Rows {
	if len(n.owners) == 0 {
		return &n.rows
	}
	return &n.open
}

// sum is the checksum of what everybody sees.
func (n *frame) sum() uint32 {
	if !n.hasCRC {
		n.crc, n.hasCRC = n.shared().CRC(), true
	}
	return n.crc
}

// frames are the captured snapshots that are still some viewer's baseline, and what has been encoded of the
// newest. Viewers mostly share the last one or two, so few frames exist at a time; a baseline older than
// MaxBaselines captures is taken back from its viewer, which then gets a full snapshot.
type frames struct {
	newest *frame
	count  uint64   // captures so far
	live   []*frame // oldest first, the newest included
	free   []*frame
	bodies []body
	used   int // of bodies, for the newest frame
	keep   int // frames kept before the newest, wanted or not

	rising bool // the ids of the frame being written have risen so far
	hint   int  // the kind of the row before
	order  []place
	sorted protocol.Rows // scratch
	owners []Seat        // scratch
}

// body is the encoded rows of the newest frame, against a baseline or in full: the part of a state message that
// viewers share.
type body struct {
	base  uint64 // number of the baseline, 0: in full
	bytes []byte
	whole []byte // the message of a spectator, empty: not asked for yet
}

// place is where a row lies before sorting.
type place struct {
	id uint32
	i  int32
}

// begin takes the next frame to write into.
func (f *frames) begin(tick uint32, at time.Time) {
	f.retire()
	var n *frame
	if k := len(f.free); k > 0 {
		n, f.free = f.free[k-1], f.free[:k-1]
	} else {
		n = new(frame)
	}
	f.count++
	n.rows.Reset()
	if f.newest != nil {
		n.rows.Grow(f.newest.rows.Len(), len(f.newest.rows.Values))
	}
	n.owners = n.owners[:0]
	n.number, n.tick, n.at, n.refs, n.hasCRC = f.count, tick, at, 0, false
	f.live = append(f.live, n)
	f.newest = n
	f.used, f.rising, f.hint = 0, true, 0
}

// retire frees the frames that no viewer needs any more, or may no longer need.
func (f *frames) retire() {
	kept := 0
	for _, o := range f.live {
		if age := f.count - o.number; o.refs > 0 && age < MaxBaselines-1 || age < uint64(f.keep) {
			f.live[kept] = o
			kept++
			continue
		}
		o.number = 0 // a viewer that still points here sees that it is gone
		f.free = append(f.free, o)
	}
	clear(f.live[kept:])
	f.live = f.live[:kept]
}

// find is the frame of a number, nil if it is gone.
func (f *frames) find(number uint32) *frame {
	for i := len(f.live) - 1; i >= 0; i-- {
		if uint32(f.live[i].number) == number {
			return f.live[i]
		}
	}
	return nil
}

// finish puts the rows in order of ids and parts those that one seat sees from the others.
func (f *frames) finish() {
	n := f.newest
	if !f.rising {
		f.sort(n)
	}
	if len(n.owners) == 0 {
		return
	}
	n.open.Reset()
	for i, owner := range n.owners {
		if owner == 0 {
			values := n.rows.Row(i)
			copy(n.open.Append(n.rows.IDs[i], n.rows.Kinds[i], len(values)), values)
		}
	}
}

// date settles since when each row of the newest frame is as it is.
func (f *frames) date() {
	now, before := f.newest, &frame{}
	if k := len(f.live); k > 1 {
		before = f.live[k-2]
	}
	n := now.rows.Len()
	now.born, now.changed = slices.Grow(now.born[:0], n)[:n], slices.Grow(now.changed[:0], n)[:n]
	old := &before.rows
	j := 0
	for i, id := range now.rows.IDs {
		for j < len(before.born) && old.IDs[j] < id {
			j++
		}
		born, changed := uint32(now.number), uint32(now.number)
		if j < len(before.born) && old.IDs[j] == id && old.Kinds[j] == now.rows.Kinds[i] {
			born = before.born[j]
			if slices.Equal(old.Row(j), now.rows.Row(i)) {
				changed = before.changed[j]
			}
		}
		now.born[i], now.changed[i] = born, changed
	}
}

func (f *frames) sort(n *frame) {
	r := &n.rows
	f.order = f.order[:0]
	for i, id := range r.IDs {
		f.order = append(f.order, place{id: id, i: int32(i)})
	}
	slices.SortFunc(f.order, func(a, b place) int { return cmp.Compare(a.id, b.id) })
	f.sorted.Reset()
	for i, o := range f.order {
		if i > 0 && f.order[i-1].id == o.id {
			panic(fmt.Sprintf("game: Frame put two rows of id %d", o.id))
		}
		values := r.Row(int(o.i))
		copy(f.sorted.Append(o.id, r.Kinds[o.i], len(values)), values)
	}
	if len(n.owners) > 0 {
		f.owners = f.owners[:0]
		for _, o := range f.order {
			f.owners = append(f.owners, n.owners[o.i])
		}
		n.owners, f.owners = f.owners, n.owners
	}
	*r, f.sorted = f.sorted, *r
}

// body is the encoded rows of the newest frame against base, or in full with base nil; encoded once, valid
// until the next capture.
func (f *frames) body(p *protocol.Plan, base *frame) *body {
	var number uint64
	if base != nil {
		number = base.number
	}
	for i := range f.bodies[:f.used] {
		if f.bodies[i].base == number {
			return &f.bodies[i]
		}
	}
	if f.used == len(f.bodies) {
		f.bodies = append(f.bodies, body{})
	}
	b := &f.bodies[f.used]
	f.used++
	b.base, b.whole = number, b.whole[:0]
	if base == nil {
		b.bytes = protocol.AppendSnapshotRows(b.bytes[:0], f.newest.shared())
	} else {
		b.bytes = protocol.AppendDeltaRows(b.bytes[:0], p, base.shared(), f.newest.shared())
	}
	return b
}

// spectacle is the whole message of a spectator that has base: the same bytes for all of them, made once.
func (f *frames) spectacle(p *protocol.Plan, base *frame) []byte {
	b := f.body(p, base)
	if len(b.whole) == 0 {
		b.whole = append(appendHead(b.whole, &protocol.StateHead{}, base, f.newest), b.bytes...)
		b.whole = protocol.AppendPrivate(b.whole, nil, nil, nil)
		b.whole = f.appendSum(b.whole, base)
	}
	return b.whole
}

// appendSum appends the checksum of what everybody sees, when it is time for one.
func (f *frames) appendSum(dst []byte, base *frame) []byte {
	if base == nil || !sumDue(base.number, f.newest.number) {
		return protocol.AppendCRC(dst, 0, false)
	}
	return protocol.AppendCRC(dst, f.newest.sum(), true)
}

// sumDue tells whether the state of frame now carries a checksum, for a viewer that has frame base: once in
// crcFrames, whichever frames a viewer is sent.
func sumDue(base, now uint64) bool { return base/crcFrames != now/crcFrames }

// put is Frame.Put and, with an owner, Frame.PutFor.
func (e *Engine) put(owner Seat, id uint32, row any) {
	f := &e.frames
	k := kindOf(e.def.kinds, typeWord(row), f.hint)
	if k < 0 {
		panic(fmt.Sprintf("game: Put of %v, which is no pointer to a struct of Spec.Kinds", typeOf(row)))
	}
	l := &e.def.kinds[k]
	p := pointerOf(row)
	if p == nil {
		panic(fmt.Sprintf("game: Put of a nil *%v", l.typ))
	}
	f.hint = k
	r := &f.newest.rows
	if n := r.Len(); n > 0 && id <= r.IDs[n-1] {
		if id == r.IDs[n-1] {
			panic(fmt.Sprintf("game: Frame put two rows of id %d", id))
		}
		f.rising = false
	}
	if r.Len() == protocol.MaxRows {
		panic(fmt.Sprintf("game: Frame put more than %d rows", protocol.MaxRows))
	}
	if bad := l.store(r.Append(id, uint8(k), len(l.fields)), p); bad >= 0 {
		e.clamp(l, bad)
	}
	if n := f.newest; owner != 0 || len(n.owners) > 0 {
		for len(n.owners) < r.Len()-1 {
			n.owners = append(n.owners, 0)
		}
		n.owners = append(n.owners, owner)
	}
}

// capture writes a frame when one is due: at the snapshot rate, for the first step, and for the last.
func (e *Engine) capture() {
	f := &e.frames
	due := e.tick%e.every == 0 || f.newest == nil || e.over
	if e.fresh = due && e.tick > 0 && (f.newest == nil || f.newest.tick != e.tick); !e.fresh {
		return
	}
	f.begin(e.tick, e.at)
	e.calling = "Frame"
	e.sim.Frame(&e.fr)
	f.finish()
	if e.gather != nil {
		f.date()
	}
	f.newest.moment = e.history.record(e.tick, e.every, &f.newest.rows)
	for _, p := range e.players {
		e.show(p)
	}
}

// show notes what the new frame tells p about itself.
func (e *Engine) show(p *Player) {
	s := &p.shown
	s.ack, s.lead, s.flags = p.queue.ack, p.queue.lead, 0
	if p.status == InputRepeated || p.status == InputNeutral {
		s.flags = protocol.FlagInputMissing
	}
	if e.privateAny == nil {
		return
	}
	e.privateRow.SetZero()
	e.calling = "Private"
	e.privater.Private(p, e.privateAny)
	l := e.def.private
	if len(s.private) == 0 {
		s.private = make([]int32, len(l.fields))
	}
	if bad := l.store(s.private, pointerOf(e.privateAny)); bad >= 0 {
		e.clamp(l, bad)
	}
}
