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
// whenever the game returns it ends before it touches anything of the room. That works because the room is in order
// whenever the game has the word: in a tick between Collect and Deliver, and elsewhere between lend and reclaim.
//
// A game that spins takes turns with the others on its core until it is lowered: while it has the word its goroutine is bound
// to a thread, and that thread's priority falls when the tick is named, or where it could not be raised again
// (mayRaise) when the match is given up.

// holder says whose the room's connections are.
type holder int32

const (
	heldByHost     holder = iota // the match's goroutine has them
	heldByGame                   // that goroutine is inside the game: nobody touches them, and the watchdog may take them
	lowering                     // the same, and the watchdog is about to lower its thread
	lowered                      // the same, and its thread has been lowered
	heldByWatchdog               // the watchdog has taken them
)

// watch is what a match's goroutine tells its watchdog.
type watch struct {
	holder  atomic.Int32  // a holder
	thread  atomic.Int32  // that the game runs on
	beats   atomic.Uint64 // pieces of work begun and ended: odd while one runs
	stack   string        // how the goroutine is called in a dump of all of them; written before the first beat
	burning bool          // it was running when it was given up; written before holder is heldByWatchdog
}

// lend gives the game the word. Every arrival and session must be where abandon finds it.
func (r *Room) lend() {
	runtime.LockOSThread()
	r.watch.thread.Store(threadID())
	if r.cfg.AtWork != nil {
		r.cfg.AtWork(r.engine.Now() + 1)
	}
	r.watch.holder.Store(int32(heldByGame))
}

// reclaim takes the word back. After the match was given up it does not return.
func (r *Room) reclaim() {
	for !r.watch.swap(heldByGame, heldByHost) {
		switch {
		case holder(r.watch.holder.Load()) == heldByWatchdog:
			runtime.Goexit() // bound to its thread, which ends with it
		case r.watch.swap(lowered, heldByHost):
			r.rests()
			if err := raiseThread(r.watch.thread.Load()); err != nil {
				r.log.Error().Err(err).Msg("the thread of a tick that was late cannot be raised again: the match goes on with what the others leave it")
				return // and stays bound to it: no other goroutine may get onto it
			}
			runtime.UnlockOSThread()
			return
		default: // lowering: a system call long
			runtime.Gosched()
		}
	}
	r.rests()
	runtime.UnlockOSThread()
}

// rests tells that the game has done its work.
func (r *Room) rests() {
	if r.cfg.AtWork != nil {
		r.cfg.AtWork(0)
	}
}

// swap changes the holder, if it is from.
func (w *watch) swap(from, to holder) bool { return w.holder.CompareAndSwap(int32(from), int32(to)) }

// lower has a tick that does not end leave the cores to the others. Its goroutine waits in reclaim for the middle of it.
func (w *watch) lower() {
	if !w.swap(heldByGame, lowering) {
		return
	}
	if lowerThread(w.thread.Load()) == nil {
		w.holder.Store(int32(lowered))
	} else {
		w.holder.Store(int32(heldByGame))
	}
}

// watched are a room's links, which keep the watchdog informed (game.Links, game.Waker).
type watched struct{ *Room }

// Collect is the beginning of a tick.
func (w watched) Collect(now time.Time) {
	w.watch.beats.Add(1)
	w.Room.Collect(now)
	w.lend()
}

// Deliver is the end of a tick.
func (w watched) Deliver(now time.Time, frame bool) {
	w.reclaim()
	w.Room.Deliver(now, frame)
	w.watch.beats.Add(1)
}

// Between lets newcomers in, which calls the game as well.
func (w watched) Between(now time.Time) {
	w.watch.beats.Add(1)
	w.Room.Between(now)
	w.watch.beats.Add(1)
}

// halt ends a match that does not tick yet.
func (w watched) halt(why game.Reason) {
	w.watch.beats.Add(1)
	w.Room.halt(why)
	w.watch.beats.Add(1)
}

// hangAfter is how long a tick takes before it is named.
func (r *Room) hangAfter() time.Duration {
	return hangPeriods * time.Second / time.Duration(r.cfg.Match.TickRate)
}

// supervise plays the match on a goroutine of its own and watches it. lost tells that it was given up.
func (r *Room) supervise(ctx context.Context) (err error, lost bool) {
	ended := make(chan error, 1)
	go func() { // not waited for if the game never returns; that is what Strays counts
		var err error
		defer func() {
			r.pace.end()
			if holder(r.watch.holder.Load()) == heldByWatchdog {
				r.strays.back()
				r.strays.found(r.watch.burning)
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
	home := func() {
		if seen > 0 {
			r.strays.back()
		}
		seen = 0
	}
	for {
		select {
		case err := <-ended:
			home()
			return err, false
		case <-look.C:
		}
		// Looks are counted, not time: a process that was stopped for a while has not hung.
		if now := r.watch.beats.Load(); now != beat || now%2 == 0 {
			home()
			beat = now
			continue
		}
		before := seen
		if seen += every; before == 0 {
			r.strays.astray()
		}
		if before < r.hangAfter() && seen >= r.hangAfter() {
			r.metrics.Hangs.Ticks.Inc()
			r.log.Error().Uint32("after_tick", r.tick.Load()).Dur("took", seen).Msg("a tick does not end")
			if mayRaise() {
				r.watch.lower()
			}
		}
		if show := max(hangStack, r.hangAfter()); before < show && seen >= show {
			stack := stackOf(r.watch.stack)
			r.watch.burning = runs(stack)
			r.log.Error().Uint32("after_tick", r.tick.Load()).Dur("took", seen).Bytes("stack", stack).Msg("where the tick is")
		}
		if seen >= max(HangTimeout, r.hangAfter()) && (r.watch.swap(heldByGame, heldByWatchdog) || r.watch.swap(lowered, heldByWatchdog)) {
			lowerThread(r.watch.thread.Load()) //nolint:errcheck // where the system cannot, it shares the cores
			r.strays.lose(r.watch.burning)
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
	r.keep()
	r.turnAway(endMatchFailed)
	r.crowd.writes = nil // nobody steps out: viewers belong to the engine
	for len(r.sessions) > 0 {
		r.release(r.sessions[len(r.sessions)-1], endMatchFailed)
	}
	r.crowd.close()
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

// runs tells from a goroutine's stack whether it keeps a processor busy: "goroutine 12 [running]:" or "[runnable]:".
func runs(stack []byte) bool {
	_, state, _ := bytes.Cut(stack, []byte("["))
	return bytes.HasPrefix(state, []byte("run"))
}
