package session

import "time"

// EventKind names what happened in a match, as the API does.
type EventKind string

const (
	MatchStarted EventKind = "match.started"
	SeatActive   EventKind = "seat.active"
	SeatLost     EventKind = "seat.lost"
	SeatResumed  EventKind = "seat.resumed"
	SeatLeft     EventKind = "seat.left" // by its player, or released before the player came
	SeatExpired  EventKind = "seat.expired"
	SeatKicked   EventKind = "seat.kicked"
)

// Event is something that happened in a match. Events of one match come one at a time and in order.
type Event struct {
	Kind EventKind
	Time time.Time
	Seat Seat // of the kinds seat.…
	Open int  // seats that players can still take
}
