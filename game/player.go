package game

import (
	"encoding/json"
	"reflect"
	"unsafe"

	"skirmish/protocol"
)

// Seat numbers a place in a match, 1 and up. 0 is nobody.
type Seat uint16

// Player is one player of a match, valid from its Join to the end of its Leave. A Sim keeps the Seat, not the
// pointer: pointers do not survive a checkpoint.
type Player struct {
	Seat Seat
	ID   string          // the matchmaker's
	Name string          // to be shown
	Team int             // as the matchmaker asked; 0 = none
	Data json.RawMessage // the matchmaker's own, for the game; nil = none
	Bot  bool            // played by the engine, through Botter

	lost    bool
	lostFor int  // ticks since it was lost
	joined  bool // the sim knows it

	input    any           // *Spec.Input, what Step sees
	inputVal reflect.Value // the same, to zero it
	inputPtr unsafe.Pointer
	status   InputStatus
	since    uint32 // number of the last event before it came: older ones are none of its business
	late     uint64 // steps that had to do without its input although it was connected
	queue    inputs
	bot      Bot
	thought  []int32 // of the bot, in wire values; in a replay empty: none for the next step
	view     View    // scratch for the bot
	shown    shown

	written   written // states sent to it, for Rewind
	eyes      *eyes   // of a bot, where not everybody sees everything
	sightTick uint32  // the step that used queue.sight first
}

// shown is what the newest frame tells a player about itself. It is kept from capture on, so that a state sent
// some ticks later still fits its rows.
type shown struct {
	ack     uint32
	lead    int16
	flags   uint8
	private []int32
}

// Lost tells that the player's connection is gone and its seat is kept for its return.
func (p *Player) Lost() bool { return p.lost }

// Late counts the steps, since the player's first input, that had no input of it in time while it was connected.
func (p *Player) Late() uint64 { return p.late }

// PlayerInfo is what the host knows of a player that joins.
type PlayerInfo struct {
	Seat Seat // 1 and up
	ID   string
	Name string
	Team int
	Data json.RawMessage
	Bot  bool // played by the engine, through Botter
}

// View is what a player of a seat sees, in the server and in a client alike. It is valid until Think returns,
// and must not be changed.
type View struct {
	Tick       uint32 // of the rows
	Seat       Seat
	Definition *Definition
	Rows       *protocol.Rows // the newest frame, ascending ids
	Private    []int32        // wire values of Spec.Private; nil: none
}

// Find fills in row, a pointer to one of the structs of Spec.Kinds, from the row of an id. It is false if there
// is no such row or it is of another kind.
func (v *View) Find(id uint32, row any) bool {
	i, ok := v.Rows.Find(id)
	return ok && v.Load(i, row)
}

// Load fills in row from row i of v.Rows. It is false if that row is of another kind: to visit all rows of one
// kind, try each.
func (v *View) Load(i int, row any) bool {
	d, k := v.Definition, v.Rows.Kinds[i]
	if int(k) >= len(d.kinds) || d.kinds[k].ptrWord != typeWord(row) {
		return false
	}
	d.LoadRow(k, v.Rows.Row(i), row)
	return true
}
