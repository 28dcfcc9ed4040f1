package ticket

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"skirmish/protocol"
)

// Claims is what a join ticket says: this player may take this seat of this match, once, until it expires.
//
// On the wire it is a msgpack array of exactly ten elements:
//
//	[match, player, seat, role, team, issued_at, expires, id, node, ext]
//
// Strings are str, ext is bin (nil when empty), the rest are non-negative integers of any width.
type Claims struct {
	Match    string // 1 to MaxIDBytes bytes
	Player   string // 1 to MaxIDBytes bytes
	Seat     uint16 // 1 and up; 0: the seat that the match has reserved for Player
	Role     uint8  // protocol.Role
	Team     uint8
	IssuedAt int64  // Unix seconds
	Expires  int64  // Unix seconds, after IssuedAt by MaxLifetime at the most
	ID       string // unlike any other ticket's of the last two minutes: a ticket is good for one hello
	Node     string // the node that has the match, empty: any
	Ext      []byte // opaque to the server, at most MaxExtBytes
}

// Resume is what a resume token says: the holder is the connection number Generation of this seat. The
// match decides whether that is still so; a token has no expiry of its own.
//
// On the wire: [match, seat, generation].
type Resume struct {
	Match      string
	Seat       uint16
	Generation uint32
}

// Film is what a film token says: whoever has it may watch the replay of this match until it expires.
//
// On the wire: [match, expires].
type Film struct {
	Match   string // 1 to MaxIDBytes bytes
	Expires int64  // Unix seconds
}

// fault names what is wrong with c, or is empty.
func (c *Claims) fault() string {
	switch {
	case !validID(c.Match):
		return "match"
	case !validID(c.Player):
		return "player"
	case c.Role > uint8(protocol.RoleBot):
		return "role"
	case c.IssuedAt < 0:
		return "issued_at"
	case c.Expires <= c.IssuedAt || c.Expires-c.IssuedAt > int64(MaxLifetime/time.Second) || c.Expires > math.MaxUint32: // the year 2106
		return "expires"
	case !validID(c.ID):
		return "id"
	case c.Node != "" && !validID(c.Node):
		return "node"
	case len(c.Ext) > MaxExtBytes:
		return "ext"
	}
	return ""
}

// check tells whether c is to be used at now. A clock that differs by ClockSkew does no harm.
func (c *Claims) check(now time.Time) error {
	at := now.Unix()
	if c.IssuedAt > at+int64(ClockSkew/time.Second) {
		return ErrNotYet
	}
	if expired(c.Expires, at) {
		return ErrExpired
	}
	return nil
}

func (r *Resume) fault() string {
	switch {
	case !validID(r.Match):
		return "match"
	case r.Seat == 0:
		return "seat"
	}
	return ""
}

func (f *Film) fault() string {
	switch {
	case !validID(f.Match):
		return "match"
	case f.Expires <= 0 || f.Expires > math.MaxUint32:
		return "expires"
	}
	return ""
}

func validID(s string) bool {
	return len(s) > 0 && len(s) <= MaxIDBytes && utf8.ValidString(s)
}

func claimsError(field string) error { return fmt.Errorf("%w: %s", ErrClaims, field) }
