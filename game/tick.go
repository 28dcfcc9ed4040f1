package game

import "fmt"

// Tick is a Sim's hold on its match during a call. It is valid until the call returns.
type Tick struct{ e *Engine }

// Now is the number of the step: 1 in the first Step, one more in each following. In calls between steps it
// is the number of the last one.
func (t *Tick) Now() uint32 { return t.e.tick }

// Rate is the number of steps per second.
func (t *Tick) Rate() int { return t.e.match.TickRate }

// Match is the match's description.
func (t *Tick) Match() *Match { return t.e.match }

// Rand is the match's random source, seeded by Match.Seed and saved with every checkpoint.
func (t *Tick) Rand() *Rand { return &t.e.rand }

// Players are the players in seat order: from their Join on, no longer in their Leave. The slice is the
// engine's own, valid until the call returns.
func (t *Tick) Players() []*Player { return t.e.players }

// Player is the player of a seat, nil if there is none.
func (t *Tick) Player(s Seat) *Player {
	if p := t.e.seat(s); p != nil && p.joined {
		return p
	}
	return nil
}

// Emit sends a reliable event, in order, to one player or, with to = nil, to everybody, spectators included.
// ev points to one of the structs of Spec.Events and is copied; anything else panics.
func (t *Tick) Emit(to *Player, ev any) {
	var seat Seat
	if to != nil {
		seat = to.Seat
	}
	t.e.emit(seat, ev)
}

// Finish ends the match after this step. Result is told to every client and to the matchmaker as JSON: it must
// encode, to at most MaxResultBytes, else Finish panics. nil is no result. The first call counts.
func (t *Tick) Finish(result any) { t.e.finish(result) }

// Kick has the host remove p, which sees text, at most 123 bytes, as the reason. The Leave follows within a
// tick or so.
func (t *Tick) Kick(p *Player, text string) { t.e.kick(p, text) }

// Input is p's input for this step and where it came from. It is valid until Step returns. T is the type of
// Spec.Input, any other panics.
func Input[T any](t *Tick, p *Player) (*T, InputStatus) {
	in, ok := p.input.(*T)
	if !ok {
		panic(fmt.Sprintf("game: Input of %T, but Spec.Input is %T", (*T)(nil), p.input))
	}
	return in, p.status
}
