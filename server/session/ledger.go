package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"skirmish/protocol"
)

// Errors of a reservation.
var (
	ErrFull      = errors.New("session: no open seat left")
	ErrSeatTaken = errors.New("session: the player has a seat in this match already")
	ErrEnded     = errors.New("session: the match has ended")
)

// SeatRequest asks for one seat.
type SeatRequest struct {
	PlayerID string
	Name     string
	Team     int
	Data     json.RawMessage // the matchmaker's own word to the game
	Role     protocol.Role
	TTL      time.Duration // how long the seat waits for its player; bots do not wait
}

// Seat is one seat as others may see it.
type Seat struct {
	Number   uint16 // 1 and up; players first, then spectators
	PlayerID string
	Name     string
	Team     int
	Data     json.RawMessage
	Role     protocol.Role
	State    protocol.SeatState
	Expires  time.Time // of a reservation
}

// Counts sums a ledger up.
type Counts struct {
	Players    int // active or lost, bots included
	Reserved   int
	Open       int // for players
	Spectators int
}

// ledger is the list of a match's seats: who may sit where, and who does. All methods are safe from any goroutine;
// the match's own is the only one that moves seats on from reserved.
type ledger struct {
	players    int // capacity
	spectators int
	version    atomic.Uint32 // counts changes; read without the lock by the match at every tick

	mu     sync.Mutex
	closed bool
	seats  []ledgerSeat // by number − 1; Number 0 = never used
}

// ledgerSeat is a seat and what only the ledger needs to know.
type ledgerSeat struct {
	Seat
	generation uint32 // of the resume token; counts connections of this seat
	changed    uint32 // version of the last change
}

func newLedger(players, spectators int) *ledger {
	return &ledger{players: players, spectators: spectators, seats: make([]ledgerSeat, players+spectators)}
}

// free tells whether somebody else may take the seat: nobody ever had it, or its player is gone.
func (s *ledgerSeat) free() bool {
	return s.Number == 0 || s.State == protocol.SeatLeft || s.State == protocol.SeatExpired || s.State == protocol.SeatKicked
}

// touch marks a change. Called with the lock held.
func (l *ledger) touch(s *ledgerSeat) { s.changed = l.version.Add(1) }

// reserve takes a seat for each request, or none at all.
func (l *ledger) reserve(reqs []SeatRequest, now time.Time) ([]Seat, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrEnded
	}
	l.expire(now)
	picked := make([]int, len(reqs))
	taken := map[int]bool{}
	for i, r := range reqs {
		for j := range l.seats {
			if s := &l.seats[j]; !s.free() && s.PlayerID == r.PlayerID {
				return nil, fmt.Errorf("%w: %q", ErrSeatTaken, r.PlayerID)
			}
		}
		for j := range i {
			if reqs[j].PlayerID == r.PlayerID {
				return nil, fmt.Errorf("%w: %q is named twice", ErrSeatTaken, r.PlayerID)
			}
		}
		n := l.pick(r.Role, taken)
		if n < 0 {
			return nil, ErrFull
		}
		picked[i], taken[n] = n, true
	}
	out := make([]Seat, len(reqs))
	for i, r := range reqs {
		s := &l.seats[picked[i]]
		s.Seat = Seat{
			Number: uint16(picked[i] + 1), PlayerID: r.PlayerID, Name: r.Name, Team: r.Team, Data: r.Data,
			Role: r.Role, State: protocol.SeatReserved, Expires: now.Add(r.TTL),
		}
		if r.Role == protocol.RoleBot {
			s.State = protocol.SeatActive // nobody has to come
		}
		s.generation++ // of an earlier player of this seat nothing is valid any more
		l.touch(s)
		out[i] = s.Seat
	}
	return out, nil
}

// pick finds a free seat for the role: one that nobody ever had first, so that numbers are re-used as late as possible.
func (l *ledger) pick(role protocol.Role, taken map[int]bool) int {
	from, to := 0, l.players
	if role == protocol.RoleSpectator {
		from, to = l.players, l.players+l.spectators
	}
	used := -1
	for n := from; n < to; n++ {
		if taken[n] || !l.seats[n].free() {
			continue
		}
		if l.seats[n].Number == 0 {
			return n
		}
		if used < 0 {
			used = n
		}
	}
	return used
}

// expire frees reservations whose time is over. Called with the lock held.
func (l *ledger) expire(now time.Time) {
	for i := range l.seats {
		if s := &l.seats[i]; s.Number != 0 && s.State == protocol.SeatReserved && s.Role != protocol.RoleBot && now.After(s.Expires) {
			s.State = protocol.SeatExpired
			l.touch(s)
		}
	}
}

// sweep frees reservations whose time is over.
func (l *ledger) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
}

// get returns a copy of the seat of that number.
func (l *ledger) get(number uint16) (Seat, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number == 0 || int(number) > len(l.seats) || l.seats[number-1].Number == 0 {
		return Seat{}, false
	}
	return l.seats[number-1].Seat, true
}

// set moves a seat on and returns its generation; an activation begins a new one.
func (l *ledger) set(number uint16, state protocol.SeatState) (generation uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.seats[number-1]
	if state == protocol.SeatActive {
		s.generation++
	}
	if s.State != state {
		s.State = state
		l.touch(s)
	}
	return s.generation
}

// current tells whether a resume token of this generation is the seat's newest.
func (l *ledger) current(number uint16, generation uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return number > 0 && int(number) <= len(l.seats) && l.seats[number-1].Number != 0 && l.seats[number-1].generation == generation
}

// changes appends the entries that changed after version since, and returns the present version.
func (l *ledger) changes(dst []protocol.RosterEntry, since uint32) ([]protocol.RosterEntry, uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.seats {
		if s := &l.seats[i]; s.Number != 0 && s.changed > since {
			dst = append(dst, protocol.RosterEntry{
				Seat: s.Number, PlayerID: s.PlayerID, Name: s.Name, Team: uint8(s.Team), State: s.State, Role: s.Role,
			})
		}
	}
	return dst, l.version.Load()
}

// close refuses reservations from now on.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// all returns a copy of the seats in use, and their counts.
func (l *ledger) all(now time.Time) ([]Seat, Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	c := Counts{Open: l.players}
	var out []Seat
	for i := range l.seats {
		s := &l.seats[i]
		if s.Number == 0 {
			continue
		}
		out = append(out, s.Seat)
		sits := s.State == protocol.SeatActive || s.State == protocol.SeatLost
		switch {
		case s.free():
		case s.Role == protocol.RoleSpectator:
			if sits {
				c.Spectators++
			}
		case sits:
			c.Players++
			c.Open--
		default:
			c.Reserved++
			c.Open--
		}
	}
	return out, c
}
