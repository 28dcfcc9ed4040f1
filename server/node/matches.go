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
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/server/api"
	"skirmish/server/journal"
	"skirmish/server/metrics"
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
	keys     func() *ticket.Keyring
	metrics  *metrics.Set
	log      zerolog.Logger
	ctx      context.Context // of the matches: done when the node goes down
	draining func() bool
	lobby    *session.Lobby
	store    *store
	memory   *memoryGuard
	tickets  *burntTickets
	witness  *witness
	strays   *session.Strays
	replays  *replays

	running sync.WaitGroup

	mu      sync.RWMutex
	entries map[string]*entry
	last    uint64 // sequence of the newest entry
	live    int    // matches that have not ended, or whose result is not on the disk
	closed  bool   // nobody waits for a new match any more

	finding map[string]*sync.Mutex // by game, never changed; see search
}

// entry is one match and what only the directory knows of it.
type entry struct {
	seq    uint64        // order of creation: the list's cursor
	room   *session.Room // nil until it is made
	public bool          // others may find it; guarded by matches.mu
	events *eventLog
	cfg    session.RoomConfig
	record uint64                     // of the match in the store, as long as it has no result
	result atomic.Pointer[api.Result] // once it is on the disk
	saved  chan struct{}              // closed then
	tape   *tape                      // its recording; nil: none
	leave  func()                     // gives up its place with the witness

	notedSeq atomic.Uint64 // what the log of inputs has of the entry: the newest event,
	noted    atomic.Uint64 // and the revision
	revision atomic.Uint64 // of metadata and open

	mu       sync.Mutex
	metadata map[string]string // replaced whole, never changed
	open     bool
}

// untape forgets the recording of a match that was not to be.
func (e *entry) untape(r *replays) {
	if e.tape != nil {
		r.drop(e.tape)
	}
}

// about is what PATCH may change.
func (e *entry) about() (metadata map[string]string, open bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.metadata, e.open
}

// state is the match's, ended only when its result is on the disk.
func (e *entry) state() api.MatchState {
	if r := e.result.Load(); r != nil {
		return r.State
	}
	switch s := e.room.State(); s {
	case session.StateEnded, session.StateFailed:
		return api.MatchRunning // for a moment longer
	default:
		return api.MatchState(s)
	}
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
	if e := m.entries[id]; e != nil && e.public {
		return e
	}
	return nil
}

// Create makes a match and reserves its seats (api.Matches).
func (m *matches) Create(ctx context.Context, r *api.CreateRequest, commit func(*api.Created) error) error {
	cfg, err := m.configure(r)
	if err != nil {
		return err
	}
	e, err := m.add(ctx, cfg, r)
	if err != nil {
		return err
	}
	answer, err := m.furnish(e, r.Seats)
	if err == nil {
		err = m.keep(ctx, e)
	}
	if err == nil {
		err = commit(answer)
	}
	if err != nil {
		m.discard(e)
		return err
	}
	m.publish(e)
	m.store.emit(e.events, "match.created", e.room.Created(), struct {
		Match api.Match `json:"match"`
	}{answer.Match})
	m.start(e)
	return nil
}

// furnish reserves the first seats of a match and tells what was made.
func (m *matches) furnish(e *entry, reqs []api.SeatRequest) (*api.Created, error) {
	reserved, err := e.room.Reserve(seatRequests(reqs))
	if err != nil {
		return nil, refusal(err)
	}
	answer := &api.Created{Match: m.describe(e), Created: true}
	answer.Seats, err = m.ticketAll(e.room, reserved)
	return answer, err
}

// discard ends a match that nobody has seen.
func (m *matches) discard(e *entry) {
	m.drop(e.room.ID())
	e.events.seal() // nobody hears of it
	e.room.Stop(game.ReasonForce, 0)
	m.run(func() {
		e.room.Run(m.ctx, nil)
		m.parted(e)
		e.untape(m.replays)
		m.settle(e)
	})
}

// errDraining refuses what a node does not do any more when it goes away.
func errDraining() error {
	return &api.Error{Code: api.Draining, Message: "This node goes away and takes no new matches and players; use another one.", RetryAfter: noCapacityRetry}
}

// errStore refuses a match that could not be kept.
func errStore(reason string) error {
	return &api.Error{Code: api.NoCapacity, Message: "This node takes no new matches for now: " + reason + ".", RetryAfter: noCapacityRetry}
}

// configure turns a request into a match: what it leaves open is the game's to say.
func (m *matches) configure(r *api.CreateRequest) (session.RoomConfig, error) {
	def, ok := m.registry.Lookup(r.Game)
	if !ok {
		return session.RoomConfig{}, api.FieldError(api.UnknownGame, "game",
			fmt.Sprintf("There is no game %q here; this server has %s.", r.Game, strings.Join(m.registry.Names(), ", ")))
	}
	match := game.Match{
		ID: r.MatchID, Game: r.Game, Params: r.Params, Players: r.Capacity.Players,
		TickRate: cmp.Or(r.TickRate, def.Spec.TickRate), SnapshotRate: r.SnapshotRate,
		SpectatorDelay: time.Duration(r.SpectatorDelayMS) * time.Millisecond,
	}
	if match.ID == "" {
		match.ID = newID()
	}
	if match.Players == 0 {
		match.Players = cmp.Or(def.Spec.DefaultPlayers, def.Spec.MaxPlayers)
	}
	if match.Players > def.Spec.MaxPlayers {
		return session.RoomConfig{}, api.FieldError(api.BadParams, "capacity.players", fmt.Sprintf("%s takes at most %d players.", r.Game, def.Spec.MaxPlayers))
	}
	if _, bots := def.Game.(game.Botter); !bots {
		for i := range r.Seats {
			if r.Seats[i].Bot {
				return session.RoomConfig{}, api.FieldError(api.BadParams, fmt.Sprintf("seats[%d].bot", i), fmt.Sprintf("The game %s has no bots.", r.Game))
			}
		}
	}
	if match.SnapshotRate == 0 {
		match.SnapshotRate = divisor(match.TickRate, def.Spec.SnapshotRate)
	}
	if match.TickRate%match.SnapshotRate != 0 {
		return session.RoomConfig{}, api.FieldError(api.BadParams, "snapshot_rate", fmt.Sprintf("snapshot_rate must divide the tick rate of %d Hz.", match.TickRate))
	}
	if r.Start.MinPlayers > match.Players {
		return session.RoomConfig{}, api.FieldError(api.BadParams, "start.min_players", fmt.Sprintf("start.min_players is over the capacity of %d players.", match.Players))
	}
	if r.Webhook != nil && !m.store.secrets().Has(r.Webhook.SecretID) {
		return session.RoomConfig{}, api.FieldError(api.BadRequest, "webhook.secret_id",
			fmt.Sprintf("This node has no webhook secret %q: name it in SKIRMISH_WEBHOOK_SECRETS or in the file of --webhook-secrets-file.", r.Webhook.SecretID))
	}
	if r.Seed != nil {
		match.Seed = *r.Seed
	} else {
		match.Seed = newSeed()
	}
	return session.RoomConfig{
		Definition: def, Match: match, Spectators: r.Capacity.Spectators,
		Reconnect: r.Timeouts.Reconnect(), NoShow: r.Timeouts.NoShow(), Empty: r.Timeouts.Empty(), MaxLength: r.Timeouts.MaxDuration(),
		Start: session.StartRule{
			Now: r.Start.When == api.StartNow, AllSeated: r.Start.When == api.StartAllSeated,
			MinPlayers: r.Start.MinPlayers, Countdown: r.Start.Countdown(),
		},
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
func (m *matches) add(ctx context.Context, cfg session.RoomConfig, r *api.CreateRequest) (*entry, error) {
	if m.draining() {
		return nil, errDraining()
	}
	if reason := m.trouble(); reason != "" {
		return nil, errStore(reason)
	}
	id := cfg.Match.ID
	taken := func() error {
		return api.FieldError(api.IDTaken, "match_id", fmt.Sprintf("There is a match %q already; an id stays taken as long as its result is kept.", id))
	}
	if r.MatchID != "" {
		switch _, err := m.store.result(ctx, id); {
		case err == nil:
			return nil, taken()
		case !errors.Is(err, journal.ErrNotFound):
			return nil, fmt.Errorf("look whether the id is taken: %w", err)
		}
	}
	e := &entry{metadata: maps.Clone(r.Metadata), open: r.Open, saved: make(chan struct{}), events: newEventLog(newID(), id, targetOf(r.Webhook), m.store.target)}
	if e.metadata == nil {
		e.metadata = map[string]string{} // shown as {}, not null
	}
	m.mu.Lock()
	if m.entries[id] != nil {
		m.mu.Unlock()
		return nil, taken()
	}
	if m.live >= MaxMatches {
		m.mu.Unlock()
		return nil, &api.Error{Code: api.NoCapacity, Message: fmt.Sprintf("This node has %d matches, its most.", MaxMatches), RetryAfter: noCapacityRetry}
	}
	m.last++
	e.seq = m.last
	m.entries[id] = e
	m.live++
	m.mu.Unlock()

	cfg.Strays = m.strays
	if r.Record {
		if e.tape = m.replays.record(id); e.tape != nil {
			cfg.Tape = e.tape
		}
	}
	cfg.Notify = func(ev session.Event) { m.happened(e, ev) }
	cfg.AtWork, e.leave = m.witness.watch(e.events.uid)
	if m.store.inputs != nil {
		cfg.Journal = matchJournal{m.store.inputs, m.replays, e}
	}
	e.cfg = cfg
	room, err := session.NewRoom(ctx, cfg, m.lobby, m.keys, m.metrics, m.log)
	if err != nil {
		m.drop(id)
		m.settle(e)
		e.untape(m.replays)
		if errors.Is(err, session.ErrNewHangs) {
			return nil, api.NewError(api.Internal, fmt.Sprintf("The game did not make the match within %v; the log of the server has the details.", session.NewTimeout))
		}
		if panicked, ok := errors.AsType[*game.PanicError](err); ok {
			m.log.Error().Str("game", r.Game).Interface("panic", panicked.Value).Bytes("stack", panicked.Stack).Msg("the game panicked while making a match")
			return nil, api.NewError(api.Internal, "The game failed to make the match; the log of the server has the details.")
		}
		return nil, badParams(err)
	}
	e.room = room
	return e, nil
}

// settle counts a match as over.
func (m *matches) settle(e *entry) {
	e.leave()
	m.mu.Lock()
	m.live--
	m.mu.Unlock()
}

// badParams tells what the game has against its parameters.
func badParams(err error) *api.Error {
	field := "params"
	if p, ok := errors.AsType[*game.ParamError](err); ok && p.Field != "" {
		field += "." + p.Field
	}
	return api.FieldError(api.BadParams, field, sentence(err.Error()))
}

// sentence gives text a capital and a full stop, unless it begins with the name of a field.
func sentence(text string) string {
	if text == "" {
		return text
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	if strings.HasPrefix(text, "params") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// publish lets everybody find the match.
func (m *matches) publish(e *entry) {
	m.mu.Lock()
	e.public = true
	m.mu.Unlock()
}

// drop forgets a match's id.
func (m *matches) drop(id string) {
	m.mu.Lock()
	delete(m.entries, id)
	m.mu.Unlock()
}

// start runs the match on its own goroutine; when it is over another one sees its result onto the disk.
func (m *matches) start(e *entry) {
	m.run(func() {
		var finishing sync.WaitGroup
		e.room.Run(m.ctx, func() <-chan struct{} {
			finishing.Go(func() { m.finish(e) })
			return e.saved
		})
		finishing.Wait()
		m.settle(e)
	})
}

// run does f on a goroutine that close waits for. After close it does f at once, on the caller's: the matches' context is
// done then, so a match ends as it begins.
func (m *matches) run(f func()) {
	m.mu.Lock()
	closed := m.closed
	if !closed {
		m.running.Go(f)
	}
	m.mu.Unlock()
	if closed {
		f()
	}
}

// close waits for every match to end, once their context is done.
func (m *matches) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.running.Wait()
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
			return nil, "", api.FieldError(api.BadRequest, "cursor", "cursor is none that a list has given.")
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
		if e.public {
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

// describe shows a match as the API does.
func (m *matches) describe(e *entry) api.Match {
	match := e.room.Match()
	_, c := e.room.Seats()
	players, spectators := e.room.Capacity()
	metadata, open := e.about()
	return api.Match{
		MatchID: match.ID, Game: match.Game, State: e.state(), Tick: e.room.Tick(),
		TickRate: match.TickRate, SnapshotRate: match.SnapshotRate, NodeID: m.nodeID,
		Capacity: api.Capacity{Players: players, Spectators: spectators}, Open: open,
		Players: c.Players, Reserved: c.Reserved, OpenSeats: c.Open, Spectators: c.Spectators,
		CreatedAt: api.Time(e.room.Created()), Metadata: metadata, URL: m.url,
	}
}

func notFound(id string) error {
	return api.NewError(api.NotFound, fmt.Sprintf("There is no match %q on this node.", id))
}

// watch counts the matches and their seats, and forgets those that ended long ago, until ctx is done.
func (m *matches) watch(ctx context.Context) {
	// Off the beat of the log of inputs, which has begun with it: otherwise every look would meet a record.
	t, began := time.NewTimer(watchEvery+journal.LogEvery/2), time.Now()
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			t.Reset(watchEvery)
			m.forgetEnded(now)
			m.count()
			m.witness.outlive(now.Sub(began))
		}
	}
}

// count sets the gauges of matches and seats.
func (m *matches) count() {
	states := map[session.State]int{}
	kinds := map[string]int{}
	for _, e := range m.all() {
		state := e.room.State()
		states[state]++
		if state != session.StateWaiting && state != session.StateRunning {
			continue
		}
		seats, _ := e.room.Seats()
		for i := range seats {
			kinds[seatKind(&seats[i])]++
		}
	}
	g := &m.metrics.Matches
	g.Waiting.Set(float64(states[session.StateWaiting]))
	g.Running.Set(float64(states[session.StateRunning]))
	g.Ended.Set(float64(states[session.StateEnded]))
	g.Failed.Set(float64(states[session.StateFailed]))
	p := &m.metrics.Players
	p.Reserved.Set(float64(kinds["reserved"]))
	p.Active.Set(float64(kinds["active"]))
	p.Lost.Set(float64(kinds["lost"]))
	p.Bots.Set(float64(kinds["bot"]))
	p.Spectators.Set(float64(kinds["spectator"]))
}

// forgetEnded drops ended matches that are old or too many.
func (m *matches) forgetEnded(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ended []*entry
	for id, e := range m.entries {
		if !e.public || e.result.Load() == nil {
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
