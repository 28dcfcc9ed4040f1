package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sort"
	"time"

	"skirmish/game"
)

// Player plays a recording on an engine of its own, and holds the replay against what was recorded of the match. One
// goroutine owns it.
type Player struct {
	r      *Recording
	ctx    context.Context
	d      *game.Definition
	links  game.Links
	engine *game.Engine
	x      expected
	chunk  int // the next one
	c      cursor
	op     op
	steps  uint32 // that the recording has gone
	checks Checks
}

// Checks counts what a replay was compared in.
type Checks struct {
	Digests     int // one per step
	Hashes      int // of the whole state
	Checkpoints int // byte for byte
}

// Play begins to play r as a match of d, from the start: ErrGame, or what the game has against the match.
func (r *Recording) Play(ctx context.Context, d *game.Definition) (*Player, error) {
	h := &r.Head
	switch {
	case h.Match.Game != d.Spec.Name:
		return nil, fmt.Errorf("%w: it is of %q, not of %q", ErrGame, h.Match.Game, d.Spec.Name)
	case h.PlanHash != d.PlanHash || h.GameVersion != d.Spec.Version || h.Fields != len(d.Plan.Input.Fields):
		return nil, fmt.Errorf("%w: it is of %s %s with plan %08x, this program has %s with plan %08x",
			ErrGame, h.Match.Game, h.GameVersion, h.PlanHash, d.Spec.Version, d.PlanHash)
	}
	p := &Player{r: r, ctx: ctx, d: d, x: expected{fields: h.Fields}}
	return p, p.rewind()
}

// Adopt begins to play r from its last checkpoint, to go on with the match: see Release. d may be of a newer version that
// accepts the recorded one; then steps may come out differently, which Step tells and which ends nothing. ErrGame, ErrCorrupt.
func (r *Recording) Adopt(ctx context.Context, d *game.Definition) (*Player, error) {
	h := &r.Head
	switch {
	case h.Match.Game != d.Spec.Name || !d.Accepts(h.GameVersion):
		return nil, fmt.Errorf("%w: it is of %s %s, and this is %s %s", ErrGame, h.Match.Game, h.GameVersion, d.Spec.Name, d.Spec.Version)
	case h.Fields != len(d.Plan.Input.Fields):
		return nil, fmt.Errorf("%w: its inputs have %d fields, those of this program have %d", ErrGame, h.Fields, len(d.Plan.Input.Fields))
	case len(r.points) == 0:
		return nil, fmt.Errorf("%w: it has no checkpoint", ErrCorrupt)
	}
	p := &Player{r: r, ctx: ctx, d: d, x: expected{fields: h.Fields}}
	return p, p.From(len(r.points) - 1)
}

// rewind goes back to the start.
func (p *Player) rewind() error {
	m := p.r.Head.Match
	m.SpectatorDelay = 0 // who watches a replay waits for nobody
	e, err := game.NewEngine(p.ctx, p.d, &m)
	if err != nil {
		return fmt.Errorf("replay: make the match again: %w", err)
	}
	e.Replay(true)
	e.Attach(p.links)
	p.engine, p.chunk, p.c, p.steps = e, 0, cursor{}, 0
	p.x.forget()
	return nil
}

// Recording is what is played.
func (p *Player) Recording() *Recording { return p.r }

// Engine is the one that plays. It is another one after Seek.
func (p *Player) Engine() *game.Engine { return p.engine }

// Attach sets the host's part of the ticks to come: Deliver sees each frame as the match's own host did.
func (p *Player) Attach(l game.Links) {
	p.links = l
	p.engine.Attach(l)
}

// Checks counts what has been compared so far.
func (p *Player) Checks() Checks { return p.checks }

// Release hands the engine over to be played on: its bots think again. The player is of no use after it.
func (p *Player) Release() *game.Engine {
	p.engine.Replay(false)
	return p.engine
}

// Step plays up to the end of the next step. io.EOF tells that there is none: whatever was recorded behind the last one
// has happened then. A *DivergedError tells where the replay is not the match, ErrCorrupt that what was recorded makes
// no sense, a *game.PanicError that the game panicked, as it may have in the match.
func (p *Player) Step() (err error) {
	defer caught(&err)
	for {
		if len(p.c.b) == 0 {
			if err := p.next(); err != nil {
				return err
			}
			continue
		}
		if err := p.op.read(&p.c, &p.x); err != nil {
			return err
		}
		if err := p.apply(); err != nil {
			return err
		}
		if p.op.kind == opStep && (len(p.c.b) == 0 || p.c.b[0] != opHash) || p.op.kind == opHash {
			return nil
		}
	}
}

// caught turns a panic of the game into an error.
func caught(err *error) {
	if v := recover(); v != nil {
		*err = &game.PanicError{Call: "a replay", Value: v, Stack: debug.Stack()}
	}
}

// next goes on to the next chunk.
func (p *Player) next() error {
	if p.chunk == len(p.r.chunks) {
		return p.finish()
	}
	c := &p.r.chunks[p.chunk]
	if c.tick != p.steps {
		return fmt.Errorf("%w: tick %d is followed by what happened after tick %d", ErrCorrupt, p.steps, c.tick)
	}
	p.chunk++
	if c.kind == kindTicks {
		p.c = cursor{b: c.payload}
		return nil
	}
	p.x.forget()
	if c.kind == kindForget {
		return nil
	}
	want, err := p.r.points[c.point].State()
	if err != nil {
		return err
	}
	state, err := p.engine.SaveState()
	if err != nil {
		return fmt.Errorf("%w: a checkpoint behind the end", ErrCorrupt)
	}
	if bytes.Equal(state, want) {
		p.checks.Checkpoints++
		return nil
	}
	// A program of before may have written the same state in other bytes.
	m := p.r.Head.Match
	then, err := game.NewEngine(p.ctx, p.d, &m)
	if err == nil {
		err = then.LoadState(want)
	}
	if err != nil || then.Hash() != p.engine.Hash() {
		return p.diverged("the checkpoint is another")
	}
	p.checks.Hashes++
	return nil
}

// finish is the end of the recording. What came after the last step may have ended the match before the next one, or in
// it by a panic.
func (p *Player) finish() error {
	want := p.r.End
	if _, over := p.engine.Ended(); over || want != nil {
		p.engine.Tick(p.time(p.steps + 1)) // of a match that has ended it captures the last frame
	}
	end, over := p.engine.Ended()
	switch {
	case want == nil, !over && want.Reason == game.ReasonAborted: // by a fault of the host
		return io.EOF
	case !over:
		return p.diverged(fmt.Sprintf("the match ended here (%s), the replay did not", want.Reason))
	case end.Reason != want.Reason || end.Tick != want.Tick || string(end.Result) != string(want.Result):
		return p.diverged(fmt.Sprintf("the match ended at tick %d (%s), the replay at %d (%s)", want.Tick, want.Reason, end.Tick, end.Reason))
	}
	return io.EOF
}

func (p *Player) diverged(what string) error { return &DivergedError{Tick: p.steps, What: what} }

// time is that of a step.
func (p *Player) time(tick uint32) time.Time {
	rate := time.Duration(p.r.Head.Match.TickRate)
	n := time.Duration(tick)
	return p.r.Head.Began.Add(n/rate*time.Second + n%rate*time.Second/rate)
}

// apply has happen what was recorded.
func (p *Player) apply() error {
	e, o := p.engine, &p.op
	switch o.kind {
	case opStep:
		return p.step()
	case opHash:
		if o.hash != e.Hash() {
			return p.diverged("the state hashes to another number")
		}
		p.checks.Hashes++
	case opJoin:
		err := e.Join(o.info)
		if _, refused := errors.AsType[*game.RefusedError](err); err != nil && !refused {
			return p.nonsense("a player joins", err)
		}
	case opLeave:
		e.Leave(o.seat, o.reason)
	case opLost, opBack:
		e.SetLost(o.seat, o.kind == opLost)
	case opInput:
		if _, err := e.Push(o.seat, &o.input, p.time(p.steps+1).UnixNano()); err != nil {
			return p.nonsense("an input comes", err)
		}
	case opThought:
		if err := e.Steer(o.seat, o.values); err != nil {
			return p.nonsense("a bot acts", err)
		}
	case opRequest:
		e.Request(o.seat, o.code, o.payload)
	case opSignal:
		e.Signal(o.name, o.payload) //nolint:errcheck // the answer was another's
	case opStop:
		e.Stop(o.reason)
	}
	return nil
}

func (p *Player) nonsense(what string, err error) error {
	return fmt.Errorf("%w: after tick %d %s: %w", ErrCorrupt, p.steps, what, err)
}

func (p *Player) step() error {
	if _, over := p.engine.Ended(); over {
		return p.diverged("the match goes on, the replay has ended")
	}
	p.steps++
	p.engine.Tick(p.time(p.steps))
	if uint16(p.engine.Digest()) != p.op.digest {
		return p.diverged("the rows, the events or the random source")
	}
	p.checks.Digests++
	return nil
}

// Run plays to the end of step tick: ErrNoTick when the recording ends before, or what Step returns.
func (p *Player) Run(tick uint32) error {
	for p.engine.Now() < tick {
		if err := p.Step(); err == io.EOF {
			return fmt.Errorf("%w: %d, it ends at %d", ErrNoTick, tick, p.steps)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Seek goes to the end of step tick, forward or back, by way of the last checkpoint before it.
func (p *Player) Seek(tick uint32) error {
	points := p.r.points
	n := sort.Search(len(points), func(i int) bool { return points[i].Tick > tick }) - 1
	switch now := p.engine.Now(); {
	case n >= 0 && (tick < now || points[n].Tick > now):
		if err := p.From(n); err != nil {
			return err
		}
	case tick < now:
		if err := p.rewind(); err != nil {
			return err
		}
	}
	return p.Run(tick)
}

// From goes to checkpoint n: ErrCorrupt.
func (p *Player) From(n int) (err error) {
	defer caught(&err)
	if err := p.rewind(); err != nil {
		return err
	}
	c := &p.r.points[n]
	state, err := c.State()
	if err != nil {
		return err
	}
	if err := p.engine.LoadState(state); err != nil {
		return fmt.Errorf("%w: checkpoint at tick %d: %w", ErrCorrupt, c.Tick, err)
	}
	p.chunk, p.steps = c.chunk+1, c.Tick
	return nil
}
