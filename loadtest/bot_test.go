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

func TestALongLeadIsShortened(t *testing.T) {
	r := newRig(t, 2)
	r.tick()
	lead := func(ticks float64) {
		r.bot.leaveOut = 0
		r.bot.pace(r.now)
		for range 30 {
			r.now += r.loop.schedule.period
			r.bot.session.State.Head.LeadMS = int16(ticks * 50)
			r.bot.watchLead(r.loop, r.now)
			if r.bot.leaveOut > 0 {
				return
			}
		}
	}
	for _, c := range []struct {
		ticks float64
		want  int
	}{{0.2, 0}, {1.2, 0}, {1.3, 1}, {2.1, 1}, {3.4, 3}} {
		if lead(c.ticks); r.bot.leaveOut != c.want {
			t.Errorf("a lead of %v ticks leaves out %d inputs, want %d", c.ticks, r.bot.leaveOut, c.want)
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
