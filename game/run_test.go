package game_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"skirmish/game"
)

// watch gathers what an observer is told.
type watch struct {
	ticks, missed int
	late          time.Duration // the most
}

func (w *watch) Ticked(lateness, _ time.Duration, missed int) {
	w.ticks++
	w.missed += missed
	w.late = max(w.late, lateness)
}

// links runs hooks in the place of a host.
type links struct {
	collect func(time.Time)
	deliver func(time.Time, bool)
}

func (l links) Collect(now time.Time) {
	if l.collect != nil {
		l.collect(now)
	}
}

func (l links) Deliver(now time.Time, frame bool) {
	if l.deliver != nil {
		l.deliver(now, frame)
	}
}

func TestRunTicksExactly(t *testing.T) {
	for _, hz := range []int{1, 7, 20, 60, 128, 240} {
		t.Run(fmt.Sprintf("%d Hz", hz), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newToy(t, &toy{}, func(m *game.Match) { m.TickRate, m.SnapshotRate = hz, hz })
				const minutes = 3
				ctx, cancel := context.WithTimeout(t.Context(), minutes*time.Minute)
				defer cancel()
				w, frames := &watch{}, 0
				var last time.Time
				err := e.Run(ctx, links{deliver: func(now time.Time, frame bool) {
					last = now
					if frame {
						frames++
					}
				}}, w)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Run returned %v", err)
				}
				if want := minutes*60*hz + 1; w.ticks != want || int(e.Now()) != want || frames != want {
					t.Errorf("%d ticks, step %d, %d frames, want %d", w.ticks, e.Now(), frames, want)
				}
				if w.missed != 0 || w.late != 0 {
					t.Errorf("%d missed, %v late", w.missed, w.late)
				}
				if !e.At().Equal(last) {
					t.Errorf("the last tick was due %v and ran %v", e.At(), last)
				}
			})
		})
	}
}

func TestRunBeginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newToy(t, &toy{}, func(m *game.Match) { m.TickRate, m.SnapshotRate = 20, 20 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin, w := time.Now(), &watch{}
		var ticked []time.Duration
		var stood []time.Time // what the ticks stand for
		e.Run(ctx, links{deliver: func(now time.Time, _ bool) {
			ticked, stood = append(ticked, now.Sub(begin)), append(stood, e.At())
		}}, w)
		if ticked[0] != 0 || w.late != 0 {
			t.Errorf("the first tick came after %v, the latest was %v late", ticked[0], w.late)
		}
		for i := range stood[1:] {
			if d := stood[i+1].Sub(stood[i]); d != 50*time.Millisecond {
				t.Fatalf("ticks %d and %d stand for moments %v apart", i+1, i+2, d)
			}
		}
	})
}

// host wakes a match between its ticks.
type host struct {
	links
	waking  chan struct{}
	between func(time.Time)
}

func (h host) Waking() <-chan struct{} { return h.waking }
func (h host) Between(now time.Time)   { h.between(now) }

func TestRunWakesBetweenTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newToy(t, &toy{}, func(m *game.Match) { m.TickRate, m.SnapshotRate = 10, 10 })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		w, begin, woken := &watch{}, time.Now(), []time.Duration{}
		h := host{waking: make(chan struct{}, 1)}
		h.between = func(time.Time) { woken = append(woken, time.Since(begin)) }
		at := []time.Duration{7 * time.Millisecond, 7 * time.Millisecond, 333 * time.Millisecond, 1777 * time.Millisecond}
		for _, d := range at {
			time.AfterFunc(d, func() { h.waking <- struct{}{} })
		}
		e.Run(ctx, h, w)
		if fmt.Sprint(woken) != fmt.Sprint(at) {
			t.Errorf("woken after %v, want %v", woken, at)
		}
		if w.ticks != 21 || w.late != 0 {
			t.Errorf("%d ticks, the latest %v late: waking must not move them", w.ticks, w.late)
		}
	})
}

func TestRunOverload(t *testing.T) {
	// A step that takes n periods, once or always: how many ticks run, how many are missed.
	for _, c := range []struct {
		name   string
		takes  float64 // periods
		always bool
		missed int // of 600 periods
		late   float64
	}{
		{"once 3 periods: all are caught up", 3, false, 0, 2},
		{"once 5 periods: the bound", 5, false, 0, 4},
		{"once 10 periods: 4 and the present one run, 5 are missed", 10, false, 5, 4},
		{"once 1,000 periods: nothing but the present is left", 1000, false, 995, 4},
		{"always 0.9 periods: in time", 0.9, true, 0, 0},
		{"always 3 periods: a third runs", 3, true, 400, 5},
		{"always 10 periods: a tenth runs", 10, true, 540, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const hz = 100
				period := time.Second / hz
				g := &toy{}
				g.hooks.step = func(t *game.Tick) {
					if c.always || t.Now() == 5 {
						time.Sleep(time.Duration(c.takes * float64(period)))
					}
				}
				e := newToy(t, g, func(m *game.Match) { m.TickRate, m.SnapshotRate = hz, hz })
				span := 600 * period
				if !c.always {
					span += time.Duration(c.takes) * period
				}
				ctx, cancel := context.WithTimeout(t.Context(), span)
				defer cancel()
				w := &watch{}
				e.Run(ctx, nil, w)
				places := int(span / period)
				if got := w.ticks + w.missed; got < places-10 || got > places+10 {
					t.Errorf("%d ticks and %d missed are not the %d places of the grid", w.ticks, w.missed, places)
				}
				if slack := 10; c.always && (w.missed < c.missed-slack || w.missed > c.missed+slack) || !c.always && w.missed != c.missed {
					t.Errorf("%d missed, want %d", w.missed, c.missed)
				}
				if most := time.Duration(c.late * float64(period)); w.late > most {
					t.Errorf("a tick began %v late, at most %v is allowed", w.late, most)
				}
			})
		})
	}
}

func TestRunOverrunRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hz = 50
		g := &toy{}
		var started []time.Duration
		begin := time.Now()
		g.hooks.step = func(t *game.Tick) {
			started = append(started, time.Since(begin))
			if t.Now() == 3 {
				time.Sleep(time.Second)
			}
		}
		e := newToy(t, g, func(m *game.Match) { m.TickRate, m.SnapshotRate = hz, hz })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		w := &watch{}
		e.Run(ctx, nil, w)
		// After the second of step 3 four ticks catch up, the next is on the grid again.
		period := time.Second / hz
		for i, at := range started[8:] {
			if (at-started[1])%period != 0 {
				t.Fatalf("step %d began %v after the second: off the grid", i+9, at-started[1])
			}
		}
		if w.missed != 50-1-game.MaxCatchUp {
			t.Errorf("%d missed", w.missed)
		}
	})
}

func TestRunEnds(t *testing.T) {
	t.Run("when the context is done, with its cause", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cause := errors.New("the node goes down")
			ctx, cancel := context.WithCancelCause(t.Context())
			e := newToy(t, &toy{}, nil)
			time.AfterFunc(1500*time.Millisecond, func() { cancel(cause) })
			if err := e.Run(ctx, nil, nil); err != cause {
				t.Errorf("Run returned %v", err)
			}
			if _, over := e.Ended(); over {
				t.Error("a match that was only let go has ended")
			}
		})
	})
	t.Run("when the context is done and every step overruns", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := &toy{}
			g.hooks.step = func(*game.Tick) { time.Sleep(time.Second) }
			e := newToy(t, g, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := e.Run(ctx, nil, nil); err != context.DeadlineExceeded {
				t.Errorf("Run returned %v", err)
			}
		})
	})
	t.Run("after the tick in which the game finishes, which is delivered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := &toy{}
			g.hooks.step = func(t *game.Tick) {
				if t.Now() == 7 {
					t.Finish(map[string]int{"winner": 3})
					t.Finish("too late")
				}
			}
			e := newToy(t, g, nil)
			delivered, framed := uint32(0), false
			err := e.Run(t.Context(), links{deliver: func(_ time.Time, frame bool) { delivered, framed = e.Now(), frame }}, nil)
			end, over := e.Ended()
			if err != nil || !over || end.Reason != game.ReasonFinished || string(end.Result) != `{"winner":3}` || end.Tick != 7 {
				t.Errorf("%v, ended %v with %+v", err, over, end)
			}
			if delivered != 7 || !framed {
				t.Errorf("the last delivery was of tick %d, frame %v", delivered, framed)
			}
		})
	})
	t.Run("when the host stops it in Collect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := &toy{}
			g.hooks.stop = func(t *game.Tick, why game.Reason) { t.Finish(string(why)) }
			e := newToy(t, g, nil)
			err := e.Run(t.Context(), links{collect: func(time.Time) {
				if e.Now() == 3 {
					e.Stop(game.ReasonTimeout)
				}
			}}, nil)
			end, over := e.Ended()
			if err != nil || !over || end.Reason != game.ReasonTimeout || string(end.Result) != `"timeout"` || end.Tick != 3 {
				t.Errorf("%v, ended %v with %+v", err, over, end)
			}
		})
	})
}

func TestRunCatchesPanics(t *testing.T) {
	bad := errors.New("bad day")
	for call, set := range map[string]func(*hooks){
		"Admit":   func(h *hooks) { h.admit = func(*game.Tick, *game.Player) error { panic(bad) } },
		"Join":    func(h *hooks) { h.join = func(*game.Tick, *game.Player) { panic(bad) } },
		"Leave":   func(h *hooks) { h.leave = func(*game.Tick, *game.Player, game.Reason) { panic(bad) } },
		"Step":    func(h *hooks) { h.step = func(*game.Tick) { panic(bad) } },
		"Frame":   func(h *hooks) { h.frame = func(*game.Frame) { panic(bad) } },
		"Private": func(h *hooks) { h.private = func(*game.Player, *SelfRow) { panic(bad) } },
		"Request": func(h *hooks) {
			h.request = func(*game.Tick, *game.Player, uint16, []byte) ([]byte, error) { panic(bad) }
		},
		"Stop":    func(h *hooks) { h.stop = func(*game.Tick, game.Reason) { panic(bad) } },
		"Think":   func(h *hooks) { h.think = func(*game.View, *toyInput) { panic(bad) } },
		"Collect": func(*hooks) {},
	} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &toy{}
				set(&g.hooks)
				e := newToy(t, g, nil)
				host := func(time.Time) {
					switch e.Now() {
					case 0:
						e.Join(game.PlayerInfo{Seat: 1})
						e.Join(game.PlayerInfo{Seat: 2, Bot: true})
					case 5:
						e.Request(1, 1, nil)
					case 6:
						e.Leave(1, game.ReasonLeft)
					case 8:
						e.Stop(game.ReasonForce)
						panic(bad)
					}
				}
				// A second match of the same game type, without hooks, must not notice.
				other := newToy(t, &toy{}, nil)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				done := make(chan error)
				go func() { done <- other.Run(ctx, nil, nil) }()

				err := e.Run(ctx, links{collect: host}, nil)
				p, ok := errors.AsType[*game.PanicError](err)
				if !ok || p.Call != call || p.Value != bad || !errors.Is(err, bad) {
					t.Fatalf("Run returned %v", err)
				}
				if !strings.Contains(string(p.Stack), "run_test.go") {
					t.Errorf("the stack does not show the culprit:\n%s", p.Stack)
				}
				if end, over := e.Ended(); !over || end.Reason != game.ReasonAborted {
					t.Errorf("ended %v with %+v", over, end)
				}
				if err := <-done; err != context.DeadlineExceeded || other.Now() != 61 {
					t.Errorf("the other match: %v at tick %d", err, other.Now())
				}
			})
		})
	}
}

func TestNewEngine(t *testing.T) {
	bad := errors.New("params.map: no such map")
	g := &toy{}
	d, err := game.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the game's no comes as it is", func(t *testing.T) {
		g.hooks.new = func(*game.Match) error { return bad }
		if _, err := game.NewEngine(t.Context(), d, d.NewMatch("m", 1, nil)); err != bad {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a panic is an error", func(t *testing.T) {
		g.hooks.new = func(*game.Match) error { panic("no") }
		_, err := game.NewEngine(t.Context(), d, d.NewMatch("m", 1, nil))
		if p, ok := errors.AsType[*game.PanicError](err); !ok || p.Call != "New" {
			t.Errorf("got %v", err)
		}
	})
	g.hooks.new = nil
	t.Run("all faults of a match at once", func(t *testing.T) {
		_, err := game.NewEngine(t.Context(), d, &game.Match{Game: "chess", TickRate: 60, SnapshotRate: 25, Players: 401})
		for _, want := range []string{`"chess"`, "snapshot_rate 25", "players 401"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not tell of %s", err, want)
			}
		}
	})
}

// A match that needs longer for its ticks than they may take drops ticks of its own; those beside it begin each of theirs on
// time.
func TestAnOverrunIsTheMatchsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var group sync.WaitGroup
		seen := make([]watch, 8)
		for i := range seen {
			l := links{}
			if i == 3 {
				l.deliver = func(time.Time, bool) { time.Sleep(170 * time.Millisecond) }
			}
			e := newToy(t, &toy{}, func(m *game.Match) { m.ID, m.TickRate, m.SnapshotRate = fmt.Sprint("match ", i), 20, 20 })
			group.Go(func() { _ = e.Run(ctx, l, &seen[i]) })
		}
		group.Wait()
		for i, w := range seen {
			switch overruns := i == 3; {
			case overruns && (w.missed < 700 || w.late < 100*time.Millisecond):
				t.Errorf("the match that overruns: %d ticks missed, %v late", w.missed, w.late)
			case !overruns && (w.missed != 0 || w.late != 0 || w.ticks != 60*20+1):
				t.Errorf("match %d beside it: %d ticks, %d missed, %v late", i, w.ticks, w.missed, w.late)
			}
		}
	})
}
