package game

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"skirmish/protocol"
)

// Engine runs one match: its simulation, players, frames and events. One goroutine owns it, the one that calls
// Run or Tick; every method is for that goroutine, inside Collect and Deliver or between two calls of Tick.
type Engine struct {
	def   *Definition
	match *Match
	sim   Sim
	links Links

	admitter  Admitter  // the sim's optional parts, nil if it has none
	requester Requester //
	signaler  Signaler  //
	privater  Privater  //
	stopper   Stopper   //
	focuser   Focuser   //
	seer      Seer      //
	botter    Botter    // the game's

	rand    Rand
	tick    uint32    // the last step begun
	now     time.Time // when this tick began
	at      time.Time // when this tick was due: what its number stands for
	every   uint32    // ticks per frame
	idle    int       // ticks until a lost player's input is neutral
	calling string    // what runs now, for PanicError

	seats   []*Player // by seat, whom the host has joined
	taken   int       // of seats
	players []*Player // in seat order, whom the sim knows
	pending []change
	kicks   []Kicked

	frames  frames
	events  events
	history history
	gather  *gather // nil: everybody sees everything
	delayed *delay  // what spectators see, nil: what is
	fresh   bool    // this tick captured a frame
	stepped bool    // this tick advanced the simulation

	recorder  Recorder
	recorded  protocol.Input // scratch for Recorder.Input
	digest    []byte         // scratch for Digest
	replaying bool           // bots do what Steer says

	over   bool
	ending Ending

	used    [4]uint64 // inputs by status, since the start
	clamps  int
	clamped string

	tk         Tick
	fr         Frame
	privateRow reflect.Value // scratch for Privater
	privateAny any           // the same, as a pointer
}

// Links is the host's part of a tick: connections. Both run on the match's goroutine and must not block.
type Links interface {
	// Collect takes in what has arrived: it calls Join, Leave, Push, Request and so on.
	Collect(now time.Time)
	// Deliver sends what is new. Frame tells that this tick captured a new frame.
	Deliver(now time.Time, frame bool)
}

// Kicked is a player that the game wants removed.
type Kicked struct {
	Seat Seat
	Text string // at most protocol.MaxReasonBytes
}

// Ending tells how a match ended.
type Ending struct {
	Reason Reason
	Tick   uint32          // the last step
	Result json.RawMessage // nil: the game gave none
}

// NewEngine makes the simulation of m. A *PanicError is the game's fault; any other error is what the game has
// against m, for the matchmaker.
func NewEngine(ctx context.Context, d *Definition, m *Match) (e *Engine, err error) {
	if err := d.checkMatch(m); err != nil {
		return nil, err
	}
	e = &Engine{def: d, match: m, calling: "New", links: noLinks{}}
	defer func() {
		if v := recover(); v != nil {
			e, err = nil, &PanicError{Call: e.calling, Value: v, Stack: debug.Stack()}
		}
	}()
	e.sim, err = d.Game.New(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := e.takeSim(); err != nil {
		return nil, err
	}
	e.rand.Seed(m.Seed)
	e.every = uint32(m.TickRate / m.SnapshotRate)
	e.idle = int(idleNeutral * time.Duration(m.TickRate) / time.Second)
	e.history.init(d.rewind, m.SnapshotRate)
	if d.interest(m) != (Interest{}) || e.seer != nil {
		e.gathering()
	}
	e.delayed = newDelay(d, m)
	e.tk.e, e.fr.e = e, e
	if d.private != nil && e.privater != nil {
		e.privateRow = reflect.New(d.private.typ)
		e.privateAny = e.privateRow.Interface()
		e.privateRow = e.privateRow.Elem()
	}
	return e, nil
}

// takeSim finds the optional parts of the sim and checks that it can be saved.
func (e *Engine) takeSim() error {
	v := reflect.ValueOf(e.sim)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("game %q: New must return a pointer to a struct, not %T", e.def.Spec.Name, e.sim)
	}
	e.admitter, _ = e.sim.(Admitter)
	e.requester, _ = e.sim.(Requester)
	e.signaler, _ = e.sim.(Signaler)
	e.privater, _ = e.sim.(Privater)
	e.stopper, _ = e.sim.(Stopper)
	e.focuser, _ = e.sim.(Focuser)
	e.seer, _ = e.sim.(Seer)
	e.botter, _ = e.def.Game.(Botter)
	return nil
}

// checkMatch tells every fault of a match that its game need not look at.
func (d *Definition) checkMatch(m *Match) error {
	var faults []error
	if m.Game != d.Spec.Name {
		faults = append(faults, fmt.Errorf("game %q is not %q", m.Game, d.Spec.Name))
	}
	if m.TickRate < MinTickRate || m.TickRate > MaxTickRate {
		faults = append(faults, fmt.Errorf("tick_rate %d Hz is not in %d to %d", m.TickRate, MinTickRate, MaxTickRate))
	}
	if m.SnapshotRate < 1 || m.TickRate%max(m.SnapshotRate, 1) != 0 {
		faults = append(faults, fmt.Errorf("snapshot_rate %d Hz does not divide tick_rate %d Hz", m.SnapshotRate, m.TickRate))
	}
	if m.Players < 1 || m.Players > d.Spec.MaxPlayers {
		faults = append(faults, fmt.Errorf("players %d is not in 1 to %d", m.Players, d.Spec.MaxPlayers))
	}
	if m.SpectatorDelay < 0 || m.SpectatorDelay > MaxSpectatorDelay {
		faults = append(faults, fmt.Errorf("spectator delay %v is not in 0 to %v", m.SpectatorDelay, MaxSpectatorDelay))
	}
	return errors.Join(faults...)
}

// Attach sets the host's part of the tick for the calls of Tick that follow. Run attaches its own.
func (e *Engine) Attach(l Links) {
	if e.links = l; l == nil {
		e.links = noLinks{}
	}
}

// Tick runs one tick at once, by the same recipe as Run: for tests, benchmarks and replays. A panic of the game
// is the caller's. After the end it still calls Collect and Deliver.
func (e *Engine) Tick(now time.Time) { e.frame(now, now) }

// frame is one tick: take in, let in, step, capture, record, hold back from spectators, send.
func (e *Engine) frame(now, due time.Time) {
	e.now, e.at = now, due
	e.collect()
	e.admit()
	e.step()
	e.capture()
	e.record()
	e.delay()
	e.deliver()
}

func (e *Engine) collect() {
	e.calling = "Collect"
	e.links.Collect(e.now)
}

func (e *Engine) deliver() {
	e.calling = "Deliver"
	e.links.Deliver(e.now, e.fresh)
}

// step feeds the players and advances the simulation.
func (e *Engine) step() {
	if e.stepped = !e.over; e.over {
		return
	}
	e.tick++
	for _, p := range e.players {
		e.feed(p)
		e.used[p.status]++
	}
	e.calling = "Step"
	e.sim.Step(&e.tk)
}

// enter notes what runs next, for PanicError, and returns what ran before.
func (e *Engine) enter(call string) (was string) {
	was, e.calling = e.calling, call
	return was
}

// Now is the number of the last step, 0 before the first.
func (e *Engine) Now() uint32 { return e.tick }

// At is the time that step Now was due, the zero time before the first Tick.
func (e *Engine) At() time.Time { return e.at }

// Match is the match's description.
func (e *Engine) Match() *Match { return e.match }

// Definition is the game's.
func (e *Engine) Definition() *Definition { return e.def }

// Ended tells whether and how the match ended. A match ends once.
func (e *Engine) Ended() (Ending, bool) { return e.ending, e.over }

// Stop ends the match from outside. The game's Stopper may still give a result. After the end it does nothing.
func (e *Engine) Stop(why Reason) {
	if e.over {
		return
	}
	if e.recorder != nil {
		e.recorder.Stop(why)
	}
	if e.stopper != nil {
		was := e.enter("Stop")
		e.stopper.Stop(&e.tk, why)
		e.calling = was
	}
	e.end(why, e.ending.Result)
}

// Abort ends the match with ReasonAborted. The game is not asked.
func (e *Engine) Abort() {
	if !e.over {
		e.end(ReasonAborted, nil)
	}
}

// finish is Tick.Finish.
func (e *Engine) finish(result any) {
	if e.over {
		return
	}
	var out json.RawMessage
	if result != nil {
		b, err := json.Marshal(result)
		if err != nil {
			panic(fmt.Errorf("game: Finish: the result is not JSON: %w", err))
		}
		if len(b) > MaxResultBytes {
			panic(fmt.Sprintf("game: Finish: the result takes %d bytes, %d are allowed", len(b), MaxResultBytes))
		}
		out = b
	}
	e.end(ReasonFinished, out)
}

// end keeps the first result and the last reason: a game that finishes in Stop was ended from outside.
func (e *Engine) end(why Reason, result json.RawMessage) {
	e.over = true
	e.ending = Ending{Reason: why, Tick: e.tick, Result: result}
}

// kick is Tick.Kick. Who is gone already is not kicked any more.
func (e *Engine) kick(p *Player, text string) {
	if e.seat(p.Seat) != p {
		return
	}
	text, _ = cutText(text, protocol.MaxReasonBytes)
	for i := range e.kicks {
		if e.kicks[i].Seat == p.Seat {
			return
		}
	}
	e.kicks = append(e.kicks, Kicked{Seat: p.Seat, Text: text})
}

// Kicks returns the players that the game has kicked since the last call; the host closes them and calls Leave
// with ReasonKicked. The slice is valid until the next tick.
func (e *Engine) Kicks() []Kicked {
	k := e.kicks
	e.kicks = e.kicks[:0]
	return k
}

// InputsUsed counts the inputs that steps had, by InputStatus, since the start.
func (e *Engine) InputsUsed() [4]uint64 { return e.used }

// Clamped counts the values out of their field's range that were clamped, and describes the first.
func (e *Engine) Clamped() (n int, first string) { return e.clamps, e.clamped }

func (e *Engine) clamp(l *layout, field int) {
	if e.clamps == 0 {
		f := &l.kind.Fields[field]
		e.clamped = fmt.Sprintf("%s.%s is out of its range at tick %d", l.kind.Name, f.Name, e.tick)
	}
	e.clamps++
}

type noLinks struct{}

func (noLinks) Collect(time.Time)       {}
func (noLinks) Deliver(time.Time, bool) {}
