package ticket

import "errors"

// Why a token is refused. Callers log it and count it; a player is told the same thing for all of them.
var (
	ErrMalformed  = errors.New("ticket: malformed token")
	ErrUnknownKey = errors.New("ticket: unknown key")
	ErrSignature  = errors.New("ticket: wrong signature")
	ErrExpired    = errors.New("ticket: expired")
	ErrNotYet     = errors.New("ticket: issued in the future")
)

// Faults on the signing side.
var (
	ErrClaims = errors.New("ticket: invalid claims")
	ErrKey    = errors.New("ticket: invalid key")
)
