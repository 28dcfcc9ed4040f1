package main

import "errors"

var (
	errNoJoin = errors.New("no first snapshot within 10 s of connecting")
	errSilent = errors.New("the server was silent for 15 s")
	errNoBye  = errors.New("bye was not answered within 3 s")
)

// keepWindow opens and shuts the books of all bots when the measured window begins and ends.
func (l *loop) keepWindow(now int64) {
	if cut := l.cutAt.Load(); cut != 0 && cut < l.window.end {
		l.window.end = max(cut, l.window.begin)
	}
	for l.stage < len(l.stages)-1 && now >= l.stages[l.stage] && !l.ended {
		l.turnPage()
	}
	if !l.measure && now >= l.window.begin {
		l.measure = true
		for _, b := range l.bots {
			if b.state == botPlaying && b.from == 0 {
				b.open(max(b.first, l.window.begin))
			}
		}
	}
	if l.measure && !l.ended && now >= l.window.end {
		l.ended = true
		for _, b := range l.bots {
			b.silenceTold(l, l.window.end)
			b.shut(l.book(b), &l.window, l.window.end)
		}
	}
}

// keepHouse looks through the bots once in a while: who is too late, and who is gone.
func (l *loop) keepHouse(now int64) {
	if now-l.told >= int64(publishEvery) {
		l.publish(now)
	}
	if now-l.swept < l.sweep {
		return
	}
	l.swept = now
	kept := l.bots[:0]
	for _, b := range l.bots {
		l.tally(b, now)
		switch {
		case b.state == botAway && now >= b.backAt:
			l.connect(b, now)
		case b.state == botPlaying && l.lives(b, now):
		case b.state == botJoining && now > b.deadline:
			l.end(b, errNoJoin, now)
		case b.state == botPlaying && now-b.session.Heard > int64(silenceLimit):
			l.end(b, b.session.End(errSilent), now)
		case b.state == botLeaving && now > b.deadline+int64(leaveLimit)+b.patience:
			l.end(b, errNoBye, now)
		case b.state == botLeaving && b.deadline != 0 && now >= b.deadline && !b.byed:
			b.byed = true
			b.session.Bye(0)
			l.flush(b)
		}
		if b.state != botGone {
			kept = append(kept, b)
		}
	}
	clear(l.bots[len(kept):])
	l.bots = kept
}

// sayBye lets all bots leave, spread over half a second.
func (l *loop) sayBye(now int64) {
	l.leaving = true
	for i, b := range l.bots {
		l.tally(b, now)
		switch b.state {
		case botPlaying:
			if b.aside { // its bye might take a minute
				l.vanish(b, now)
				continue
			}
			b.state = botLeaving
			b.deadline = now + int64(leaveSpread)*int64(i)/int64(len(l.bots))
		case botWaiting, botJoining, botAway:
			l.notBack(b, now)
			l.poller.close(&b.link)
			b.state = botGone
		}
	}
	l.waiting, l.joining = nil, 0
}

// publish puts what the status line shows where the run can take it.
func (l *loop) publish(now int64) {
	l.told = now
	l.live.joined, l.live.errors, l.live.cuts = l.aside.joined, l.aside.errors(), 0
	for _, f := range l.books {
		l.live.joined += f.joined
		l.live.errors += f.errors()
		l.live.cuts += f.cutTotal()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.public.joined, l.public.gone, l.public.errors, l.public.cuts = l.live.joined, l.live.gone, l.live.errors, l.live.cuts
	l.public.states += l.live.states
	l.public.inputs += l.live.inputs
	l.public.lag = max(l.public.lag, l.live.lag)
	l.public.ack.Merge(l.live.ack)
	l.live.states, l.live.inputs, l.live.lag = 0, 0, 0
	l.live.ack.Reset()
}

// take adds what was published since the last time to v. Safe from any goroutine.
func (l *loop) take(v *live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v.joined += l.public.joined
	v.gone += l.public.gone
	v.errors += l.public.errors
	v.cuts += l.public.cuts
	v.states += l.public.states
	v.inputs += l.public.inputs
	v.lag = max(v.lag, l.public.lag)
	v.ack.Merge(l.public.ack)
	l.public.states, l.public.inputs, l.public.lag = 0, 0, 0
	l.public.ack.Reset()
}
