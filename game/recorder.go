package game

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"

	"skirmish/protocol"
)

// Recorder is told of everything that reaches a match from outside and changes it, in order: who does the same to a
// fresh engine of the same match, a Tick for each Stepped, gets the same match, to the last bit of its state. What a
// bot thinks counts as from outside, because its mind is in no checkpoint. The match's goroutine makes the calls;
// they must not block and must not call the engine, but for Stepped. Slices are valid until the call returns.
//
// Nothing else gets in: what viewers were sent has bounded the views of inputs by the time they are recorded, the
// arrival of an input is told to its player only, and what the host calls after the end changes nothing.
type Recorder interface {
	// Join is a player on the way in, whom the game may still refuse.
	Join(info PlayerInfo)
	Leave(s Seat, why Reason)
	// Lost tells that a player's connection is gone, or is back.
	Lost(s Seat, lost bool)
	// Input is what a message of a player added to its queue, with its view settled: Push takes it again as it is.
	Input(s Seat, in *protocol.Input)
	Request(s Seat, op uint16, in []byte)
	Signal(op string, in json.RawMessage)
	Stop(why Reason)
	// Thought is what a bot does in the step that begins, in wire values; of a bot that sees nothing yet there is none.
	Thought(s Seat, values []int32)
	// Stepped comes at the end of a step, its frame captured. Hash, Digest and SaveState may be called.
	Stepped(tick uint32)
}

// Record tells r, too, of what happens from now on; nil: nobody any more. Call it between two ticks.
func (e *Engine) Record(r Recorder) {
	if r != nil && e.recorder != nil {
		r = both{e.recorder, r}
	}
	e.recorder = r
}

// recording tells whether what happens changes the match and is to be recorded.
func (e *Engine) recording() bool { return e.recorder != nil && !e.over }

// record ends the step of a recording.
func (e *Engine) record() {
	if e.recorder != nil && e.stepped {
		e.calling = "Stepped"
		e.recorder.Stepped(e.tick)
	}
}

// recordInput tells the recorder what a settled message of p adds to its queue: numbers that were there before are
// left out, and so is the view in a game that does not look at it.
func (e *Engine) recordInput(p *Player, in *protocol.Input) {
	known := 0
	if p.queue.newest >= in.FirstSeq {
		known = int(min(p.queue.newest-in.FirstSeq+1, uint32(in.Count)))
	}
	if known == in.Count {
		return
	}
	r := &e.recorded
	*r = *in
	r.FirstSeq += uint32(known)
	r.Count -= known
	r.Values = in.Values[known*p.queue.fields:]
	if e.history.kinds == 0 {
		r.BaseTick, r.NextTick, r.Fraction = 0, 0, 0
	}
	e.recorder.Input(p.Seat, r)
}

// Replay has the bots do what Steer tells them, and nothing without it, instead of thinking. With false they think
// again, with minds that remember nothing of what was replayed.
func (e *Engine) Replay(on bool) { e.replaying = on }

// Steer gives the bot on s its input for the next step of a replay: what Recorder.Thought told. ErrSeat, ErrInput.
func (e *Engine) Steer(s Seat, values []int32) error {
	p := e.seat(s)
	if p == nil || !p.Bot {
		return ErrSeat
	}
	if len(values) != len(e.def.input.fields) || e.def.input.check(values) >= 0 {
		return ErrInput
	}
	p.thought = append(p.thought[:0], values...)
	return nil
}

// Digest is a cheap checksum of the newest step: the random source, the number of events and, when the snapshot rate
// has a frame in this step, its rows. Equal matches have equal digests in every step; a match that has come out
// differently almost surely shows it within a few. Hash is sure and costs a hundred times as much.
func (e *Engine) Digest() uint32 {
	e.digest, _ = e.rand.pcg.AppendBinary(e.digest[:0])
	h := uint64(e.tick)<<32 | uint64(e.events.last)
	for b := e.digest; len(b) >= 8; b = b[8:] {
		h = stir(h, binary.LittleEndian.Uint64(b))
	}
	if n := e.frames.newest; n != nil && n.tick == e.tick && e.tick%e.every == 0 {
		h = stirRows(h, &n.rows)
	}
	h = mix64(h)
	return uint32(h) ^ uint32(h>>32)
}

func stirRows(h uint64, r *protocol.Rows) uint64 {
	for i, id := range r.IDs {
		h = stir(h, uint64(id)<<8|uint64(r.Kinds[i]))
	}
	v := r.Values
	for ; len(v) >= 2; v = v[2:] {
		h = stir(h, uint64(uint32(v[0]))<<32|uint64(uint32(v[1])))
	}
	if len(v) > 0 {
		h = stir(h, uint64(uint32(v[0])))
	}
	return h
}

func stir(h, x uint64) uint64 { return bits.RotateLeft64(h^x, 29) * 0x9e3779b97f4a7c15 }

// both are two recorders.
type both struct{ a, b Recorder }

func (r both) Join(info PlayerInfo) { r.a.Join(info); r.b.Join(info) }

func (r both) Leave(s Seat, why Reason) { r.a.Leave(s, why); r.b.Leave(s, why) }

func (r both) Lost(s Seat, lost bool) { r.a.Lost(s, lost); r.b.Lost(s, lost) }

func (r both) Input(s Seat, in *protocol.Input) { r.a.Input(s, in); r.b.Input(s, in) }

func (r both) Request(s Seat, op uint16, in []byte) { r.a.Request(s, op, in); r.b.Request(s, op, in) }

func (r both) Signal(op string, in json.RawMessage) { r.a.Signal(op, in); r.b.Signal(op, in) }

func (r both) Stop(why Reason) { r.a.Stop(why); r.b.Stop(why) }

func (r both) Thought(s Seat, values []int32) { r.a.Thought(s, values); r.b.Thought(s, values) }

func (r both) Stepped(tick uint32) { r.a.Stepped(tick); r.b.Stepped(tick) }
