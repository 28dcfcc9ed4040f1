package client

import (
	"math"
	"time"

	"skirmish/protocol"
)

// Predictor moves a player's own body at once and keeps it right: inputs that the server has not used yet are
// played again on the body that it tells. What is told later is compared with what was predicted; with a Step that
// does what the server does, and nobody in the way, the two are equal and nothing is corrected. B is a plain value.
// One goroutine owns a Predictor.
//
//	seq := s.Input(values, at)
//	p.Input(seq, values)       // after each input
//	p.State(&s.State, now)     // after each SignalState
//	p.Body(), p.Shift(now)     // to draw: the body, and what is still added to its place
type Predictor[B any] struct {
	// Step advances a body by one tick with one input, wire values. It must not look elsewhere than at what Read
	// has seen.
	Step func(b *B, input []int32)
	// Read is the body as a state tells it. Life is the same as long as bodies can be compared with those before;
	// another one is a new beginning, such as after a respawn. False: there is no body to move.
	Read func(s *protocol.State) (b B, life uint64, ok bool)
	// Equal tells whether the server's body is the predicted one.
	Equal func(told, predicted *B) bool
	// Apart is the way from one body to another, in the units that it is drawn in.
	Apart func(from, to *B) (dx, dy float64)
	// Snap is the length of a correction from which on it is shown at once; shorter ones are smoothed over 100 ms.
	Snap float64

	Stats PredictorStats

	now    B
	told   B // of the newest state; a local would escape, as was would
	was    B
	life   uint64
	moving bool
	behind int64 // ticks that had no input of ours, as of the newest state
	ring   [predictRing]predicted[B]
	next   uint32 // number behind the newest input

	shiftX, shiftY float64 // at shiftAt
	shiftAt        int64
}

// PredictorStats counts what became of predictions.
type PredictorStats struct {
	Right       uint64 // states that told what was predicted
	Corrections uint64 // that did not
	Snaps       uint64 // of them shown at once
	Missed      uint64 // states before which the server went without an input of ours: nobody can predict that
	Begun       uint64 // new beginnings
}

// predicted is an input and the body behind it.
type predicted[B any] struct {
	seq    uint32
	values []int32
	body   B
}

// smoothing is how long a small correction takes to be shown.
const smoothing = int64(100 * time.Millisecond)

// Body is where the player's inputs have brought it; false while there is nothing to move.
func (p *Predictor[B]) Body() (B, bool) { return p.now, p.moving }

// At is the body behind an input that is not older than the last acknowledged one, for comparing.
func (p *Predictor[B]) At(seq uint32) (b B, ok bool) {
	if o := &p.ring[seq%predictRing]; o.seq == seq && seq != 0 && p.moving {
		return o.body, true
	}
	return b, false
}

// Shift is what is to be added to the body's place at now, so that a small correction does not show as a jump.
func (p *Predictor[B]) Shift(now int64) (dx, dy float64) {
	left := 1 - float64(now-p.shiftAt)/float64(smoothing)
	if left <= 0 || left > 1 {
		return 0, 0
	}
	return p.shiftX * left, p.shiftY * left
}

// Input plays an input that was just sent.
func (p *Predictor[B]) Input(seq uint32, values []int32) {
	o := &p.ring[seq%predictRing]
	o.seq, o.values = seq, append(o.values[:0], values...)
	p.next = seq + 1
	if p.moving {
		p.Step(&p.now, o.values)
	}
	o.body = p.now
}

// State compares a state with what was predicted, and begins anew from it where they differ.
func (p *Predictor[B]) State(s *protocol.State, now int64) {
	told, life, ok := p.Read(s)
	p.told, p.was = told, p.now
	ack := s.Head.Ack
	behind := int64(s.Head.Tick) - int64(ack)
	missed := behind != p.behind
	p.behind = behind
	if !ok {
		p.now, p.moving = told, false
		return
	}
	o := &p.ring[ack%predictRing]
	switch {
	case !p.moving || life != p.life:
		p.Stats.Begun++
		p.moving, p.life, p.shiftAt = true, life, now-smoothing
		p.replay(told, ack)
	case ack == 0 || o.seq != ack || missed:
		p.Stats.Missed++
		p.replay(told, ack)
		p.smooth(now)
	case p.Equal(&p.told, &o.body):
		p.Stats.Right++
	default:
		p.Stats.Corrections++
		p.replay(told, ack)
		p.smooth(now)
	}
}

// replay plays all inputs behind ack again, on the body that the server told.
func (p *Predictor[B]) replay(told B, ack uint32) {
	p.now = told
	if o := &p.ring[ack%predictRing]; o.seq == ack {
		o.body = told
	}
	first := ack + 1
	if p.next > predictRing {
		first = max(first, p.next-predictRing)
	}
	for seq := first; seq < p.next; seq++ {
		if o := &p.ring[seq%predictRing]; o.seq == seq {
			p.Step(&p.now, o.values)
			o.body = p.now
		}
	}
}

// smooth lets the way from what was shown to what is right be gone slowly, if it is short.
func (p *Predictor[B]) smooth(now int64) {
	dx, dy := p.Apart(&p.now, &p.was)
	x, y := p.Shift(now)
	dx, dy = dx+x, dy+y
	if math.Hypot(dx, dy) > p.Snap {
		p.Stats.Snaps++
		dx, dy = 0, 0
	}
	p.shiftX, p.shiftY, p.shiftAt = dx, dy, now
}
