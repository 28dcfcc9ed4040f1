package session

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/rs/zerolog"

	"skirmish/game"
)

// ErrNewHangs says that a game has not made a match within NewTimeout.
var ErrNewHangs = errors.New("session: the game takes too long to make a match")

// newEngine has the game make a match. That runs on a goroutine of its own, off every tick, and whoever waits for the match has
// an answer after NewTimeout at the latest: a game that goes on by then is a stray, and what it makes is thrown away. Whoever
// leaves earlier does not end it, so that no stray is overlooked.
func newEngine(ctx context.Context, cfg *RoomConfig, log zerolog.Logger) (*game.Engine, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), NewTimeout)
	defer cancel()
	type outcome struct {
		engine *game.Engine
		err    error
	}
	var stack atomic.Value  // of string: how the goroutine is called in a dump
	var thread atomic.Int32 // that the game runs on; 0: no more
	made := make(chan outcome, 1)
	match := cfg.Match // the game's own, should it stay
	go func() {        // not waited for if the game never returns; that is what Strays counts
		runtime.LockOSThread()
		id := threadID()
		thread.Store(id)
		stack.Store(ownStackHead())
		engine, err := game.NewEngine(ctx, cfg.Definition, &match)
		made <- outcome{engine, err}
		if thread.CompareAndSwap(id, 0) {
			runtime.UnlockOSThread()
		} // else it was lowered, and ends with its goroutine
	}()
	select {
	case o := <-made:
		return o.engine, o.err
	case <-ctx.Done():
	}
	head, _ := stack.Load().(string)
	where := stackOf(head)
	burning := runs(where)
	cfg.Strays.astray()
	cfg.Strays.lose(burning)
	if id := thread.Swap(0); id != 0 {
		lowerThread(id) //nolint:errcheck // where the system cannot, it shares the cores
	}
	log.Error().Dur("took", NewTimeout).Bytes("stack", where).Msg("the game does not finish making a match; its goroutine goes on")
	go func() {
		<-made
		cfg.Strays.back()
		cfg.Strays.found(burning)
	}()
	return nil, ErrNewHangs
}
