package client

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// track is a seat on a simulated link in virtual time: a server that uses one input per tick, oldest first, and a
// client that sends when its pacer says so. Both ways keep the order, as TCP does.
type track struct {
	pacer  Pacer
	rate   int
	every  int // ticks per state
	way    func(up bool, now int64) int64
	rand   *rand.Rand
	now    int64
	ticks  int
	step   int64 // when the last tick was, ns
	asleep int64 // until then the client does nothing
	frame  int64 // it comes round to it only so often; 0: always

	seq    uint32
	meant  map[uint32]int64
	up     []parcel // on the way to the server
	queue  []parcel // arrived, not used
	down   []parcel // states on the way to the client
	ack    uint32
	lead   int64
	missed bool

	used, waited int64 // inputs on their own tick, and how long they waited in all
	misses       int64
	worst, least int64 // of the wait
}

type parcel struct {
	seq, tick uint32
	at        int64 // of arrival
	lead      int16
	missed    bool
}

const msec = int64(time.Millisecond)

func newTrack(rate, every int, seed uint64, way func(t *track, up bool, now int64) int64) *track {
	t := &track{rate: rate, every: every, rand: rand.New(rand.NewPCG(seed, 1)), meant: map[uint32]int64{}, now: 1e9}
	t.way = func(up bool, now int64) int64 { return way(t, up, now) }
	t.pacer.start(rate, time.Second/time.Duration(rate), 1)
	t.step = t.now + t.rand.Int64N(int64(time.Second)/int64(rate))
	return t
}

func (t *track) forget() { t.used, t.waited, t.misses, t.worst, t.least = 0, 0, 0, 0, 1<<62 }

// run lets d pass, in steps of a quarter of a millisecond.
func (t *track) run(d time.Duration) {
	for end := t.now + int64(d); t.now < end; t.now += msec / 4 {
		t.serve()
		if t.frame > 0 && t.now%t.frame >= msec/4 {
			continue
		}
		for len(t.down) > 0 && t.down[0].at <= t.now && t.now >= t.asleep {
			s := t.down[0]
			t.down = t.down[1:]
			sent, known := t.meant[s.seq]
			t.pacer.heard(s.tick, s.seq, s.lead, known && !s.missed, sent, t.now)
		}
		for t.now >= t.asleep {
			at, ok := t.pacer.Due(t.now)
			if !ok {
				break
			}
			t.seq++
			t.meant[t.seq] = at
			t.pacer.sent(t.seq, at)
			t.up = send(t.up, parcel{seq: t.seq, at: t.way(true, t.now)})
		}
	}
}

func send(line []parcel, p parcel) []parcel {
	if n := len(line); n > 0 {
		p.at = max(p.at, line[n-1].at)
	}
	return append(line, p)
}

func (t *track) serve() {
	for len(t.up) > 0 && t.up[0].at <= t.now {
		t.queue, t.up = append(t.queue, t.up[0]), t.up[1:]
	}
	if t.now < t.step {
		return
	}
	t.ticks++
	due := t.step
	t.step += int64(time.Second) / int64(t.rate)
	t.missed = len(t.queue) == 0
	if !t.missed {
		in := t.queue[0]
		t.queue = t.queue[1:]
		t.ack, t.lead = in.seq, due-in.at
		t.used, t.waited = t.used+1, t.waited+t.lead
		t.worst, t.least = max(t.worst, t.lead), min(t.least, t.lead)
	} else if t.ack > 0 {
		t.misses++
	}
	if t.ticks%t.every == 0 {
		lead := int16((t.lead + msec/2) / msec)
		t.down = send(t.down, parcel{seq: t.ack, tick: uint32(t.ticks), lead: lead, missed: t.missed, at: t.way(false, t.now)})
	}
}

func (t *track) own() float64 { return float64(t.used) / float64(max(1, t.used+t.misses)) }
func (t *track) wait() float64 {
	return float64(t.waited) / float64(max(1, t.used)) * float64(t.rate) / 1e9
}
func (t *track) String() string {
	return fmt.Sprintf("%.3f %% on their own tick, waiting %.2f ticks (%d to %d ms), %d snaps, %d lapsed, target %v", 100*t.own(), t.wait(), t.least/msec, t.worst/msec, t.pacer.Snaps, t.pacer.Lapsed, t.pacer.Target)
}

// uniform is a way of rtt/2 ± spread/2: both ways together are rtt ± spread.
func uniform(rtt, spread time.Duration) func(*track, bool, int64) int64 {
	return func(t *track, _ bool, now int64) int64 {
		return now + int64(rtt/2) - int64(spread/2) + t.rand.Int64N(int64(spread)+1)
	}
}

func TestLessLeadIsLessSafe(t *testing.T) {
	k := newTrack(20, 1, 1, home)
	k.pacer.Aim(5 * time.Millisecond)
	k.run(5 * time.Second)
	k.forget()
	k.run(time.Minute)
	if k.wait() > 0.5 || k.own() < 0.95 {
		t.Errorf("aiming at 5 ms and the jitter: %v", k)
	}
	t.Log(k)
}

func TestInputsAreUsedOnTheirOwnTick(t *testing.T) {
	for _, c := range []struct {
		rate, every int
		rtt, spread time.Duration
		most        float64 // ticks
	}{
		{20, 1, 80 * time.Millisecond, 20 * time.Millisecond, 1.5},
		{20, 1, time.Millisecond, 0, 1.5},
		{20, 1, 300 * time.Millisecond, 40 * time.Millisecond, 1.6},
		{30, 1, 80 * time.Millisecond, 20 * time.Millisecond, 1.5},
		{60, 2, 80 * time.Millisecond, 20 * time.Millisecond, 2.2},
		{60, 1, 80 * time.Millisecond, 40 * time.Millisecond, 4},
		{10, 1, 150 * time.Millisecond, 60 * time.Millisecond, 1.5},
		{120, 4, 40 * time.Millisecond, 5 * time.Millisecond, 2},
	} {
		for seed := uint64(1); seed <= 4; seed++ {
			k := newTrack(c.rate, c.every, seed, func(k *track, up bool, now int64) int64 { return uniform(c.rtt, c.spread)(k, up, now) })
			k.run(2 * time.Second) // to converge
			k.forget()
			snaps := k.pacer.Snaps
			k.run(60 * time.Second)
			if seed == 1 || k.own() < 0.995 || k.wait() > c.most {
				t.Logf("%d Hz, RTT %v ± %v: %v", c.rate, c.rtt, c.spread, k)
			}
			if k.own() < 0.995 || k.wait() > c.most || k.pacer.Snaps != snaps {
				t.Errorf("seed %d: want at least 99.5 %% and at most %.1f ticks without a snap", seed, c.most)
			}
		}
	}
}

// A client that does nothing between its frames, or whose timers are late, sends inputs later than they are due.
func TestALateClientLosesNoInputs(t *testing.T) {
	for _, frame := range []time.Duration{16700 * time.Microsecond, 28 * time.Millisecond, 50 * time.Millisecond} {
		for seed := uint64(1); seed <= 3; seed++ {
			k := newTrack(60, 2, seed, func(k *track, up bool, now int64) int64 {
				return uniform(100*time.Millisecond, 4*time.Millisecond)(k, up, now)
			})
			k.frame = int64(frame)
			k.run(5 * time.Second)
			k.forget()
			k.run(time.Minute)
			most := float64(25*time.Millisecond+frame) / float64(time.Second/60)
			if k.own() < 0.995 || k.wait() > most || seed == 1 {
				t.Logf("a frame each %v: %v", frame, k)
			}
			if k.own() < 0.995 || k.wait() > most {
				t.Errorf("seed %d: want at least 99.5 %% and at most %.1f ticks", seed, most)
			}
		}
	}
}
