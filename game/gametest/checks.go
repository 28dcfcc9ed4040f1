package gametest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"skirmish/game"
)

// matches plays matches one after the other until the options' ticks are used up. Each begins with make, which
// answers the engines to play alike; each is called after every tick.
func (s *suite) matches(make func(seed uint64) ([]*match, error), each func(all []*match) error) error {
	left := s.o.Ticks
	for n := uint64(0); left > 0; n++ {
		seed := s.o.Seed + n
		all, err := make(seed)
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		script := newScript(s.d, seed, s.o.Players, n%2 == 1)
		for range min(left, 600) {
			left--
			if err := script.act(all...); err != nil {
				return err
			}
			for _, x := range all {
				if err := x.tick(); err != nil {
					return err
				}
			}
			if err := each(all); err != nil {
				return err
			}
			if _, over := all[0].Ended(); over {
				break
			}
		}
	}
	return nil
}

// determinism: the same seed, parameters and inputs give the same state, rows and events, whatever other
// matches of the game run between.
func (s *suite) determinism() error {
	var noise *match
	var noises *script
	return s.matches(func(seed uint64) ([]*match, error) {
		var err error
		if noise, err = s.newMatch(seed+1e6, nil); err != nil {
			return nil, err
		}
		noises = newScript(s.d, seed+1e6, s.o.Players, true)
		return s.pair(seed, nil)
	}, func(all []*match) error {
		if err := noises.act(noise); err != nil {
			return err
		}
		if err := noise.tick(); err != nil {
			return err
		}
		return hint(compare(all[0], all[1]), "the same seed and inputs came out differently: "+
			"look for the order of a map's iteration, package variables, a clock, or random numbers from elsewhere than Tick.Rand")
	})
}

// pair makes two matches of one seed, the second one changed.
func (s *suite) pair(seed uint64, change func(*game.Match)) ([]*match, error) {
	a, err := s.newMatch(seed, nil)
	if err != nil {
		return nil, err
	}
	b, err := s.newMatch(seed, change)
	if err != nil {
		return nil, err
	}
	return []*match{a, b}, nil
}

// frame: Frame and Private only look. Twin matches capture at different rates; their states must not care.
func (s *suite) frame() error {
	if len(s.d.Spec.Rewind) > 0 {
		return s.looks()
	}
	other := s.d.Spec.TickRate
	if s.d.Spec.SnapshotRate == other {
		other = 1
	}
	return s.matches(func(seed uint64) ([]*match, error) {
		return s.pair(seed, func(m *game.Match) { m.SnapshotRate = other })
	}, func(all []*match) error {
		return hint(compare(all[0], all[1]), "the state depends on how often frames are captured: Frame and Private must not change it")
	})
}

// looks is frame for a game that rewinds.
func (s *suite) looks() error {
	var second *mirror
	return s.matches(func(seed uint64) ([]*match, error) {
		all, err := s.pair(seed, nil)
		if err == nil {
			second, err = s.newMirror(all[1])
		}
		return all, err
	}, func(all []*match) error {
		if err := second.look(); err != nil {
			return err
		}
		return hint(compare(all[0], all[1]), "the state depends on how often it is looked at: Frame and Private must not change it")
	})
}

// signals: whatever the back end sends is an answer, never a panic, and the same one in twin matches.
func (s *suite) signals() error {
	rand := game.NewRand(s.o.Seed)
	return s.matches(func(seed uint64) ([]*match, error) {
		return s.pair(seed, nil)
	}, func(all []*match) error {
		if rand.IntN(5) != 0 {
			return nil
		}
		signal := s.signal(rand)
		a, errA := all[0].Signal(signal.Op, signal.In)
		if errors.Is(errA, game.ErrNoSignals) || errors.Is(errA, game.ErrEnded) {
			return nil
		}
		b, errB := all[1].Signal(signal.Op, signal.In)
		if _, refused := errors.AsType[*game.SignalError](errA); errA != nil && !refused {
			return fmt.Errorf("signal %q with %s: %w", signal.Op, signal.In, errA)
		}
		if !bytes.Equal(a, b) || fmt.Sprint(errA) != fmt.Sprint(errB) {
			return fmt.Errorf("seed %d, tick %d: signal %q with %s is answered by %s (%v) and %s (%v) in twin matches",
				all[0].Match().Seed, all[0].Now(), signal.Op, signal.In, a, errA, b, errB)
		}
		return hint(compare(all[0], all[1]), fmt.Sprintf("after signal %q with %s", signal.Op, signal.In))
	})
}

// signal is one of the options' own or nonsense.
func (s *suite) signal(rand *game.Rand) Signal {
	ops := []string{"", "x", "no_such_signal", strings.Repeat("op", 100)}
	ins := []string{"", `null`, `{}`, `[]`, `0`, `-1e300`, `"x"`, `true`, `{"seat":1}`, `{"seat":65535,"team":-1}`, `{"a":{"b":[1,2,{}]}}`}
	signal := Signal{Op: ops[rand.IntN(len(ops))]}
	if n := len(s.o.Signals); n > 0 && rand.IntN(4) != 0 {
		signal = s.o.Signals[rand.IntN(n)]
		if rand.IntN(2) == 0 {
			return signal
		}
	}
	if in := ins[rand.IntN(len(ins))]; in != "" {
		signal.In = json.RawMessage(in)
	}
	return signal
}

// checkpoint: a match that goes on from its saved state plays like the one that never stopped.
func (s *suite) checkpoint() error {
	rand := game.NewRand(s.o.Seed)
	return s.matches(func(seed uint64) ([]*match, error) {
		return s.pair(seed, nil)
	}, func(all []*match) error {
		err := compare(all[0], all[1])
		if _, over := all[0].Ended(); err == nil && !over && rand.IntN(45) == 0 {
			all[1], err = s.restored(all[0])
		}
		return hint(err, "the match went on differently after its state was saved and restored: "+
			"state must lie in exported fields that msgpack brings back; unexported ones hold only what New makes again")
	})
}

// restored is a new match, brought to the state of x.
func (s *suite) restored(x *match) (*match, error) {
	b, err := x.SaveState()
	if err != nil {
		return nil, err
	}
	y, err := s.newMatch(x.Match().Seed, nil)
	if err != nil {
		return nil, err
	}
	if err := y.LoadState(b); err != nil {
		return nil, err
	}
	y.viewer = y.NewViewer(0)
	return y, compare(x, y.as(x))
}

// as makes the restored match tell of x's last tick, which it did not play itself.
func (y *match) as(x *match) *match {
	y.events = append(y.events[:0], x.events...)
	y.fresh = false
	return y
}

// bots: a match full of the game's own bots is as deterministic as one of people.
func (s *suite) bots() error {
	if _, ok := s.d.Game.(game.Botter); !ok {
		return nil
	}
	for n := range uint64(2) {
		all, err := s.pair(s.o.Seed+n, nil)
		if err != nil {
			return err
		}
		for _, x := range all {
			for i := range s.o.Players {
				err := x.Join(game.PlayerInfo{Seat: game.Seat(i + 1), ID: fmt.Sprintf("bot%d", i+1), Name: "Bot", Bot: true})
				if _, refused := errors.AsType[*game.RefusedError](err); err != nil && !refused {
					return err
				}
			}
		}
		for range s.o.Ticks / 2 {
			for _, x := range all {
				if err := x.tick(); err != nil {
					return err
				}
			}
			if err := compare(all[0], all[1]); err != nil {
				return hint(err, "bots played differently in twin matches: they may look at their View and their seed only")
			}
		}
	}
	return nil
}

// ranges: no row, private row or event ever leaves the ranges in the plan.
func (s *suite) ranges() error {
	return s.matches(func(seed uint64) ([]*match, error) {
		x, err := s.newMatch(seed, nil)
		return []*match{x}, err
	}, func(all []*match) error {
		if n, first := all[0].Clamped(); n > 0 {
			return fmt.Errorf("seed %d: %s: clamp it in Step, or widen min and max", all[0].Match().Seed, first)
		}
		return nil
	})
}

// params: whatever a matchmaker sends is an answer, never a panic, and quick play's own are good.
func (s *suite) params() error {
	if _, err := s.newMatch(s.o.Seed, func(m *game.Match) { m.Params = s.d.Spec.QuickPlay.Params }); err != nil {
		return fmt.Errorf("Spec.QuickPlay.Params: %w", err)
	}
	for _, p := range []string{`null`, `{}`, `[]`, `0`, `-1e300`, `"x"`, `true`, `{"no_such_field":1}`, `{"":null}`, `{"a":{"b":[1,2,{}]}}`, `{} {}`} {
		_, err := s.newMatch(s.o.Seed, func(m *game.Match) { m.Params = json.RawMessage(p) })
		if f, ok := errors.AsType[*game.PanicError](err); ok {
			return fmt.Errorf("params %s: New panics: %w\n%s", p, f, f.Stack)
		}
	}
	return nil
}

// rates: a match runs at any tick rate, or New says why not.
func (s *suite) rates() error {
	for _, hz := range []int{1, 7, 10, 20, 30, 60, 128, 240} {
		x, err := s.newMatch(s.o.Seed, func(m *game.Match) { m.TickRate, m.SnapshotRate = hz, hz })
		if f, ok := errors.AsType[*game.PanicError](err); ok {
			return fmt.Errorf("%d Hz: New panics: %w\n%s", hz, f, f.Stack)
		}
		if err != nil {
			continue
		}
		script := newScript(s.d, s.o.Seed, s.o.Players, true)
		for range 2 * hz {
			if err := script.act(x); err != nil {
				return fmt.Errorf("%d Hz: %w", hz, err)
			}
			if err := x.tick(); err != nil {
				return fmt.Errorf("%d Hz: %w", hz, err)
			}
		}
		if n, first := x.Clamped(); n > 0 {
			return fmt.Errorf("%d Hz: %s", hz, first)
		}
	}
	return nil
}

// endings: an empty match, one that everybody leaves and one that is stopped all come to an orderly end.
func (s *suite) endings() error {
	for _, why := range []game.Reason{game.ReasonTimeout, game.ReasonEmpty, game.ReasonForce} {
		x, err := s.newMatch(s.o.Seed, nil)
		if err != nil {
			return err
		}
		for range 30 {
			if err := x.tick(); err != nil {
				return err
			}
		}
		script := newScript(s.d, s.o.Seed, s.o.Players, false)
		for range 90 {
			if err := script.act(x); err != nil {
				return err
			}
			if err := x.tick(); err != nil {
				return err
			}
		}
		if why == game.ReasonEmpty {
			for i := range s.o.Players {
				x.Leave(game.Seat(i+1), game.ReasonLeft)
			}
			for range 30 {
				if err := x.tick(); err != nil {
					return err
				}
			}
		}
		_, over := x.Ended()
		x.Stop(why)
		if end, ok := x.Ended(); !ok || !over && end.Reason != why {
			return fmt.Errorf("stopped with %q, it ended with %q", why, end.Reason)
		}
		if err := x.tick(); err != nil {
			return err
		}
	}
	return nil
}

// hint adds what to look for.
func hint(err error, text string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n\t(%s)", err, text)
}
