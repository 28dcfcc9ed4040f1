package game

import (
	"time"

	"skirmish/protocol"
)

// Rewind is what p saw when it gave the input of this step, for lag compensation: a shot is judged against the
// rows as they were drawn where the shooter was looking. A game uses it inside Step and names the kinds of rows
// in Spec.Rewind, else it panics.
//
// The view comes with the input: the tick of a state and how far the picture had gone from there to the next
// one. It is never newer than the newest state written to p and never further back than MaxRewind before this
// step; what is beyond is moved to the bound. A view counts by the states that p was really sent, so a player on
// a slow link, to whom some were not, is judged by the lines that it saw drawn. A repeated input looks as far
// back as the last real one did; a player that has told no view yet, and a bot, see the newest frame.
//
// The way is that of Valve's "Latency Compensating Methods in Client/Server In-game Protocol Design and
// Optimization" (Y. W. Bernier, Game Developers Conference 2001) and "Source Multiplayer Networking", but for
// where the time comes from: there it is computed from latency and the configured interpolation, here the client
// says what it drew, and the server bounds it.
func (t *Tick) Rewind(p *Player) Past {
	e := t.e
	h := &e.history
	if h.kinds == 0 {
		panic("game: Rewind, but Spec.Rewind names no kinds")
	}
	if h.count == 0 {
		return Past{}
	}
	return e.past(p)
}

// Past is a moment as one player saw it. It is valid until Step returns.
type Past struct {
	def          *Definition
	older, newer *moment
	part         int64 // of the way from older to newer, in 1/256
}

// Row fills in row, a pointer to one of the structs of Spec.Rewind, as it was drawn then: between the two states
// by the fields' interp, to the struct's own precision. It is false if there was no such row, or one of another
// kind. A row that is not in the newer state any more stood still; one that was not in the older one yet was not
// drawn.
func (r Past) Row(id uint32, row any) bool {
	if r.older == nil {
		return false
	}
	i, ok := r.older.rows.Find(id)
	if !ok {
		return false
	}
	kind := r.older.rows.Kinds[i]
	l := &r.def.kinds[kind]
	if l.ptrWord != typeWord(row) {
		return false
	}
	l.must(row)
	from := r.older.rows.Row(i)
	to := from
	if j, ok := r.newer.rows.Find(id); ok && r.newer.rows.Kinds[j] == kind {
		to = r.newer.rows.Row(j)
	}
	l.loadBetween(pointerOf(row), from, to, r.part)
	return true
}

// Tick is that of the older state. It is 0 before the first frame: then there are no rows.
func (r Past) Tick() uint32 {
	if r.older == nil {
		return 0
	}
	return r.older.tick
}

// sight is where a player looked: Part/256 of the way from the state of tick Base to that of tick Next.
// The zero sight says nothing.
type sight struct {
	Base, Next uint32
	Part       uint8
}

// at is its place on the line of ticks, in 1/256 tick.
func (s sight) at() int64 { return int64(s.Base)<<8 + int64(s.Part)*(int64(s.Next)-int64(s.Base)) }

// past finds the frames of p's sight for this step.
func (e *Engine) past(p *Player) Past {
	h := &e.history
	s := p.queue.sight
	if s.Base == 0 {
		newest := h.moment(h.count)
		return Past{def: e.def, older: newest, newer: newest}
	}
	at := s.at() + int64(e.tick-p.sightTick)<<8
	least := int64(e.tick)<<8 - int64(MaxRewind*time.Duration(e.match.TickRate)<<8/time.Second)
	a, b := h.has(s.Base), h.has(s.Next)
	if at < least || e.tick != p.sightTick || a == 0 || b == 0 {
		s = h.look(max(at, least), &written{})
		a, b = h.has(s.Base), h.has(s.Next)
	}
	return Past{def: e.def, older: h.moment(a), newer: h.moment(b), part: int64(s.Part)}
}

// look is the sight of a place on the line of ticks, in 1/256 tick, between the moments that were sent. Beyond
// them it is the nearest one.
func (h *history) look(at int64, sent *written) sight {
	var next *moment
	for n := h.count; n > 0 && n >= h.oldest(); n-- {
		if !sent.has(n) {
			continue
		}
		base := h.moment(n)
		if next == nil {
			next = base
		}
		s := sight{Base: base.tick, Next: next.tick}
		if begin := int64(s.Base) << 8; begin <= at {
			if s.Next > s.Base {
				s.Part = uint8((at - begin) / int64(s.Next-s.Base))
			}
			return s
		}
		next = base
	}
	if h.count == 0 {
		return sight{}
	}
	if next == nil { // what was sent last is no longer kept
		next = h.moment(h.oldest())
	}
	return sight{Base: next.tick, Next: next.tick}
}

// settle bounds the view of a message of p by what p was sent, in place: a journal that keeps in afterwards
// replays alike. A view that names its NextTick was settled before.
func (e *Engine) settle(p *Player, in *protocol.Input) {
	h := &e.history
	if h.kinds == 0 || in.BaseTick == 0 || in.NextTick != 0 {
		return
	}
	s := h.look(int64(in.BaseTick)<<8, &p.written)
	if s.Base == in.BaseTick && s.Next > s.Base {
		s.Part = in.Fraction
	}
	in.BaseTick, in.NextTick, in.Fraction = s.Base, s.Next, s.Part
}

// sightOf is that of input i of a settled message: the view is the newest input's, the ones before it were
// given a tick earlier each.
func (e *Engine) sightOf(in *protocol.Input, i int) sight {
	if e.history.kinds == 0 {
		return sight{}
	}
	s := sight{Base: in.BaseTick, Next: in.NextTick, Part: in.Fraction}
	earlier := int64(in.Count-1-i) << 8
	if s.Base == 0 || earlier == 0 {
		return s
	}
	return e.history.look(max(s.at()-earlier, 0), &written{}) // not by what was sent: a replay has no viewers
}
