package game

import (
	"fmt"
	"reflect"
	"slices"

	"skirmish/protocol"
)

// events is the ring of reliable events of a match: each encoded once, kept for viewers that are slow or come
// back, addressed to one seat or to everybody.
type events struct {
	slots []event // event n lies in slot n % len
	first uint32  // number of the oldest kept; first > last: none
	last  uint32  // number of the newest, 0 before the first
	bytes int     // of the kept messages
	next  protocol.Event
	msg   []byte // scratch
	hint  int
}

type event struct {
	to  Seat // 0: everybody
	msg []byte
}

func (r *events) slot(n uint32) *event { return &r.slots[n%uint32(len(r.slots))] }

func (r *events) len() int { return int(r.last + 1 - r.first) }

// add makes a slot for the next event. The ring grows to MaxEvents, then the oldest goes.
func (r *events) add() *event {
	if r.last == 0 {
		r.first = 1
	}
	if r.len() == len(r.slots) {
		if len(r.slots) < MaxEvents {
			r.grow()
		} else {
			r.drop()
		}
	}
	r.last++
	return r.slot(r.last)
}

func (r *events) grow() {
	bigger := make([]event, max(16, 2*len(r.slots)))
	for n := r.first; n <= r.last; n++ {
		bigger[n%uint32(len(bigger))] = *r.slot(n)
	}
	r.slots = bigger
}

// drop forgets the oldest event.
func (r *events) drop() {
	s := r.slot(r.first)
	r.bytes -= len(s.msg)
	if cap(s.msg) > keepEventBytes {
		s.msg = nil
	}
	s.msg = s.msg[:0]
	r.first++
}

// emit is Tick.Emit.
func (e *Engine) emit(to Seat, ev any) {
	r := &e.events
	op := kindOf(e.def.events, typeWord(ev), r.hint)
	if op < 0 {
		panic(fmt.Sprintf("game: Emit of %v, which is no pointer to a struct of Spec.Events", typeOf(ev)))
	}
	l := &e.def.events[op]
	p := pointerOf(ev)
	if p == nil {
		panic(fmt.Sprintf("game: Emit of a nil *%v", l.typ))
	}
	r.hint = op
	bad := -1
	r.next.Values, bad = l.appendEvent(r.next.Values[:0], p)
	if bad >= 0 {
		e.clamp(l, bad)
	}
	r.next.Seq, r.next.Tick, r.next.Op = r.last+1, e.tick, uint16(op)
	r.msg = protocol.AppendEvent(r.msg[:0], e.def.Plan, &r.next)
	clear(r.next.Values) // the game's texts are not ours to keep alive
	r.keep(to, r.msg)
}

// keep adds the next event's message to the ring.
func (r *events) keep(to Seat, msg []byte) {
	s := r.add()
	s.to = to
	s.msg = append(s.msg[:0], msg...)
	for r.bytes += len(msg); r.bytes > MaxEventsBytes; {
		r.drop()
	}
}

// NextEvent returns the next event message for v in order, valid until the next tick. ErrEventsLost tells that
// v is so far behind that the ring no longer has it.
func (e *Engine) NextEvent(v *Viewer) (msg []byte, ok bool, err error) {
	r := v.program()
	if v.event < r.last && v.event+1 < r.first {
		return nil, false, ErrEventsLost
	}
	for v.event < r.last {
		v.event++
		if s := r.slot(v.event); s.to == 0 || s.to == v.seat {
			return s.msg, true, nil
		}
	}
	return nil, false, nil
}

// LastEvent is the number of the newest event, 0 before the first.
func (e *Engine) LastEvent() uint32 { return e.events.last }

// Skip sets the cursor behind event seq, the newest that the client of a resumed connection has seen. A player gets nothing
// from before it came: that was for whoever had its seat then.
func (v *Viewer) Skip(seq uint32) {
	if p := v.e.seat(v.seat); p != nil {
		seq = max(seq, p.since)
	}
	v.event = min(seq, v.program().last)
}

// SavedEvent is a reliable event that a checkpoint of the host's keeps for those who come back.
type SavedEvent struct {
	To      Seat // 0: everybody
	Message []byte
}

// SaveEvents returns the newest events, as many as are worth keeping in a checkpoint.
func (e *Engine) SaveEvents() (out []SavedEvent) {
	r := &e.events
	first, bytes := r.last+1, 0
	for r.last > 0 && first > r.first && r.last+1-first < savedEvents {
		if bytes += len(r.slot(first - 1).msg); bytes > savedEventBytes {
			break
		}
		first--
	}
	for n := first; n <= r.last; n++ {
		s := r.slot(n)
		out = append(out, SavedEvent{To: s.to, Message: slices.Clone(s.msg)})
	}
	return out
}

// LoadEvents brings back what SaveEvents has returned when the state was saved that was loaded just now. ErrState.
func (e *Engine) LoadEvents(all []SavedEvent) error {
	r := &e.events
	if len(all) == 0 {
		return nil
	}
	if r.len() != 0 || len(all) > int(r.last) || len(all) > savedEvents {
		return fmt.Errorf("%w: %d events are too many", ErrState, len(all))
	}
	r.last -= uint32(len(all))
	r.first = r.last + 1
	for i := range all {
		r.keep(all[i].To, all[i].Message)
	}
	return nil
}

// Seen is the number of the last event that NextEvent has given v or passed over, or that Skip has named.
func (v *Viewer) Seen() uint32 { return v.event }

// Behind counts what NextEvent has left for v. A viewer whose events are lost is behind by all that are kept.
func (v *Viewer) Behind() (messages, bytes int) {
	r := v.program()
	for n := max(v.event+1, r.first); n <= r.last; n++ {
		if s := r.slot(n); s.to == 0 || s.to == v.seat {
			messages++
			bytes += len(s.msg)
		}
	}
	return messages, bytes
}

// typeOf names a value's type in a panic without letting the value itself escape.
func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }
