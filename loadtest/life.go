package main

import (
	"errors"
	"time"

	"skirmish/protocol"
)

var errUnpunished = errors.New("broke the rules for 10 s and was not ended by the server")

// Ending is how a connection ended: whose it was, by which close code, and whether that is what should happen.
type Ending struct {
	Who      string // manner of the bot
	Code     int    // 0: without a Close
	Expected bool
}

func (m manner) String() string {
	return [...]string{"player", "idle", "slow reader", "rule breaker", "flooder", "marksman", "spectator"}[m]
}

func endOf(b *bot, code int, ok bool) Ending { return Ending{b.life.manner.String(), code, ok} }

// deserves tells whether a close code is the right answer to what a bot does.
func (b *bot) deserves(code protocol.CloseCode) bool {
	switch {
	case b.life.manner == readsSlowly:
		// Its Close may lie behind more than it reads in the time that a server waits.
		return code == protocol.CloseEventsLost || code == protocol.CloseTimeout || code == protocol.CloseAbnormal
	case !b.offends:
		return false
	case b.life.manner == floods:
		return code == protocol.CloseFlood || code == protocol.CloseBadMessage
	}
	switch code {
	case protocol.CloseProtocol, protocol.CloseUnsupported, protocol.CloseInvalidText, protocol.ClosePolicy, protocol.CloseTooBig, protocol.CloseBadMessage:
		return true
	}
	return false
}

// book is where the figures of a bot go.
func (l *loop) book(b *bot) *figures {
	switch {
	case b.life.manner == watches:
		return l.watching
	case b.aside:
		return l.aside
	}
	return l.figures
}

// turnPage begins the next stage: the books of all bots are shut in the old one and opened in the new one.
func (l *loop) turnPage() {
	at := l.stages[l.stage]
	l.stage++
	next := l.books[l.stage]
	for _, b := range l.bots {
		if b.aside || b.from == 0 || b.closed {
			continue
		}
		b.shut(l.figures, &l.window, at)
		b.closed = false
		if b.state == botPlaying || b.state == botLeaving {
			b.open(at)
		} else {
			b.from = 0
		}
	}
	l.figures = next
}

// lives does what the life of a playing bot has for it now; true: it is not simply playing any more.
func (l *loop) lives(b *bot, now int64) bool {
	start := l.schedule.start
	switch {
	case b.offends:
		if now > b.deadline {
			l.end(b, errUnpunished, now)
		} else if b.life.ending == endBreak {
			l.misbehave(b)
		}
		return true
	case b.until != 0 && now >= b.until:
		l.finish(b, now)
		return true
	case b.cuts < len(b.life.cuts) && now >= start+int64(b.life.cuts[b.cuts].at):
		l.storm(b, start+int64(b.life.cuts[b.cuts].back), now)
		b.cuts++
		return true
	}
	return false
}

// finish ends a life whose time is over, in its way.
func (l *loop) finish(b *bot, now int64) {
	how := b.life.ending
	if how == endBye && b.life.manner == readsSlowly { // its bye might be answered after a minute
		how = endVanish
	}
	switch how {
	case endBye:
		b.state, b.deadline, b.byed = botLeaving, now, true
		b.session.Bye(0)
		l.flush(b)
	case endVanish:
		l.vanish(b, now)
	default:
		b.offends, b.deadline = true, now+int64(offenceLimit)
	}
}

// vanish closes the socket without a word.
func (l *loop) vanish(b *bot, now int64) {
	b.shut(l.book(b), &l.window, now)
	l.depart(b, now)
}

// depart takes a bot out for good.
func (l *loop) depart(b *bot, at int64) {
	l.poller.close(&b.link)
	if b.state == botJoining {
		l.joining--
	}
	b.state, b.tallied = botGone, 0
	b.team.leave(b)
	l.series.at(at).Ends++
	l.live.gone++
	l.gone.Add(1)
}

// shape gives the coming connection of a bot its link.
func (l *loop) shape(b *bot) {
	if b.life.manner == readsSlowly {
		b.link.small = true
		b.link.link = newLink(&Network{Down: l.scenario.Behaviours.Slow.Rate, Queue: slowReceiveBytes}, uint64(b.number))
		return
	}
	if l.scenario == nil || b.life.network < 0 {
		return
	}
	n := &l.scenario.Networks[b.life.network]
	b.patience = 4 * int64(n.Delay+n.Jitter+n.Stall.For)
	b.link.link = newLink(n, uint64(b.number))
}

// idle is what a bot without inputs does: it keeps its clock.
func (l *loop) idle(b *bot, k, now int64) {
	if now-b.pinged >= int64(pingEvery) {
		b.pinged = now
		b.session.Ping(now)
		l.flush(b)
	}
	l.place(b, k+int64(time.Second/slotTime)/2)
}

// flood sends a period's share of far too many inputs.
func (l *loop) flood(b *bot, now int64) {
	n := l.scenario.Behaviours.Flood.Rate * int(l.schedule.period) / int(time.Second)
	for range max(1, n) {
		if len(b.session.Out()) > 64<<10 {
			break
		}
		b.session.Input(b.held, now)
	}
}

// misbehave sends one offence, a different one from bot to bot.
func (l *loop) misbehave(b *bot) {
	if len(b.session.Out()) == 0 && b.link.up { // else it would land within a frame
		o := offences[b.number%len(offences)]
		l.poller.write(&b.link, o.bytes)
	}
}

// offences are client frames that no client may send. Masking keys are zero: the payload stands as it is.
var offences = []struct {
	name  string
	bytes []byte
}{
	{"no array", []byte{0x82, 0x83, 0, 0, 0, 0, 0xc1, 0xc1, 0xc1}},
	{"an unknown type", []byte{0x82, 0x82, 0, 0, 0, 0, 0x91, 0x7f}},
	{"a short input", []byte{0x82, 0x83, 0, 0, 0, 0, 0x92, 0x02, 0xc0}},
	{"a text frame", []byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}},
	{"an unmasked frame", []byte{0x82, 0x02, 0x91, 0x06}},
	{"reserved bits", []byte{0xf2, 0x80, 0, 0, 0, 0}},
	{"a frame of a gigabyte", []byte{0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0}},
	{"a fragmented ping", []byte{0x09, 0x80, 0, 0, 0, 0}},
}

// tally adds a playing bot's time and bytes since the last time to the seconds they belong to.
func (l *loop) tally(b *bot, now int64) {
	s := &b.session.Stats
	r := l.series.at(now)
	r.States += s.States - b.counted.States
	r.Inputs += s.Inputs - b.counted.Inputs
	r.BytesIn += s.BytesIn - b.counted.BytesIn
	r.BytesOut += s.BytesOut - b.counted.BytesOut
	b.counted = *s
	if b.tallied == 0 || b.state != botPlaying {
		b.tallied = 0
		return
	}
	for b.tallied < now {
		end := now
		if next := l.series.start + ((b.tallied-l.series.start)/l.series.step+1)*l.series.step; next < end {
			end = next
		}
		r, played := l.series.at(b.tallied), float64(end-b.tallied)/1e9
		r.Seconds += played
		if !b.aside {
			r.Owed += played
		}
		b.tallied = end
	}
}
