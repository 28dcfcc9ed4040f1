package ticket

import (
	"time"

	"skirmish/protocol"
)

// Limits of tickets and resume tokens. A token beyond one of them is neither signed nor accepted.
const (
	MaxTokenBytes = protocol.MaxTokenBytes // the whole token, as text
	MaxIDBytes    = 64                     // match, player, ticket (jti) and node id
	MaxExtBytes   = 512                    // what the matchmaker adds for the game
	MaxKeyIDBytes = 16                     // key id: letters, digits, '-' and '_'
	MaxKeys       = 8                      // keys in one keyring
	MinSecret     = 32                     // bytes of an HMAC secret
	MaxSecret     = 256

	MaxLifetime = 120 * time.Second // from issued-at to expiry
	ClockSkew   = 5 * time.Second   // how far the clocks of matchmaker and node may differ
)

// Sizes inside a token.
const (
	maxPayloadBytes   = MaxTokenBytes * 3 / 4 // decoded claims
	maxSignatureBytes = 64                    // Ed25519; HMAC-SHA256 has 32
)
