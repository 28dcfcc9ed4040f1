package main

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// relay is a network between the bots and a server that can be cut.
type relay struct {
	t    *testing.T
	to   string
	at   string
	wg   sync.WaitGroup
	mu   sync.Mutex // guards what follows
	door net.Listener
	open []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	r := &relay{t: t, to: to}
	r.listen("127.0.0.1:0")
	t.Cleanup(func() {
		r.cut()
		r.wg.Wait()
	})
	return r
}

func (r *relay) listen(at string) {
	door, err := net.Listen("tcp", at)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.mu.Lock()
	r.door, r.at = door, door.Addr().String()
	r.mu.Unlock()
	r.wg.Go(func() {
		for {
			near, err := door.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", r.to)
			if err != nil {
				near.Close()
				continue
			}
			r.mu.Lock()
			r.open = append(r.open, near, far)
			r.mu.Unlock()
			r.wg.Go(func() { io.Copy(far, near); far.Close() })
			r.wg.Go(func() { io.Copy(near, far); near.Close() })
		}
	})
}

// cut closes the door and all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.door.Close()
	for _, c := range r.open {
		c.Close()
	}
	r.open = nil
}

// tellCut plays 16 bots through a relay that is cut at a time and is back after a while, 0: never.
func tellCut(t *testing.T, at, away time.Duration, flags ...string) *Report {
	t.Helper()
	n := start(t, nil)
	r := newRelay(t, n.Addr().String())
	c := settled(t, "bots: 16\nmatch_size: 8\nramp: 200ms\nwarmup: 500ms\nduration: 2500ms\n",
		append(flags, "--server", "http://"+n.AdminAddr().String(), "--game-url", "ws://"+r.at+"/play")...)
	var cutter sync.WaitGroup
	defer cutter.Wait()
	cutter.Go(func() {
		time.Sleep(at)
		r.cut()
		if away > 0 {
			time.Sleep(away)
			r.listen(r.at)
		}
	})
	return play(t, t.Context(), c)
}

func TestBotsComeBackAfterACut(t *testing.T) {
	r := tellCut(t, 1500*time.Millisecond, 300*time.Millisecond, "--threshold", "gap.max<2s", "--threshold", "lost_seats<=0")
	if r.Cuts.Total != 16 || r.Resumed != 16 || r.Cuts.LostSeats != 0 || r.Errors.Total != 0 || r.Joined != 16 || !r.Pass {
		t.Errorf("%+v, %d are back, errors %v, %+v", r.Cuts, r.Resumed, r.Errors, r.Thresholds)
	}
	gap, undone := r.Times["gap"], r.Times["undone"]
	if gap.Count != 16 || gap.P50 < 300 || gap.Max > 2000 || undone.Count != 16 || undone.Max != 0 {
		t.Errorf("gap %+v, undone %+v", gap, undone)
	}
	if r.Times["interval"].Max > 290 { // being away is no interval
		t.Errorf("an interval of %v ms", r.Times["interval"].Max)
	}
	cuts, back := 0, 0
	for _, s := range r.Series.Seconds {
		cuts, back = cuts+int(s.Cuts), back+int(s.Gap.Count)
	}
	if cuts != 16 || back != 16 {
		t.Errorf("%d cuts and %d gaps in the seconds", cuts, back)
	}
}

func TestASeatThatIsNotComeBackIntoIsLost(t *testing.T) {
	r := tellCut(t, 1500*time.Millisecond, 0, "--threshold", "gap.max<1s", "--threshold", "lost_seats<=0")
	if r.Cuts.Total != 16 || r.Cuts.LostSeats != 16 || r.Errors.Total != 16 || r.Pass || r.Thresholds[0].Pass || r.Thresholds[1].Pass {
		t.Errorf("%+v, errors %v, %+v", r.Cuts, r.Errors, r.Thresholds)
	}
}

func TestACutIsAnErrorOfBotsThatStayOut(t *testing.T) {
	r := tellCut(t, 1500*time.Millisecond, 100*time.Millisecond, "--stay-out")
	if r.Cuts.Total != 0 || r.Resumed != 0 || r.Errors.Total != 16 || r.Pass {
		t.Errorf("%+v, errors %v", r.Cuts, r.Errors)
	}
}

func TestACutFailsTheRunUnlessItsCostIsBounded(t *testing.T) {
	c := DefaultConfig()
	if err := c.Validate(); err != nil || len(c.Thresholds) != 2 || c.Thresholds[1].Text != "cuts<=0" {
		t.Errorf("%v %v", c.Thresholds, err)
	}
}

// TestWhatIsUndone: a server that lost its newest ticks begins again with an earlier one.
func TestWhatIsUndone(t *testing.T) {
	r := newRig(t, 2)
	l := r.loop
	for range 10 {
		r.tick()
	}
	r.viewer.Rebase()
	early := r.state()
	for range 3 {
		r.feed(r.state()) // deltas to a state that the bot has not seen are no loss for this test
	}
	r.bot.last, r.bot.session.State.Head.Tick = r.now, uint32(r.engine.Now())
	newest := r.bot.session.State.Head.Tick
	l.broken(&r.bot.link, nil)
	if r.bot.state != botAway || l.figures.cutTotal() != 1 || r.bot.backAt < r.now || r.bot.backAt > r.now+int64(100*time.Millisecond) {
		t.Fatalf("state %d, %d cuts, back in %v", r.bot.state, l.figures.cutTotal(), time.Duration(r.bot.backAt-r.now))
	}
	r.now += int64(time.Second)
	l.connect(r.bot, r.now)
	if hello := r.bot.loss.resume; hello.Token != "rt1.x" {
		t.Fatalf("%+v", hello)
	}
	r.welcome()
	r.feed(early)
	tick := r.bot.session.State.Head.Tick
	if want := int64(newest+1-tick) * 50_000; tick >= newest || l.figures.undone.Max() < want || l.figures.undone.Max() > want*101/100 {
		t.Errorf("from tick %d back to %d: %d µs undone, want %d", newest, tick, l.figures.undone.Max(), want)
	}
	if gap := l.figures.gap.Max(); gap < 999_000 || gap > 1_001_000 || r.bot.state != botPlaying || l.figures.resumed != 1 {
		t.Errorf("a gap of %d µs, %d are back", gap, l.figures.resumed)
	}
}

func TestAnAttemptThatIsDeclinedEndsIt(t *testing.T) {
	r := newRig(t, 2)
	l := r.loop
	r.feed(r.state())
	l.broken(&r.bot.link, nil)
	l.connect(r.bot, r.now)
	l.end(r.bot, &client.RefusedError{Status: 503, RetryAfter: 3 * time.Second}, r.now)
	if wait := time.Duration(r.bot.backAt - r.now); r.bot.state != botAway || wait < 1500*time.Millisecond || wait > 3*time.Second {
		t.Fatalf("state %d, the next attempt after %v", r.bot.state, wait)
	}
	l.connect(r.bot, r.now)
	l.end(r.bot, &client.CloseError{Code: protocol.CloseNoMatch, Reason: "gone"}, r.now)
	if f := l.figures; r.bot.state != botGone || f.lost != 1 || f.errors() != 1 || f.causes[lostSeat+"closed 4402 gone"] == 0 && len(f.causes) != 1 {
		t.Errorf("state %d, %d lost, %v", r.bot.state, f.lost, f.causes)
	}
}
