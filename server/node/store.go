package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
	"skirmish/server/journal"
	"skirmish/server/metrics"
	"skirmish/server/webhook"
)

// Patience and shares of the store.
const (
	KeepResults = 30 * 24 * time.Hour // results and dead letters
	askTimeout  = 5 * time.Second     // for the answer of a match or of the disk to one request
	saveFirst   = 50 * time.Millisecond
	saveMost    = 2 * time.Second
	saveLast    = 10 * time.Second // a result when the node goes down
	forwardWait = 2 * time.Second  // of a result for what its match told before
	forwardPoll = 2 * time.Millisecond

	// Percent of the store.
	resultShare, hookShare, deadShare, answerShare, matchShare, inputShare = 40, 33, 5, 7, 3, 10
)

// store is what outlives the node: results and the webhooks that are not delivered yet. Safe from any goroutine.
type store struct {
	nodeID      string
	journal     journal.Journal
	results     journal.Stream
	matches     journal.Stream // without a result
	inputStream journal.Stream
	inputs      *journal.Log // of what reaches the matches; nil: nobody takes it down
	hooks       *webhook.Dispatcher
	answers     answerStore
	secrets     func() webhook.Secrets
	target      *webhook.Target // of the whole node, nil: none
	feed        *api.Feed
	metrics     *metrics.Set
	log         zerolog.Logger

	own     *eventLog      // of the node
	moving  sync.WaitGroup // of queued events to the disk
	working sync.WaitGroup // Run
	ctx     context.Context
	stop    context.CancelFunc

	unwritten atomic.Bool // the log of inputs is refused

	unsaved atomic.Int64 // matches that are over and wait for the disk
	failing atomic.Int64 // since when the disk refuses things, Unix ns; 0: it does not

	mu   sync.Mutex
	logs map[string]*eventLog // of the matches with something queued, by uid
}

// savedResult is a record of the results: the event that tells of it, byte for byte, and who is to get it.
type savedResult struct {
	UID   string          `json:"uid"`
	Event json.RawMessage `json:"event"`
	Lanes []lane          `json:"lanes"`
}

// data is the api.Result in it.
func (s *savedResult) data() json.RawMessage {
	var e webhook.Event
	if json.Unmarshal(s.Event, &e) != nil {
		return nil
	}
	return e.Data
}

// openStore opens the streams.
func openStore(ground *Ground, cfg *Config, secrets func() webhook.Secrets, nodeID string, set *metrics.Set, log zerolog.Logger) (*store, error) {
	ctx, stop := context.WithCancel(context.Background())
	s := &store{
		nodeID: nodeID, secrets: secrets, feed: api.NewFeed(newID()[:8]), metrics: set, log: log,
		ctx: ctx, stop: stop, logs: map[string]*eventLog{},
	}
	if cfg.WebhookURL != "" {
		s.target = &webhook.Target{URL: cfg.WebhookURL, SecretID: cfg.WebhookSecretID, Events: cfg.WebhookEvents}
	}
	s.own = newEventLog(newID(), "", s.target)
	suffix := ""
	if cfg.NATSURL != "" {
		id, err := storeID(cfg.DataDir)
		if err != nil {
			return nil, fmt.Errorf("--data-dir: %w", err)
		}
		suffix = "-" + id // other nodes keep theirs beside it
	}
	j, err := ground.open(ctx, cfg, log)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s.journal = j
	streams := map[string]journal.Stream{}
	for _, c := range []journal.StreamConfig{
		{Name: "RESULTS" + suffix, MaxBytes: cfg.StoreBytes / 100 * resultShare, MaxAge: KeepResults},
		{Name: "HOOKS" + suffix, MaxBytes: cfg.StoreBytes / 100 * hookShare},
		{Name: "DEAD" + suffix, MaxBytes: cfg.StoreBytes / 100 * deadShare, MaxAge: KeepResults},
		{Name: "MATCHES" + suffix, MaxBytes: cfg.StoreBytes / 100 * matchShare},
		{Name: "INPUTS" + suffix, MaxBytes: cfg.StoreBytes / 100 * inputShare, Unsynced: true},
		{Name: "ANSWERS" + suffix, MaxBytes: cfg.StoreBytes / 100 * answerShare, MaxAge: api.IdempotencyAge, DropOldest: true},
	} {
		if streams[c.Name], err = j.Open(ctx, c); err != nil {
			j.Close()
			return nil, fmt.Errorf("open the store: %w", err)
		}
	}
	s.results, s.matches, s.inputStream = streams["RESULTS"+suffix], streams["MATCHES"+suffix], streams["INPUTS"+suffix]
	s.answers = answerStore{streams["ANSWERS"+suffix]}
	s.hooks = webhook.New(cfg.webhooks(), streams["HOOKS"+suffix], streams["DEAD"+suffix],
		s.secrets, log.With().Str("part", "webhooks").Logger(), func(o webhook.Outcome) { set.Webhooks.Inc(string(o)) })
	return s, nil
}

// openInputs opens the log of inputs and returns what it holds.
func (s *store) openInputs(gather, before func()) (held map[string][]journal.Entry, err error) {
	s.inputs, held, err = journal.OpenLog(s.ctx, s.inputStream, journal.LogConfig{Gather: gather, Before: before, Wrote: s.wroteInputs})
	return held, err
}

// wroteInputs notes what became of a record of inputs. Matches go on whatever it is.
func (s *store) wroteInputs(bytes int, err error) {
	if s.ctx.Err() != nil {
		return
	}
	if err == nil {
		s.metrics.Journal.Bytes.Add(float64(bytes))
		if s.unwritten.Swap(false) {
			s.log.Info().Msg("the journal of the matches is written again")
		}
		return
	}
	s.metrics.Journal.Refused.Inc()
	if !s.unwritten.Swap(true) {
		s.log.Error().Err(err).Msg("the journal of the matches cannot be written: they go on, and would not survive a crash of the node")
	}
}

// run delivers webhooks until close.
func (s *store) run() {
	if s.inputs != nil {
		s.working.Go(func() { s.inputs.Run(s.ctx) })
	}
	s.working.Go(func() { s.hooks.Run(s.ctx) })
	s.working.Go(func() { s.results.Consume(s.ctx, "webhooks", s.forward) })
}

// close stops deliveries and gives the journal up. Matches must be over.
func (s *store) close() {
	done := make(chan struct{})
	go func() { s.moving.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(saveLast):
	}
	s.stop()
	<-done
	s.working.Wait()
	s.journal.Close()
}

// trouble tells why nothing can be kept for now, empty when all is well.
func (s *store) trouble() string {
	since := s.failing.Load()
	if since == 0 {
		return ""
	}
	return "its disk has refused what must be kept since " + api.Time(time.Unix(0, since)).String()
}

// tried notes how the disk took something.
func (s *store) tried(err error) {
	if err == nil {
		if s.failing.Swap(0) != 0 {
			s.log.Info().Msg("the store takes records again")
		}
		return
	}
	if s.failing.CompareAndSwap(0, time.Now().UnixNano()) {
		s.log.Error().Err(err).Msg("the store refuses records: no new matches until it takes them again")
	}
}

// emit makes an event of what has happened, shows it on the stream and queues it for its targets. It never blocks.
func (s *store) emit(l *eventLog, kind string, at time.Time, data any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed {
		return
	}
	e, body, err := l.next(s.nodeID, kind, at, data)
	if err != nil {
		s.log.Error().Err(err).Str("type", kind).Msg("an event was lost")
		return
	}
	s.feed.Publish(kind, body)
	for i := range l.targets {
		if !l.targets[i].Target.Wants(kind) {
			continue
		}
		if len(l.queue) >= maxQueued {
			s.metrics.Webhooks.Inc("dropped")
			continue
		}
		l.queue = append(l.queue, l.targets[i].delivery(e, body, at))
	}
	if len(l.queue) > 0 && !l.moving {
		l.moving = true
		s.mu.Lock()
		s.logs[l.uid] = l
		s.mu.Unlock()
		s.moving.Go(func() { s.move(l) })
	}
}

// move brings the queue of a log to the disk, in order.
func (s *store) move(l *eventLog) {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 || s.ctx.Err() != nil {
			l.moving = false
			s.mu.Lock()
			delete(s.logs, l.uid)
			s.mu.Unlock()
			l.mu.Unlock()
			return
		}
		d := l.queue[0]
		l.mu.Unlock()
		if !s.persist(func(ctx context.Context) error { return s.hooks.Enqueue(ctx, d) }, s.ctx) {
			continue
		}
		l.mu.Lock()
		l.queue[0] = nil
		l.queue = l.queue[1:]
		l.mu.Unlock()
	}
}

// persist tries until it works or ctx is done, which it tells.
func (s *store) persist(work func(context.Context) error, ctx context.Context) bool {
	wait := saveFirst
	for {
		err := work(ctx)
		if ctx.Err() != nil && err != nil {
			return false
		}
		s.tried(err)
		if err == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		wait = min(2*wait, saveMost)
	}
}

// finish makes the result of a match durable and returns then; it is told to everybody after that alone. False when the
// node goes down before the disk takes it.
func (s *store) finish(l *eventLog, kind string, r *api.Result) bool {
	s.unsaved.Add(1)
	defer s.unsaved.Add(-1)
	l.mu.Lock()
	l.sealed = true
	e, body, err := l.next(s.nodeID, kind, time.Time(r.EndedAt), r)
	l.mu.Unlock()
	if err != nil {
		s.log.Error().Err(err).Str("match", r.MatchID).Msg("a result cannot be encoded")
		return false
	}
	saved := savedResult{UID: l.uid, Event: body, Lanes: []lane{}}
	for _, t := range l.targets {
		if t.Target.Wants(kind) {
			saved.Lanes = append(saved.Lanes, t)
		}
	}
	record, err := json.Marshal(&saved)
	if err != nil {
		s.log.Error().Err(err).Str("match", r.MatchID).Msg("a result cannot be encoded")
		return false
	}
	ok := s.persist(func(ctx context.Context) error {
		_, err := s.results.Append(ctx, r.MatchID, r.MatchID, record)
		return err
	}, s.ctx)
	if ok {
		s.metrics.Results.Inc()
		s.feed.Publish(e.Type, body)
	}
	return ok
}

// forward queues the webhooks of a result that is on the disk, behind what the match told before.
func (s *store) forward(r journal.Record) error {
	var saved savedResult
	if err := json.Unmarshal(r.Data, &saved); err != nil {
		s.log.Error().Err(err).Uint64("record", r.Seq).Msg("a stored result cannot be read, it is left alone")
		return nil
	}
	for began := time.Now(); s.queued(saved.UID); time.Sleep(forwardPoll) {
		if time.Since(began) > forwardWait || s.ctx.Err() != nil {
			return errQueued
		}
	}
	var e webhook.Event
	if err := json.Unmarshal(saved.Event, &e); err != nil {
		s.log.Error().Err(err).Uint64("record", r.Seq).Msg("a stored result cannot be read, it is left alone")
		return nil
	}
	for _, l := range saved.Lanes {
		err := s.hooks.Enqueue(s.ctx, l.delivery(&e, saved.Event, r.Time))
		s.tried(err)
		if err != nil {
			return err
		}
	}
	return nil
}

// queued tells whether events of a match wait for the disk.
func (s *store) queued(uid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logs[uid] != nil
}

// errQueued says that earlier events of a match are not on the disk yet.
var errQueued = errors.New("node: earlier events of the match are not queued yet")

// result finds a stored result: journal.ErrNotFound.
func (s *store) result(ctx context.Context, matchID string) (*savedResult, error) {
	r, err := s.results.Last(ctx, matchID)
	if err != nil {
		return nil, err
	}
	var saved savedResult
	if err := json.Unmarshal(r.Data, &saved); err != nil {
		return nil, fmt.Errorf("decode a result: %w", err)
	}
	return &saved, nil
}
