package game

import (
	"fmt"
	"math"
	"time"

	"skirmish/protocol"
)

// inputs is the queue between a player's connection and the step: a ring of decoded inputs, one of which is
// used up per tick. It begins small and grows to InputQueue: most players have one or two waiting.
type inputs struct {
	fields int
	slots  []slot
	values []int32 // of the slots, one after the other
	head   int
	count  int

	newest uint32  // number of the last accepted one
	ack    uint32  // number of the last applied one
	lead   int16   // ms from its arrival to the start of the tick that applied it
	last   []int32 // its values
	sight  sight   // its view
}

// arrivedUnknown is the arrival of an input that was waiting in a checkpoint.
const arrivedUnknown = math.MinInt64

// slot is a waiting input.
type slot struct {
	arrived int64 // ns since the Unix epoch
	seq     uint32
	sight   sight
}

// init allocates the ring; until then it takes nothing.
func (q *inputs) init(fields int) {
	q.fields = fields
	q.last = make([]int32, fields)
	q.grow(firstInputs)
}

// grow makes room for n inputs.
func (q *inputs) grow(n int) {
	slots, values := make([]slot, n), make([]int32, n*q.fields)
	for i := range q.count {
		at := q.at(i)
		slots[i] = q.slots[at]
		copy(values[i*q.fields:], q.values[at*q.fields:(at+1)*q.fields])
	}
	q.slots, q.values, q.head = slots, values, 0
}

// at is where the waiting input i lies, 0 being the next.
func (q *inputs) at(i int) int { return (q.head + i) % len(q.slots) }

// of is the values of the waiting input i.
func (q *inputs) of(i int) []int32 {
	at := q.at(i)
	return q.values[at*q.fields : (at+1)*q.fields]
}

// push takes one input in; it tells whether the oldest had to make room.
func (q *inputs) push(seq uint32, values []int32, arrived int64, s sight) (surplus bool) {
	if q.count == len(q.slots) {
		if surplus = q.count == InputQueue; surplus {
			q.head = q.at(1)
			q.count--
		} else {
			q.grow(2 * q.count)
		}
	}
	q.slots[q.at(q.count)] = slot{arrived: arrived, seq: seq, sight: s}
	copy(q.of(q.count), values)
	q.count++
	q.newest = seq
	return surplus
}

// pop makes the oldest waiting input the applied one.
func (q *inputs) pop(now int64) bool {
	if q.count == 0 {
		return false
	}
	s := &q.slots[q.head]
	copy(q.last, q.of(0))
	q.ack, q.sight = s.seq, s.sight
	q.lead = 0
	if s.arrived != arrivedUnknown {
		q.lead = leadMS(now, s.arrived)
	}
	q.head = q.at(1)
	q.count--
	return true
}

// leadMS is the time an input waited, in ms rounded to nearest, as far as the wire can tell it.
func leadMS(now, arrived int64) int16 {
	ms := math.Round(float64(now-arrived) / float64(time.Millisecond))
	return int16(max(math.MinInt16, min(math.MaxInt16, ms)))
}

// PushResult counts what became of the inputs of one message.
type PushResult struct {
	Accepted  int
	Duplicate int // numbers not above the last accepted one: dropped
	Surplus   int // older waiting inputs that made room: dropped
}

// Push queues the inputs of one message of the player on s. Arrived is the wall clock in ns since the Unix
// epoch. ErrInput and ErrSeqAhead are bad messages: nothing of them is taken. In a game that rewinds the view of
// in is bounded by what the player was sent, in place, with NextTick set: who keeps in and pushes it again gets
// the same match, whatever viewers there are then.
func (e *Engine) Push(s Seat, in *protocol.Input, arrived int64) (r PushResult, err error) {
	p := e.seat(s)
	if p == nil || p.Bot {
		return r, ErrSeat
	}
	if err := e.checkInput(p, in); err != nil {
		return r, err
	}
	e.settle(p, in)
	if e.recording() {
		e.recordInput(p, in)
	}
	n := p.queue.fields
	for i := range in.Count {
		seq := in.FirstSeq + uint32(i)
		if seq <= p.queue.newest {
			r.Duplicate++
			continue
		}
		if p.queue.push(seq, in.Values[i*n:(i+1)*n], arrived, e.sightOf(in, i)) {
			r.Surplus++
		}
		r.Accepted++
	}
	return r, nil
}

func (e *Engine) checkInput(p *Player, in *protocol.Input) error {
	n := p.queue.fields
	if in.Count < 0 || len(in.Values) != in.Count*n {
		return fmt.Errorf("%w: %d values are not %d inputs of %d fields", ErrInput, len(in.Values), in.Count, n)
	}
	if int64(in.FirstSeq)-int64(p.queue.newest) > int64(SeqAhead*e.match.TickRate) {
		return fmt.Errorf("%w: %d after %d", ErrSeqAhead, in.FirstSeq, p.queue.newest)
	}
	if int64(in.FirstSeq)+int64(in.Count) > math.MaxUint32 {
		return fmt.Errorf("%w: its number is beyond 32 bits", ErrInput)
	}
	for i := range in.Count {
		values := in.Values[i*n : (i+1)*n]
		if bad := e.def.input.check(values); bad >= 0 {
			f := &e.def.input.kind.Fields[bad]
			return fmt.Errorf("%w: %s is %d, not in %d to %d", ErrInput, f.Name, values[bad], f.Min, f.Max)
		}
	}
	return nil
}

// feed settles p's input for the step that begins.
func (e *Engine) feed(p *Player) {
	if p.bot != nil {
		e.think(p)
		return
	}
	switch {
	case p.queue.pop(e.now.UnixNano()):
		p.status = InputOnTime
		p.sightTick = e.tick
	case e.def.Spec.Idle == IdleNeutral || p.queue.ack == 0 || p.lostFor >= e.idle && p.lost:
		p.status = InputNeutral
	default:
		p.status = InputRepeated
	}
	if p.lost {
		p.lostFor++
	} else if p.status != InputOnTime && p.queue.ack != 0 {
		p.late++
	}
	// The game may have written into the struct, fields outside the plan included: begin from zero each time.
	p.inputVal.SetZero()
	if p.status != InputNeutral {
		e.def.input.load(p.inputPtr, p.queue.last)
	}
}

// think lets a bot fill in its input, which then goes the way of a player's: into wire values and back.
func (e *Engine) think(p *Player) {
	p.status = InputBot
	p.inputVal.SetZero()
	if e.replaying {
		e.steered(p)
		return
	}
	if e.frames.newest == nil {
		return // nothing to see yet
	}
	p.view.Tick = e.frames.newest.tick
	p.view.Rows = &e.frames.newest.rows
	if e.gather != nil {
		p.view.Rows = e.behold(p)
	}
	p.view.Private = p.shown.private
	e.calling = "Think"
	p.bot.Think(&p.view, p.input)
	p.thought = e.def.AppendInput(p.thought[:0], p.input)
	if e.recorder != nil {
		e.recorder.Thought(p.Seat, p.thought)
	}
	p.inputVal.SetZero()
	e.def.input.load(p.inputPtr, p.thought)
}

// steered is think in a replay.
func (e *Engine) steered(p *Player) {
	if len(p.thought) > 0 {
		if e.recorder != nil {
			e.recorder.Thought(p.Seat, p.thought)
		}
		e.def.input.load(p.inputPtr, p.thought)
		p.thought = p.thought[:0]
	}
}
