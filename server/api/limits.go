package api

import "time"

// Limits of one request (LIMITS of the API; every one has its unit in its name or its comment).
const (
	MaxBodyBytes   = 64 << 10 // 413 above it
	MaxHeadBytes   = 16 << 10 // request line and header lines, 431 above it
	MaxPublicBytes = 4 << 10  // body of a request on the game port

	ReadHeaderTimeout = 5 * time.Second
	ReadTimeout       = 10 * time.Second
	WriteTimeout      = 10 * time.Second
	upgradeTimeout    = time.Minute      // for a process that starts
	IdleTimeout       = 60 * time.Second // between two requests on one connection
)

// Ranges of the fields. Times are in milliseconds on the wire.
const (
	MaxReplayList    = 20
	MaxMatchIDBytes  = 64 // letters, digits, '-', '_' and '.', a letter or digit first
	MaxGameBytes     = 64
	MaxPlayerIDBytes = 64
	MaxNameBytes     = 32
	MaxDataBytes     = 2 << 10 // a seat's data, as JSON text
	MaxTeam          = 255

	MaxMetadata           = 32 // entries
	MaxMetadataKeyBytes   = 64
	MaxMetadataValueBytes = 256

	MaxSeed       = 1<<53 - 1 // every JSON reader holds it exactly
	MaxTickRate   = 240       // Hz
	MaxPlayers    = 1024      // capacity of a match
	MaxSpectators = 1024

	MinTTLMS     = 1_000 // how long a reserved seat and its ticket are good
	MaxTTLMS     = 120_000
	DefaultTTLMS = 30_000

	MinLinkMS     = 1_000 // how long a link to a replay is good
	MaxLinkMS     = 30 * 24 * 3_600_000
	DefaultLinkMS = 24 * 3_600_000

	MinNoShowMS     = 1_000 // how long a match waits for its first player
	MaxNoShowMS     = 600_000
	DefaultNoShowMS = 60_000

	MaxEmptyMS     = 3_600_000 // how long a match goes on without a player; 0: not at all
	DefaultEmptyMS = 30_000

	MaxReconnectMS     = 600_000 // how long a lost player's seat is kept; 0: not at all
	DefaultReconnectMS = 20_000

	MinDurationMS     = 1_000 // how long a match may last
	MaxDurationMS     = 86_400_000
	DefaultDurationMS = 14_400_000

	MaxCountdownMS = 600_000
	MaxOpBytes     = 64  // a signal's name
	MaxReasonBytes = 123 // told to a player who is kicked
	MaxEventTypes  = 32  // in a webhook's list
	MaxURLBytes    = 2 << 10
	MaxSecretID    = 64

	MinDrainMS     = 0
	MaxDrainMS     = 86_400_000
	DefaultDrainMS = 600_000

	MaxSpectatorDelayMS = 30_000

	MaxGraceMS = 600_000 // DELETE: how long the game may take to end by itself

	DefaultLimit   = 50 // entries of a list
	MaxLimit       = 100
	MaxCursorBytes = 256
)

// Bounds of the store behind Idempotency-Key.
const (
	MaxIdempotencyKeyBytes = 255
	IdempotencyAge         = 24 * time.Hour
	MaxIdempotencyEntries  = 100_000
	MaxIdempotencyBytes    = 64 << 20 // of stored answers; the oldest go first
	maxBatchBytes          = 1 << 20  // of answers that go to the disk together; one more makes the batch full
)

// Bounds of the event stream.
const (
	EventRing      = 8192             // events that Last-Event-ID can still resume from
	MaxListeners   = 64               // event streams at once; 503 above it
	EventKeepAlive = 15 * time.Second // a comment keeps proxies from closing an idle stream
	EventWrite     = 10 * time.Second // a listener that takes nothing for as long is cut; it resumes by Last-Event-ID
)

// Quick play per address (an IPv6 network of 64 bits counts as one).
const (
	QuickPlayPerSecond = 2
	QuickPlayBurst     = 20
	MaxQuickPlayers    = 10_000 // addresses that are remembered
)
