package game

import "time"

// Limits of the engine. The memory of a match is a sum of them.
const (
	MinTickRate = 1   // Hz
	MaxTickRate = 240 // Hz

	maxNameBytes    = 64 // of a game's name, and of its version
	maxMatchPlayers = 4096

	MaxRewind   = 250 * time.Millisecond // how far back a view may lie
	historyKept = 500 * time.Millisecond // of past frames, in games that rewind

	InputQueue  = 32                     // inputs waiting per player; the oldest makes room
	firstInputs = 8                      // room for them that a player begins with
	SeqAhead    = 2                      // s of ticks an input's number may run ahead of the last accepted one
	idleNeutral = 500 * time.Millisecond // a lost player's input is neutral from then on

	MaxCatchUp = 4 // ticks run without waiting after a late one; older debt is dropped

	MaxBaselines = 64 // captured frames a baseline may be old
	crcFrames    = 64 // every so many frames a state carries its checksum
	budgetFrames = 32 // kept where a budget may leave a row behind; one that waits longer is sent anew

	MaxSpectatorDelay = 30 * time.Second
	MaxDelayBytes     = 8 << 20 // of what waits for spectators; beyond it they see it early

	MaxEvents      = 1024      // reliable events kept for slow and returning viewers
	MaxEventsBytes = 256 << 10 // of their messages
	keepEventBytes = 256       // what a free event slot keeps for the next event

	savedEvents     = 256      // kept in a checkpoint for players who come back
	savedEventBytes = 32 << 10 // of their messages

	MaxResultBytes = 64 << 10 // of a result's JSON
)
