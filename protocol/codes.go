package protocol

// Version is the wire version this package speaks. It travels in hello and welcome.
const Version = 1

// Subprotocol is the WebSocket sub-protocol of Version, offered by the client and echoed by the server
// (RFC 6455 section 1.9). A handshake without it is refused with HTTP 400.
const Subprotocol = "skirmish.v1"

// HelloSubprotocol begins the sub-protocol by which a client may send its hello with the handshake, which saves a round trip:
// the hello message follows in base64url without padding. The server never selects it.
const HelloSubprotocol = "skirmish.hello."

// Type is the first element of every message. Client messages lie below 0x20, server messages from 0x20 on.
type Type uint8

// Messages from the client.
const (
	TypeHello    Type = 1
	TypeInput    Type = 2
	TypePing     Type = 3
	TypeRequest  Type = 4
	TypeKeyframe Type = 5
	TypeBye      Type = 6
)

// Messages from the server.
const (
	TypeWelcome  Type = 0x20
	TypeSnapshot Type = 0x21
	TypeDelta    Type = 0x22
	TypeEvent    Type = 0x23
	TypeRoster   Type = 0x24
	TypePong     Type = 0x25
	TypeReply    Type = 0x26
	TypeNotice   Type = 0x27
	TypeResult   Type = 0x28
	TypeError    Type = 0x29
)

// String is the name of the message in SPEC.md.
func (t Type) String() string {
	switch t {
	case TypeHello:
		return "hello"
	case TypeInput:
		return "input"
	case TypePing:
		return "ping"
	case TypeRequest:
		return "request"
	case TypeKeyframe:
		return "keyframe"
	case TypeBye:
		return "bye"
	case TypeWelcome:
		return "welcome"
	case TypeSnapshot:
		return "snapshot"
	case TypeDelta:
		return "delta"
	case TypeEvent:
		return "event"
	case TypeRoster:
		return "roster"
	case TypePong:
		return "pong"
	case TypeReply:
		return "reply"
	case TypeNotice:
		return "notice"
	case TypeResult:
		return "result"
	case TypeError:
		return "error"
	}
	return "message"
}

// CloseCode is a WebSocket close code (RFC 6455 section 7.4). The application's own start at 4000.
type CloseCode uint16

// Close codes, each with what a client does next in its comment. Clients retry 1001, 1006, 1012 and 4503
// only, with jittered backoff.
const (
	CloseNormal      CloseCode = 1000 // done: do not reconnect
	CloseGoingAway   CloseCode = 1001 // the server shuts down: retry
	CloseProtocol    CloseCode = 1002 // a frame broke RFC 6455: a bug, do not retry
	CloseUnsupported CloseCode = 1003 // a text frame: a bug, do not retry
	CloseNoStatus    CloseCode = 1005 // never sent: the peer's Close frame had no code
	CloseAbnormal    CloseCode = 1006 // never sent: the socket broke without a Close frame: resume
	CloseInvalidText CloseCode = 1007 // text that is not UTF-8 (echo only)
	ClosePolicy      CloseCode = 1008 // too many pings or another abuse: do not retry
	CloseTooBig      CloseCode = 1009 // a message over the limit: a bug, do not retry
	CloseInternal    CloseCode = 1011 // a fault of the server: report it
	CloseRestart     CloseCode = 1012 // the server restarts: retry now
	CloseMatchOver   CloseCode = 4000 // the result was sent before: show it
	CloseLeft        CloseCode = 4001 // answer to bye: the seat is given up
	CloseKicked      CloseCode = 4002 // removed by the match or the matchmaker
	CloseBadMessage  CloseCode = 4400 // malformed messages: a bug, do not retry
	CloseBadTicket   CloseCode = 4401 // ticket or resume token bad, expired or used: ask for a new one
	CloseForbidden   CloseCode = 4403 // not allowed
	CloseNoMatch     CloseCode = 4404 // the match does not exist or has ended
	CloseTimeout     CloseCode = 4408 // no hello, no pong, or a frame that stalled: offer to reconnect, the seat waits
	CloseReplaced    CloseCode = 4409 // a newer connection took the seat: do not retry
	CloseVersion     CloseCode = 4410 // the server does not speak this version: update
	CloseEventsLost  CloseCode = 4413 // too far behind in reliable events: join anew
	CloseFlood       CloseCode = 4429 // too many inputs for too long: a bug, do not retry
	CloseMatchFailed CloseCode = 4500 // the match failed: its result says so
	CloseUnavailable CloseCode = 4503 // draining or full: retry later
)

// Retry tells whether a client connects again on its own after this code, with jittered backoff.
func (c CloseCode) Retry() bool {
	switch c {
	case CloseGoingAway, CloseAbnormal, CloseRestart, CloseUnavailable:
		return true
	}
	return false
}

// Role is what a seat may do.
type Role uint8

const (
	RolePlayer    Role = 0 // plays: sends inputs
	RoleSpectator Role = 1 // watches: its inputs are a bad message
	RoleBot       Role = 2 // played by the server
)

// SeatState is the life of a seat: reserved → active ⇄ lost → left | expired | kicked.
type SeatState uint8

const (
	SeatReserved SeatState = 0
	SeatActive   SeatState = 1
	SeatLost     SeatState = 2
	SeatLeft     SeatState = 3
	SeatExpired  SeatState = 4
	SeatKicked   SeatState = 5
)

// NoticeKind says what a notice is about.
type NoticeKind uint8

const (
	NoticeSlow      NoticeKind = 1 // the link is slower than the stream: snapshots are skipped
	NoticeThrottled NoticeKind = 2 // inputs over the rate were dropped
	NoticeDraining  NoticeKind = 3 // the server goes away in deadline_ms
	NoticeMoved     NoticeKind = 4 // connect to url with token
	NoticeResumed   NoticeKind = 5 // this connection took over its seat
)

// KeyframeReason says why a client asks for a full snapshot.
type KeyframeReason uint8

const (
	KeyframeCRC    KeyframeReason = 1 // the state's checksum differs
	KeyframeDecode KeyframeReason = 2 // a delta could not be decoded
	KeyframeBase   KeyframeReason = 3 // a delta named a baseline the client does not have
)

// Snapshot flags (StateHead.Flags).
const (
	FlagInputMissing uint8 = 1 << 0 // the newest tick had no new input of this player: repeated or neutral
)
