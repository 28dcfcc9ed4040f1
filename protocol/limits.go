package protocol

// Limits of version 1. A server may lower what the welcome's limits carry; it never raises the rest.
const (
	MaxMessageBytes       = 4096 // one client message; 1009 above it
	MaxHelloBytes         = 2048 // the first message
	MaxTokenBytes         = 1024 // ticket or resume token
	MaxSDKBytes           = 64   // name and version of the client library
	MaxInputsPerMessage   = 32   // inputs in one input message
	MaxInputFields        = 32   // fields of a game's input
	MaxRequestBytes       = 2048 // payload of a request
	MaxReplyBytes         = 16384
	MaxPlayerIDBytes      = 64
	MaxNameBytes          = 32
	MaxKinds              = 32 // replicated kinds of a game
	MaxFields             = 32 // fields of a kind: a mask is one uint32
	MaxFieldNameBytes     = 32
	MaxEventKinds         = 256
	MaxTextBytes          = 256     // a text field of an event
	MaxReasonBytes        = 123     // close reason: a control frame holds 125 bytes (RFC 6455 section 5.5)
	MaxRows               = 16384   // rows in one snapshot
	MaxServerMessageBytes = 1 << 20 // the largest message a client must accept
	MaxTickRate           = 240     // Hz
	MaxMatchIDBytes       = 128
	MaxGameBytes          = 64   // name of a game, and its version
	MaxURLBytes           = 2048 // url of a notice
	MaxErrorBytes         = 256  // text of an error
	MaxRosterEntries      = 8192 // entries in one roster
)
