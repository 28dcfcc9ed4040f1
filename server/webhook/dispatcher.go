package webhook

import (
	"cmp"
	"container/heap"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/journal"
)

// Config of a Dispatcher. Default has the defaults.
type Config struct {
	Workers int           // requests underway in all
	PerSink int           // requests underway to one origin; one alone while it fails
	Timeout time.Duration // of one request, from the dial to the last byte read
	First   time.Duration // wait after the first failure; doubles with each further one, less a random part of up to a half
	Most    time.Duration // longest wait
	Age     time.Duration // from the event to its last try; then it is a dead letter

	Transport http.RoundTripper // of the requests; nil: HTTP over TCP or TLS. Its value must be comparable
}

// Default returns the configuration of a dispatcher that is told nothing.
func Default() Config {
	return Config{Workers: 64, PerSink: 8, Timeout: 10 * time.Second, First: time.Second, Most: time.Hour, Age: 24 * time.Hour}
}

// Outcome of one try, for metrics.
type Outcome string

const (
	Delivered Outcome = "delivered"
	Failed    Outcome = "failed" // will be tried again
	Dead      Outcome = "dead"
)

// Dispatcher delivers what its queue holds. Deliveries of one lane go out one after the other, lanes side by side, and a sink
// that fails or is slow holds up its own alone. Safe from any goroutine.
type Dispatcher struct {
	cfg     Config
	queue   journal.Stream
	dead    journal.Stream
	secrets func() Secrets
	client  *http.Client
	log     zerolog.Logger
	observe func(Outcome)

	wake  chan struct{}
	tried chan try
	rand  *rand.Rand // of the waits; Run's

	mu         sync.Mutex
	fresh      []item          // appended by this process, not yet seen by Run
	known      map[uint64]bool // numbers that Run holds or will
	recovering bool            // what an earlier process has left has not been read to its end
}

// item is a delivery in the queue.
type item struct {
	seq    uint64
	lane   string
	sink   string
	queued time.Time
}

// lane is what waits for one match, oldest first. Its head alone is tried.
type lane struct {
	name  string
	items []item
	tries int // of the head
	next  time.Time
	index int // in the heap of those that wait; −1: it is not there
}

// sink is one origin.
type sink struct {
	name     string
	ready    []*lane // whose head may go now
	waiting  map[*lane]bool
	underway int
	failures int // in a row
}

// try is how one request went.
type try struct {
	lane *lane
	sink *sink
	err  error // nil: delivered
	gone bool  // the sink says it wants nothing any more
}

// New makes a dispatcher. observe may be nil.
func New(cfg Config, queue, dead journal.Stream, secrets func() Secrets, log zerolog.Logger, observe func(Outcome)) *Dispatcher {
	if observe == nil {
		observe = func(Outcome) {}
	}
	return &Dispatcher{
		cfg: cfg, queue: queue, dead: dead, secrets: secrets, log: log, observe: observe,
		client: newClient(cfg), wake: make(chan struct{}, 1), tried: make(chan try), known: map[uint64]bool{},
		recovering: true, rand: newRand(),
	}
}

// Enqueue makes a delivery durable and returns; it goes out by and by. The same event again changes nothing.
func (d *Dispatcher) Enqueue(ctx context.Context, del *Delivery) error {
	return d.enqueue(ctx, del, del.Lane+"/"+del.ID) // an event may have several targets
}

func (d *Dispatcher) enqueue(ctx context.Context, del *Delivery, recordID string) error {
	body, err := json.Marshal(del)
	if err != nil {
		return fmt.Errorf("encode a delivery: %w", err)
	}
	seq, err := d.queue.Append(ctx, del.Lane, recordID, body)
	if err != nil {
		return err
	}
	d.mu.Lock()
	if !d.known[seq] {
		d.fresh = append(d.fresh, d.accept(seq, del))
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
	return nil
}

// accept makes a record of the queue one that Run is to deliver. The caller holds mu.
func (d *Dispatcher) accept(seq uint64, del *Delivery) item {
	d.known[seq] = true
	return item{seq: seq, lane: del.Lane, sink: origin(del.URL), queued: del.Queued}
}

// Pending counts the deliveries that wait or are underway. It is not 0 before the queue of an earlier process has been read.
func (d *Dispatcher) Pending() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.recovering {
		return len(d.known) + 1
	}
	return len(d.known)
}

// forget drops a delivery that is done.
func (d *Dispatcher) forget(seq uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, seq)
}

// Run delivers until ctx is done and returns when no request is underway any more. What is left stays in the queue.
func (d *Dispatcher) Run(ctx context.Context) error {
	s := schedule{d: d, lanes: map[string]*lane{}, sinks: map[string]*sink{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var working sync.WaitGroup
	defer working.Wait()
	pages := make(chan []item)
	working.Go(func() { d.recover(ctx, pages) })
	for {
		now := time.Now()
		if pages == nil {
			s.take()
		}
		s.ripen(now)
		s.start(ctx, &working)
		timer.Reset(s.sleep(now))
		select {
		case <-ctx.Done():
			s.drain(&working)
			return nil
		case <-d.wake:
		case <-timer.C:
		case page, more := <-pages:
			s.sort(page)
			if !more {
				pages = nil
			}
		case t := <-d.tried:
			s.finish(ctx, t)
		}
	}
}

// recover reads what an earlier process has left in the queue, page by page, and closes pages behind the last. Deliveries begin
// with the first page: a process that is killed before it could read a long queue to its end has delivered something all the same.
func (d *Dispatcher) recover(ctx context.Context, pages chan<- []item) {
	defer close(pages)
	const batch = 256
	for from := uint64(1); ; {
		records, err := d.queue.List(ctx, from, batch)
		if err != nil {
			d.log.Warn().Err(err).Msg("cannot read the queue of webhooks, trying again")
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			continue
		}
		select {
		case pages <- d.page(records):
		case <-ctx.Done():
			return
		}
		if len(records) < batch {
			break
		}
		from = records[batch-1].Seq + 1
	}
	d.mu.Lock()
	d.recovering = false
	d.mu.Unlock()
}

// page are the deliveries in records. What this process has appended, or had appended again after a crash, comes in its place
// among them and no more behind the last.
func (d *Dispatcher) page(records []journal.Record) (items []item) {
	d.mu.Lock()
	defer d.mu.Unlock()
	here := map[uint64]bool{}
	for _, r := range records {
		var del Delivery
		if err := json.Unmarshal(r.Data, &del); err != nil {
			d.log.Error().Err(err).Uint64("record", r.Seq).Msg("a record in the queue of webhooks cannot be read, it is left alone")
			continue
		}
		here[r.Seq] = true
		items = append(items, d.accept(r.Seq, &del))
	}
	d.fresh = slices.DeleteFunc(d.fresh, func(it item) bool { return here[it.seq] })
	return items
}

// schedule is the state of Run.
type schedule struct {
	d        *Dispatcher
	lanes    map[string]*lane
	sinks    map[string]*sink
	waiting  laneHeap
	turn     []*sink // those with something ready, in turns
	underway int
}

// newRand makes a source of its own, so that with a seeded crypto/rand the waits are seeded too.
func newRand() *rand.Rand {
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	return rand.New(rand.NewChaCha8(seed))
}

// take sorts what this process has appended into its lanes: behind all that an earlier one has left.
func (s *schedule) take() {
	s.d.mu.Lock()
	fresh := s.d.fresh
	s.d.fresh = nil
	s.d.mu.Unlock()
	slices.SortFunc(fresh, func(a, b item) int { return cmp.Compare(a.seq, b.seq) }) // goroutines append side by side
	s.sort(fresh)
}

// sort puts items into their lanes.
func (s *schedule) sort(items []item) {
	for _, it := range items {
		l := s.lanes[it.lane]
		if l == nil {
			l = &lane{name: it.lane, index: -1}
			s.lanes[it.lane] = l
		}
		l.items = append(l.items, it)
		if len(l.items) == 1 {
			s.ready(l)
		}
	}
}

// sinkOf is the sink of a lane's head.
func (s *schedule) sinkOf(l *lane) *sink {
	name := l.items[0].sink
	k := s.sinks[name]
	if k == nil {
		k = &sink{name: name, waiting: map[*lane]bool{}}
		s.sinks[name] = k
	}
	return k
}

// ready puts a lane's head in its sink's line.
func (s *schedule) ready(l *lane) {
	k := s.sinkOf(l)
	k.ready = append(k.ready, l)
	if len(k.ready) == 1 {
		s.turn = append(s.turn, k)
	}
}

// ripen readies the lanes that have waited long enough.
func (s *schedule) ripen(now time.Time) {
	for len(s.waiting) > 0 && !s.waiting[0].next.After(now) {
		l := heap.Pop(&s.waiting).(*lane)
		delete(s.sinkOf(l).waiting, l)
		s.ready(l)
	}
}

// start begins as many requests as may be underway, the sinks in turns.
func (s *schedule) start(ctx context.Context, working *sync.WaitGroup) {
	for stuck := 0; stuck < len(s.turn) && s.underway < s.d.cfg.Workers && ctx.Err() == nil; {
		k := s.turn[0]
		s.turn = s.turn[1:]
		most := s.d.cfg.PerSink
		if k.failures > 0 {
			most = 1
		}
		if k.underway >= most {
			s.turn = append(s.turn, k)
			stuck++
			continue
		}
		stuck = 0
		l := k.ready[0]
		k.ready = k.ready[1:]
		if len(k.ready) > 0 {
			s.turn = append(s.turn, k)
		}
		k.underway++
		s.underway++
		seq := l.items[0].seq
		working.Go(func() {
			err := s.d.deliver(ctx, seq)
			s.d.tried <- try{lane: l, sink: k, err: err, gone: errors.Is(err, errGone)}
		})
	}
}

// sleep is how long nothing will happen by itself.
func (s *schedule) sleep(now time.Time) time.Duration {
	if len(s.waiting) == 0 {
		return time.Hour
	}
	return max(0, s.waiting[0].next.Sub(now))
}

// finish takes in how a request went.
func (s *schedule) finish(ctx context.Context, t try) {
	s.underway--
	t.sink.underway--
	l, now := t.lane, time.Now()
	head := l.items[0]
	switch {
	case t.err == nil:
		s.d.observe(Delivered)
		s.recovered(t.sink)
	case ctx.Err() != nil:
		return // it was cut off; the next process goes on
	case t.gone || now.Sub(head.queued) >= s.d.cfg.Age:
		if err := s.d.bury(ctx, head.seq, l.tries+1, t.err); err != nil {
			s.d.log.Warn().Err(err).Msg("cannot move a webhook to the dead letters, trying again")
			s.later(l, t, now)
			return
		}
		s.d.observe(Dead)
	default:
		s.d.observe(Failed)
		t.sink.failures++
		s.later(l, t, now)
		return
	}
	s.d.forget(head.seq)
	l.items, l.tries = l.items[1:], 0
	if len(l.items) == 0 {
		delete(s.lanes, l.name)
	} else {
		s.ready(l)
	}
	if k := t.sink; k.underway == 0 && len(k.ready) == 0 && len(k.waiting) == 0 {
		delete(s.sinks, k.name)
	}
}

// later lets a lane wait for its next try.
func (s *schedule) later(l *lane, t try, now time.Time) {
	l.tries++
	wait := s.d.cfg.First
	for i := 1; i < l.tries && wait < s.d.cfg.Most; i++ {
		wait *= 2
	}
	wait = min(wait, s.d.cfg.Most)
	wait -= time.Duration(s.d.rand.Float64() * float64(wait) / 2)
	if l.tries == 1 || wait > time.Minute {
		s.d.log.Warn().Err(t.err).Str("sink", t.sink.name).Int("tries", l.tries).Dur("again_in", wait).Msg("webhook not delivered")
	}
	l.next = now.Add(wait)
	heap.Push(&s.waiting, l)
	t.sink.waiting[l] = true
}

// recoveredAfter is how many failures in a row make a sink one that was down: the first success wakes all that waits for it.
const recoveredAfter = 3

// recovered notes a success. Nobody waits out an hour for a sink that is back.
func (s *schedule) recovered(k *sink) {
	was := k.failures
	k.failures = 0
	if was < recoveredAfter {
		return
	}
	// Those that have waited longest for their turn go first.
	longest := func(a, b *lane) int { return cmp.Or(a.next.Compare(b.next), cmp.Compare(a.name, b.name)) }
	for _, l := range slices.SortedFunc(maps.Keys(k.waiting), longest) {
		heap.Remove(&s.waiting, l.index)
		s.ready(l)
	}
	clear(k.waiting)
}

// drain waits for the requests that are underway.
func (s *schedule) drain(working *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()
	for {
		select {
		case <-s.d.tried:
		case <-done:
			return
		}
	}
}

// laneHeap orders waiting lanes by their next try.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].next.Before(h[j].next) }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.index = len(*h)
	*h = append(*h, l)
}
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.index = -1
	return l
}
