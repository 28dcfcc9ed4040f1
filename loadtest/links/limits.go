package main

import "time"

const (
	serverAddr = "10.99.0.1" // the emulator's own
	gamePort   = 7350
	adminPort  = 7351
	barePort   = 7352 // gives a byte back

	warmUp       = 5 * time.Second        // of a connection, before it is measured
	sampleEvery  = 5 * time.Millisecond   // of the age
	seatWait     = 10 * time.Second       // for the other side to have made the match
	startWait    = 10 * time.Second       // for the server to answer
	residentTick = 250 * time.Millisecond // between two looks at the server's memory
	stopWait     = 5 * time.Second        // for the server to end
	runSlack     = 30 * time.Second       // beyond the duration, for one run of the emulator

	cutPlayers   = 20 // who are cut off
	cutAddresses = 4  // of theirs
	cutBots      = 36
	cutLeast     = 100 * time.Millisecond // between two cuts of a player
	cutSpread    = 900 * time.Millisecond // more at random
	cutsMost     = 5 * time.Minute        // for all of them
	bareEvery    = 100 * time.Millisecond // between two bare connections
	plainMost    = 2.05                   // round trips, of the median: one for TCP's handshake, one for ours, and what both ends do
	fastMost     = 2.0

	matchSeed = 7
	matchSize = 64 // seats, the most that the arena has
	tickRate  = 30 // Hz, of ticks, snapshots and inputs
)
