package wsconn

// Limits of the opening handshake. Sizes in bytes.
const (
	MaxHeadBytes   = 8 << 10 // request line and header fields with their line ends, the empty line included; beyond: 431
	MaxHeadLines   = 64      // request line and header fields; beyond: 431
	MaxTargetBytes = 2 << 10 // request target; beyond: 414
	MaxProtocols   = 16      // sub-protocols offered; beyond: 400

	keyBytes  = 16 // what Sec-WebSocket-Key must decode to (RFC 6455, 4.2.1)
	keyLength = 24 // its length in base64

	// A request line (without its LF) longer than this has a target beyond MaxTargetBytes, or no target at all.
	maxRequestLineBytes = MaxTargetBytes + 32
)

// Limits of the frames.
const (
	DefaultMessageBytes = 4 << 10 // one message, all its fragments together; beyond: 1009
	DefaultFragments    = 16      // frames of one message; beyond: 1009
	MaxControlBytes     = 125     // payload of a control frame (RFC 6455, 5.5); beyond: 1002
	MaxReasonBytes      = 123     // reason of a Close: a control frame less its code

	maxClientHead   = 14 // 2 + 8 (length) + 4 (mask)
	maxServerHead   = 10 // 2 + 8 (length)
	serverHeadSpace = 4  // what BeginFrame reserves: 2 + 2, right for 126 to 65,535 bytes
)
