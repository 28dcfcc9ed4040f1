package main

import (
	"errors"
	"fmt"
	"time"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/protocol"
)

type botState uint8

const (
	botWaiting botState = iota // for its time to connect
	botJoining                 // connecting, or between hello and the first snapshot
	botPlaying
	botAway    // cut, until it comes back
	botLeaving // bye is said
	botGone
)

// bot is one player of the swarm: a session, a brain and what is measured about them. Its loop owns it.
type bot struct {
	number  int // of the whole swarm
	token   string
	host    string // Host header
	target  string // path
	at      int64  // when it connects, ns
	until   int64  // when its life is over, 0: at the end of the run
	life    life
	aside   bool // its figures are none of a player's
	state   botState
	link    conn
	session client.Session
	brain   game.Bot

	begun    int64 // connect
	welcomed int64
	first    int64 // first snapshot
	last     int64 // newest snapshot
	faults   uint64

	base   client.Stats // at from
	from   int64        // what is counted in the window begins here, 0 not yet
	closed bool         // the window is over for this bot

	marks    *marksman // nil: it plays by its brain
	team     *team
	thoughts int     // inputs so far
	held     []int32 // the newest input
	wait     wait    // of the newest input used
	pinged   int64
	deadline int64 // of joining; of leaving: when to say bye; of an offender: when the server must have ended it
	byed     bool
	wheeled  bool  // in the loop's wheel
	offends  bool  // breaks rules until the server ends it
	cuts     int   // of its life's, so far
	backAt   int64 // when it tries to come back, ns
	loss     loss
	patience int64        // what its link adds to the answer to a bye
	tallied  int64        // until when the seconds are counted, 0 not playing
	counted  client.Stats // what the seconds have of its bytes
}

// wait is how long an input lay at the server, ns, with when it arrived by the ticks and when it was sent by us.
type wait struct{ lead, arrived, sent int64 }

// joined takes the first snapshot in.
func (b *bot) joined(l *loop, f *figures, r *row, at int64) {
	if b.loss.returns {
		l.returned(b, f, r, at)
	} else {
		r.Joins++
		r.Join.record(at - b.begun)
		f.joined++
		record(f.join, at-b.begun)
	}
	b.state, b.first, b.tallied = botPlaying, at, at
}

// snapshot measures one state.
func (b *bot) snapshot(l *loop, at int64) {
	f, w, r := l.book(b), &l.window, l.series.at(at)
	if b.state == botJoining {
		b.joined(l, f, r, at)
		l.joining--
		l.enter(b)
	}
	if w.has(at) && b.from == 0 {
		b.open(at)
	}
	if b.last != 0 {
		d := at - b.last
		off := max(d-l.schedule.period, l.schedule.period-d)
		if !b.aside {
			r.IntervalError.record(off)
		}
		if w.has(at) && b.last >= w.begin {
			record(f.interval, d)
			record(f.intervalError, off)
		}
	}
	if age, ok := b.session.Age(at); ok {
		if !b.aside {
			r.Age.record(int64(age))
		}
		if w.has(at) {
			record(f.age, int64(age))
		}
	}
	if !b.aside {
		r.Got++
	}
	first, last := b.session.Acked()
	for seq := first; seq <= last && seq >= first; seq++ {
		if sent, ok := b.session.SentAt(seq); ok {
			if !b.aside {
				record(l.live.ack, at-sent)
				r.Ack.record(at - sent)
			}
			if w.has(sent) {
				record(f.ack, at-sent)
			}
		}
	}
	if b.marks != nil {
		count := &l.unseen
		if w.has(at) {
			count = f.aim(b.life.network)
		}
		b.marks.state(&b.session, at, count)
	}
	b.last = at
	if h := &b.session.State.Head; first <= last && h.Flags&protocol.FlagInputMissing == 0 {
		b.waited(l, h, at)
	}
}

// waited measures how long the newest input lay at the server. Inputs that a server reads together have the
// arrival of the last of them: for the earlier ones the time between their sendings is added, the most that it can
// have been. So each counts when the next one is known.
func (b *bot) waited(l *loop, h *protocol.StateHead, at int64) {
	sent, ok := b.session.SentAt(h.Ack)
	if !ok {
		return
	}
	was := b.wait
	lead := int64(h.LeadMS) * int64(time.Millisecond)
	b.wait = wait{lead: lead, arrived: int64(h.Tick)*l.schedule.period - lead, sent: sent}
	if was.sent == 0 || !l.window.has(at) {
		return
	}
	if b.wait.arrived-was.arrived < l.schedule.period/4 {
		was.lead += sent - was.sent
	}
	record(l.figures.wait, was.lead)
}

// open begins to count.
func (b *bot) open(at int64) { b.from, b.base = at, b.session.Stats }

// shut ends the counting: at the window's end, or when the bot ends within it.
func (b *bot) shut(f *figures, w *window, at int64) {
	if b.closed || b.from == 0 {
		return
	}
	b.closed = true
	at = min(at, w.end)
	s := &b.session.Stats
	f.playerSeconds += float64(at-b.from) / 1e9
	f.received += s.States - b.base.States
	f.fulls += s.Fulls - b.base.Fulls
	f.stateBytes += s.StateBytes - b.base.StateBytes
	f.inputs += s.Inputs - b.base.Inputs
	f.events += s.Events - b.base.Events
	f.bytesIn += s.BytesIn - b.base.BytesIn
	f.bytesOut += s.BytesOut - b.base.BytesOut
}

// silenceTold puts into the histograms what never came: a server that stops answering must not look better than
// one that is slow. Only what is overdue by far counts: the newest input is always unanswered.
func (b *bot) silenceTold(l *loop, at int64) {
	if b.state != botPlaying || b.from == 0 {
		return
	}
	overdue := max(4*l.schedule.period, int64(250*time.Millisecond))
	if d := at - max(b.last, b.from); d > overdue {
		record(l.book(b).interval, d)
		record(l.book(b).intervalError, d-l.schedule.period)
	}
	_, acked := b.session.Acked()
	for seq := acked + 1; ; seq++ {
		sent, ok := b.session.SentAt(seq)
		if !ok || at-sent < overdue {
			return
		}
		if l.window.has(sent) {
			record(l.book(b).ack, at-sent)
		}
	}
}

// cause puts an end into words, and into a code, 0 if it never was a session. Ok: nobody did anything wrong.
func (b *bot) cause(err error) (text string, code int, ok bool) {
	if e, is := errors.AsType[*client.RefusedError](err); is {
		return fmt.Sprintf("handshake refused: HTTP %d %s", e.Status, e.Reason), 0, false
	}
	e, is := errors.AsType[*client.CloseError](err)
	if !is {
		return err.Error(), 0, false
	}
	left := b.state == botLeaving && (e.Code == protocol.CloseLeft || e.Code == protocol.CloseNormal)
	ok = left || e.Code == protocol.CloseMatchOver || !e.Local && b.deserves(e.Code)
	switch {
	case e.Local:
		text = fmt.Sprintf("broken by the client, %d: %s", e.Code, e.Reason)
	case e.Code == protocol.CloseAbnormal && e.Cause == nil:
		text = "connection ended without a Close"
	case e.Code == protocol.CloseAbnormal:
		text = fmt.Sprintf("connection broke: %v", e.Cause)
	default:
		text = fmt.Sprintf("closed %d %s", e.Code, e.Reason)
	}
	return text, int(e.Code), ok
}
