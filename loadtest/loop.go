package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/game/arena"
)

// loop plays many bots on one goroutine. Everything in it belongs to that goroutine but the doors: add, Leave, take.
type loop struct {
	poller     poller
	schedule   schedule
	window     window
	definition *game.Definition
	to         netip.AddrPort
	sources    []netip.Addr  // empty: the system's choice
	gone       *atomic.Int64 // of all loops
	figures    *figures      // of the stage that is on
	books      []*figures    // of all stages
	stages     []int64       // when each ends, ns
	stage      int           // that is on
	aside      *figures      // of bots that are no players: slow readers, offenders
	watching   *figures      // of spectators
	unseen     aim           // of shots outside of the window
	series     series
	scenario   *Scenario // nil none
	staysOut   bool      // bots that are cut do not come back but by a storm
	dice       *rand.Rand

	bots    []*bot             // that have not ended
	waiting []*bot             // of them, in the order of their times
	wheel   [wheelSlots][]*bot // by slot, when they next look at their input clock
	turned  []*bot             // scratch: a slot's bots while they play
	next    int64              // the slot that comes
	lead    time.Duration      // that inputs are to wait for, 0: a tick
	clock   func() int64       // ns since the Unix epoch
	view    game.View
	input   any // one Spec.Input for all
	zero    reflect.Value
	scouts  bool  // one bot of each match looks for all of it
	holds   int   // inputs that a decision of a brain lasts
	joining int   // bots between connect and their first snapshot
	swept   int64 // when the bots were last looked through
	sweep   int64 // how often that is, ns
	live    live
	told    int64 // when live was last published
	measure bool  // the window has been open
	ended   bool  // and is over
	leaving bool

	joins chan *bot     // door: bots to play
	leave chan struct{} // door: closed when all shall go
	cutAt atomic.Int64  // door: an earlier end of the window, 0 none
	fatal chan error    // buffered 1: no bot can ever play

	mu     sync.Mutex // guards public
	public live
}

func newLoop(p poller, s schedule, w window, d *game.Definition, to netip.AddrPort, sources []netip.Addr, gone *atomic.Int64) *loop {
	l := &loop{
		poller: p, schedule: s, window: w, definition: d, to: to, sources: sources,
		gone: gone, figures: newFigures(), aside: newFigures(), watching: newFigures(), input: d.NewInput(), holds: 1, clock: nanos,
		stages: []int64{w.end}, series: newSeries(s.start, time.Duration(w.end-s.start)+leaveLimit), sweep: int64(sweepEvery),
		joins: make(chan *bot, maxBots), leave: make(chan struct{}), fatal: make(chan error, 1),
	}
	l.books = []*figures{l.figures}
	l.dice = rand.New(rand.NewPCG(uint64(s.start), 0x6a6974746572))
	l.zero = reflect.ValueOf(l.input).Elem()
	l.live.ack, l.public.ack = newHistogram(), newHistogram()
	return l
}

func nanos() int64 { return time.Now().UnixNano() }

// run plays until every bot has left. One turn is one slot.
func (l *loop) run() {
	l.next = l.schedule.last(l.clock()) + 1
	for {
		l.sleep(l.schedule.at(l.next))
		now := l.clock()
		l.admit(now)
		for due := l.schedule.last(now); l.next <= due; {
			l.turn()
		}
		l.keepWindow(now)
		l.keepHouse(now)
		if l.leaving && len(l.bots) == 0 && len(l.joins) == 0 {
			l.publish(now)
			l.poller.shut()
			return
		}
	}
}

// sleep waits for a time and polls. While bots join it polls in between: a join is several answers, and each
// would otherwise wait for its slot.
func (l *loop) sleep(until int64) {
	for l.joining > 0 {
		at := l.clock() + int64(joinPoll)
		if at >= until {
			break
		}
		l.poller.wait(at)
		l.poller.poll(l)
	}
	l.poller.wait(until)
	l.poller.poll(l)
	l.poller.push()
}

// admit takes new bots in and connects those whose time has come.
func (l *loop) admit(now int64) {
	if !l.leaving {
		select {
		case <-l.leave:
			l.sayBye(now)
		default:
		}
	}
	for n := len(l.joins); n > 0; n-- {
		b := <-l.joins
		if l.leaving {
			continue
		}
		l.bots = append(l.bots, b)
		l.waiting = append(l.waiting, b)
	}
	for n := 0; n < dialsPerSlot && len(l.waiting) > 0 && l.waiting[0].at <= now; n++ {
		b := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.connect(b, now)
	}
}

func (l *loop) connect(b *bot, now int64) {
	b.begun, b.welcomed, b.deadline, b.state = now, 0, now+int64(joinLimit), botJoining
	b.link = conn{owner: b, fd: -1}
	l.shape(b)
	l.joining++
	var from netip.Addr
	if len(l.sources) > 0 {
		from = l.sources[b.number%len(l.sources)]
	}
	config := client.Config{Host: b.host, Target: b.target, Token: b.token, SDK: "skirmish-loadtest/1"}
	if b.loss.returns {
		config.Token, config.Resume = "", b.loss.resume
	}
	b.session.Open(config)
	b.counted, b.faults = client.Stats{}, 0
	if err := l.poller.dial(&b.link, l.to, from); err != nil {
		l.end(b, fmt.Errorf("connect: %w", err), now)
	}
}

func (l *loop) opened(c *conn) {
	b := c.owner
	record(l.book(b).connect, l.clock()-b.begun)
	l.flush(b)
}

// received feeds what has come into a bot's session.
func (l *loop) received(c *conn, p []byte, at int64) {
	b := c.owner
	for len(p) > 0 {
		what, rest, err := b.session.Feed(p, at)
		if err != nil {
			l.flush(b) // the answer to a Close
			l.end(b, err, at)
			return
		}
		switch what {
		case client.SignalState:
			b.snapshot(l, at)
			l.live.states++
		case client.SignalWelcome:
			if !l.greet(b, at) {
				return
			}
		case client.SignalPong:
			if l.window.has(at) {
				record(l.book(b).rtt, b.session.Clock.RTT*1000)
			}
		case client.SignalResult:
			l.figures.over++
		}
		p = rest
	}
	if f := b.session.Stats.Faults; f != b.faults {
		l.figures.asked += f - b.faults
		b.faults = f
		l.figures.fault("a snapshot could not be applied")
	}
	if len(b.session.Out()) > 0 {
		l.flush(b)
	}
}

// greet takes the welcome in. The bots know one version of the game: another plan is no test.
func (l *loop) greet(b *bot, at int64) bool {
	w := &b.session.Welcome
	b.welcomed = at
	record(l.book(b).welcome, at-b.begun)
	if w.PlanHash != l.definition.PlanHash {
		select {
		case l.fatal <- fmt.Errorf("the server's game %s %s is not the one this load test was built with: build both from the same sources", w.Game, w.GameVersion):
		default:
		}
		l.end(b, fmt.Errorf("another version of the game"), at)
		return false
	}
	if l.lead > 0 {
		b.session.Pacer.Aim(l.lead)
	}
	l.join(b, at)
	if b.marks != nil {
		b.marks.start(&b.session, l.definition)
	}
	b.session.Ping(at)
	b.pinged = at
	return true
}

func (l *loop) broken(c *conn, err error) {
	b := c.owner
	if b.begun != 0 && !c.up && err != nil {
		l.end(b, fmt.Errorf("connect: %w", err), l.clock())
		return
	}
	l.end(b, b.session.End(err), l.clock())
}

// enter puts a bot that has just joined into the wheel, bots of one match far apart.
func (l *loop) enter(b *bot) {
	if !b.wheeled { // else it was away for less than it had planned ahead
		b.wheeled = true
		l.place(b, l.next+l.schedule.slotOf(b.number))
	}
}

// place lets a bot look at its input clock in slot k, or in the nearest one that the wheel has.
func (l *loop) place(b *bot, k int64) {
	k = min(max(k, l.next), l.next+wheelSlots-1) % wheelSlots
	l.wheel[k] = append(l.wheel[k], b)
}

// turn plays the slot that has come: each of its bots sends the inputs that its clock asks for, mostly one.
func (l *loop) turn() {
	k := l.next
	at := l.schedule.at(k)
	bucket := &l.wheel[k%wheelSlots]
	l.turned, *bucket = *bucket, l.turned[:0]
	l.next++
	played, now := 0, l.clock()
	for _, b := range l.turned {
		if b.state == botPlaying {
			l.play(b, k, at, now)
			played++
		} else {
			b.wheeled = false
		}
	}
	clear(l.turned)
	if played > 0 {
		l.poller.push()
		l.late(at, l.clock()-at, played)
	}
}

// late takes in how late n bots have sent what was meant for at: all of them as late as the last one.
func (l *loop) late(at, lag int64, n int) {
	lag = max(lag, 0)
	l.live.lag = max(l.live.lag, lag)
	if l.window.has(at) {
		recordTimes(l.figures.lag, lag, n)
	}
	l.series.at(at).Lag.recordTimes(lag, n)
}

// play sends what is due of b in slot k, meant for at.
func (l *loop) play(b *bot, k, at, now int64) {
	p := &b.session.Pacer
	lapsed := p.Lapsed
	if b.life.manner == idles || b.life.manner == watches {
		l.idle(b, k, now)
		return
	}
	for range maxAtOnce {
		if len(b.session.Out()) > 4096 { // the server does not read: the queue is its fault, seen in acks
			break
		}
		due, ok := p.Due(now)
		if !ok {
			break
		}
		l.think(b, max(due, at), now)
	}
	if b.offends && b.life.ending == endFlood {
		l.flood(b, now)
	}
	l.flush(b)
	l.figures.skipped += uint64(p.Lapsed - lapsed)
	again := l.schedule.last(p.Next()-1) + 1
	if p.Next() <= now { // held up: look again soon
		again = k + l.schedule.slots/4
	}
	l.place(b, again)
}

// think puts out one input of b that was meant for at.
func (l *loop) think(b *bot, at, now int64) {
	s := &b.session
	switch {
	case b.marks != nil:
		in := l.input.(*arena.Input)
		b.marks.think(s, in, now)
		b.held = l.definition.AppendInput(b.held[:0], in)
	case b.thoughts%l.holds == 0:
		seen := &l.eyes(b, now).session.State
		l.view.Tick, l.view.Seat = seen.Head.Tick, game.Seat(s.Welcome.Seat)
		l.view.Definition, l.view.Rows = l.definition, &seen.Rows
		if seen.Rows.Len() == 0 { // a new scout that waits for its keyframe: there is nothing to see
			l.view.Rows = nil
		}
		l.view.Private = nil
		if s.State.HasPrivate {
			l.view.Private = s.State.Private
		}
		l.zero.SetZero()
		b.brain.Think(&l.view, l.input)
		b.held = l.definition.AppendInput(b.held[:0], l.input)
	}
	b.thoughts++
	if seq := s.Input(b.held, at); b.marks != nil {
		b.marks.sent(seq, b.held)
	}
	if now-b.pinged >= int64(pingEvery) {
		b.pinged = now
		s.Ping(now)
	}
	l.live.inputs++
}

// flush writes what a session has put out; what the socket does not take waits for the next time. An error is
// left to the next read: the server's Close may lie before it.
func (l *loop) flush(b *bot) {
	if out := b.session.Out(); len(out) > 0 && b.link.up {
		n, _ := l.poller.write(&b.link, out)
		b.session.Wrote(n)
	}
}

// end takes a bot out of the game.
func (l *loop) end(b *bot, err error, at int64) {
	if b.state == botGone {
		return
	}
	text, code, ok := b.cause(err)
	l.tally(b, at)
	b.shut(l.book(b), &l.window, at)
	f := l.book(b)
	if !ok {
		switch l.comesBack(b, err, text, at) {
		case backLater:
			return
		case backNever:
			text = lostSeat + text
		}
	}
	if code != 0 {
		f.closes[code]++
	}
	f.endings[endOf(b, code, ok)]++
	if !ok {
		f.fault(text)
		l.series.at(at).Errors++
	}
	l.poller.close(&b.link)
	l.depart(b, at)
}
