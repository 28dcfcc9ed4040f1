package gametest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"skirmish/game"
	"skirmish/game/replay"
)

// replay: a recording of a match, with people, bots, requests and signals in it, plays the same match again: from the
// start, and from checkpoints on the way.
func (s *suite) replay() error {
	rand := game.NewRand(s.o.Seed)
	var w *replay.Writer
	var last *match
	var fault error
	finish := func() error {
		if last == nil || fault != nil {
			return fault
		}
		w.End()
		return hint(s.replays(last, w.Cut(nil)), "a replay is fed with what came from outside, the inputs of bots included: "+
			"look for a View, a Focus or a Bot that changes the state, for state in unexported fields, and for what differs from run to run")
	}
	err := s.matches(func(seed uint64) ([]*match, error) {
		if fault = finish(); fault != nil {
			return nil, fault
		}
		x, err := s.newMatch(seed, nil)
		if err != nil {
			return nil, err
		}
		w, last = replay.NewWriter(x.Engine, replay.Options{Began: epoch, HashEvery: 1}), x
		x.Record(w)
		return []*match{x}, s.addBots(x)
	}, func(all []*match) error {
		x := all[0]
		if rand.IntN(10) == 0 {
			signal := s.signal(rand)
			x.Signal(signal.Op, signal.In) //nolint:errcheck // a no changes nothing, or it is part of the match
		}
		if _, over := x.Ended(); !over && rand.IntN(100) == 0 {
			return w.Checkpoint(nil)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return finish()
}

// addBots has the engine play the last seats, a third of them.
func (s *suite) addBots(x *match) error {
	if _, ok := s.d.Game.(game.Botter); !ok {
		return nil
	}
	for i := s.o.Players - s.o.Players/3; i < s.o.Players; i++ {
		err := x.Join(game.PlayerInfo{Seat: game.Seat(i + 1), ID: fmt.Sprintf("bot%d", i+1), Name: "Bot", Bot: true})
		if _, refused := errors.AsType[*game.RefusedError](err); err != nil && !refused {
			return err
		}
	}
	return nil
}

// replays plays the recording of x and compares.
func (s *suite) replays(x *match, stream []byte) error {
	at := func(err error) error { return fmt.Errorf("seed %d: %w", x.Match().Seed, err) }
	r, err := replay.Read(stream)
	if err != nil {
		return at(err)
	}
	d, err := game.Compile(s.newGame())
	if err != nil {
		return err
	}
	p, err := r.Play(context.Background(), d)
	if err != nil {
		return at(err)
	}
	for from := -1; from < len(r.Checkpoints()); from++ {
		if from >= 0 {
			if err := p.From(from); err != nil {
				return at(err)
			}
		}
		for err = nil; err == nil; {
			err = p.Step()
		}
		if err != io.EOF {
			if from >= 0 {
				err = fmt.Errorf("from the checkpoint at tick %d: %w", r.Checkpoints()[from].Tick, err)
			}
			return at(err)
		}
		if _, over := x.Ended(); over {
			continue
		}
		was, errWas := x.SaveState()
		is, errIs := p.Engine().SaveState()
		if err := errors.Join(errWas, errIs); err != nil {
			return at(err)
		}
		if !bytes.Equal(was, is) {
			return at(fmt.Errorf("tick %d: the match and its replay are in other states in the end", x.Now()))
		}
	}
	return nil
}
