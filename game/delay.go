package game

import (
	"slices"
	"time"
	"unsafe"

	"skirmish/protocol"
)

// delay shows spectators the match as it was some time ago. What they are to see waits as the bytes that it will
// be sent in: the difference of each frame to the one before, and the events. When its time has come it is read
// back as a client would, into frames and events of the spectators' own. So 30 s of a match of 16 players take
// half a megabyte instead of ten.
type delay struct {
	ticks  uint32
	frames frames
	events events

	base  *frame // of the match, the last one put in
	seq   uint32 // of the last event put in
	items []waiting
	head  int // in items
	count int
	bytes byteQueue
	state protocol.State
	msg   []byte // scratch
}

// waiting is a frame or an event that waits.
type waiting struct {
	at    int64 // ns since the Unix epoch, of a frame
	tick  uint32
	size  int
	event bool // size 0: it was for somebody else
}

// nobody is the address of an event that is left out.
const nobody Seat = 1<<16 - 1

func newDelay(d *Definition, m *Match) *delay {
	if m.SpectatorDelay == 0 {
		return nil
	}
	every := time.Duration(m.TickRate / m.SnapshotRate)
	frames := (m.SpectatorDelay*time.Duration(m.SnapshotRate) + time.Second - 1) / time.Second
	l := &delay{ticks: uint32(frames * every)} // it comes to an end when a frame is due
	l.state.Reset(d.Plan)
	return l
}

// delay puts in what the tick brought and lets out what is due; all of it when the match is over.
func (e *Engine) delay() {
	l := e.delayed
	if l == nil {
		return
	}
	l.takeEvents(&e.events, e.tick)
	if e.fresh {
		l.takeFrame(e.def.Plan, &e.frames)
	}
	for l.count > 0 {
		if w := &l.items[l.head]; !e.over && e.tick-w.tick < l.ticks && l.size() <= MaxDelayBytes {
			break
		}
		e.fresh = l.release() && e.over || e.fresh // the last one may come between two frames
	}
}

// size is what waits, in bytes.
func (l *delay) size() int { return l.bytes.used + l.count*int(unsafe.Sizeof(waiting{})) }

func (l *delay) takeEvents(from *events, tick uint32) {
	for l.seq < from.last {
		l.seq++
		var msg []byte
		if l.seq >= from.first {
			if s := from.slot(l.seq); s.to == 0 {
				msg = s.msg
			}
		}
		l.put(waiting{tick: tick, size: len(msg), event: true}, msg)
	}
}

func (l *delay) takeFrame(p *protocol.Plan, from *frames) {
	now, base := from.newest, l.base
	l.msg = appendHead(l.msg[:0], &protocol.StateHead{}, base, now)
	l.msg = append(l.msg, from.body(p, base).bytes...)
	l.msg = protocol.AppendCRC(protocol.AppendPrivate(l.msg, nil, nil, nil), 0, false)
	l.put(waiting{tick: now.tick, at: now.at.UnixNano(), size: len(l.msg)}, l.msg)
	if base != nil {
		base.refs--
	}
	now.refs++
	l.base = now
}

func (l *delay) put(w waiting, msg []byte) {
	if l.count == len(l.items) {
		bigger := make([]waiting, max(64, 2*len(l.items)))
		n := copy(bigger, l.items[l.head:])
		copy(bigger[n:], l.items[:l.head])
		l.items, l.head = bigger, 0
	}
	l.items[(l.head+l.count)%len(l.items)] = w
	l.count++
	l.bytes.put(msg)
}

// release lets the oldest one out and tells whether it is a frame.
func (l *delay) release() bool {
	w := l.items[l.head]
	l.head = (l.head + 1) % len(l.items)
	l.count--
	l.msg = l.bytes.take(l.msg[:0], w.size)
	if w.event {
		to := Seat(0)
		if w.size == 0 {
			to = nobody
		}
		l.events.keep(to, l.msg)
		return false
	}
	if err := l.state.Apply(l.msg); err != nil {
		panic("game: a delayed frame cannot be read: " + err.Error())
	}
	l.frames.begin(w.tick, time.Unix(0, w.at))
	l.frames.newest.rows.CopyFrom(&l.state.Rows)
	l.frames.finish()
	return true
}

// byteQueue is a queue of bytes that grows as needed.
type byteQueue struct {
	ring []byte
	head int
	used int
}

func (q *byteQueue) put(b []byte) {
	if q.used+len(b) > len(q.ring) {
		bigger := make([]byte, max(4096, 2*len(q.ring), 2*(q.used+len(b))))
		q.peek(bigger[:q.used])
		q.ring, q.head = bigger, 0
	}
	if len(b) == 0 {
		return
	}
	n := copy(q.ring[(q.head+q.used)%len(q.ring):], b)
	copy(q.ring, b[n:])
	q.used += len(b)
}

// peek fills b with the oldest bytes.
func (q *byteQueue) peek(b []byte) {
	n := copy(b, q.ring[q.head:])
	copy(b[n:], q.ring)
}

// take appends the n oldest bytes to dst and forgets them.
func (q *byteQueue) take(dst []byte, n int) []byte {
	at := len(dst)
	dst = slices.Grow(dst, n)[:at+n]
	if n > 0 {
		q.peek(dst[at:])
		q.head = (q.head + n) % len(q.ring)
		q.used -= n
	}
	return dst
}

// stage is the frames that v sees.
func (v *Viewer) stage() *frames {
	if v.seat == 0 && v.e.delayed != nil {
		return &v.e.delayed.frames
	}
	return &v.e.frames
}

// program is the events that v hears of.
func (v *Viewer) program() *events {
	if v.seat == 0 && v.e.delayed != nil {
		return &v.e.delayed.events
	}
	return &v.e.events
}
