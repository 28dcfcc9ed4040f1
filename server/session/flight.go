package session

import (
	"math"
	"time"

	"skirmish/server/netpoll"
)

// flight decides whether a connection gets a snapshot now. What was written and is not acknowledged yet is bounded, so that
// on a link slower than the stream the newest state stays young: a state that is skipped costs nothing, one that waits in a
// queue makes all behind it old. Bounds on unsent bytes do not do it, because the kernel grows the queue with the
// congestion window; under loss alone the rule must not skip, which is why a long queue is judged by the round trip too.
// One session owns it.
type flight struct {
	size     float64       // bytes of a snapshot, smoothed
	least    time.Duration // round trip of the empty path
	looked   time.Time     // when least was asked for
	blunt    bool          // the system tells neither round trips nor what it has queued: only a full send buffer shows
	judged   time.Time     // begin of the present window
	held     int           // snapshots held back in it
	due      int           // snapshots due in it
	calm     int           // windows in a row without any held back
	patience int           // windows of calm before the rate goes up: more after each vain try
	tried    bool          // the rate went up lately
	divisor  int           // only every n-th snapshot is sent: 1, 2 or 4
	turn     int           // counts snapshots due
	spare    int           // snapshots that may go without a question, because an answer was "nothing"
	passed   int           // snapshots in a row that were not held back
}

// The rule's numbers. Measured by loadtest/links/run, three runs of a minute each, cubic; age of the newest state at p99
// with the rule and with blind writing: a link of 170 kbit/s under a stream of 244 (narrow) 0.26 s and 16.6 s, rising;
// 100 ms with 2 % loss (loss) 205 and 216 ms; bursts of a far radio (wifi) 0.68 and 1.1 s; 0.5 s of outage every 10 s (outage)
// 932 and 944 ms. A slack below 50 ms skips under loss alone, a larger one is paid for in age on a narrow link.
const (
	flightSlack   = 50 * time.Millisecond // by which the smoothed round trip may exceed the least
	flightMost    = time.Second           // worth of snapshots that is never exceeded
	flightRefresh = 2 * time.Second       // how often the least round trip is asked for
	flightWindow  = 2 * time.Second       // over which a link is judged slow
	flightSlow    = 0.3                   // share of snapshots held back in a window that makes it slow
	flightCalm    = 3                     // windows without any held back before the rate goes up again, at first
	flightDoubt   = 24                    // and at most: a link that is simply too narrow is tried every 48 s
	flightLowest  = 4                     // the rate goes down to 1/4
	flightSmooth  = 1.0 / 16

	// Snapshots after an answer of "nothing on its way" that go without asking again. The question costs a twentieth of a
	// write; a link that is too narrow never gives that answer.
	flightSpare = 3
)

// hold tells whether the snapshot that is due now is skipped. rate is the match's, in Hz.
func (f *flight) hold(c netpoll.Conn, now time.Time, rate int) bool {
	f.turn++
	if f.divisor > 1 && f.turn%f.divisor != 0 {
		return true
	}
	f.due++
	if f.spare > 0 {
		f.spare--
	} else if f.full(c, now, rate, 0) {
		f.held++
		f.passed = 0
		return true
	}
	f.passed++
	return false
}

// smooth tells that nothing was held back lately.
func (f *flight) smooth(rate int) bool { return f.passed >= rate*int(flightWindow/time.Second) }

// resume goes on after a time without hold, in which snapshots of that size were sent.
func (f *flight) resume(now time.Time, size float64) {
	f.size, f.judged, f.held, f.due, f.spare = size, now, 0, 0, 0
}

// full applies the rule. The bytes that were just sent do not count.
func (f *flight) full(c netpoll.Conn, now time.Time, rate, sent int) bool {
	if blindWrites {
		return false
	}
	unsent := c.Unsent() - sent
	if unsent <= 0 || f.size == 0 {
		f.spare = flightSpare
		return false
	}
	if f.blunt {
		return true // the last one has not even left
	}
	if float64(unsent) > f.size*float64(rate)/float64(max(1, f.divisor))*flightMost.Seconds() {
		return true // more than is sent in that time, at the rate that goes on
	}
	if float64(unsent) <= f.size*2 { // at most what any path holds: spares the question
		return false
	}
	if now.Sub(f.looked) > flightRefresh {
		f.looked = now
		if _, f.least = c.RoundTrip(); f.least == 0 {
			f.blunt = true
			return true
		}
	}
	inFlight := math.Ceil(f.least.Seconds()*float64(rate)) + 1
	if float64(unsent) <= f.size*inFlight {
		return false
	}
	smoothed, least := c.RoundTrip()
	f.least = least
	return smoothed > least+flightSlack
}

// wrote notes the size of a snapshot.
func (f *flight) wrote(bytes int) {
	if f.size == 0 {
		f.size = float64(bytes)
	}
	f.size += (float64(bytes) - f.size) * flightSmooth
}

// judge looks at the last window: slower tells that the rate was just halved because too many snapshots were held back. It
// goes up again after some calm, after more of it each time that was in vain.
func (f *flight) judge(now time.Time) (slower bool) {
	if f.divisor == 0 {
		f.divisor, f.patience, f.judged = 1, flightCalm, now
	}
	if now.Sub(f.judged) < flightWindow {
		return false
	}
	share := float64(f.held) / float64(max(f.due, 1))
	f.judged, f.held, f.due = now, 0, 0
	switch {
	case share >= flightSlow && f.divisor < flightLowest:
		f.divisor *= 2
		if f.calm = 0; f.tried {
			f.tried, f.patience = false, min(2*f.patience, flightDoubt)
		}
		return true
	case share > 0:
		f.calm = 0
		return false
	}
	if f.calm++; f.calm < f.patience {
		return false
	}
	f.calm = 0
	if f.divisor > 1 {
		f.divisor, f.tried = f.divisor/2, true
	} else {
		f.patience, f.tried = flightCalm, false
	}
	return false
}
