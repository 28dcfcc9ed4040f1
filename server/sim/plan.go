package sim

import (
	"errors"
	"time"

	"skirmish/server/journal"
	"skirmish/server/sim/network"
)

// errDisk is what a disk says that fails.
var errDisk = errors.New("sim: input/output error")

// mood is how something does for a while.
type mood int

const (
	well mood = iota
	sinkDown
	sinkWrong
	diskFails
	diskFull
	diskSlow
)

// spell is a time of a mood.
type spell struct {
	mood     mood
	from, to time.Time
}

// moodAt is how the sink does at a time.
func (w *World) moodAt(at time.Time) mood { return w.spellAt(at, sinkDown, sinkWrong) }

func (w *World) spellAt(at time.Time, kinds ...mood) mood {
	for _, s := range w.moods {
		for _, k := range kinds {
			if s.mood == k && !at.Before(s.from) && at.Before(s.to) {
				return k
			}
		}
	}
	return well
}

// diskDelay is how long a call of the disk takes. Safe from any goroutine.
func (w *World) diskDelay(call, about string) time.Duration {
	w.giveWay()
	now := time.Now()
	luck := w.luck("disk", call, about, now.UnixNano())
	d := 50_000 + luck.Int64N(3_000_000)
	if !w.healed.Load() && w.spellAt(now, diskSlow) != well {
		d = luck.Int64N(400_000_000)
		w.fault("disk slow")
	}
	w.trace.add("disk "+about, call)
	return time.Duration(d)
}

// diskFault is the error of a call of the disk. Safe from any goroutine.
func (w *World) diskFault(call string) error {
	if w.healed.Load() {
		return nil
	}
	switch w.spellAt(time.Now(), diskFails, diskFull) {
	case diskFails:
		w.fault("disk fails")
		return errDisk
	case diskFull:
		if call == "Append" {
			w.fault("disk full")
			return journal.ErrFull
		}
	}
	return nil
}

// plan draws the story. All of it comes from one source, in one order.
func (w *World) plan() {
	length := w.between(100*time.Second, 400*time.Second)
	w.until = w.began.Add(length)
	within := func() time.Duration { return w.between(time.Second, length-10*time.Second) }
	for range 2 + w.rand.IntN(5) {
		w.in(within(), w.newMatch)
	}
	some := func(most int, f func(at time.Duration)) {
		for range w.rand.IntN(most + 1) {
			f(within())
		}
	}
	spells := func(most int, kind mood, longest time.Duration) {
		some(most, func(at time.Duration) {
			from := w.began.Add(at)
			w.moods = append(w.moods, spell{kind, from, from.Add(w.between(0, longest))})
		})
	}
	spells(2, sinkDown, 60*time.Second)
	spells(2, sinkWrong, 60*time.Second)
	spells(1, diskFails, 8*time.Second)
	spells(1, diskFull, 8*time.Second)
	spells(2, diskSlow, 20*time.Second)
	some(2, func(at time.Duration) {
		power := w.rand.IntN(3) == 0
		w.in(at, func() { w.crash(power) })
	})
	if w.rand.IntN(3) == 0 {
		w.in(within(), w.restart)
	}
}

// link draws a connection's link.
func (w *World) link() network.Link {
	l := network.Link{Seed: w.rand.Uint64(), Delay: w.between(time.Millisecond, 60*time.Millisecond)}
	switch w.rand.IntN(4) {
	case 0:
		l.Jitter = w.between(0, 80*time.Millisecond)
	case 1:
		l.Delay = w.between(50*time.Millisecond, 300*time.Millisecond)
	}
	if w.rand.IntN(3) == 0 {
		l.Piece = 1 + w.rand.IntN(400)
		w.fault("link in pieces")
	}
	if w.rand.IntN(6) == 0 {
		l.Rate = 2000 + w.rand.IntN(30_000)
		w.fault("link slow")
	}
	if w.rand.IntN(6) == 0 {
		l.Buffer = 2000 + w.rand.IntN(20_000)
		w.fault("link with a small buffer")
	}
	at := time.Duration(0)
	for range w.rand.IntN(3) {
		at += w.between(time.Second, 20*time.Second)
		end := at + w.between(10*time.Millisecond, 3*time.Second)
		l.Stalls = append(l.Stalls, network.Stall{From: at, To: end})
		at = end
		w.fault("link stalls")
	}
	return l
}
