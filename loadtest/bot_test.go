package main

import (
	"errors"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

func TestASilentServerIsNotFast(t *testing.T) {
	r := newRig(t, 2)
	for range 10 {
		r.tick()
	}
	f := r.loop.figures
	acks, intervals := f.ack.TotalCount(), f.interval.TotalCount()
	if intervals != 9 || r.bot.state != botPlaying {
		t.Fatalf("%d intervals of 10 snapshots", intervals)
	}
	// Three inputs go out and nothing comes back any more.
	for i := range int64(3) {
		r.bot.session.Input(make([]int32, 4), r.now+i*r.loop.schedule.period)
	}
	r.bot.silenceTold(r.loop, r.now+int64(2*time.Second))
	if f.interval.TotalCount() != intervals+1 || f.interval.Max() < 1_990_000 {
		t.Errorf("the silence is no interval: max %d µs", f.interval.Max())
	}
	if f.ack.TotalCount() < acks+3 || f.ack.Max() < 1_990_000 {
		t.Errorf("inputs never answered count as %d of %d, max %d µs", f.ack.TotalCount()-acks, 3, f.ack.Max())
	}
}

func TestTheWheelTurnsWithTheInputClock(t *testing.T) {
	r := newRig(t, 2)
	l, s := r.loop, &r.bot.session
	l.next = l.schedule.last(r.now) + 1
	r.feed(r.state())
	turn := func(seconds float64) (inputs uint64) {
		before := s.Stats.Inputs
		for end := r.now + int64(seconds*1e9); r.now < end; {
			r.now = max(r.now, l.schedule.at(l.next))
			l.turn()
		}
		return s.Stats.Inputs - before
	}
	if n := turn(0.9); n < 17 || n > 19 {
		t.Errorf("%d inputs in 0.9 s at 20 Hz", n)
	}
	if n := turn(3); n > 4 {
		t.Errorf("%d inputs more, although none of a second's worth has been answered", n)
	}
	r.bot.state = botGone
	turn(3)
	for k := range l.wheel {
		if len(l.wheel[k]) > 0 {
			t.Fatal("the wheel keeps a bot that is gone")
		}
	}
}

func TestCauses(t *testing.T) {
	closed := func(code protocol.CloseCode) error { return &client.CloseError{Code: code, Reason: "x"} }
	for _, c := range []struct {
		name  string
		state botState
		err   error
		text  string
		code  int
		ok    bool
	}{
		{"left", botLeaving, closed(4001), "closed 4001 x", 4001, true},
		{"thrown out", botPlaying, closed(4001), "closed 4001 x", 4001, false},
		{"match over", botPlaying, closed(4000), "closed 4000 x", 4000, true},
		{"restart", botPlaying, closed(1012), "closed 1012 x", 1012, false},
		{"cut", botPlaying, &client.CloseError{Code: 1006, Cause: errors.New("reset")}, "connection broke: reset", 1006, false},
		{"own fault", botPlaying, &client.CloseError{Code: 1002, Local: true, Reason: "masked"}, "broken by the client, 1002: masked", 1002, false},
		{"refused", botJoining, &client.RefusedError{Status: 503, Reason: "full"}, "handshake refused: HTTP 503 full", 0, false},
		{"silent", botPlaying, errSilent, errSilent.Error(), 0, false},
	} {
		b := &bot{state: c.state}
		if text, code, ok := b.cause(c.err); text != c.text || code != c.code || ok != c.ok {
			t.Errorf("%s: %q %d %v", c.name, text, code, ok)
		}
	}
}

func TestALateSendCountsFromItsTime(t *testing.T) {
	r := newRig(t, 2)
	l, s := r.loop, &r.bot.session
	l.next = l.schedule.last(r.now) + 1
	r.feed(r.state())
	for s.Stats.Inputs < 5 {
		r.now = max(r.now, l.schedule.at(l.next))
		l.turn()
	}
	const late = int64(20 * time.Millisecond)
	sent := s.Stats.Inputs
	for s.Stats.Inputs == sent { // the loop comes to every slot so much too late
		r.now = l.schedule.at(l.next) + late
		l.turn()
	}
	meant, ok := s.SentAt(uint32(s.Stats.Inputs))
	if !ok || r.now-meant < late-int64(time.Millisecond) {
		t.Errorf("an input sent %d ms too late counts from %d ms before", late/1e6, (r.now-meant)/1e6)
	}
	if top := l.figures.lag.Max(); top < 19_900 {
		t.Errorf("the lag is told as %d µs", top)
	}
}
