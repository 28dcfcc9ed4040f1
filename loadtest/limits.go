package main

import (
	"time"

	"skirmish/game/arena"
)

// Bounds of the swarm. The first ones are the server's own, kept on loopback by spreading over source addresses.
const (
	maxPerAddress   = 64  // connections from one loopback address
	maxRateAddress  = 20  // new connections per second from one loopback address
	loopbackSources = 253 // 127.0.0.2 to 127.0.0.254

	maxBots       = 50_000
	maxLoops      = 64
	maxMatchSize  = arena.MaxPlayers
	minMatchSize  = 2
	maxSpectators = 1024 // of a match
	spareFiles    = 64   // descriptors besides the bots'

	slotTime     = time.Millisecond       // what a loop's slot is near
	joinPoll     = 200 * time.Microsecond // between polls while bots join
	dialsPerSlot = 16
	readBytes    = 64 << 10

	// Of one loop's io_uring. Buffers are taken one for each read; with none left the rest waits for the next poll.
	ringEntries     = 1024
	ringBuffers     = 4096
	ringBufferBytes = 2048
	ringOutBytes    = 256 << 10 // of inputs that go out together

	joinLimit     = 10 * time.Second // from connect to the first snapshot
	silenceLimit  = 15 * time.Second // a server pings every 5 s
	leaveSpread   = 500 * time.Millisecond
	leaveLimit    = 3 * time.Second
	pingEvery     = 2 * time.Second
	publishEvery  = 250 * time.Millisecond
	startDelay    = 200 * time.Millisecond // from the first answer to the first connection
	sweepEvery    = 100 * time.Millisecond // bots are looked through for what is overdue
	sweepOften    = 20 * time.Millisecond  // the same when lives end and links are cut
	leastThoughts = 10                     // Hz, of a brain that plays by its scout: it decides a few times a second anyway
	wheelSlots    = 1024                   // slots that a loop plans ahead
	maxAtOnce     = 16                     // inputs of one bot in one slot, when its clock was set
	seatLead      = time.Second            // tickets are drawn so long before they are used
	seatSpan      = 5 * time.Second
	apiLimit      = 10 * time.Second
	maxAnswer     = 4 << 20
	settleTime    = 2 * time.Second // between the ramp's end and the window, by default
	plainEvery    = 5 * time.Second // status lines when not on a terminal
	histogramTop  = 60_000_000      // µs
	maxCauses     = 64              // kinds of errors told apart
	maxCauseBytes = 160
)

// Exit codes.
const (
	exitPass   = 0
	exitFailed = 1  // it could not run
	exitUsage  = 2  // flags
	exitMissed = 99 // a threshold was missed
)
