package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/session"
	"skirmish/server/ticket"
)

// Limits of a node.
const (
	MaxMatches      = 10_000           // that have not ended
	KeepEnded       = 10 * time.Minute // how long an ended match can still be asked for
	MaxEnded        = 10_000           // ended matches that are kept; the oldest go first
	watchEvery      = time.Second
	noCapacityRetry = 5 * time.Second
	quickPlayTTL    = 30 * time.Second
)

// matches is the directory of a node: every match that runs or has ended lately. It makes them, runs each on its
// goroutine, and is what the API asks (api.Matches). All methods are safe from any goroutine.
type matches struct {
	nodeID   string
	url      string // where players connect
	registry *game.Registry
	driver   netpoll.Driver
	keys     func() *ticket.Keyring
	metrics  *metrics.Set
	log      zerolog.Logger
	ctx      context.Context // of the matches: done when the node goes down
	draining func() bool
	lobby    *session.Lobby

	running sync.WaitGroup

	mu      sync.RWMutex
	entries map[string]*entry
	last    uint64 // sequence of the newest entry
	live    int    // matches that have not ended

	quick sync.Mutex // one quick play at a time, so that two newcomers find the same match
}

// entry is one match and what only the directory knows of it.
type entry struct {
	seq      uint64 // order of creation: the list's cursor
	room     *session.Room
	metadata map[string]string
	open     bool
}

// room finds a match to join; nil when it does not exist.
func (m *matches) room(id string) *session.Room {
	if e := m.find(id); e != nil {
		return e.room
	}
	return nil
}

// find returns the entry of a match that has been made.
func (m *matches) find(id string) *entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if e := m.entries[id]; e != nil && e.room != nil {
		return e
	}
	return nil
}

// Create makes a match and reserves its seats (api.Matches).
func (m *matches) Create(ctx context.Context, r *api.CreateRequest) (*api.Created, error) {
	cfg, err := m.configure(r)
	if err != nil {
		return nil, err
	}
	seats := make([]session.SeatRequest, len(r.Seats))
	for i := range r.Seats {
		seats[i] = seatRequest(&r.Seats[i])
	}
	e, room, err := m.add(ctx, cfg, r)
	if err != nil {
		return nil, err
	}
	reserved, err := room.Reserve(seats)
	if err == nil {
		m.publish(e, room)
	} else {
		m.drop(cfg.Match.ID)
		room.Stop(game.ReasonForce, 0)
		m.start(room)
		return nil, refusal(err)
	}
	m.start(room)
	answer := &api.Created{Match: m.describe(e), Seats: make([]api.Seat, len(reserved))}
	for i := range reserved {
		if answer.Seats[i], err = m.ticketed(room, &reserved[i]); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// configure turns a request into a match: what it leaves open is the game's to say.
func (m *matches) configure(r *api.CreateRequest) (session.RoomConfig, error) {
	def, ok := m.registry.Lookup(r.Game)
	if !ok {
		return session.RoomConfig{}, api.FieldError(api.UnknownGame, "game",
			fmt.Sprintf("there is no game %q here; this server has %s", r.Game, strings.Join(m.registry.Names(), ", ")))
	}
	match := game.Match{
		ID: r.MatchID, Game: r.Game, Params: r.Params, Players: r.Capacity.Players,
		TickRate: cmp.Or(r.TickRate, def.Spec.TickRate), SnapshotRate: r.SnapshotRate,
	}
	if match.ID == "" {
		match.ID = newID()
	}
	if match.Players == 0 {
		match.Players = cmp.Or(def.Spec.DefaultPlayers, def.Spec.MaxPlayers)
	}
	if match.Players > def.Spec.MaxPlayers {
		return session.RoomConfig{}, api.FieldError(api.BadParams, "capacity.players", fmt.Sprintf("%s takes at most %d players", r.Game, def.Spec.MaxPlayers))
	}
	if _, bots := def.Game.(game.Botter); !bots {
		for i := range r.Seats {
			if r.Seats[i].Bot {
				return session.RoomConfig{}, api.FieldError(api.BadParams, fmt.Sprintf("seats[%d].bot", i), r.Game+" has no bots")
			}
		}
	}
	if match.SnapshotRate == 0 {
		match.SnapshotRate = divisor(match.TickRate, def.Spec.SnapshotRate)
	}
	if match.TickRate%match.SnapshotRate != 0 {
		return session.RoomConfig{}, api.FieldError(api.BadParams, "snapshot_rate", fmt.Sprintf("must divide the tick rate of %d Hz", match.TickRate))
	}
	if r.Seed != nil {
		match.Seed = *r.Seed
	} else {
		match.Seed = newSeed()
	}
	return session.RoomConfig{
		Definition: def, Match: match, Spectators: r.Capacity.Spectators,
		Reconnect: r.Timeouts.Reconnect(), NoShow: r.Timeouts.NoShow(), Empty: r.Timeouts.Empty(), MaxLength: r.Timeouts.MaxDuration(),
	}, nil
}

// divisor is the largest divisor of rate that is at most want.
func divisor(rate, want int) int {
	for d := min(rate, want); d > 1; d-- {
		if rate%d == 0 {
			return d
		}
	}
	return 1
}

// add claims the match's id and makes its room. Nobody finds it before publish.
func (m *matches) add(ctx context.Context, cfg session.RoomConfig, r *api.CreateRequest) (*entry, *session.Room, error) {
	if m.draining() {
		return nil, nil, &api.Error{Code: api.Draining, Message: "this node takes no new matches", RetryAfter: noCapacityRetry}
	}
	id := cfg.Match.ID
	e := &entry{metadata: maps.Clone(r.Metadata), open: r.Open}
	if e.metadata == nil {
		e.metadata = map[string]string{} // shown as {}, not null
	}
	m.mu.Lock()
	if m.entries[id] != nil {
		m.mu.Unlock()
		return nil, nil, api.FieldError(api.IDTaken, "match_id", fmt.Sprintf("a match %q exists already", id))
	}
	if m.live >= MaxMatches {
		m.mu.Unlock()
		return nil, nil, &api.Error{Code: api.NoCapacity, Message: fmt.Sprintf("this node has %d matches, its most", MaxMatches), RetryAfter: noCapacityRetry}
	}
	m.last++
	e.seq = m.last
	m.entries[id] = e
	m.live++
	m.mu.Unlock()

	room, err := session.NewRoom(ctx, cfg, m.driver, m.lobby, m.keys, m.metrics, m.log)
	if err != nil {
		m.drop(id)
		m.mu.Lock()
		m.live--
		m.mu.Unlock()
		if panicked, ok := errors.AsType[*game.PanicError](err); ok {
			m.log.Error().Str("game", r.Game).Interface("panic", panicked.Value).Bytes("stack", panicked.Stack).Msg("the game panicked while making a match")
			return nil, nil, api.NewError(api.Internal, "the game failed to make the match")
		}
		return nil, nil, badParams(err)
	}
	return e, room, nil
}

// badParams tells what the game has against its parameters.
func badParams(err error) *api.Error {
	field := "params"
	if p, ok := errors.AsType[*game.ParamError](err); ok && p.Field != "" {
		field += "." + p.Field
	}
	return api.FieldError(api.BadParams, field, err.Error())
}

// publish lets everybody find the match.
func (m *matches) publish(e *entry, room *session.Room) {
	m.mu.Lock()
	e.room = room
	m.mu.Unlock()
}

// drop forgets a match's id.
func (m *matches) drop(id string) {
	m.mu.Lock()
	delete(m.entries, id)
	m.mu.Unlock()
}

// start runs the match on its own goroutine.
func (m *matches) start(room *session.Room) {
	m.running.Go(func() {
		room.Run(m.ctx)
		m.mu.Lock()
		m.live--
		m.mu.Unlock()
	})
}

// Get returns a match (api.Matches).
func (m *matches) Get(id string) (*api.Match, error) {
	e := m.find(id)
	if e == nil {
		return nil, notFound(id)
	}
	d := m.describe(e)
	seats, _ := e.room.Seats()
	d.Seats = make([]api.Seat, len(seats))
	for i := range seats {
		d.Seats[i] = seatOf(&seats[i])
	}
	return &d, nil
}

// List returns the matches that f lets through, oldest first (api.Matches).
func (m *matches) List(f *api.Filter) ([]api.Match, string, error) {
	after := uint64(0)
	if f.Cursor != "" {
		var err error
		if after, err = strconv.ParseUint(f.Cursor, 36, 64); err != nil {
			return nil, "", api.FieldError(api.BadRequest, "cursor", "is not one that this list gave")
		}
	}
	found := m.all()
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) })
	out := []api.Match{}
	for _, e := range found {
		if e.seq <= after {
			continue
		}
		d := m.describe(e)
		if !passes(f, &d) {
			continue
		}
		if len(out) == f.Limit {
			return out, strconv.FormatUint(after, 36), nil
		}
		out, after = append(out, d), e.seq
	}
	return out, "", nil
}

// all returns the entries of the matches that have been made, in no order.
func (m *matches) all() []*entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]*entry, 0, len(m.entries))
	for _, e := range m.entries {
		if e.room != nil {
			out = append(out, e)
		}
	}
	return out
}

// passes tells whether f lets a match through.
func passes(f *api.Filter, d *api.Match) bool {
	if f.Game != "" && d.Game != f.Game || f.State != "" && d.State != f.State || d.OpenSeats < f.MinOpen {
		return false
	}
	for k, v := range f.Metadata {
		if got, ok := d.Metadata[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Reserve adds seats to a match (api.Matches).
func (m *matches) Reserve(_ context.Context, id string, reqs []api.SeatRequest) ([]api.Seat, error) {
	e := m.find(id)
	if e == nil {
		return nil, notFound(id)
	}
	if m.draining() {
		return nil, &api.Error{Code: api.Draining, Message: "this node takes no new players", RetryAfter: noCapacityRetry}
	}
	seats := make([]session.SeatRequest, len(reqs))
	for i := range reqs {
		seats[i] = seatRequest(&reqs[i])
	}
	reserved, err := e.room.Reserve(seats)
	if err != nil {
		return nil, refusal(err)
	}
	out := make([]api.Seat, len(reserved))
	for i := range reserved {
		if out[i], err = m.ticketed(e.room, &reserved[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// End ends a match (api.Matches).
func (m *matches) End(id string, mode api.EndMode, grace time.Duration) error {
	e := m.find(id)
	if e == nil {
		return notFound(id)
	}
	if e.room.Outcome() != nil {
		return api.NewError(api.MatchOver, "the match has ended already")
	}
	if mode == api.ModeForce {
		grace = 0
	}
	e.room.Stop(game.ReasonForce, grace)
	return nil
}

// Result returns what became of a match (api.Matches).
func (m *matches) Result(id string) (*api.Result, error) {
	e := m.find(id)
	if e == nil {
		return nil, notFound(id)
	}
	o := e.room.Outcome()
	if o == nil {
		return nil, api.NewError(api.NotFound, "the match has no result yet: it has not ended")
	}
	res := &api.Result{
		MatchID: id, Game: e.room.Match().Game, Reason: string(o.Reason),
		EndedAt: o.Ended.UTC(), Ticks: o.Ticks, Result: o.Result, Players: []api.PlayerResult{},
	}
	if !o.Started.IsZero() {
		started := o.Started.UTC()
		res.StartedAt = &started
	}
	for i := range o.Seats {
		if s := &o.Seats[i]; s.Role != protocol.RoleSpectator {
			res.Players = append(res.Players, api.PlayerResult{
				PlayerID: s.PlayerID, Seat: s.Number, Team: s.Team, State: seatState(s.State), Bot: s.Role == protocol.RoleBot,
			})
		}
	}
	return res, nil
}

// describe shows a match as the API does.
func (m *matches) describe(e *entry) api.Match {
	match := e.room.Match()
	_, c := e.room.Seats()
	return api.Match{
		MatchID: match.ID, Game: match.Game, State: api.MatchState(e.room.State()), Tick: e.room.Tick(),
		TickRate: match.TickRate, SnapshotRate: match.SnapshotRate, NodeID: m.nodeID,
		Capacity: api.Capacity{Players: match.Players, Spectators: e.room.Spectators()}, Open: e.open,
		Players: c.Players, Reserved: c.Reserved, OpenSeats: c.Open, Spectators: c.Spectators,
		CreatedAt: e.room.Created().UTC(), Metadata: e.metadata, URL: m.url,
	}
}

// ticketed is a reserved seat with what its player needs to come in. A bot needs nothing.
func (m *matches) ticketed(room *session.Room, s *session.Seat) (api.Seat, error) {
	out := seatOf(s)
	if s.Role == protocol.RoleBot {
		return out, nil
	}
	now := time.Now()
	token, err := m.keys().Sign(&ticket.Claims{
		Match: room.ID(), Player: s.PlayerID, Seat: s.Number, Role: uint8(s.Role), Team: uint8(s.Team),
		IssuedAt: now.Unix(), Expires: s.Expires.Unix(), ID: newID(), Node: m.nodeID,
	})
	if err != nil {
		return api.Seat{}, fmt.Errorf("sign a ticket: %w", err)
	}
	expires := s.Expires.UTC().Truncate(time.Second)
	out.Token, out.ExpiresAt, out.URL = token, &expires, m.url
	return out, nil
}

// seatRequest reads a seat request of the API.
func seatRequest(r *api.SeatRequest) session.SeatRequest {
	role := protocol.RolePlayer
	switch {
	case r.Bot:
		role = protocol.RoleBot
	case r.Role == api.RoleSpectator:
		role = protocol.RoleSpectator
	}
	return session.SeatRequest{PlayerID: r.PlayerID, Name: r.Name, Team: r.Team, Data: r.Data, Role: role, TTL: r.TTL()}
}

// seatOf shows a seat as the API does, without secrets.
func seatOf(s *session.Seat) api.Seat {
	role := api.RolePlayer
	if s.Role == protocol.RoleSpectator {
		role = api.RoleSpectator
	}
	return api.Seat{PlayerID: s.PlayerID, Seat: s.Number, Team: s.Team, Role: role, State: seatState(s.State)}
}

// seatState names a state as the API does.
func seatState(s protocol.SeatState) api.SeatState {
	return [...]api.SeatState{api.SeatReserved, api.SeatActive, api.SeatLost, api.SeatLeft, api.SeatExpired, api.SeatKicked}[s]
}

// refusal says why seats could not be reserved.
func refusal(err error) error {
	switch {
	case errors.Is(err, session.ErrFull):
		return api.NewError(api.MatchFull, "not enough open seats")
	case errors.Is(err, session.ErrSeatTaken):
		return api.NewError(api.SeatTaken, strings.TrimPrefix(err.Error(), "session: "))
	case errors.Is(err, session.ErrEnded):
		return api.NewError(api.MatchOver, "the match has ended")
	}
	return err
}

func notFound(id string) error {
	return api.NewError(api.NotFound, fmt.Sprintf("there is no match %q on this node", id))
}

// watch counts the matches and their seats, and forgets those that ended long ago, until ctx is done.
func (m *matches) watch(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			m.forgetEnded(now)
			m.count()
		}
	}
}

// count sets the gauges of matches and seats.
func (m *matches) count() {
	states := map[session.State]int{}
	var reserved, active, lost, bots, spectators int
	for _, e := range m.all() {
		state := e.room.State()
		states[state]++
		if state != session.StateWaiting && state != session.StateRunning {
			continue
		}
		seats, _ := e.room.Seats()
		for i := range seats {
			s := &seats[i]
			sits := s.State == protocol.SeatActive || s.State == protocol.SeatLost
			switch {
			case s.State == protocol.SeatReserved:
				reserved++
			case sits && s.Role == protocol.RoleBot:
				bots++
			case sits && s.Role == protocol.RoleSpectator:
				spectators++
			case s.State == protocol.SeatActive:
				active++
			case s.State == protocol.SeatLost:
				lost++
			}
		}
	}
	g := &m.metrics.Matches
	g.Waiting.Set(float64(states[session.StateWaiting]))
	g.Running.Set(float64(states[session.StateRunning]))
	g.Ended.Set(float64(states[session.StateEnded]))
	g.Failed.Set(float64(states[session.StateFailed]))
	p := &m.metrics.Players
	p.Reserved.Set(float64(reserved))
	p.Active.Set(float64(active))
	p.Lost.Set(float64(lost))
	p.Bots.Set(float64(bots))
	p.Spectators.Set(float64(spectators))
}

// forgetEnded drops ended matches that are old or too many.
func (m *matches) forgetEnded(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ended []*entry
	for id, e := range m.entries {
		if e.room == nil || e.room.Outcome() == nil {
			continue
		}
		if now.Sub(e.room.Outcome().Ended) > KeepEnded {
			delete(m.entries, id)
			continue
		}
		ended = append(ended, e)
	}
	if len(ended) <= MaxEnded {
		return
	}
	slices.SortFunc(ended, func(a, b *entry) int { return a.room.Outcome().Ended.Compare(b.room.Outcome().Ended) })
	for _, e := range ended[:len(ended)-MaxEnded] {
		delete(m.entries, e.room.ID())
	}
}

// newID is a name nobody guesses: 128 bits, lower case.
func newID() string { return strings.ToLower(rand.Text()) }

// newSeed is a random seed that JavaScript can hold: 53 bits.
func newSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) >> 11
}
