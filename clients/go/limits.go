package client

import (
	"time"

	"skirmish/protocol"
)

// Limits of the client. What a server may send is bounded before anything is allocated for it.
const (
	maxAnswerBytes  = 8 << 10                        // the server's answer to the handshake, a refusal's body included
	maxMessageBytes = protocol.MaxServerMessageBytes // one message, put together from its fragments
	maxFragments    = 1024                           // of one message
	maxControlBytes = 125                            // payload of a control frame (RFC 6455 section 5.5)
	keptFrameBytes  = 64 << 10                       // a larger reassembly buffer is given back after use
	maxBacklogBytes = 64 << 10                       // unwritten bytes, above which a Client refuses to send
	readBufferBytes = 16 << 10                       // what a Client reads at once
	maxPendingCalls = 64                             // requests of a Client that wait for their replies

	sentRing    = 512                           // sent inputs whose time is remembered; a power of two
	pingRing    = 8                             // pings whose pong is still expected; a power of two
	clockRing   = 8                             // pongs that the clock estimate looks back on
	clockSlack  = 2000                          // µs that a clock estimate may be off besides half a round trip
	paceSent    = 256                           // inputs whose lateness the pacer remembers: a second's at the highest rate; a power of two
	paceRing    = 128                           // inputs that the pacer looks back on
	predictRing = 256                           // inputs that a Predictor can play again
	pictureRing = 16                            // states that a Picture keeps
	pictureJump = int64(250 * time.Millisecond) // a picture further off than this is set at once
	maxSeqSkip  = 1 << 20
	paceReach   = int64(10_000_000) // µs that the observations of a pacer may lie apart

	keyframeEvery = int64(time.Second) // at most one request for a keyframe in this time, in ns

	defaultPingEvery = 2 * time.Second
	defaultHelloWait = 10 * time.Second      // from dial to welcome, when the context has no deadline
	silenceLimit     = 15 * time.Second      // a server pings every 5 s: this silent, it is gone
	tickLook         = 20 * time.Millisecond // the input clock may be set while one waits for it
	writeLimit       = 10 * time.Second      // a write that takes longer breaks the connection
	leaveLimit       = 3 * time.Second       // from bye to the server's Close

	resumeFirst = 100 * time.Millisecond // first wait before a resume, doubled each time, jittered
	resumeLast  = 2 * time.Second
)

// sdkName travels in the hello.
const sdkName = "skirmish-go/1"
