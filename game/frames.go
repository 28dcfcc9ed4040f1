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
	number uint64 // of the capture, 1 and up; a re-used frame has a new one
	tick   uint32
	at     time.Time
	crc    uint32
	hasCRC bool
	refs   int    // viewers that have it as their baseline
	moment uint64 // its number in the history, 0: none
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

	rising bool // the ids of the frame being written have risen so far
	hint   int  // the kind of the row before
	order  []place
	sorted protocol.Rows // scratch
}

// body is the encoded rows of the newest frame, against a baseline or in full: the part of a state message that
// viewers share.
type body struct {
	base  uint64 // number of the baseline, 0: in full
	bytes []byte
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
	n.number, n.tick, n.at, n.refs = f.count, tick, at, 0
	f.live = append(f.live, n)
	f.newest = n
	f.used, f.rising, f.hint = 0, true, 0
}

// retire frees the frames that no viewer needs any more, or may no longer need.
func (f *frames) retire() {
	kept := 0
	for _, o := range f.live {
		if o.refs > 0 && f.count-o.number < MaxBaselines-1 {
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

// finish puts the rows in order of ids and settles the checksum.
func (f *frames) finish() {
	n := f.newest
	if !f.rising {
		f.sort(&n.rows)
	}
	if n.hasCRC = f.count%crcFrames == 0; n.hasCRC {
		n.crc = n.rows.CRC()
	}
}

func (f *frames) sort(r *protocol.Rows) {
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
	*r, f.sorted = f.sorted, *r
}

// body is the encoded rows of the newest frame against base, or in full with base nil; encoded once, valid
// until the next capture.
func (f *frames) body(p *protocol.Plan, base *frame) []byte {
	var number uint64
	if base != nil {
		number = base.number
	}
	for i := range f.bodies[:f.used] {
		if f.bodies[i].base == number {
			return f.bodies[i].bytes
		}
	}
	if f.used == len(f.bodies) {
		f.bodies = append(f.bodies, body{})
	}
	b := &f.bodies[f.used]
	f.used++
	b.base = number
	if base == nil {
		b.bytes = protocol.AppendSnapshotRows(b.bytes[:0], &f.newest.rows)
	} else {
		b.bytes = protocol.AppendDeltaRows(b.bytes[:0], p, &base.rows, &f.newest.rows)
	}
	return b.bytes
}

// put is Frame.Put.
func (e *Engine) put(id uint32, row any) {
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
