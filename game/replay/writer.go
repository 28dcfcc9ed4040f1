package replay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"

	"skirmish/game"
	"skirmish/protocol"
)

// Writer records one match. It is the match's own: its goroutine calls every method. It makes chunks as they fill and
// holds them until Cut takes them away, so whoever owns it calls Cut now and then; in between nothing is allocated once
// its buffers have grown.
type Writer struct {
	e    *game.Engine
	opts Options
	x    expected
	ops  []byte // of the chunk that is being made
	from uint32 // the last step before it
	done []byte // chunks
}

// Options of a Writer. The zero value is a good choice.
type Options struct {
	Began     time.Time // of the match, for whoever reads the recording
	HashEvery int       // ticks from one hash of the whole state to the next; 0: a second's. Every step has a digest.
}

// NewWriter begins the recording of a match that has not begun, with a head. The caller has the engine tell it:
// e.Record(w).
func NewWriter(e *game.Engine, o Options) *Writer {
	w := newWriter(e, o)
	h := headOf(e, o.Began)
	w.done = appendChunk(w.done, kindHead, h.append(nil))
	return w
}

// Continue goes on with the recording of a match where another writer has made a Mark, or that was played up to here: its chunks
// follow those of the recording up to the mark, or those that the engine was brought here from and then a Checkpoint.
func Continue(e *game.Engine, o Options) *Writer { return newWriter(e, o) }

func newWriter(e *game.Engine, o Options) *Writer {
	if o.HashEvery <= 0 {
		o.HashEvery = e.Match().TickRate
	}
	return &Writer{e: e, opts: o, x: expected{fields: len(e.Definition().Plan.Input.Fields)}, from: e.Now()}
}

// Cut appends what has been recorded since the last Cut, as whole chunks; nothing when there is nothing. Inputs that no
// step has used yet are in it.
func (w *Writer) Cut(dst []byte) []byte {
	w.close()
	dst = append(dst, w.done...)
	if w.done = w.done[:0]; cap(w.done) > keptBytes {
		w.done = nil // it had a checkpoint
	}
	return dst
}

// Pending is how much Cut would append, in bytes, but for a few.
func (w *Writer) Pending() int { return len(w.done) + len(w.ops) }

// packer is the scratch of a checkpoint, which is large and seldom wanted: writers share them.
type packer struct{ state, payload []byte }

var packers = sync.Pool{New: func() any { return new(packer) }}

// Checkpoint records the state of the match, from where a replay can begin, and bytes of the host's own. It is for
// between two ticks: game.ErrEnded, or what the engine has against its state.
func (w *Writer) Checkpoint(host []byte) error {
	state, err := w.e.SaveState()
	if err != nil {
		return err
	}
	p := packers.Get().(*packer)
	defer packers.Put(p)
	p.state = s2.Encode(p.state[:cap(p.state)], state)
	p.payload = binary.AppendUvarint(p.payload[:0], uint64(w.e.Now()))
	payload := appendBytes(appendBytes(p.payload, p.state), host)
	p.payload = payload
	if len(payload) > MaxCheckpointBytes {
		return fmt.Errorf("replay: a checkpoint of %d bytes is larger than %d", len(payload), MaxCheckpointBytes)
	}
	w.close()
	w.done = appendChunk(w.done, kindCheckpoint, payload)
	w.x.forget()
	return nil
}

// Mark makes a place behind which the recording can be cut off and another writer can go on, from the same state of the match.
// It is for between two ticks.
func (w *Writer) Mark() {
	w.close()
	w.done = appendChunk(w.done, kindForget, binary.AppendUvarint(nil, uint64(w.e.Now())))
	w.x.forget()
}

// End records how the match ended, and does nothing before its end.
func (w *Writer) End() {
	if end, over := w.e.Ended(); over {
		w.close()
		w.done = appendChunk(w.done, kindEnd, appendEnd(nil, &end))
	}
}

// close makes a chunk of what there is.
func (w *Writer) close() {
	if len(w.ops) > 0 {
		w.done = appendChunk(w.done, kindTicks, w.ops)
		w.ops = w.ops[:0]
	}
}

// begin is where the next operation goes.
func (w *Writer) begin() []byte {
	if len(w.ops) > cutBytes {
		w.close()
	}
	if len(w.ops) == 0 {
		return binary.AppendUvarint(w.ops, uint64(w.from))
	}
	return w.ops
}

func (w *Writer) simple(op byte, s game.Seat) []byte {
	return binary.AppendUvarint(append(w.begin(), op), uint64(s))
}

// Join records a player on the way in (game.Recorder).
func (w *Writer) Join(i game.PlayerInfo) {
	b := append(w.simple(opJoin, i.Seat), 0)
	if i.Bot {
		b[len(b)-1] = 1
	}
	b = binary.AppendVarint(b, int64(i.Team))
	w.ops = appendBytes(appendText(appendText(b, i.ID), i.Name), i.Data)
}

// Leave records that a seat is free (game.Recorder).
func (w *Writer) Leave(s game.Seat, why game.Reason) {
	w.ops = appendText(w.simple(opLeave, s), string(why))
}

// Lost records that a connection is gone or back (game.Recorder).
func (w *Writer) Lost(s game.Seat, lost bool) {
	if lost {
		w.ops = w.simple(opLost, s)
	} else {
		w.ops = w.simple(opBack, s)
	}
}

// Input records a message (game.Recorder).
func (w *Writer) Input(s game.Seat, in *protocol.Input) { w.ops = w.x.appendInput(w.begin(), s, in) }

// Thought records what a bot does (game.Recorder).
func (w *Writer) Thought(s game.Seat, values []int32) {
	w.ops = w.x.appendThought(w.begin(), s, values)
}

// Request records a player's own call (game.Recorder).
func (w *Writer) Request(s game.Seat, op uint16, in []byte) {
	w.ops = appendBytes(binary.AppendUvarint(w.simple(opRequest, s), uint64(op)), in)
}

// Signal records a call of the back end (game.Recorder).
func (w *Writer) Signal(op string, in json.RawMessage) {
	b := appendText(append(w.begin(), opSignal), op)
	if in == nil {
		w.ops = append(b, 0)
		return
	}
	w.ops = appendBytes(append(b, 1), in)
}

// Stop records an end from outside (game.Recorder).
func (w *Writer) Stop(why game.Reason) { w.ops = appendText(append(w.begin(), opStop), string(why)) }

// Stepped records a step (game.Recorder).
func (w *Writer) Stepped(tick uint32) {
	w.ops = binary.LittleEndian.AppendUint16(append(w.begin(), opStep), uint16(w.e.Digest()))
	if tick%uint32(w.opts.HashEvery) == 0 {
		w.ops = binary.LittleEndian.AppendUint64(append(w.ops, opHash), w.e.Hash())
	}
	w.x.last = 0
	w.from = tick
}
