package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	ErrNoSeat    = errors.New("session: the player has no seat in this match")
	ErrTable     = errors.New("session: a match cannot take more than it was made for")
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

	Connected   time.Duration // so far, all connections together
	Disconnects int           // times the connection was lost
	RTT         time.Duration // median round trip of the newest pings; 0: none was measured
	Late        uint64        // steps that had to do without its input; set when the player is gone or the match ended
}

// Counts sums a ledger up.
type Counts struct {
	Players    int // active or lost, bots included
	Reserved   int
	Open       int // for players
	Spectators int
}

// ledger is the list of a match's seats: who may sit where, and who does. All methods are safe from any goroutine;
// the match's own is the only one that moves seats on from reserved, but for release.
type ledger struct {
	version atomic.Uint32 // counts changes; read without the lock by the match at every tick
	dirty   atomic.Bool   // a seat is
	notify  func(Event)   // told of every change, in order and with no lock of the ledger held but telling

	mu         sync.Mutex
	closed     bool
	players    int // capacity: what may be taken
	spectators int
	table      int          // seats for players, the first ones of seats
	seats      []ledgerSeat // by number − 1; Number 0 = never used
	gone       []Seat       // players whose seats were given to others, the newest maxGone
	untold     []Event

	telling sync.Mutex // held while notify runs, so that events keep their order
}

// ledgerSeat is a seat and what only the ledger needs to know.
type ledgerSeat struct {
	Seat
	generation  uint32          // of the resume token; counts connections of this seat
	proven      uint32          // the newest generation whose token the player is known to hold: older tokens are void
	undone      uint32          // generations up to here are from before a restart of the node
	undoneEvent uint32          // the last event that their holders may have seen and is not undone
	changed     uint32          // version of the last change
	dirty       bool            // changed since the journal has taken it down
	since       time.Time       // when it became active; zero: it is not
	trips       []time.Duration // round trips of its newest pings, a ring
	nextTrip    int
}

const (
	maxGone  = 1024 // players of the past that a result still tells of
	maxTrips = 32
)

func newLedger(players, spectators int, notify func(Event)) *ledger {
	if notify == nil {
		notify = func(Event) {}
	}
	return &ledger{players: players, spectators: spectators, table: players, seats: make([]ledgerSeat, players+spectators), notify: notify}
}

// free tells whether somebody else may take the seat: nobody ever had it, or its player is gone.
func (s *ledgerSeat) free() bool {
	return s.Number == 0 || s.State == protocol.SeatLeft || s.State == protocol.SeatExpired || s.State == protocol.SeatKicked
}

// touch marks a change. Called with the lock held.
func (l *ledger) touch(s *ledgerSeat) {
	s.changed = l.version.Add(1)
	l.soiled(s)
}

// soiled marks what the journal has to take down. Called with the lock held.
func (l *ledger) soiled(s *ledgerSeat) {
	s.dirty = true
	l.dirty.Store(true)
}

// move brings a seat into another state and keeps its figures. Called with the lock held.
func (l *ledger) move(s *ledgerSeat, to protocol.SeatState, now time.Time) {
	from := s.State
	if from == to {
		return
	}
	s.State = to
	l.touch(s)
	if !s.since.IsZero() {
		s.Connected += now.Sub(s.since)
		s.since = time.Time{}
	}
	if to == protocol.SeatActive {
		s.since = now
	}
	if to == protocol.SeatLost {
		s.Disconnects++
	}
	if s.Role == protocol.RoleBot {
		return
	}
	kind := kindOf(from, to)
	if kind != "" {
		l.untold = append(l.untold, Event{Kind: kind, Time: now, Seat: s.copy(now), Open: l.open()})
	}
}

// kindOf names a change of a seat; empty for one that nobody is told of.
func kindOf(from, to protocol.SeatState) EventKind {
	switch to {
	case protocol.SeatActive:
		if from == protocol.SeatLost {
			return SeatResumed
		}
		return SeatActive
	case protocol.SeatLost:
		return SeatLost
	case protocol.SeatLeft:
		return SeatLeft
	case protocol.SeatExpired:
		return SeatExpired
	case protocol.SeatKicked:
		return SeatKicked
	}
	return ""
}

// tell passes on what has changed. Called without the lock.
func (l *ledger) tell() {
	l.telling.Lock()
	defer l.telling.Unlock()
	l.mu.Lock()
	events := l.untold
	l.untold = nil
	l.mu.Unlock()
	for _, e := range events {
		l.notify(e)
	}
}

// copy is the seat with its figures up to now.
func (s *ledgerSeat) copy(now time.Time) Seat {
	out := s.Seat
	if !s.since.IsZero() {
		out.Connected += now.Sub(s.since)
	}
	if len(s.trips) > 0 {
		sorted := slices.Sorted(slices.Values(s.trips))
		out.RTT = sorted[len(sorted)/2]
	}
	return out
}

// open counts the seats that players can still take. Called with the lock held.
func (l *ledger) open() int {
	n := l.players
	for i := range l.seats[:l.table] {
		if !l.seats[i].free() {
			n--
		}
	}
	return max(0, n)
}

// reserve takes a seat for each request, or none at all.
func (l *ledger) reserve(reqs []SeatRequest, now time.Time) ([]Seat, error) {
	defer l.tell()
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
		l.bury(s, now)
		s.Seat = Seat{
			Number: uint16(picked[i] + 1), PlayerID: r.PlayerID, Name: r.Name, Team: r.Team, Data: r.Data,
			Role: r.Role, State: protocol.SeatReserved, Expires: now.Add(r.TTL),
		}
		if r.Role == protocol.RoleBot {
			s.State = protocol.SeatActive // nobody has to come
		}
		s.generation++ // of an earlier player of this seat nothing is valid any more
		s.proven = s.generation
		l.touch(s)
		out[i] = s.Seat
	}
	return out, nil
}

// bury keeps what a result tells of the last player of a seat that somebody else takes. Called with the lock held.
func (l *ledger) bury(s *ledgerSeat, now time.Time) {
	if s.Number != 0 && s.Role != protocol.RoleSpectator && (s.Connected > 0 || s.Role == protocol.RoleBot) {
		if len(l.gone) == maxGone {
			l.gone = slices.Delete(l.gone, 0, 1)
		}
		l.gone = append(l.gone, s.copy(now))
	}
	s.trips, s.nextTrip, s.since = nil, 0, time.Time{}
}

// pick finds a free seat for the role: one that nobody ever had first, so that numbers are re-used as late as possible.
func (l *ledger) pick(role protocol.Role, taken map[int]bool) int {
	from, to, left := 0, l.table, l.players
	if role == protocol.RoleSpectator {
		from, to, left = l.table, len(l.seats), l.spectators
	}
	for n := from; n < to; n++ {
		if taken[n] || !l.seats[n].free() {
			left--
		}
	}
	if left <= 0 {
		return -1
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
			l.move(s, protocol.SeatExpired, now)
		}
	}
}

// sweep frees reservations whose time is over.
func (l *ledger) sweep(now time.Time) {
	defer l.tell()
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

// of finds the seat that a player holds.
func (l *ledger) of(player string) (Seat, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.holder(player); s != nil {
		return s.Seat, true
	}
	return Seat{}, false
}

// holder is the seat that a player holds, or nil. Called with the lock held.
func (l *ledger) holder(player string) *ledgerSeat {
	for i := range l.seats {
		if s := &l.seats[i]; !s.free() && s.PlayerID == player {
			return s
		}
	}
	return nil
}

// release gives up a seat that is reserved; done is false for one that is taken, whose player the match itself must part with.
func (l *ledger) release(player string, now time.Time) (done bool, err error) {
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	s := l.holder(player)
	switch {
	case s == nil:
		return false, ErrNoSeat
	case s.State != protocol.SeatReserved:
		return false, nil
	}
	l.move(s, protocol.SeatLeft, now)
	return true, nil
}

// renew lets a reservation wait until expires at the least, and returns the player's seat with that expiry.
func (l *ledger) renew(player string, expires, now time.Time) (Seat, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return Seat{}, ErrEnded
	}
	l.expire(now)
	s := l.holder(player)
	if s == nil {
		return Seat{}, ErrNoSeat
	}
	if s.State == protocol.SeatReserved && expires.After(s.Expires) {
		s.Expires = expires
		l.soiled(s)
	}
	out := s.Seat
	out.Expires = expires
	return out, nil
}

// limit changes the capacity, up to what the match was made for. Nobody who sits has to go.
func (l *ledger) limit(players, spectators int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if players > l.table || spectators > len(l.seats)-l.table {
		return ErrTable
	}
	l.players, l.spectators = players, spectators
	return nil
}

// capacity is what the match takes now.
func (l *ledger) capacity() (players, spectators int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.players, l.spectators
}

// trip notes the round trip of a ping.
func (l *ledger) trip(number uint16, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.seats[number-1]
	if len(s.trips) < maxTrips {
		s.trips = append(s.trips, d)
		return
	}
	s.trips[s.nextTrip] = d
	s.nextTrip = (s.nextTrip + 1) % maxTrips
}

// late notes how many steps had to do without a player's input.
func (l *ledger) late(number uint16, n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seats[number-1].Late = n
}

// set moves a seat on and returns its generation; an activation begins a new one.
func (l *ledger) set(number uint16, state protocol.SeatState) (generation uint32) {
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.seats[number-1]
	if state == protocol.SeatActive {
		s.generation++
		l.soiled(s)
	}
	l.move(s, state, time.Now())
	return s.generation
}

// accept tells whether a resume token of this generation is good: the seat's newest, or an older one as long as no welcome
// behind it is known to have arrived. Whoever shows a token has had its welcome: the ones before it are void from now on.
func (l *ledger) accept(number uint16, generation uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number == 0 || int(number) > len(l.seats) || l.seats[number-1].Number == 0 {
		return false
	}
	s := &l.seats[number-1]
	if generation < s.proven || generation > s.generation {
		return false
	}
	s.proven = generation
	l.soiled(s)
	return true
}

// prove notes that the welcome of this generation has arrived: older resume tokens are void.
func (l *ledger) prove(number uint16, generation uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.seats[number-1]
	s.proven = max(s.proven, generation)
	l.soiled(s)
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
	defer l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	c := Counts{Open: l.open()}
	var out []Seat
	for i := range l.seats {
		s := &l.seats[i]
		if s.Number == 0 {
			continue
		}
		out = append(out, s.copy(now))
		sits := s.State == protocol.SeatActive || s.State == protocol.SeatLost
		switch {
		case s.free():
		case s.Role == protocol.RoleSpectator:
			if sits {
				c.Spectators++
			}
		case sits:
			c.Players++
		default:
			c.Reserved++
		}
	}
	return out, c
}

// history returns the players whose seats others have taken since.
func (l *ledger) history() []Seat {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.gone)
}
