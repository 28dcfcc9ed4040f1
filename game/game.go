// Package game is the engine: the plug-in interface of a game and the fixed-tick loop that runs its matches.
// It knows players and rows, never sockets.
package game

import (
	"context"
	"encoding/json"
)

// Game is one kind of game. Its methods are safe from any goroutine.
type Game interface {
	// Spec describes the game. It returns the same every time.
	Spec() Spec
	// New makes the simulation of one match. It runs off the tick, may take its time, and validates
	// m.Params: an error is the matchmaker's 422, told as it is.
	New(ctx context.Context, m *Match) (Sim, error)
}

// Sim is the simulation of one match. Every method runs on the match's goroutine, one at a time, and must not
// block. It sees no wall clock, no goroutine and no I/O: the same seed, parameters and inputs give the same
// state on every machine.
//
// The exported fields of the type behind Sim are its state: a plain Go value that msgpack can encode.
// Unexported fields hold what New can make again. A Sim refers to players by Seat, never by pointer.
type Sim interface {
	// Join is called once for each player, before the first Step that has it.
	Join(t *Tick, p *Player)
	// Leave is called once for each player that joined and is gone for good. A lost socket is not a leave:
	// the player stays, Player.Lost is true and its input is repeated or neutral until it is back.
	Leave(t *Tick, p *Player, why Reason)
	// Step advances the match by exactly one fixed step.
	Step(t *Tick)
	// Frame writes the rows that viewers may see. It runs once per snapshot and changes no state.
	Frame(f *Frame)
}

// Optional parts of a Sim or Game, found by type assertion. Focuser and Seer, who sees what, are in interest.go.
type (
	// Admitter (on a Sim) has the last word on a join: an error refuses it with 4403 and its text.
	Admitter interface {
		Admit(t *Tick, p *Player) error
	}
	// Requester (on a Sim) answers a player's own call. Out is valid until the next call of any method.
	Requester interface {
		Request(t *Tick, p *Player, op uint16, in []byte) (out []byte, err error)
	}
	// Signaler (on a Sim) answers a call of the back end, made through the API. In is JSON, nil when there was
	// none; out is encoded as JSON before anything else runs. An error is told to the caller as it is.
	Signaler interface {
		Signal(t *Tick, op string, in json.RawMessage) (out any, err error)
	}
	// Privater (on a Sim) writes the row that only p sees: row points to a zeroed Spec.Private.
	Privater interface {
		Private(p *Player, row any)
	}
	// Stopper (on a Sim) is told that the match is being ended from outside; it may call t.Finish.
	Stopper interface {
		Stop(t *Tick, why Reason)
	}
	// Botter (on a Game) makes bots. The same bot plays in the server and in the load generator.
	Botter interface {
		Bot(seed uint64) Bot
	}
)

// Bot plays one seat from what a player of that seat sees.
type Bot interface {
	// Think fills in the next input: in points to a zeroed Spec.Input. Called once per tick.
	Think(v *View, in any)
}

// Spec describes a game to the engine.
type Spec struct {
	Name    string // lower case letters, digits, '-': the name in the API
	Version string
	// Restores are the older versions whose matches this one may go on with, after a restart with a newer program: it
	// reads their state, and their input has the same fields.
	Restores []string

	Input   any   // a tagged struct: one input of a player
	Kinds   []any // tagged structs: the rows that Frame may write, at most protocol.MaxKinds
	Private any   // a tagged struct or nil: what Privater writes
	Events  []any // tagged structs: what Tick.Emit may send
	Rewind  []any // of Kinds: rows that Tick.Rewind tells the past of; none: no past is kept

	Interest Interest // who sees what; the zero value: everybody everything

	TickRate       int  // Hz, 1 to 240, the default of a match
	SnapshotRate   int  // Hz, divides TickRate
	MaxPlayers     int  // the largest capacity a match may have
	DefaultPlayers int  // the capacity of a match that names none; MaxPlayers when 0
	Idle           Idle // what stands in for a missing input

	QuickPlay QuickPlay // for newcomers without a matchmaker; the zero value is a match of default parameters without bots
}

// QuickPlay says what a server makes when somebody without a matchmaker asks for this game.
type QuickPlay struct {
	Params json.RawMessage // of the match
	Bots   int             // that play along, besides seats left open
}

// Idle is what stands in for a missing input.
type Idle uint8

const (
	IdleRepeat  Idle = iota // the last input again
	IdleNeutral             // the zero input
)

// InputStatus tells where a player's input of this tick came from.
type InputStatus uint8

const (
	InputOnTime   InputStatus = iota // the player's own next input
	InputRepeated                    // none was there: the last one again
	InputNeutral                     // none was there: the zero input
	InputBot                         // a bot's
)

// Reason says why a player left or a match ended.
type Reason string

const (
	ReasonLeft     Reason = "left"     // the player gave the seat up
	ReasonExpired  Reason = "expired"  // the player did not come back in time
	ReasonKicked   Reason = "kicked"   // by the game or the matchmaker
	ReasonFinished Reason = "finished" // the game called Finish
	ReasonAborted  Reason = "aborted"  // the match failed
	ReasonTimeout  Reason = "timeout"  // max_duration_ms passed
	ReasonEmpty    Reason = "empty"    // nobody was there for empty_ms
	ReasonNoShow   Reason = "no_show"  // nobody came within no_show_ms
	ReasonForce    Reason = "force"    // ended through the API or by shutdown
)
