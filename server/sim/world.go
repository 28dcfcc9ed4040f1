// Package sim runs a whole node on a clock, a network and a disk that are made of a seed: its real wiring, from the game port
// to the results and webhooks, with players who come and go, links that stall and break, a sink that fails, a disk that
// fails, is full and loses what it had not confirmed, and a process that dies at any moment and comes back. It checks at
// every step what must hold always, and at the end what must hold then. It runs in a bubble of testing/synctest, where hours
// pass as fast as the machine can work them off; one seed is one story.
package sim

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/journal"
	"skirmish/server/netpoll"
	"skirmish/server/node"
	"skirmish/server/sim/network"
	"skirmish/server/ticket"
	"skirmish/server/webhook"
)

// Options are what a run is besides its seed.
type Options struct {
	Dir     string       // empty, for what the node keeps besides its journal
	Log     io.Writer    // of the node; nil: nobody
	Say     func(string) // what the world does, line by line; nil: nobody
	Shuffle bool         // what is ready at one instant runs in an order that no seed decides: that must not show
	Lies    bool         // the disk confirms what it has not kept: no node can stand that
}

// Report is what a run came to.
type Report struct {
	Seed      uint64
	Failures  []string // none: all held
	Trace     *Trace   // equal for equal seeds
	Simulated time.Duration
	Faults    map[string]int
	Checks    map[string]int
	Done      map[string]int // what the players and the matchmaker did
}

// World is one run. Run's goroutine owns it but for what is marked.
type World struct {
	seed    uint64
	options Options
	rand    *rand.Rand
	began   time.Time
	audit   *audit // safe from any goroutine
	trace   *Trace // safe from any goroutine
	sink    *sink  // safe from any goroutine

	network *network.Network
	homes   *network.Host // of all players
	set     netpoll.Set   // of their connections
	disk    journal.Memory
	life    *life   // of the node; nil: it is down
	lives   []*life // all there were
	events  agenda
	last    uint64 // number of the newest event
	moods   []spell
	calls   sync.WaitGroup // of the API

	players []*player
	matches []*match
	guests  int
	until   time.Time   // then everything heals
	healed  atomic.Bool // no fault begins any more; safe from any goroutine

	mu       sync.Mutex // guards what follows
	posted   []func()   // for Run's goroutine
	failures []string
	faults   map[string]int
	done     map[string]int
}

// life is the node from one start to its end.
type life struct {
	number int
	host   *network.Host
	mount  *journal.Mount
	node   *node.Node // nil: it starts
	stop   context.CancelFunc
	dead   atomic.Bool
	died   time.Time     // zero: it lives, or was ended in order
	torn   bool          // and the disk has lost more than a kill may undo
	leaves bool          // it is told to end
	gone   chan struct{} // closed at its death
	ended  chan struct{} // closed when Serve has returned
}

// agenda is what is to happen, by time.
type agenda []event

type event struct {
	at     int64
	number uint64
	do     func()
}

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].number < a[j].number
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// Run plays the story of a seed. It must be called in a bubble of testing/synctest, and is best alone on one processor.
func Run(seed uint64, o Options) *Report {
	w := &World{
		seed: seed, options: o, rand: rand.New(rand.NewPCG(seed, 0x5EED)), began: time.Now(),
		network: network.New(), faults: map[string]int{}, done: map[string]int{},
	}
	w.trace = newTrace(w.began)
	w.audit = newAudit(w)
	w.sink = newSink(w)
	w.disk.Delay, w.disk.Fault, w.disk.Lies = w.diskDelay, w.diskFault, o.Lies
	w.homes = w.network.Host()
	w.set, _ = w.homes.NewSet()
	w.plan()
	w.boot()
	w.loop(func() bool { return !time.Now().Before(w.until) })
	w.heal()
	r := &Report{
		Seed: seed, Failures: w.failures, Trace: w.trace, Simulated: time.Since(w.began),
		Faults: w.faults, Checks: w.audit.checks, Done: w.done,
	}
	w.set.Close()
	return r
}

// Fail notes that something did not hold. Safe from any goroutine.
func (w *World) Fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.failures) < 20 {
		w.failures = append(w.failures, fmt.Sprintf("%v: "+format, append([]any{time.Since(w.began)}, args...)...))
	}
}

// fault counts a fault. Safe from any goroutine.
func (w *World) fault(kind string) {
	w.mu.Lock()
	w.faults[kind]++
	w.mu.Unlock()
}

// did counts what was done.
func (w *World) did(what string) {
	w.mu.Lock()
	w.done[what]++
	w.mu.Unlock()
}

func (w *World) say(format string, args ...any) {
	if w.options.Say != nil {
		w.options.Say(fmt.Sprintf("%12v  ", time.Since(w.began)) + fmt.Sprintf(format, args...))
	}
}

// giveWay lets others go first, or not, when the run is a shuffled one. Safe from any goroutine.
func (w *World) giveWay() {
	for w.options.Shuffle && rand.IntN(2) == 0 {
		runtime.Gosched()
	}
}

// luck is a source for one decision, the same whenever it is made. Safe from any goroutine.
func (w *World) luck(parts ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, parts...)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// between draws a duration.
func (w *World) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rand.Int64N(int64(to-from)+1))
}

// in has something done after d. No two things happen at one moment.
func (w *World) in(d time.Duration, do func()) {
	w.last++
	heap.Push(&w.events, event{time.Now().Add(d).UnixNano() + w.rand.Int64N(1000), w.last, do})
}

// post has something done on Run's goroutine. Safe from any goroutine.
func (w *World) post(do func()) {
	w.mu.Lock()
	w.posted = append(w.posted, do)
	w.mu.Unlock()
	w.set.Wake()
}

// loop lets things happen until over says so, or something did not hold.
func (w *World) loop(over func() bool) {
	ready := make([]netpoll.Event, 16)
	for !over() && !w.failed() {
		deadline := time.Now().Add(time.Second)
		if len(w.events) > 0 && w.events[0].at < deadline.UnixNano() {
			deadline = time.Unix(0, w.events[0].at)
		}
		n, err := w.set.Wait(ready, deadline)
		if err != nil {
			w.Fail("the players' set: %v", err)
			return
		}
		synctest.Wait() // whatever the node does at this moment is done
		for _, e := range ready[:n] {
			if p, ok := e.Conn.Owner().(*player); ok {
				p.ready(e)
			}
		}
		w.mu.Lock()
		posted := w.posted
		w.posted = nil
		w.mu.Unlock()
		for _, do := range posted {
			do()
		}
		for now := time.Now().UnixNano(); len(w.events) > 0 && w.events[0].at <= now; {
			heap.Pop(&w.events).(event).do()
		}
		w.look()
	}
}

func (w *World) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.failures) > 0
}

// look checks what must hold at every step.
func (w *World) look() {
	l := w.life
	if l == nil || l.node == nil {
		return
	}
	w.audit.checked("queues are bounded")
	if most := l.host.Offered(); most > maxQueue {
		w.Fail("a connection's queue has held %d bytes", most)
	}
}

// maxQueue bounds what may wait for one connection: events, answers and a state.
const maxQueue = 160 << 10

// Addresses of the node.
var (
	gamePort = netip.MustParseAddrPort("10.0.0.1:7350")
	secrets  = must(webhook.ParseSecrets("main:" + hookSecret))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// silent is a listener to which nobody comes: the API is called by its handler.
type silent struct {
	once sync.Once
	done chan struct{}
}

func (s *silent) Accept() (net.Conn, error) { <-s.done; return nil, net.ErrClosed }
func (s *silent) Close() error              { s.once.Do(func() { close(s.done) }); return nil }
func (s *silent) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7351} }

// undid tells whether what the node has said at a time may be undone by its death.
func (l *life) undid(at time.Time) bool {
	return !l.died.IsZero() && (l.torn || l.died.Sub(at) <= mostUndone)
}

// boot starts the node on what the disk holds.
func (w *World) boot() {
	l := &life{number: len(w.lives) + 1, host: w.network.Host(), mount: w.disk.Mount(), gone: make(chan struct{}), ended: make(chan struct{})}
	w.life, w.lives = l, append(w.lives, l)
	w.say("the node starts, life %d", l.number)
	cfg := node.Default()
	cfg.Addr, cfg.AdminAddr, cfg.DataDir = gamePort.String(), "127.0.0.1:7351", w.options.Dir
	cfg.TicketKeys = []ticket.Key{must(ticket.NewHMACKey("sim", []byte("0123456789abcdef0123456789abcdef")))}
	cfg.WebhookSecrets, cfg.LogLevel = secrets, zerolog.ErrorLevel
	if w.options.Log != nil {
		cfg.LogLevel = zerolog.InfoLevel
	}
	cfg.Webhooks.Most = time.Minute
	cfg.Webhooks.Transport = &transport{w.sink, l}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	log := w.options.Log
	if log == nil {
		log = io.Discard
	}
	ground := node.Ground{Driver: l.host, Admin: &silent{done: make(chan struct{})}, Journal: l.mount, NodeID: "n-sim", Log: log}
	go func() {
		n, err := node.StartOn(ground, cfg, probe{w.audit})
		if err != nil {
			close(l.ended)
			w.post(func() { w.stillborn(l, err) })
			return
		}
		if !l.dead.Load() {
			w.audit.serves()
		}
		w.post(func() {
			l.node = n
			for _, m := range w.matches {
				m.revived(l)
			}
			if !l.dead.Load() {
				w.did("starts")
			}
		})
		err = n.Serve(ctx)
		if err != nil && !l.dead.Load() {
			w.Fail("the node ended with %v", err)
		}
		close(l.ended)
	}()
}

// stillborn is a start that did not succeed: the disk fails, or the process was killed meanwhile.
func (w *World) stillborn(l *life, err error) {
	if l.dead.Load() {
		return
	}
	if !errors.Is(err, errDisk) {
		w.Fail("the node does not start: %v", err)
		return
	}
	w.say("the node does not start: %v", err)
	w.bury(l)
	w.in(w.between(100*time.Millisecond, time.Second), w.boot)
}

// bury ends a life for everybody who still holds a part of it.
func (w *World) bury(l *life) {
	if l.dead.Swap(true) {
		return
	}
	close(l.gone)
	if w.life == l {
		w.life = nil
	}
}

// crash ends the node at this moment: what its goroutines do from now on has no effect. With the power, its peers are not
// told, and the disk loses more.
func (w *World) crash(power bool) {
	l := w.life
	if l == nil {
		return
	}
	kind := "kill -9"
	if power {
		kind = "power cut"
	}
	w.fault(kind)
	w.say("%s", kind)
	w.bury(l)
	l.host.Crash(!power)
	l.mount.Crash(w.luck("crash", l.number), power)
	l.stop()
	sick := w.spellAt(time.Now(), diskFails, diskFull, diskSlow) != well || w.spellAt(time.Now().Add(-2*time.Second), diskFails, diskFull, diskSlow) != well
	l.died, l.torn = time.Now(), power || sick
	w.audit.died(l.torn)
	w.in(w.between(50*time.Millisecond, 3*time.Second), w.boot)
}

// restart ends the node in order and starts it again.
func (w *World) restart() {
	l := w.life
	if l == nil || l.node == nil {
		return
	}
	kind, grace := "restart", time.Duration(0)
	if w.rand.IntN(2) == 0 {
		kind, grace = "drain and restart", w.between(0, 15*time.Second)
	}
	w.fault(kind)
	w.say("%s within %v", kind, grace)
	l.leaves = true
	for _, m := range w.matches {
		m.stopped(l, grace)
	}
	if grace > 0 {
		l.node.Shutdown(grace)
	} else {
		l.stop()
	}
	go func() {
		<-l.ended
		w.post(func() {
			if !l.dead.Load() {
				w.bury(l)
				w.in(w.between(50*time.Millisecond, time.Second), w.boot)
			}
		})
	}()
}

// merge adds up counters.
func merge(into, from map[string]int) {
	for k, v := range maps.All(from) {
		into[k] += v
	}
}
