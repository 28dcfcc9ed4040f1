package session

import (
	"bytes"
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// A game can loop for ever, and a goroutine cannot be ended from outside. So each match's goroutine has another one beside
// it that looks at how long the present tick takes: over ten periods it is named, in the log and in a metric; over
// HangTimeout the match is given up. Its players are closed, its result is recorded, and its goroutine is left to itself:
// whenever the game returns it ends before it touches anything of the room. That is for Step and Frame, in which a game
// spends its time; a game that hangs when it is asked about a player (Admit, Request, Signal …) is named only, for the room
// is in the middle of its own work then.

// holder says whose the room's connections are.
type holder int32

const (
	heldByHost     holder = iota // the match's goroutine has them
	heldByGame                   // that goroutine is inside the game: nobody touches them, and the watchdog may take them
	heldByWatchdog               // the watchdog has taken them
)

// watch is what a match's goroutine tells its watchdog.
type watch struct {
	holder atomic.Int32  // a holder
	beats  atomic.Uint64 // ticks begun and ended: odd while one runs
	stack  string        // how the goroutine is called in a dump of all of them; written before the first tick
}

// watched are a room's links, which keep the watchdog informed (game.Links, game.Waker).
type watched struct{ *Room }

// Collect is the beginning of a tick.
func (w watched) Collect(now time.Time) {
	w.watch.beats.Add(1)
	w.Room.Collect(now)
	w.watch.holder.Store(int32(heldByGame))
}

// Deliver is the end of a tick. After the match was given up it does not return.
func (w watched) Deliver(now time.Time, frame bool) {
	if !w.watch.holder.CompareAndSwap(int32(heldByGame), int32(heldByHost)) {
		runtime.Goexit()
	}
	w.Room.Deliver(now, frame)
	w.watch.beats.Add(1)
}

// Between lets newcomers in, which calls the game as well.
func (w watched) Between(now time.Time) {
	w.watch.beats.Add(1)
	w.Room.Between(now)
	w.watch.beats.Add(1)
}

// hangAfter is how long a tick takes before it is named.
func (r *Room) hangAfter() time.Duration {
	return hangPeriods * time.Second / time.Duration(r.cfg.Match.TickRate)
}

// supervise plays the match on a goroutine of its own and watches it. lost tells that it was given up.
func (r *Room) supervise(ctx context.Context) (err error, lost bool) {
	ended := make(chan error, 1)
	go func() { // not waited for if the game never returns; that is what Abandoned counts
		var err error
		defer func() {
			if holder(r.watch.holder.Load()) == heldByWatchdog {
				r.metrics.Hangs.Abandoned.Dec()
				r.log.Warn().Msg("the tick of a match given up has returned")
			}
			ended <- err
		}()
		r.watch.stack = ownStackHead()
		err = r.play(ctx)
	}()
	every := max(r.hangAfter()/2, watchEvery)
	look := time.NewTicker(every)
	defer look.Stop()
	beat, seen := uint64(0), time.Duration(0) // the tick of the last look, and for how long it was seen running
	for {
		select {
		case err := <-ended:
			return err, false
		case <-look.C:
		}
		// Looks are counted, not time: a process that was stopped for a while has not hung.
		if now := r.watch.beats.Load(); now != beat || now%2 == 0 {
			beat, seen = now, 0
			continue
		}
		before := seen
		seen += every
		if before < r.hangAfter() && seen >= r.hangAfter() {
			r.metrics.Hangs.Ticks.Inc()
			r.log.Error().Uint32("after_tick", r.tick.Load()).Dur("took", seen).Msg("a tick does not end")
		}
		if show := max(hangStack, r.hangAfter()); before < show && seen >= show {
			r.log.Error().Uint32("after_tick", r.tick.Load()).Dur("took", seen).Bytes("stack", stackOf(r.watch.stack)).Msg("where the tick is")
		}
		if seen >= max(HangTimeout, r.hangAfter()) && r.watch.holder.CompareAndSwap(int32(heldByGame), int32(heldByWatchdog)) {
			r.metrics.Hangs.Abandoned.Inc()
			return nil, true
		}
	}
}

// abandon ends a match whose goroutine is lost in the game: conclude without the engine, which that goroutine still has.
func (r *Room) abandon() {
	out := &Outcome{State: StateFailed, Reason: game.ReasonAborted, Created: r.created, Ended: time.Now(), Ticks: r.tick.Load()}
	if at := r.running.Load(); at != 0 {
		out.Started = time.Unix(0, at)
	}
	r.record(out, endMatchFailed)
	for len(r.sessions) > 0 {
		r.release(r.sessions[len(r.sessions)-1], endMatchFailed)
	}
	r.set.Close()
	r.metrics.MatchesEnded.Inc(string(out.Reason))
	r.log.Error().Str("reason", string(out.Reason)).Uint32("ticks", out.Ticks).Uint16("code", uint16(protocol.CloseMatchFailed)).
		Msg("match given up: a tick never ended; its goroutine goes on until the process ends")
}

// ownStackHead is how the calling goroutine is introduced in a dump: "goroutine 12 ".
func ownStackHead() string {
	var buf [64]byte
	head := buf[:runtime.Stack(buf[:], false)]
	if at := bytes.IndexByte(head, '['); at > 0 {
		return string(head[:at])
	}
	return ""
}

// stackOf finds one goroutine's stack in a dump of all; empty if it is not there. It stops the world for a moment, once
// for each hung tick.
func stackOf(head string) []byte {
	dump := make([]byte, maxStackDump)
	dump = dump[:runtime.Stack(dump, true)]
	for one := range bytes.SplitSeq(dump, []byte("\n\n")) {
		if head != "" && bytes.HasPrefix(one, []byte(head)) {
			return one
		}
	}
	return nil
}
