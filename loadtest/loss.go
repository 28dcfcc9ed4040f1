package main

import (
	"errors"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// loss is what a bot knows of a lost connection until it is back in its seat. It comes back by the rule of the
// client library, as a player does.
type loss struct {
	returns bool // on its way back
	planned bool // a storm cut it, and it has not tried to come back yet
	resume  client.Resume
	backoff client.Backoff
	giveUp  int64 // when the server has let go of the seat, ns

	last int64  // when the newest snapshot before it came, 0: none ever
	tick uint32 // of that snapshot
}

// lostSeat begins the error of a bot that was cut and could not come back.
const lostSeat = "lost its seat: "

// comeback is what becomes of a bot whose connection has ended.
type comeback uint8

const (
	backNot   comeback = iota // it is the end, for other reasons
	backLater                 // another attempt follows
	backNever                 // the seat is lost
)

// comesBack decides whether a bot whose connection has ended makes another one.
func (l *loop) comesBack(b *bot, err error, text string, at int64) comeback {
	lost, ok := errors.AsType[*client.CloseError](err)
	cut := ok && b.welcomed != 0 && client.Retryable(lost.Code)
	switch {
	case !cut && !b.loss.returns:
		return backNot
	case !cut: // an attempt has failed
		if l.leaving || at >= b.loss.giveUp || !b.loss.backoff.Failed(err) {
			l.lose(b, at)
			return backNever
		}
		b.loss.planned = false
	case l.staysOut || b.aside && b.life.manner != watches || b.state == botLeaving || l.leaving:
		return backNot
	default:
		countCause(l.figures.cuts, text)
		l.series.at(at).Cuts++
		l.remember(b, at)
		b.loss.planned = false
		b.loss.backoff = client.NewBackoff(lost)
	}
	l.goAway(b, at+int64(b.loss.backoff.Wait(l.dice.Float64())))
	return backLater
}

// storm cuts a player who comes back from a time on.
func (l *loop) storm(b *bot, back, now int64) {
	l.tally(b, now)
	b.shut(l.book(b), &l.window, now)
	l.remember(b, now)
	b.loss.planned = true
	b.loss.backoff = client.NewBackoff(&client.CloseError{Code: protocol.CloseAbnormal})
	l.goAway(b, back)
}

// remember keeps what is needed to come back, and to tell what it has cost.
func (l *loop) remember(b *bot, now int64) {
	s, lost := &b.session, &b.loss
	lost.returns, lost.resume = true, s.Resumption()
	lost.giveUp = now + int64(s.Welcome.ReconnectMS)*int64(time.Millisecond)
	if b.last != 0 {
		lost.last, lost.tick = b.last, s.State.Head.Tick
	}
}

// goAway lets a bot be without a connection until a time.
func (l *loop) goAway(b *bot, back int64) {
	l.poller.close(&b.link)
	if b.state == botJoining {
		l.joining--
	}
	b.team.leave(b)
	b.state, b.backAt = botAway, back
	b.from, b.closed, b.last, b.tallied, b.wait = 0, false, 0, 0, wait{}
}

// returned takes in the first snapshot after a loss: how long the player was without, and how much of what it had seen
// before is undone.
func (l *loop) returned(b *bot, f *figures, r *row, at int64) {
	b.loss.returns = false
	f.resumed++
	record(f.resume, at-b.begun)
	r.Resumes++
	r.Resume.record(at - b.begun)
	if b.loss.last == 0 {
		return // it was lost before its first snapshot
	}
	record(f.gap, at-b.loss.last)
	r.Gap.record(at - b.loss.last)
	record(f.undone, max(0, int64(int32(b.loss.tick+1-b.session.State.Head.Tick)))*l.schedule.period)
}

// lose takes in that a seat is lost. A gap that nothing ended counts with what it has lasted.
func (l *loop) lose(b *bot, at int64) {
	f := l.book(b)
	f.lost++
	if b.loss.last != 0 {
		record(f.gap, at-b.loss.last)
	}
}

// notBack takes in that a bot is not back in its seat when the run ends.
func (l *loop) notBack(b *bot, now int64) {
	if !b.loss.returns || b.loss.planned && now < b.backAt { // its storm is not over
		return
	}
	l.lose(b, now)
	l.book(b).fault(lostSeat + "not back when the run ended")
	l.series.at(now).Errors++
}
