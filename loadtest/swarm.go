package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"skirmish/game"
	"skirmish/game/arena"
)

// swarm is one run: it creates the matches, hands the bots to the loops, watches and ends it all.
type swarm struct {
	config     *Config
	maker      *matchmaker
	definition *game.Definition
	brains     game.Botter
	loops      []*loop
	start      int64 // ns since the Unix epoch: the first bot connects
	window     window
	spans      []span
	share, of  int          // the matches of which number % of == share are this process's
	plan       []life       // of those matches
	probe      bool         // the server's metrics are read as well
	gone       atomic.Int64 // bots that have ended or never had a seat

	mu      sync.Mutex // guards what follows
	matches []string
	faults  map[string]int // of the matchmaking API, bots without a seat
	probes  []probe
	spent   []float64 // generator's CPU by row, s
}

// runSwarm plays a whole run and returns its report. An error means that it could not run. When ctx ends, the run
// ends early with the report of what there is.
func runSwarm(ctx context.Context, c *Config, status io.Writer, terminal bool) (*Report, error) {
	if err := checkFiles(c.Bots, c.connections()/c.Workers+c.MatchSize); err != nil {
		return nil, err
	}
	if c.Workers > 1 {
		return runWorkers(ctx, c, status, terminal)
	}
	s, err := newSwarm(c, 0, 1)
	if err != nil {
		return nil, err
	}
	s.probe = true
	watched := make(chan struct{})
	var watcher sync.WaitGroup
	server := new(serverFigures)
	o, err := s.play(ctx, server, func() {
		watcher.Go(func() { watch(watched, status, terminal, s.status) })
	})
	close(watched)
	watcher.Wait()
	if err != nil {
		return nil, err
	}
	return newReport(c, []*outcome{o}, server, s.probes), nil
}

func newSwarm(c *Config, share, of int) (*swarm, error) {
	arena := arena.New()
	d, err := game.Compile(arena)
	if err != nil {
		return nil, err
	}
	s := &swarm{
		config: c, maker: newMatchmaker(c.Server, c.AdminKey, c.Insecure), definition: d, brains: arena, faults: make(map[string]int),
		spans: c.spans(), share: share, of: of,
	}
	for _, l := range c.lives() {
		if l.slot/c.MatchSize%of == share {
			s.plan = append(s.plan, l)
		}
	}
	return s, nil
}

// play is the whole run of this process. Begun is called when the bots are about to connect. An error means that it
// could not run.
func (s *swarm) play(ctx context.Context, server *serverFigures, begun func()) (*outcome, error) {
	defer s.maker.http.CloseIdleConnections()
	defer s.removeMatches()
	c := s.config
	if len(s.plan) == 0 {
		return nil, errors.New("no bot is to play: every stage has 0 bots")
	}
	// The first match tells whether there is a server, whether the key fits and where the game port is.
	first, err := s.reserve(ctx, "", 0, s.chunk(0))
	if err != nil {
		return nil, err
	}
	raw := first.seats[0].URL
	if c.GameURL != "" {
		raw = c.GameURL
	}
	to, err := resolve(ctx, raw)
	if err != nil {
		return nil, err
	}
	if err := s.makeLoops(to); err != nil {
		return nil, err
	}
	begun()
	return s.run(ctx, first, to, server)
}

func (s *swarm) makeLoops(to target) error {
	c := s.config
	if to.to.Addr().IsLoopback() {
		if err := c.onLoopback(); err != nil {
			return err
		}
	}
	// A loop sleeps in the kernel and needs a P as soon as it wakes.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), c.Loops+1))
	if s.start == 0 {
		s.start = nanos() + int64(startDelay)
	}
	s.window.begin = s.start + int64(c.Warmup)
	s.window.end = s.window.begin + int64(c.Duration)
	schedule := newSchedule(s.start, c.Rate)
	for range c.Loops {
		p, err := newPoller(c.IO, to.tls(c.Insecure))
		if err != nil {
			return fmt.Errorf("the loops' poller: %w", err)
		}
		l := newLoop(newShaper(p, nanos), schedule, s.window, s.definition, to.to, sources(to.to.Addr()), &s.gone)
		l.lead, l.staysOut = c.Lead, c.StayOut
		if l.scouts = c.Scouts; l.scouts {
			l.holds = max(1, c.Rate/leastThoughts)
		}
		l.stages, l.books = nil, nil
		for _, span := range s.spans {
			l.stages, l.books = append(l.stages, s.start+int64(span.end)), append(l.books, newFigures())
		}
		l.figures = l.books[0]
		if l.scenario = c.Scenario; l.scenario != nil {
			l.sweep = int64(sweepOften)
		}
		s.loops = append(s.loops, l)
	}
	s.spent = make([]float64, len(s.loops[0].series.rows))
	return nil
}

// run plays, measures and leaves.
func (s *swarm) run(ctx context.Context, first *chunk, to target, server *serverFigures) (*outcome, error) {
	var loops, makers, meters sync.WaitGroup
	for _, l := range s.loops {
		loops.Go(l.run)
	}
	making, stopMaking := context.WithCancel(ctx)
	makers.Go(func() { s.provide(making, first, to) })
	over := make(chan struct{})
	step := s.loops[0].series.step
	meters.Go(func() { meterCPU(s.spent, s.start, step, over) })
	if s.probe {
		meters.Go(func() { s.probes = probeServer(s.maker, s.start, step, over) })
	}
	spent := int64(0)
	err := s.sleep(ctx, s.window.begin)
	if err == nil {
		spent = int64(cpuTime())
		if s.probe {
			server.begin(s.maker)
		}
		err = s.sleep(ctx, s.window.end)
		spent = int64(cpuTime()) - spent
	}
	if s.probe {
		server.end(s.maker)
	}
	early := ""
	switch {
	case ctx.Err() != nil:
		early = "interrupted"
	case err == errAllGone:
		early = errAllGone.Error()
	}
	if early != "" {
		now := nanos()
		s.window.end = max(min(s.window.end, now), s.window.begin)
		for _, l := range s.loops {
			l.cutAt.Store(now)
		}
		err = nil
	}
	stopMaking()
	makers.Wait()
	for _, l := range s.loops {
		close(l.leave)
	}
	loops.Wait()
	close(over)
	meters.Wait()
	if err != nil {
		return nil, err
	}
	return s.outcome(early, float64(spent)/1e9), nil
}

var errAllGone = errors.New("every bot had ended")

// sleep waits for a time, for ctx, until no bot can ever play or until none is left.
func (s *swarm) sleep(ctx context.Context, until int64) error {
	for {
		wait := min(time.Duration(until-nanos()), 100*time.Millisecond)
		if wait <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if s.gone.Load() >= int64(len(s.plan)) {
			return errAllGone
		}
		for _, l := range s.loops {
			select {
			case err := <-l.fatal:
				return err
			default:
			}
		}
	}
}

// chunk is a run of bots of one match that get their seats in one request.
type chunk struct {
	match string
	from  int // in the plan
	seats []seat
}

// due is when life i of the plan begins.
func (s *swarm) due(i int) int64 { return s.start + int64(s.plan[i].from) }

// match is the number of the match that life i of the plan is in.
func (s *swarm) match(i int) int { return s.plan[i].slot / s.config.MatchSize }

// chunk is how many lives from i on get their seats together: of one match, and due within a few seconds, because
// tickets expire.
func (s *swarm) chunk(i int) (n int) {
	for n = 1; n < s.config.MatchSize && i+n < len(s.plan) && s.match(i+n) == s.match(i) && s.due(i+n)-s.due(i) < int64(seatSpan); n++ {
	}
	return n
}

// reserve asks for n seats from life i on, in a new match or, with its id, in one that is there.
func (s *swarm) reserve(ctx context.Context, match string, i, n int) (*chunk, error) {
	c := s.config
	requests := make([]seatRequest, n)
	for j := range requests {
		number := s.plan[i+j].number
		role := ""
		if s.plan[i+j].manner == watches {
			role = "spectator"
		}
		requests[j] = seatRequest{Role: role, PlayerID: fmt.Sprintf("swarm-%d", number), Name: fmt.Sprintf("Swarm %d", number)}
	}
	if match != "" {
		seats, err := s.maker.reserve(ctx, match, requests)
		return &chunk{match, i, seats}, err
	}
	params, err := c.params()
	if err != nil {
		return nil, err
	}
	id, seats, err := s.maker.create(ctx, &createRequest{
		Game: s.definition.Spec.Name, Params: params, Seed: c.Seed + uint64(s.match(i)),
		TickRate: c.Rate, SnapshotRate: c.Rate, Capacity: map[string]int{"players": s.capacity(), "spectators": c.Spectators}, Seats: requests,
	})
	if id != "" {
		s.mu.Lock()
		s.matches = append(s.matches, id)
		s.mu.Unlock()
	}
	return &chunk{id, i, seats}, err
}

// provide draws tickets just before they are used and hands the bots to the loops.
func (s *swarm) provide(ctx context.Context, ready *chunk, to target) {
	c := s.config
	matches, teams := make(map[int]string), make(map[string]*team)
	for i := 0; i < len(s.plan); {
		n := s.chunk(i)
		if ready == nil {
			if s.nap(ctx, s.due(i)-int64(seatLead)) != nil {
				return
			}
			var err error
			match := matches[s.match(i)]
			if ready, err = s.reserve(ctx, match, i, n); err != nil && match != "" { // it may be full of lost seats, or over
				ready, err = s.reserve(ctx, "", i, n)
			}
			if err != nil {
				if ctx.Err() != nil {
					return
				}
				s.mu.Lock()
				s.faults[cut("no seat: "+err.Error(), maxCauseBytes)] += n
				s.mu.Unlock()
				s.gone.Add(int64(n))
				i, ready = i+n, nil
				continue
			}
		}
		matches[s.match(i)] = ready.match
		if teams[ready.match] == nil {
			teams[ready.match] = new(team)
		}
		for j, seat := range ready.seats {
			life := s.plan[i+j]
			b := &bot{
				number: life.number, token: seat.Token, host: to.host, target: to.path, at: s.due(i + j), life: life, team: teams[ready.match],
				brain: s.brains.Bot(c.Seed + uint64(life.number)),
				aside: life.manner != plays && life.manner != idles && life.manner != marks,
			}
			if life.manner == marks {
				b.marks = newMarksman(c.Seed + uint64(life.number))
			}
			if life.until != 0 {
				b.until = s.start + int64(life.until)
			}
			s.loops[s.match(i)/s.of%c.Loops].joins <- b
		}
		i, ready = i+n, nil
	}
}

// capacity of a match: the seats of players who vanished or were ended are held for a while.
func (s *swarm) capacity() int {
	n := max(s.config.MatchSize, arena.MinPlayers)
	if sc := s.config.Scenario; sc != nil && (sc.Sessions.Vanish > 0 || sc.Behaviours.Malformed.Share > 0 || sc.Behaviours.Flood.Share > 0 || sc.Behaviours.Slow.Share > 0) {
		n = min(2*n, maxMatchSize)
	}
	return n
}

func (s *swarm) nap(ctx context.Context, until int64) error {
	t := time.NewTimer(time.Duration(until - nanos()))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// removeMatches deletes what the run has created.
func (s *swarm) removeMatches() {
	ctx, cancel := context.WithTimeout(context.Background(), apiLimit)
	defer cancel()
	for _, id := range s.matches {
		s.maker.remove(ctx, id) // it may have ended by itself
	}
}
