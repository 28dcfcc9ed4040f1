package client

import (
	"math"
	"time"
)

// Pacer is a client's input clock: it tells when the next input is due, one per tick of the server, so that each
// waits there for its tick about as long as Target says. One goroutine owns a Pacer; times are ns of the session's
// clock. Input n is used at tick n + c: each tick that had to do without an input makes c larger by one. A state
// with a fresh ack tells the tick and the lead of an input whose time of sending is known, and so when to send for
// tick 0, give or take the jitter of the way up:
//
//	y = lead + sent − tick × period
//
// The mean of y and its deviation σ over 2 s depend on the network alone, not on what this clock has done. The next
// input n is best sent at
//
//	y + (n + c) × period − target,   target = period + 2σ, at least what the welcome asks for
//
// and the clock approaches that by a tenth of what is left with each input, at most 5 % of a period. What is known
// is exact as soon as it is known, nothing is fed back through the round trip, so it does not swing. How much later
// than they are due inputs really go out, from a program that draws frames or whose timers are coarse, is watched
// apart from the network and made good by a larger target. The first state, or being more than 250 ms off, sets the clock at once; until an input from after that has been used,
// every tick that is found to be missing does too.
type Pacer struct {
	Target time.Duration // how long inputs ought to wait at the server
	Lead   time.Duration // how long the next one will, as far as is known
	Jitter time.Duration // σ
	Tardy  time.Duration // of Target: what is allowed for inputs that go out later than they are due
	Snaps  int           // times the clock was set since it began
	Lapsed int           // inputs given up because their tick was over

	period int64 // ns
	least  int64 // of Target, ns
	base   int64 // to which the jitter is added, ns
	most   uint32

	due  int64  // of the next input
	next uint32 // its number
	free int64  // when due was last set back: what is due since then is not late

	asked int64           // when Due was last asked: inputs go out then
	tardy tardiness       // of the program around it, whatever the connection
	late  [paceSent]int32 // µs, by input: how much later than meant it went out

	begun   bool  // a state has told where the clock stands
	behind  int64 // c
	owed    int64 // c as it will be when the server has seen a lapse of ours
	from    uint32
	settled uint32 // the clock is set freely until this input is acknowledged
	acked   uint32

	pending held
	window  window
	odd     int // in a row
}

// held is an observation that waits for its successor: one that arrived together with the next was held up.
type held struct {
	seq uint32 // 0: none
	y   int64
	at  int64 // tick
}

const (
	paceBend   = 20                            // of a period: the most that an input is moved
	paceShare  = 10                            // of what is left, with one input
	paceSnap   = int64(250 * time.Millisecond) // more than this is not made up by bending
	paceSpread = int64(250 * time.Millisecond) // 2σ counts up to this
	paceMemory = 2                             // s that the jitter is taken from
	paceOdd    = 4                             // observations far off in a row are the new truth
	paceTardy  = 64                            // inputs that lateness is averaged over

	paceTardyMost = 150 * time.Millisecond // lateness counts up to this
)

// start begins anew for a seat whose next input is number next.
func (p *Pacer) start(tickRate int, target time.Duration, next uint32) {
	period := int64(time.Second) / int64(tickRate)
	*p = Pacer{
		period: period, base: period, least: max(int64(target), period), most: uint32(tickRate),
		next: next, settled: math.MaxUint32, acked: next - 1, tardy: p.tardy,
	}
	p.window.most = int64(paceMemory * tickRate)
	p.Target = time.Duration(p.least)
}

// Aim lets inputs wait for base + 2σ instead of a period + 2σ and what the welcome asks for. The less, the more inputs
// miss their tick; below a period a single late one does, above it the server has the next one already. The next
// welcome undoes it.
func (p *Pacer) Aim(base time.Duration) { p.base, p.least = int64(base), int64(base) }

// Due tells whether an input is to be sent now, and for when it was meant: what Session.Input wants to know. Ask
// until it says no. Inputs whose tick must be over by now are given up. Nothing is due while a second's worth of
// inputs is unanswered.
func (p *Pacer) Due(now int64) (at int64, ok bool) {
	p.asked = now
	if p.due == 0 {
		p.due = now
	}
	if now < p.due || p.next-p.acked > p.most {
		return p.due, false
	}
	if late := now - max(p.due, p.free) - max(int64(p.Lead), p.period); late > 0 {
		n := (late + p.period - 1) / p.period
		p.due += n * p.period
		p.Lapsed += int(n)
		p.owed, p.from = max(p.behind, p.owed)+n, p.next
	}
	return p.due, now >= p.due
}

// Next is when the next input is due.
func (p *Pacer) Next() int64 { return p.due }

// Speed is how fast the clock runs: 1 is the server's pace.
func (p *Pacer) Speed() float64 {
	return float64(p.period) / float64(p.period+p.bend())
}

// sent notes that input seq went out, meant for at.
func (p *Pacer) sent(seq uint32, at int64) {
	if off := at - p.due; off > paceSnap || off < -p.period { // the caller keeps its own time
		p.due = at
	}
	p.late[seq%paceSent] = int32(min(max(0, p.asked-at), paceSnap) / 1000)
	p.tardy.add(float64(max(0, p.asked-max(at, p.free))))
	p.next = seq + 1
	p.due += p.period
	p.due += p.bend()
	p.Lead = time.Duration(p.lead())
}

// bend is how much later than a period the next input goes.
func (p *Pacer) bend() int64 {
	if !p.begun {
		return 0
	}
	return min(max(p.off()/paceShare, -p.period/paceBend), p.period/paceBend)
}

// lead is how long the next input will wait at the server.
func (p *Pacer) lead() int64 {
	c := p.behind
	if p.from != 0 {
		c = max(c, p.owed)
	}
	return p.window.mean() + (int64(p.next)+c)*p.period - p.due
}

// off is how much too early the next input is due.
func (p *Pacer) off() int64 { return p.lead() - int64(p.Target) }

// heard takes a state in: its tick, the newest input used and that input's lead. Fresh tells that this very tick
// used it and it was sent by this session at that time.
func (p *Pacer) heard(tick, ack uint32, lead int16, fresh bool, sent, now int64) {
	if ack < p.acked || ack == 0 || ack >= p.next {
		return
	}
	if fresh && ack > p.acked {
		sent += int64(p.late[ack%paceSent]) * 1000
		p.observe(held{seq: ack, at: int64(tick), y: int64(lead)*int64(time.Millisecond) + sent - int64(tick)*p.period})
	}
	p.acked = ack
	if p.from != 0 && ack >= p.from {
		p.from = 0
	}
	p.behind = int64(tick) - int64(ack)
	if p.window.n == 0 && p.pending.seq == 0 {
		return
	}
	if !p.begun {
		p.begun, p.settled = true, p.next
	}
	σ := p.window.deviation()
	p.Jitter = time.Duration(σ)
	p.Tardy = p.tardy.allowance()
	p.Target = time.Duration(max(p.base+min(2*σ, paceSpread), p.least)) + p.Tardy
	off, least := p.off(), paceSnap
	if ack < p.settled {
		least = p.period * 3 / 4
	}
	if off > least || off < -least {
		if ack >= p.settled {
			p.Snaps++
		}
		p.due, p.free, p.settled = p.due+off, now, p.next
	}
	p.Lead = time.Duration(p.lead())
}

// observe keeps one observation back until the next one shows that it was not held up on its way: by a lost packet
// or a stall, after which several inputs arrive at once. What is far from all others counts only when it stays.
func (p *Pacer) observe(h held) {
	was := p.pending
	p.pending = h
	if was.seq == 0 {
		p.window.first = h.y
		return
	}
	if h.y-was.y >= int64(h.seq-was.seq)*p.period*3/4 {
		return
	}
	w := &p.window
	if d := was.y - w.mean(); w.n > 0 && max(d, -d) > p.period+4*w.deviation() {
		if p.odd++; p.odd < paceOdd {
			return
		}
		w.forget(was.y)
	}
	p.odd = 0
	w.add(was.at, was.y)
}

// tardiness is how much later than due inputs go out: mean and mean square, ns.
type tardiness struct{ mean, square float64 }

func (t *tardiness) add(late float64) {
	t.mean += (late - t.mean) / paceTardy
	t.square += (late*late - t.square) / paceTardy
}

// allowance covers nearly all of it.
func (t *tardiness) allowance() time.Duration {
	deviation := math.Sqrt(max(0, t.square-t.mean*t.mean))
	return min(time.Duration(t.mean+2*deviation), paceTardyMost)
}

// window sums up the observations of the last 2 s, relative to the first one, in whole µs so that nothing is lost
// by adding and taking away.
type window struct {
	most  int64 // ticks
	first int64 // ns
	ring  [paceRing]struct {
		at int64 // tick
		µs int64 // from first
	}
	from, n  int
	sum, sqr int64
}

func (w *window) add(at, y int64) {
	for w.n > 0 && (w.n == paceRing || w.ring[w.from].at < at-w.most) {
		o := w.ring[w.from].µs
		w.sum, w.sqr = w.sum-o, w.sqr-o*o
		w.from, w.n = (w.from+1)%paceRing, w.n-1
	}
	µs := (y - w.first) / 1000
	if w.n == 0 || µs > paceReach || µs < -paceReach {
		w.forget(y)
		µs = 0
	}
	o := &w.ring[(w.from+w.n)%paceRing]
	o.at, o.µs = at, µs
	w.n++
	w.sum, w.sqr = w.sum+µs, w.sqr+µs*µs
}

// forget empties the window; y is the mean until something is added.
func (w *window) forget(y int64) {
	w.first, w.from, w.n, w.sum, w.sqr = y, 0, 0, 0, 0
}

// mean is the first observation while there is no other.
func (w *window) mean() int64 {
	if w.n == 0 {
		return w.first
	}
	return w.first + w.sum*1000/int64(w.n)
}

func (w *window) deviation() int64 {
	if w.n < 2 {
		return 0
	}
	n, s := float64(w.n), float64(w.sum)
	return int64(math.Sqrt(max(float64(w.sqr)-s*s/n, 0)/n) * 1000)
}
