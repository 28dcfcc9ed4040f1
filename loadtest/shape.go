package main

import (
	"math/rand/v2"
	"time"
)

// Network is a link that bots play over, emulated in the bot's own process: the kernel's loopback carries the
// bytes, these rules hold them back. TCP stays TCP: nothing is lost, nothing overtakes.
type Network struct {
	Name   string        `yaml:"name"`
	Share  Share         `yaml:"share"`
	Delay  time.Duration `yaml:"delay"`  // one way, in both directions
	Jitter time.Duration `yaml:"jitter"` // of the delay, ±, evenly
	Stall  Stall         `yaml:"stall"`
	Down   ByteRate      `yaml:"down"` // 0: unbounded
	Up     ByteRate      `yaml:"up"`
	Queue  ByteCount     `yaml:"queue"` // before the bottleneck, in each direction; default 64 kB
}

// Stall is a time in which a link carries nothing, again and again.
type Stall struct {
	Every time.Duration `yaml:"every"`
	For   time.Duration `yaml:"for"`
}

// pipe is one direction of an emulated link: bytes go in with a time and come out with a later one, in order. It
// knows no clock; times are ns, rising. One goroutine owns it.
type pipe struct {
	delay, jitter int64
	perByte       float64 // ns on the wire
	every, stall  int64
	phase         int64 // of the stalls
	limit         int   // bytes held, above which the sender must wait
	rand          *rand.Rand

	buf    []byte
	head   int // of buf: before it all is delivered
	pieces []piece
	free   int64 // when the wire has carried everything that was put in
	last   int64 // when the newest byte comes out
}

// piece is a run of bytes that comes out together.
type piece struct {
	bytes int
	at    int64
}

// pieceBytes is what a segment carries: a slow link delivers in such portions.
const pieceBytes = 1448

func newPipe(n *Network, rate ByteRate, seed uint64) *pipe {
	p := &pipe{
		delay: int64(n.Delay), jitter: int64(n.Jitter), every: int64(n.Stall.Every), stall: int64(n.Stall.For),
		limit: int(n.Queue), rand: rand.New(rand.NewPCG(seed, 0x736861706572)),
	}
	if rate > 0 {
		p.perByte = 1e9 / float64(rate)
	}
	if p.every > 0 {
		p.phase = p.rand.Int64N(p.every)
	}
	if p.limit <= 0 {
		p.limit = defaultQueue
	}
	return p
}

// held is what has gone in and not come out.
func (p *pipe) held() int { return len(p.buf) - p.head }

// full tells whether the sender has to wait.
func (p *pipe) full() bool { return p.held() >= p.limit }

// put takes all of b in at now.
func (p *pipe) put(b []byte, now int64) {
	if p.head > 0 && p.head >= len(p.buf)/2 {
		p.buf = p.buf[:copy(p.buf, p.buf[p.head:])]
		p.head = 0
	}
	p.buf = append(p.buf, b...)
	for n := 0; len(b) > 0; b = b[n:] {
		if n = len(b); p.perByte > 0 {
			n = min(n, pieceBytes)
		}
		p.pieces = append(p.pieces, piece{n, p.carry(n, now)})
	}
}

// carry is when n bytes that are put in now come out.
func (p *pipe) carry(n int, now int64) int64 {
	begin := max(now, p.free)
	if p.every > 0 {
		if into := (begin + p.phase) % p.every; into < p.stall {
			begin += p.stall - into
		}
	}
	p.free = begin + int64(float64(n)*p.perByte)
	at := p.free + p.delay
	if p.jitter > 0 {
		at += p.rand.Int64N(2*p.jitter+1) - p.jitter
	}
	p.last = max(at, p.last, now) // a byte that was held up holds up those behind it
	return p.last
}

// due is when the next bytes come out, 0 when there are none.
func (p *pipe) due() int64 {
	if len(p.pieces) == 0 {
		return 0
	}
	return p.pieces[0].at
}

// next is the oldest piece if it has come out by now, valid until the next put; take drops what was used of it.
func (p *pipe) next(now int64) (b []byte, at int64) {
	if len(p.pieces) == 0 || p.pieces[0].at > now {
		return nil, 0
	}
	return p.buf[p.head : p.head+p.pieces[0].bytes], p.pieces[0].at
}

func (p *pipe) take(n int) {
	p.head += n
	if p.pieces[0].bytes -= n; p.pieces[0].bytes == 0 {
		p.pieces = p.pieces[:copy(p.pieces, p.pieces[1:])]
	}
	if p.head == len(p.buf) {
		p.buf, p.head = p.buf[:0], 0
	}
}
