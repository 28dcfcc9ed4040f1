package session

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/ticket"
)

// RoomConfig is one match as the matchmaker ordered it.
type RoomConfig struct {
	Definition *game.Definition
	Match      game.Match
	Spectators int           // seats for spectators
	Start      StartRule     // when it begins
	Strays     *Strays       // of the node
	Journal    Journal       // nil: the match ends with the process
	AtWork     func(uint32)  // told the tick that the game is to work on, and 0 when it has done so, for whoever looks after a death; nil: nobody does
	Tape       Tape          // keeps a recording of the match; nil: nobody does
	Notify     func(Event)   // told of what happens, from several goroutines, one at a time; must not block; nil: nobody
	Reconnect  time.Duration // how long a lost player's seat is kept
	NoShow     time.Duration // how long the match waits for its first player; 0: for ever
	Empty      time.Duration // how long it goes on without anybody connected
	MaxLength  time.Duration // of the whole match; 0: no bound
}

// State is where a match is in its life.
type State string

const (
	StateWaiting State = "waiting" // nobody has come yet; no tick runs
	StateRunning State = "running"
	StateEnded   State = "ended"
	StateFailed  State = "failed"
)

// Outcome is how a match ended. It does not change any more.
type Outcome struct {
	State   State // StateEnded or StateFailed
	Reason  game.Reason
	Created time.Time
	Started time.Time // zero: never
	Ended   time.Time
	Ticks   uint32
	Seats   []Seat
	Result  json.RawMessage // the game's own, may be nil
	Gone    []Seat          // players whose seats others have taken since

	TickP99  time.Duration // what 99 of 100 ticks stayed within
	Overruns uint64        // steps dropped because the match was too far behind
}

// Room is one match with the connections of its players. Run's goroutine owns everything but what the doors
// marked "Safe from any goroutine" use. It reads its own sockets at the start of each tick and writes them at the end.
type Room struct {
	cfg     RoomConfig
	engine  *game.Engine
	ledger  *ledger
	lobby   *Lobby
	keys    func() *ticket.Keyring
	metrics *metrics.Set
	strays  *Strays
	log     zerolog.Logger
	created time.Time

	wake    chan struct{} // an arrival or an order while no tick runs
	done    chan struct{} // closed when Run has returned
	running atomic.Int64  // start, ns since the Unix epoch; 0: not yet
	tick    atomic.Uint32
	outcome atomic.Pointer[Outcome]

	keep func() <-chan struct{} // sees the outcome onto the disk

	maxLength atomic.Int64 // ns; 0: no bound
	called    atomic.Bool  // calls is not empty

	mu     sync.Mutex // guards what follows: orders to the match's goroutine
	inbox  []arrival
	calls  []call
	order  *stopOrder
	closed bool // no arrivals any more
	handed bool // because another process goes on with the match

	sessions   []*Session // those of the crowd first
	crowd      crowd
	reading    []netpoll.Conn                           // scratch: those read in this tick
	receive    func(netpoll.Conn, []byte, int64, error) // received, made once
	now        time.Time                                // of this tick
	writes     []netpoll.Write                          // scratch: what this tick sends
	writers    []*Session                               // whose each of writes is
	dec        *protocol.Decoder
	input      protocol.Input
	roster     []protocol.RosterEntry
	scratch    *desk      // while something is put together, else nil
	arrived    []arrival  // the inbox of this tick
	newcomers  []*Session // connected since the last tick
	lost       []lostSeat
	emptySince time.Time
	deadline   time.Time // of a graceful end; zero: none ordered
	stopOrder  stopOrder // of that end
	nextLook   time.Time // at the deadlines
	counts     counts
	ticks      tickLog
	late       lateness
	pace       pace
	startAt    time.Time // when the countdown is over; zero: none runs
	scribe     scribe

	restored bool // from a journal
	restarts int  // of the node that this match has come through since its last checkpoint
	watch    watch
	tape     tape
}

// arrival is a connection whose hello was accepted, or a bot, on its way into the match.
type arrival struct {
	session    *Session // nil: a bot takes the seat
	seat       uint16
	player     string
	resume     bool
	generation uint32
	lastEvent  uint32
}

// stopOrder ends a match from outside.
type stopOrder struct {
	why      game.Reason
	grace    time.Duration
	farewell Ending // of the players
}

// lostSeat is a seat whose connection is gone and which waits for its player.
type lostSeat struct {
	number uint16
	until  time.Time
	viewer *game.Viewer
}

// NewRoom makes a match that waits for its first player. The game may refuse its parameters; that error is the
// matchmaker's to read. ErrNewHangs says that it has not made one within NewTimeout.
func NewRoom(ctx context.Context, cfg RoomConfig, lobby *Lobby, keys func() *ticket.Keyring, m *metrics.Set, log zerolog.Logger) (*Room, error) {
	log = log.With().Str("match", cfg.Match.ID).Str("game", cfg.Match.Game).Logger()
	if cfg.Strays == nil {
		cfg.Strays = NewStrays(&m.Hangs)
	}
	engine, err := newEngine(ctx, &cfg, log)
	if err != nil {
		return nil, err
	}
	return newRoom(cfg, engine, lobby, keys, m, log), nil
}

// newRoom is the room of a match.
func newRoom(cfg RoomConfig, engine *game.Engine, lobby *Lobby, keys func() *ticket.Keyring, m *metrics.Set, log zerolog.Logger) *Room {
	if cfg.Notify == nil {
		cfg.Notify = func(Event) {}
	}
	now := time.Now()
	r := &Room{
		cfg: cfg, engine: engine, lobby: lobby, keys: keys, metrics: m, strays: cfg.Strays, log: log,
		ledger:  newLedger(cfg.Match.Players, cfg.Spectators, cfg.Notify),
		created: now,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		dec:     protocol.NewDecoder(),
	}
	r.receive = r.received
	r.maxLength.Store(int64(cfg.MaxLength))
	r.keep = nothingToKeep
	return r
}

// Run plays the match to its end and returns when every session has been handed back to the lobby. Keep, unless it is nil, is
// called once when the outcome is known: it sees it onto the disk and closes what it returns then. No player is told
// before that, for KeepWait at the most: what somebody has seen must outlive the process.
func (r *Room) Run(ctx context.Context, keep func() (kept <-chan struct{})) {
	if keep != nil {
		r.keep = keep
	}
	defer close(r.done)
	err, lost := r.supervise(ctx)
	switch {
	case lost:
		r.abandon()
		return // its goroutine may wake and still use what forget gives up
	case errors.Is(err, ErrHandOver):
		r.handOver()
	default:
		r.conclude(err)
	}
	r.forget()
}

// nothingToKeep is the keep of a match whose outcome nobody wants.
func nothingToKeep() <-chan struct{} {
	kept := make(chan struct{})
	close(kept)
	return kept
}

// forget gives up what only a running match needs: it can be asked about long after its end.
func (r *Room) forget() {
	r.engine, r.dec, r.scratch, r.scribe = nil, nil, nil, scribe{}
	r.receive, r.reading, r.writes, r.writers = nil, nil, nil, nil
	r.sessions, r.arrived, r.newcomers, r.lost, r.roster = nil, nil, nil, nil, nil
	r.input, r.tape = protocol.Input{}, tape{}
	r.crowd.close()
}

// play waits for the first player and runs the engine. What panics outside of the game is caught here, so that it hurts
// this match only.
func (r *Room) play(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &game.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	r.beginTape()
	r.keepJournal(time.Now())
	if r.running.Load() != 0 {
		r.log.Info().Uint32("tick", r.engine.Now()).Msg("match goes on")
		return r.engine.Run(ctx, watched{r}, r)
	}
	if started, err := r.wait(ctx); !started {
		return err
	}
	now := time.Now()
	r.running.Store(now.UnixNano())
	r.log.Info().Msg("match started")
	r.cfg.Notify(Event{Kind: MatchStarted, Time: now})
	return r.engine.Run(ctx, watched{r}, r)
}

// somebodyCame tells whether a connection is in the inbox.
func (r *Room) somebodyCame() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.inbox {
		if a.session != nil {
			return true
		}
	}
	return false
}

// takeOrder takes the order to stop, if there is one.
func (r *Room) takeOrder() *stopOrder {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.order
	r.order = nil
	return o
}

// conclude records the outcome, tells every player and hands the connections back to the lobby.
func (r *Room) conclude(err error) {
	now := time.Now()
	out := &Outcome{State: StateEnded, Reason: game.ReasonForce, Created: r.created, Ended: now, Ticks: r.tick.Load()}
	if at := r.running.Load(); at != 0 {
		out.Started = time.Unix(0, at)
	}
	farewell := endMatchOver
	var panicked *game.PanicError
	switch end, ended := r.engine.Ended(); {
	case errors.As(err, &panicked):
		out.State, out.Reason, farewell = StateFailed, game.ReasonAborted, endMatchFailed
		r.log.Error().Interface("panic", panicked.Value).Bytes("stack", panicked.Stack).Msg("match failed")
	case err != nil:
		farewell = endShutdown
	case ended && end.Reason == game.ReasonAborted: // by Fail
		out.State, out.Reason, farewell = StateFailed, end.Reason, endMatchFailed
	case ended:
		out.Reason, out.Result = end.Reason, end.Result
		if o := &r.stopOrder; end.Reason == o.why {
			farewell = o.farewell
		}
	}
	seats, _ := r.ledger.all(now)
	for i := range seats {
		if seats[i].Role != protocol.RoleSpectator {
			r.noteLate(seats[i].Number)
		}
	}
	r.endTape()
	r.record(out, farewell)
	kept := r.keep()
	r.disband()
	if farewell == endMatchOver && len(r.sessions) > 0 {
		select {
		case <-kept:
		case <-time.After(KeepWait):
		}
	}
	r.turnAway(farewell)
	for len(r.sessions) > 0 {
		s := r.sessions[len(r.sessions)-1]
		if farewell == endMatchOver {
			r.tellResult(s, out)
		}
		r.release(s, farewell)
	}
	r.flushCounts()
	r.metrics.MatchesEnded.Inc(string(out.Reason))
	r.log.Info().Str("reason", string(out.Reason)).Uint32("ticks", out.Ticks).Msg("match ended")
}

// record closes the match to newcomers, fills in its outcome and makes it known. Who was on the way in is sent off.
func (r *Room) record(out *Outcome, farewell Ending) {
	late := r.shut(false)
	r.ledger.close()
	out.Seats, _ = r.ledger.all(out.Ended)
	out.Gone = r.ledger.history()
	out.TickP99, out.Overruns = r.ticks.p99(), r.ticks.overruns
	r.outcome.Store(out)
	r.sendOff(late, farewell)
}

// shut closes the match to newcomers, because another process goes on with it or for good, and returns who was on the way in.
func (r *Room) shut(handed bool) (late []arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.handed = true, handed
	late, r.inbox = r.inbox, nil
	return late
}

// sendOff ends the connections of those who have come too late.
func (r *Room) sendOff(late []arrival, e Ending) {
	for _, a := range late {
		if a.session != nil {
			a.session.end(e)
			r.lobby.Return(a.session)
		}
	}
}

// turnAway sends off those whom the match's end has met between the inbox and their seats.
func (r *Room) turnAway(farewell Ending) {
	for _, a := range r.arrived {
		if s := a.session; s != nil && s.player == nil {
			s.end(farewell)
			r.lobby.Return(s)
		}
	}
	clear(r.arrived)
}

// Punctuality is how late the match's ticks begin. Safe from any goroutine.
func (r *Room) Punctuality() (m metrics.MatchTicks) {
	m.Match = r.cfg.Match.ID
	r.late.report(&m)
	return m
}

// ID is the match's. Safe from any goroutine.
func (r *Room) ID() string { return r.cfg.Match.ID }

// Match describes the match. Safe from any goroutine.
func (r *Room) Match() *game.Match { return &r.cfg.Match }

// Spectators is the number of seats for spectators. Safe from any goroutine.
func (r *Room) Spectators() int { return r.cfg.Spectators }

// Created is when the match was made. Safe from any goroutine.
func (r *Room) Created() time.Time { return r.created }

// State tells where the match is. Safe from any goroutine.
func (r *Room) State() State {
	if out := r.outcome.Load(); out != nil {
		return out.State
	}
	if r.running.Load() != 0 {
		return StateRunning
	}
	return StateWaiting
}

// Tick is the newest tick. Safe from any goroutine.
func (r *Room) Tick() uint32 { return r.tick.Load() }

// Outcome is how the match ended, nil before. Safe from any goroutine.
func (r *Room) Outcome() *Outcome { return r.outcome.Load() }

// Done is closed when the match has ended and all its sessions are handed back. Safe from any goroutine.
func (r *Room) Done() <-chan struct{} { return r.done }

// Seats returns the seats in use and their counts. Safe from any goroutine.
func (r *Room) Seats() ([]Seat, Counts) { return r.ledger.all(time.Now()) }

// Reserve takes a seat for each request or none: ErrFull, ErrSeatTaken, ErrEnded. Bots take theirs at the next tick.
// Safe from any goroutine.
func (r *Room) Reserve(reqs []SeatRequest) ([]Seat, error) {
	seats, err := r.ledger.reserve(reqs, time.Now())
	if err != nil {
		return nil, err
	}
	for _, s := range seats {
		if s.Role == protocol.RoleBot {
			r.attach(arrival{seat: s.Number, player: s.PlayerID})
		}
	}
	return seats, nil
}

// attach puts a into the inbox; false when the match has ended, and a.session is still the caller's. Safe from any goroutine.
func (r *Room) attach(a arrival) bool {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return false
	}
	r.inbox = append(r.inbox, a)
	r.mu.Unlock()
	r.nudge()
	return true
}

// Stop ends the match: at once, or with a grace in which it goes on for those who are in it. Safe from any goroutine.
func (r *Room) Stop(why game.Reason, grace time.Duration) {
	r.give(stopOrder{why: why, grace: grace, farewell: endMatchOver})
}

// Drain ends the match, after a grace, because the server goes away: its players are to look for another. Safe from any
// goroutine.
func (r *Room) Drain(grace time.Duration) {
	r.give(stopOrder{why: game.ReasonForce, grace: grace, farewell: endRestart})
}

// give gives an order to stop, instead of one before.
func (r *Room) give(o stopOrder) {
	r.mu.Lock()
	r.order = &o
	r.called.Store(true)
	r.mu.Unlock()
	r.ledger.close()
	r.nudge()
}

// nudge wakes a match that is not ticking yet.
func (r *Room) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
