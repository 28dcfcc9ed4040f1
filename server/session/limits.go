package session

import (
	"time"

	"skirmish/protocol"
)

// Limits of a connection's life. The wire's own are in package protocol, those of the handshake and of frames
// in package wsconn.
const (
	HandshakeTimeout = 5 * time.Second        // accept → 101, the whole head
	HelloTimeout     = 5 * time.Second        // 101 → hello
	FrameTimeout     = 5 * time.Second        // first → last byte of a frame or fragmented message
	keptQueue        = 256                    // bytes of room for replies and notices that a player keeps
	CloseTimeout     = 2 * time.Second        // our Close frame → the socket is closed, at the latest
	DrainTimeout     = 500 * time.Millisecond // FIN sent → the socket is closed, unless the peer's FIN comes first

	MaxPendingHandshakes        = 1000
	MaxPendingHandshakesPerAddr = 20
	MaxConnectionsPerAddr       = 256
	NewConnectionsPerSecond     = 20 // of one address
	NewConnectionsBurst         = 100
	MaxRefusedTickets           = 10 // of one address within RefusedTicketsWindow, then 429
	RefusedTicketsWindow        = time.Minute
	ReservedDescriptors         = 512                     // of RLIMIT_NOFILE, kept for everything that is not a player
	MaxRefusals                 = ReservedDescriptors / 2 // connections beyond the cap that are told why
	RefusalRetryAfter           = time.Second

	PingInterval = 5 * time.Second
	PongTimeout  = 10 * time.Second // without a pong to a ping

	// WatcherPingInterval is a spectator's: there are many, and TCP itself notices one who is gone, by the states it does not take.
	WatcherPingInterval = 10 * time.Second

	InputRateFactor  = 2               // inputs per second = factor × tick rate, burst one second of them
	FloodTolerance   = 3 * time.Second // of dropping inputs without a pause, then 4429
	FloodPause       = time.Second     // without a dropped input ends a flood
	ControlPerSecond = 10              // pings of both kinds, keyframe requests and game requests together
	ControlBurst     = 20
	BytesPerSecond   = 32 << 10 // read from one connection; the rest waits in the socket
	BytesBurst       = 32 << 10

	MaxBadMessages   = 3 // within BadMessageWindow, then 4400
	BadMessageWindow = 10 * time.Second

	MaxUnsentEvents     = 64       // reliable events waiting for one connection, then 4413
	MaxUnsentEventBytes = 64 << 10 // the same in bytes

	KeepWait = 5 * time.Second // for the disk to take an outcome, before the players are told all the same

	HangTimeout = 5 * time.Second // a tick that never ends: the match is given up
	NewTimeout  = 5 * time.Second // a game that makes no match: its maker is told so

	SeqAheadSeconds = 2 // how far an input's number may run ahead, in seconds of ticks
)

// Defaults of a match's timeouts; the matchmaker may choose others.
const (
	DefaultReconnect   = 20 * time.Second // a lost seat is held
	DefaultNoShow      = 60 * time.Second // nobody came
	DefaultEmpty       = 30 * time.Second // nobody is connected any more
	DefaultMaxDuration = 4 * time.Hour
)

const (
	readBufferBytes  = 16 << 10
	lobbyScan        = 100 * time.Millisecond // how often deadlines in the lobby are looked at
	housekeepEvery   = 250 * time.Millisecond // how often deadlines in a room are looked at
	hangPeriods      = 10                     // a tick that takes so many periods is named
	hangStack        = time.Second            // and one that takes so long has its stack written down: that stops the world for a moment
	watchEvery       = 50 * time.Millisecond  // the least interval at which a watchdog looks
	maxStackDump     = 1 << 20                // bytes of all stacks, in which the one of a hung tick is searched
	maxEventsPerPoll = 256
	lobbyShare       = 16 // connections served in the lobby before others get their turn
	acceptBatch      = 64 // connections accepted before others get their turn
	outboxKeepBytes  = 4 << 10
)

// LimitsFor is what the welcome of a match tells its clients.
func LimitsFor(tickRate int) protocol.Limits {
	return protocol.Limits{
		MessageBytes:     protocol.MaxMessageBytes,
		InputsPerMessage: protocol.MaxInputsPerMessage,
		InputsPerSecond:  uint32(InputRateFactor * tickRate),
		SeqAhead:         uint32(SeqAheadSeconds * tickRate),
	}
}
