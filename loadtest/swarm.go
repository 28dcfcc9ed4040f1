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
	gone       atomic.Int64 // bots that have ended or never had a seat

	mu      sync.Mutex // guards what follows
	matches []string
	faults  map[string]int // of the matchmaking API, bots without a seat
}

// runSwarm plays a whole run and returns its report. An error means that it could not run. When ctx ends, the run
// ends early with the report of what there is.
func runSwarm(ctx context.Context, c *Config, status io.Writer, terminal bool) (*Report, error) {
	if err := checkFiles(c.Bots); err != nil {
		return nil, err
	}
	arena := arena.New()
	d, err := game.Compile(arena)
	if err != nil {
		return nil, err
	}
	s := &swarm{config: c, maker: newMatchmaker(c.Server, c.AdminKey), definition: d, brains: arena, faults: make(map[string]int)}
	defer s.maker.http.CloseIdleConnections()
	defer s.removeMatches()

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
	return s.run(ctx, first, to, status, terminal)
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
	s.start = nanos() + int64(200*time.Millisecond)
	s.window.begin = s.start + int64(c.Warmup)
	s.window.end = s.window.begin + int64(c.Duration)
	schedule := newSchedule(s.start, c.Rate)
	for range c.Loops {
		p, err := newPoller(to.secure, to.name)
		if c.portable {
			p, err = newPortable(to.name, to.secure), nil
		}
		if err != nil {
			return fmt.Errorf("the loops' poller: %w", err)
		}
		s.loops = append(s.loops, newLoop(p, schedule, s.window, s.definition, to.to, sources(to.to.Addr()), &s.gone))
	}
	return nil
}

// run plays, measures and leaves.
func (s *swarm) run(ctx context.Context, first *chunk, to target, status io.Writer, terminal bool) (*Report, error) {
	var loops, makers, watchers sync.WaitGroup
	for _, l := range s.loops {
		loops.Go(l.run)
	}
	making, stopMaking := context.WithCancel(ctx)
	makers.Go(func() { s.provide(making, first, to) })
	watched := make(chan struct{})
	watchers.Go(func() { s.watch(watched, status, terminal) })

	server := new(serverFigures)
	err := s.sleep(ctx, s.window.begin)
	if err == nil {
		server.begin(s.maker)
		err = s.sleep(ctx, s.window.end)
	}
	server.end(s.maker)
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
	close(watched)
	watchers.Wait()
	if err != nil {
		return nil, err
	}
	return s.report(server, early), nil
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
		if s.gone.Load() >= int64(s.config.Bots) {
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
	from  int // number of the first bot
	seats []seat
}

// due is when bot i connects.
func (s *swarm) due(i int) int64 {
	return s.start + int64(float64(i)*float64(s.config.Ramp)/float64(s.config.Bots))
}

// chunk is how many bots from number i on get their seats together: of one match, and due within a few seconds,
// because tickets expire.
func (s *swarm) chunk(i int) (n int) {
	c := s.config
	end := min((i/c.MatchSize+1)*c.MatchSize, c.Bots)
	for n = 1; i+n < end && s.due(i+n)-s.due(i) < int64(seatSpan); n++ {
	}
	return n
}

// reserve asks for n seats from bot number i on, in a new match or, with its id, in one that is there.
func (s *swarm) reserve(ctx context.Context, match string, i, n int) (*chunk, error) {
	c := s.config
	requests := make([]seatRequest, n)
	for j := range requests {
		requests[j] = seatRequest{PlayerID: fmt.Sprintf("swarm-%d", i+j), Name: fmt.Sprintf("Swarm %d", i+j)}
	}
	if match != "" {
		seats, err := s.maker.reserve(ctx, match, requests)
		return &chunk{match, i, seats}, err
	}
	id, seats, err := s.maker.create(ctx, &createRequest{
		Game: s.definition.Spec.Name, Params: map[string]int{"rounds": 0}, Seed: c.Seed + uint64(i/c.MatchSize),
		TickRate: c.Rate, SnapshotRate: c.Rate, Capacity: map[string]int{"players": c.MatchSize}, Seats: requests,
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
	match := ""
	for i := 0; i < c.Bots; {
		n := s.chunk(i)
		if i%c.MatchSize == 0 {
			match = ""
		}
		if ready == nil {
			if s.nap(ctx, s.due(i)-int64(seatLead)) != nil {
				return
			}
			var err error
			if ready, err = s.reserve(ctx, match, i, n); err != nil {
				if ctx.Err() != nil {
					return
				}
				if match == "" { // a match that is not there has no further seats
					n = min((i/c.MatchSize+1)*c.MatchSize, c.Bots) - i
				}
				s.mu.Lock()
				s.faults[cut("no seat: "+err.Error(), maxCauseBytes)] += n
				s.mu.Unlock()
				s.gone.Add(int64(n))
				i, ready = i+n, nil
				continue
			}
		}
		match = ready.match
		for j, seat := range ready.seats {
			number := i + j
			s.loops[i/c.MatchSize%c.Loops].joins <- &bot{
				number: number, token: seat.Token, host: to.host, target: to.path, at: s.due(number),
				brain: s.brains.Bot(c.Seed + uint64(number)),
			}
		}
		i, ready = i+n, nil
	}
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
