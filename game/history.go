package game

import (
	"slices"
	"time"

	"skirmish/protocol"
)

// history is the ring of past frames that Tick.Rewind looks into. It holds the rows of Spec.Rewind's kinds only
// and only as far back as a view may lie, so a match pays for what its game asks for: 16 ships of 10 fields at
// 30 Hz take 14 KB. It is part of the match's state: what a step finds in it decides hits.
type history struct {
	kinds uint32   // bit k: rows of kind k are kept; 0: the game does not rewind
	ring  []moment // moment n lies in slot n % len
	count uint64   // of moments recorded so far, the newest one's number
}

// moment is one past frame.
type moment struct {
	tick uint32
	rows protocol.Rows
}

// init makes the ring for a snapshot rate in Hz: what lies between the oldest view allowed and the newest frame,
// and some more for clients that were sent fewer states, whose pictures lie between frames far apart.
func (h *history) init(kinds uint32, rate int) {
	if h.kinds = kinds; kinds != 0 {
		h.ring = make([]moment, 2+int(historyKept*time.Duration(rate)/time.Second))
	}
}

// record keeps the frame of a tick. The last frame of a match, and the first one after a restart, may lie
// between two ticks of the snapshot rate; those are for viewers only.
func (h *history) record(tick, every uint32, rows *protocol.Rows) (number uint64) {
	if h.kinds == 0 || tick%every != 0 && h.count != 0 {
		return 0
	}
	h.count++
	m := h.moment(h.count)
	m.tick = tick
	m.rows.Reset()
	kept, values := 0, 0
	for i, k := range rows.Kinds {
		if h.kinds&(1<<k) != 0 {
			kept, values = kept+1, values+len(rows.Row(i))
		}
	}
	m.rows.Grow(kept, values)
	for i, k := range rows.Kinds {
		if h.kinds&(1<<k) != 0 {
			values := rows.Row(i)
			copy(m.rows.Append(rows.IDs[i], k, len(values)), values)
		}
	}
	return h.count
}

// moment is the one of a number, which must be kept.
func (h *history) moment(number uint64) *moment { return &h.ring[number%uint64(len(h.ring))] }

// oldest is the number of the oldest moment kept, 1 and up.
func (h *history) oldest() uint64 {
	if n := uint64(len(h.ring)); h.count > n {
		return h.count - n + 1
	}
	return 1
}

// at is the number of the newest moment whose tick is not above tick, 0 if none is kept.
func (h *history) at(tick uint32) uint64 {
	for n := h.count; n >= h.oldest() && n > 0; n-- {
		if h.moment(n).tick <= tick {
			return n
		}
	}
	return 0
}

// has is the number of the moment of exactly this tick, 0 if it is not kept.
func (h *history) has(tick uint32) uint64 {
	if n := h.at(tick); n != 0 && h.moment(n).tick == tick {
		return n
	}
	return 0
}

// written notes which of the newest 64 moments one seat was sent as states.
type written struct {
	newest uint64 // number, 0: none yet
	mask   uint64 // bit i: newest−i was sent
}

// add notes a number, which only rises.
func (w *written) add(number uint64) {
	switch {
	case w.newest == 0:
		w.newest, w.mask = number, ^uint64(0)
	case number > w.newest:
		w.newest, w.mask = number, w.mask<<(number-w.newest)|1
	}
}

// has is true for what was sent, and for what nobody knows of: what was before the first note, as after a
// restart, and what is too long ago.
func (w *written) has(number uint64) bool {
	return w.newest == 0 || number <= w.newest && (w.newest-number >= 64 || w.mask>>(w.newest-number)&1 != 0)
}

// savedMoment is a moment in a checkpoint.
type savedMoment struct {
	Tick   uint32
	IDs    []uint32
	Kinds  []uint8
	Values []int32
}

func (h *history) save() (all []savedMoment) {
	for n := h.oldest(); h.kinds != 0 && n <= h.count; n++ {
		m := h.moment(n)
		all = append(all, savedMoment{Tick: m.tick, IDs: m.rows.IDs, Kinds: m.rows.Kinds, Values: m.rows.Values})
	}
	return all
}

// load is false for moments that do not fit the plan.
func (h *history) load(all []savedMoment, p *protocol.Plan) bool {
	if len(all) > len(h.ring) {
		return false
	}
	for i := range all {
		s := &all[i]
		h.count++
		m := h.moment(h.count)
		m.tick = s.Tick
		values := s.Values
		if len(s.IDs) != len(s.Kinds) || !slices.IsSorted(s.IDs) {
			return false
		}
		for j, k := range s.Kinds {
			if int(k) >= len(p.Kinds) || len(values) < len(p.Kinds[k].Fields) {
				return false
			}
			n := len(p.Kinds[k].Fields)
			copy(m.rows.Append(s.IDs[j], k, n), values[:n])
			values = values[n:]
		}
	}
	return true
}
