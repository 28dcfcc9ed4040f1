// Package gametest is the conformance test of every game. It plays matches of random and extreme inputs, with
// players that come, go and lose their connection, and checks what the server relies on: the same seed and
// inputs give the same state, the state survives a checkpoint, rows stay within their ranges, and the code
// reaches for no clock, goroutine or I/O.
//
//	func TestConformance(t *testing.T) {
//		gametest.Run(t, func() game.Game { return mygame.Game{} }, gametest.Options{})
//	}
package gametest

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"testing"

	"skirmish/game"
)

// Options of Run. The zero value is a good start.
type Options struct {
	Seed    uint64          // of the first match; 1 when 0. A fault names the seed of its match
	Ticks   int             // to play for each check; 1,200 when 0
	Players int             // capacity of the matches; the game's default when 0
	Params  json.RawMessage // of the matches
	Dir     string          // the game's source; the directory of the running test when empty
	Signals []Signal        // calls of the back end that the game knows, tried besides nonsense
}

// Signal is one call of the back end, for a game that is a game.Signaler.
type Signal struct {
	Op string
	In json.RawMessage
}

// Fault is one broken rule.
type Fault struct {
	Check string // the name of the subtest
	Err   error
}

func (f Fault) Error() string { return f.Check + ": " + f.Err.Error() }

// Run checks the game that newGame makes, each rule in a subtest.
func Run(t *testing.T, newGame func() game.Game, o Options) {
	t.Helper()
	s, err := newSuite(newGame, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := s.run(c.check); err != nil {
				t.Error(err)
			}
		})
	}
}

// Check is Run outside a test: all faults, none for a sound game.
func Check(newGame func() game.Game, o Options) []Fault {
	s, err := newSuite(newGame, o)
	if err != nil {
		return []Fault{{Check: "plan", Err: err}}
	}
	var faults []Fault
	for _, c := range checks {
		if err := s.run(c.check); err != nil {
			faults = append(faults, Fault{Check: c.name, Err: err})
		}
	}
	return faults
}

// checks in the order in which their faults are best understood: each takes the ones before it for granted.
var checks = []struct {
	name  string
	check func(*suite) error
}{
	{"plan", (*suite).plan},
	{"source", (*suite).source},
	{"state", (*suite).state},
	{"determinism", (*suite).determinism},
	{"frame", (*suite).frame},
	{"signals", (*suite).signals},
	{"checkpoint", (*suite).checkpoint},
	{"bots", (*suite).bots},
	{"replay", (*suite).replay},
	{"ranges", (*suite).ranges},
	{"params", (*suite).params},
	{"rates", (*suite).rates},
	{"endings", (*suite).endings},
}

// suite is one game under test.
type suite struct {
	newGame func() game.Game
	d       *game.Definition
	o       Options
}

func newSuite(newGame func() game.Game, o Options) (*suite, error) {
	d, err := game.Compile(newGame())
	if err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Ticks == 0 {
		o.Ticks = 1200
	}
	if o.Players == 0 {
		o.Players = d.Spec.DefaultPlayers
	}
	if o.Dir == "" {
		o.Dir = "."
	}
	return &suite{newGame: newGame, d: d, o: o}, nil
}

// run turns a panic of the game into a fault.
func (s *suite) run(check func(*suite) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return check(s)
}

// plan: Spec is the same every time.
func (s *suite) plan() error {
	for range 3 {
		d, err := game.Compile(s.newGame())
		if err != nil {
			return err
		}
		if d.PlanHash != s.d.PlanHash || d.Spec.TickRate != s.d.Spec.TickRate || d.Spec.Version != s.d.Spec.Version {
			return fmt.Errorf("what Spec returns is not the same every time")
		}
	}
	return nil
}
