package session

import (
	"errors"
	"fmt"
	"time"

	"skirmish/protocol"
	"skirmish/server/wsconn"
)

// Ending is why the server ends a connection: the close code, a sentence for the player, and when a retry
// makes sense. The zero Ending is none.
type Ending struct {
	Code       protocol.CloseCode
	Reason     string // at most protocol.MaxReasonBytes, without internals
	RetryAfter time.Duration
	answer     bool // to the peer's own Close frame
}

// Error makes an Ending the error of whatever it ended.
func (e Ending) Error() string { return fmt.Sprintf("close %d: %s", e.Code, e.Reason) }

// The endings with a fixed sentence.
var (
	endNoHello      = Ending{Code: protocol.CloseTimeout, Reason: "no hello within 5 s"}
	endStalledFrame = Ending{Code: protocol.CloseTimeout, Reason: "a frame was begun and not finished within 5 s"}
	endNoClose      = Ending{Code: protocol.CloseProtocol, Reason: "the stream ended without a Close frame"}
	endNoPong       = Ending{Code: protocol.CloseTimeout, Reason: "no pong to a ping for 10 s"}
	endReplaced     = Ending{Code: protocol.CloseReplaced, Reason: "a newer connection took this seat"}
	endLeft         = Ending{Code: protocol.CloseLeft, Reason: "left the match"}
	endMatchOver    = Ending{Code: protocol.CloseMatchOver, Reason: "the match is over"}
	endMatchFailed  = Ending{Code: protocol.CloseMatchFailed, Reason: "the match failed on the server"}
	endEventsLost   = Ending{Code: protocol.CloseEventsLost, Reason: "too far behind in reliable events: join anew"}
	endFlood        = Ending{Code: protocol.CloseFlood, Reason: "inputs over the rate limit for 3 s"}
	endEarlyFlood   = Ending{Code: protocol.ClosePolicy, Reason: "more than 32 KiB before a hello"}
	endControlFlood = Ending{Code: protocol.ClosePolicy, Reason: "more than 10 pings or requests per second"}
	endBadMessages  = Ending{Code: protocol.CloseBadMessage, Reason: "3 malformed messages within 10 s"}
	endNoMatch      = Ending{Code: protocol.CloseNoMatch, Reason: "the match does not exist or has ended"}
	endBadTicket    = Ending{Code: protocol.CloseBadTicket, Reason: "the ticket is not valid, expired or already used"}
	endBadResume    = Ending{Code: protocol.CloseBadTicket, Reason: "the resume token is not valid any more"}
	endNoSuchEvent  = Ending{Code: protocol.CloseBadMessage, Reason: "hello: last event seq: no event has had that number yet"}
	endSeatGone     = Ending{Code: protocol.CloseForbidden, Reason: "the seat was given up"}
	endNoPlace      = Ending{Code: protocol.CloseUnavailable, Reason: "the match has no place for this player", RetryAfter: time.Second}
	endShutdown     = Ending{Code: protocol.CloseGoingAway, Reason: "the server shuts down", RetryAfter: time.Second}
	endRestart      = Ending{Code: protocol.CloseRestart, Reason: "the server restarts"}
	endDraining     = Ending{Code: protocol.CloseUnavailable, Reason: "the server takes no new players", RetryAfter: 5 * time.Second}
)

// endVersion refuses a client of another wire version.
func endVersion(got uint32) Ending {
	return Ending{Code: protocol.CloseVersion, Reason: fmt.Sprintf("this server speaks version %d, not %d", protocol.Version, got)}
}

// endingOf turns what wsconn or protocol made of the peer's bytes into the way the connection ends.
func endingOf(err error) Ending {
	if ce, ok := errors.AsType[*wsconn.CloseError](err); ok {
		return Ending{Code: protocol.CloseCode(ce.Code), Reason: ce.Reason}
	}
	if end, ok := errors.AsType[Ending](err); ok {
		return end
	}
	return Ending{Code: protocol.CloseBadMessage, Reason: clip(err.Error(), protocol.MaxReasonBytes)}
}

// explained tells whether an error message goes before the Close frame: the refusals of our own protocol, which a
// client library wants as code, sentence and time to wait.
func (e Ending) explained() bool { return e.Code >= 4400 && !e.answer }

// closeAnswer answers the peer's Close frame with the same code (RFC 6455 section 5.5.1).
func closeAnswer(m wsconn.Message) Ending {
	return Ending{Code: protocol.CloseCode(m.Code), answer: true}
}

// clip cuts s to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
