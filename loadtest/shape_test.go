package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// drained takes everything that has come out by now.
func drained(p *pipe, now int64) (out []byte, at []int64) {
	for {
		b, t := p.next(now)
		if b == nil {
			return out, at
		}
		out = append(out, b...)
		at = append(at, t)
		p.take(len(b))
	}
}

func TestADelayIsKept(t *testing.T) {
	p := newPipe(&Network{Delay: 40 * time.Millisecond}, 0, 1)
	p.put([]byte("a"), 1000*ms)
	p.put([]byte("b"), 1005*ms)
	if out, _ := drained(p, 1039*ms); len(out) != 0 {
		t.Errorf("%q too early", out)
	}
	if out, at := drained(p, 1040*ms); string(out) != "a" || at[0] != 1040*ms {
		t.Errorf("%q at %v", out, at)
	}
	if p.due() != 1045*ms || p.held() != 1 {
		t.Errorf("due %d, held %d", p.due(), p.held())
	}
	if out, _ := drained(p, 2000*ms); string(out) != "b" || p.due() != 0 || p.held() != 0 {
		t.Errorf("%q, due %d, held %d", out, p.due(), p.held())
	}
}

func TestNothingOvertakes(t *testing.T) {
	p := newPipe(&Network{Delay: 40 * time.Millisecond, Jitter: 40 * time.Millisecond}, 0, 7)
	d := rand.New(rand.NewPCG(1, 2))
	var in, out []byte
	last, spread := int64(0), map[int64]bool{}
	for now := int64(0); now < 10_000*ms; now += d.Int64N(5 * ms) {
		b := []byte{byte(d.Uint32()), byte(d.Uint32())}
		in = append(in, b...)
		p.put(b, now)
		got, at := drained(p, now)
		for _, t2 := range at {
			if t2 < last {
				t.Fatalf("%d comes before %d", t2, last)
			}
			last = t2
			spread[(t2-now)/(10*ms)] = true
		}
		out = append(out, got...)
	}
	rest, _ := drained(p, 1<<60)
	if out = append(out, rest...); !bytes.Equal(in, out) {
		t.Error("the bytes are others")
	}
}

func TestABandwidthIsKept(t *testing.T) {
	p := newPipe(&Network{Queue: 100_000}, 100_000, 1) // 100 kB/s
	p.put(make([]byte, 50_000), 0)
	for _, at := range []int64{100, 250, 400} {
		q := newPipe(&Network{}, 100_000, 1)
		q.put(make([]byte, 50_000), 0)
		out, _ := drained(q, at*ms)
		if want := int(at) * 100; len(out) > want || len(out) < want-pieceBytes {
			t.Errorf("%d bytes in %d ms, want %d", len(out), at, want)
		}
	}
	if out, at := drained(p, 500*ms); len(out) != 50_000 || at[len(at)-1] != 500*ms {
		t.Errorf("%d bytes after 500 ms, the last at %d", len(out), at[len(at)-1]/ms)
	}
}

func TestAStallHoldsEverythingBack(t *testing.T) {
	p := newPipe(&Network{Stall: Stall{Every: time.Second, For: 200 * time.Millisecond}}, 0, 3)
	longest, stalled := int64(0), 0
	for now := int64(0); now < 10_000*ms; now += 10 * ms {
		p.put([]byte{1}, now)
		d := p.pieces[len(p.pieces)-1].at - now
		longest = max(longest, d)
		if d > 0 {
			stalled++
		}
		drained(p, now)
	}
	if longest > 200*ms || longest < 190*ms || stalled < 180 || stalled > 220 {
		t.Errorf("the longest wait is %d ms, %d of 1,000 wait, want 200 and about 200", longest/ms, stalled)
	}
}

// wireTap is a poller whose other end is the test.
type wireTap struct {
	mute
	sent   []byte
	room   int
	paused bool
	tell   func(sink)
}

func (w *wireTap) write(_ *conn, p []byte) (int, error) {
	n := min(len(p), w.room)
	w.sent = append(w.sent, p[:n]...)
	w.room -= n
	return n, nil
}
func (w *wireTap) pause(_ *conn, on bool) { w.paused = on }
func (w *wireTap) poll(s sink) {
	if w.tell != nil {
		tell := w.tell
		w.tell = nil
		tell(s)
	}
}

// heard is a sink that notes.
type heard struct {
	opens int
	data  []byte
	at    []int64
	ends  []error
}

func (h *heard) opened(*conn) { h.opens++ }
func (h *heard) received(_ *conn, p []byte, at int64) {
	h.data = append(h.data, p...)
	h.at = append(h.at, at)
}
func (h *heard) broken(_ *conn, err error) { h.ends = append(h.ends, err) }

func TestAShapedConnection(t *testing.T) {
	now := int64(0)
	w, h := &wireTap{room: 1 << 20}, new(heard)
	s := newShaper(w, func() int64 { return now })
	plain, c := new(conn), &conn{link: newLink(&Network{Delay: 50 * time.Millisecond, Queue: 1000}, 1)}
	s.dial(plain, netip.AddrPort{}, netip.Addr{})
	s.dial(c, netip.AddrPort{}, netip.Addr{})
	at := func(ms int64) { now = ms * int64(time.Millisecond); s.poll(h) }

	w.tell = func(s sink) { s.opened(c); s.opened(plain) }
	at(10)
	if h.opens != 1 {
		t.Fatalf("%d opened at once, want the plain one", h.opens)
	}
	at(110)
	if h.opens != 2 {
		t.Fatal("a handshake takes a round trip")
	}
	if n, _ := s.write(c, make([]byte, 1500)); n != 1000 {
		t.Errorf("%d of 1,500 bytes into a queue of 1,000", n)
	}
	s.write(plain, []byte("now"))
	if string(w.sent) != "now" {
		t.Errorf("%q", w.sent)
	}
	w.sent, w.room = nil, 300
	at(160)
	if len(w.sent) != 300 {
		t.Errorf("%d bytes into a socket that takes 300", len(w.sent))
	}
	w.room = 1 << 20
	at(161)
	if len(w.sent) != 1000 {
		t.Errorf("%d bytes after the rest", len(w.sent))
	}

	w.tell = func(s sink) { s.received(c, make([]byte, 1200), now) }
	at(200)
	if !w.paused {
		t.Error("a full queue is still read into")
	}
	w.tell = func(s sink) { s.broken(c, errors.New("reset")) }
	at(210)
	if len(h.ends) != 0 || len(h.data) != 0 {
		t.Error("the end overtakes the bytes")
	}
	at(250)
	if len(h.data) != 1200 || h.at[0] != 250*ms || len(h.ends) != 1 {
		t.Errorf("%d bytes at %v, ends %v", len(h.data), h.at, h.ends)
	}
	at(300)
	if len(h.ends) != 1 || len(s.links) != 0 {
		t.Errorf("ends %v, %d links left", h.ends, len(s.links))
	}
}

func TestAClosedLinkIsSilent(t *testing.T) {
	now := int64(0)
	w, h := new(wireTap), new(heard)
	s := newShaper(w, func() int64 { return now })
	c := &conn{link: newLink(&Network{Delay: 50 * time.Millisecond}, 1)}
	s.dial(c, netip.AddrPort{}, netip.Addr{})
	w.tell = func(s sink) { s.opened(c); s.received(c, []byte("late"), now) }
	s.poll(h)
	s.close(c)
	now = int64(time.Second)
	s.poll(h)
	if h.opens != 0 || len(h.data) != 0 || len(s.links) != 0 {
		t.Errorf("%+v", h)
	}
}
