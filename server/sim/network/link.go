package network

import (
	"math/rand/v2"
	"time"
)

// Link is how a connection behaves, both ways. The zero Link is perfect.
type Link struct {
	Seed   uint64        // of its jitter and of where it cuts what is written into pieces
	Delay  time.Duration // one way
	Jitter time.Duration // up to so much more; what was sent first still arrives first
	Rate   int           // bytes per second, 0: no bound
	Buffer int           // bytes written and not yet read, 0: DefaultBuffer
	Piece  int           // most bytes that arrive at one instant, 0: no bound
	Stalls []Stall       // in which nothing arrives, rising
}

// Stall is a time in which a link is silent, counted from the dial. What would have arrived in it arrives at its end.
type Stall struct{ From, To time.Duration }

const (
	DefaultBuffer = 256 << 10        // about what a TCP connection holds on both ends
	UserTimeout   = 10 * time.Second // sent and unacknowledged for so long ends a connection, as TCP_USER_TIMEOUT does
	spread        = 1000             // ns by which arrivals differ where there is any delay: no two things happen at one instant
)

// segment is bytes that arrive together.
type segment struct {
	at   int64 // arrival, ns since the Unix epoch
	data []byte
}

// mark is a number of bytes and when the sender learns of them.
type mark struct {
	at int64
	n  int
}

// way is one direction of a connection. The network's lock guards it.
type way struct {
	link  *Link
	began int64 // the dial
	rand  *rand.Rand

	segments []segment // sent and not read, by arrival
	off      int       // of segments[0], read
	unread   int
	unacked  []mark // sent, by the arrival of their acknowledgement
	flying   int    // bytes of unacked
	freed    []mark // read, by when the sender learns of it
	held     int    // of the buffer, as the sender knows it
	departed int64  // of the newest byte
	arrives  int64  // of the newest byte
	fin      int64  // arrival of the end, 0: none was sent
	silent   bool   // nothing sent from now on arrives
}

func newWay(l *Link, now int64, direction uint64) *way {
	return &way{link: l, began: now, rand: rand.New(rand.NewPCG(l.Seed, direction))}
}

// buffer is what the way holds.
func (w *way) buffer() int {
	if w.link.Buffer > 0 {
		return w.link.Buffer
	}
	return DefaultBuffer
}

// settle takes in what the sender has learnt by now.
func (w *way) settle(now int64) {
	for len(w.unacked) > 0 && w.unacked[0].at <= now {
		w.flying -= w.unacked[0].n
		w.unacked = w.unacked[1:]
	}
	for len(w.freed) > 0 && w.freed[0].at <= now {
		w.held -= w.freed[0].n
		w.freed = w.freed[1:]
	}
}

// room is how much the sender may write now.
func (w *way) room(now int64) int {
	w.settle(now)
	return w.buffer() - w.held
}

// unsent is how much was written and not acknowledged. A receiver that does not read acknowledges half of the buffer.
func (w *way) unsent(now int64) int {
	w.settle(now)
	return max(w.flying, w.held-w.buffer()/2)
}

// roomAt is when there will be room for as much as makes a connection writable: 0 when nothing that is known brings it.
func (w *way) roomAt(now int64) int64 {
	need := w.buffer()/3 - w.room(now)
	if need <= 0 {
		return now
	}
	for _, f := range w.freed {
		if need -= f.n; need <= 0 {
			return f.at
		}
	}
	return 0
}

// push sends p, for which there is room.
func (w *way) push(p []byte, now int64) {
	for len(p) > 0 {
		n := len(p)
		if most := w.link.Piece; most > 0 && n > 1 {
			n = min(n, 1+w.rand.IntN(most))
		}
		at := w.arrival(n, now)
		w.segments = append(w.segments, segment{at, append([]byte(nil), p[:n]...)})
		w.unread += n
		w.held += n
		w.flying += n
		w.unacked = append(w.unacked, mark{at + int64(w.link.Delay), n})
		p = p[n:]
	}
}

// arrival is when the next n bytes arrive.
func (w *way) arrival(n int, now int64) int64 {
	w.departed = max(w.departed, now)
	if w.link.Rate > 0 {
		w.departed += int64(n) * int64(time.Second) / int64(w.link.Rate)
	}
	at := w.departed + int64(w.link.Delay)
	if w.link.Jitter > 0 {
		at += w.rand.Int64N(int64(w.link.Jitter))
	}
	for _, s := range w.link.Stalls {
		if since := time.Duration(at - w.began); since >= s.From && since < s.To {
			at = w.began + int64(s.To)
		}
	}
	if w.link.Delay > 0 {
		at = max(at, w.arrives+1) + w.rand.Int64N(spread)
	}
	w.arrives = max(w.arrives, at)
	return w.arrives
}

// read takes what has arrived and tells when the newest byte of it did.
func (w *way) read(p []byte, now int64) (n int, arrived int64) {
	for n < len(p) && len(w.segments) > 0 && w.segments[0].at <= now {
		s := &w.segments[0]
		k := copy(p[n:], s.data[w.off:])
		n, w.off, arrived = n+k, w.off+k, s.at
		if w.off == len(s.data) {
			w.segments, w.off = w.segments[1:], 0
		}
	}
	if n > 0 {
		w.unread -= n
		w.freed = append(w.freed, mark{now + int64(w.link.Delay), n})
	}
	return n, arrived
}

// next is when something arrives, the end included; 0: nothing will.
func (w *way) next() int64 {
	if len(w.segments) > 0 {
		return w.segments[0].at
	}
	return w.fin
}

// finish sends the end behind what was sent.
func (w *way) finish(now int64) {
	if w.fin == 0 && !w.silent {
		w.fin = w.arrival(0, now)
	}
}

// silence lets nothing arrive any more that has not by now.
func (w *way) silence(now int64) {
	w.silent = true
	if w.fin > now {
		w.fin = 0
	}
	for i := range w.segments {
		if w.segments[i].at > now {
			w.segments = w.segments[:i]
			break
		}
	}
	w.unread = -w.off
	for i := range w.segments {
		w.unread += len(w.segments[i].data)
	}
	w.freed = nil
	for i := range w.unacked {
		if w.unacked[i].at > now {
			w.unacked = w.unacked[:i]
			break
		}
	}
}
