package node_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/node"
)

var cutsSeed = flag.Uint64("cuts.seed", 0, "seed of TestResumeUnderCuts, to run it again as it was; 0: a new one")

const (
	oneWay   = 20 * time.Millisecond // that the bad wire adds in each direction
	silence  = 250 * time.Millisecond
	cutsMost = 2 * time.Minute // until a player gives up
)

// beacon is a game that numbers its events: one in each step to everybody, one in every sixteenth to each player alone. A one as
// input ends that with a last event that tells how many there were.
type beacon struct{}

type (
	beaconInput struct {
		Stop bool `net:"stop"`
	}
	beaconRow struct {
		N int32 `net:"n"`
	}
	allEvent struct {
		N int32 `net:"n"`
	}
	ownEvent struct {
		N int32 `net:"n"`
	}
	doneEvent struct {
		All int32 `net:"all"`
		Own int32 `net:"own"`
	}
)

func (beacon) Spec() game.Spec {
	return game.Spec{
		Name: "beacon", Version: "1", Input: beaconInput{}, Kinds: []any{beaconRow{}},
		Events: []any{allEvent{}, ownEvent{}, doneEvent{}}, TickRate: 60, SnapshotRate: 30, MaxPlayers: 64, Idle: game.IdleNeutral,
	}
}

func (beacon) New(context.Context, *game.Match) (game.Sim, error) { return &beaconSim{}, nil }

type beaconSim struct {
	All  int32
	Own  [65]int32
	Done bool
}

func (*beaconSim) Join(*game.Tick, *game.Player)               {}
func (*beaconSim) Leave(*game.Tick, *game.Player, game.Reason) {}

func (s *beaconSim) Step(t *game.Tick) {
	if s.Done {
		return
	}
	for _, p := range t.Players() {
		in, _ := game.Input[beaconInput](t, p)
		s.Done = s.Done || in.Stop
	}
	if s.Done {
		for _, p := range t.Players() {
			t.Emit(p, &doneEvent{All: s.All, Own: s.Own[p.Seat]})
		}
		return
	}
	s.All++
	t.Emit(nil, &allEvent{N: s.All})
	for _, p := range t.Players() {
		if t.Now()%16 == 0 {
			s.Own[p.Seat]++
			t.Emit(p, &ownEvent{N: s.Own[p.Seat]})
		}
	}
}

func (s *beaconSim) Frame(f *game.Frame) { f.Put(1, &beaconRow{N: s.All}) }

// cut is how a connection ends: after so many bytes down or up, or so much time, whichever is set.
type cut struct {
	down, up int
	after    time.Duration
	how      string // reset, end, silence
}

func randomCut(r *rand.Rand) *cut {
	c := &cut{how: []string{"reset", "end", "silence"}[r.IntN(3)]}
	switch r.IntN(3) {
	case 0: // within the answer to the handshake, the welcome, the roster, the first events and states
		c.down = 1 + r.IntN(1800)
	case 1: // within the request and the hello
		c.up = 1 + r.IntN(600)
	default:
		c.after = time.Duration(1+r.IntN(300)) * time.Millisecond
	}
	return c
}

// wire carries one connection to the server with a delay, and breaks it as planned.
type wire struct {
	near, far net.Conn // the client's end, the server's
	plan      *cut
	broken    chan struct{}
	once      sync.Once
}

// chunk is what came at once.
type chunk struct {
	due time.Time
	p   []byte
}

// lay connects a client with addr over a bad wire and returns its end. All of the wire's goroutines end with wg once both
// ends are closed.
func lay(addr string, plan *cut, wg *sync.WaitGroup) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	mine, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	near, err := l.Accept()
	if err != nil {
		return nil, errors.Join(err, mine.Close())
	}
	far, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, errors.Join(err, mine.Close(), near.Close())
	}
	w := &wire{near: near, far: far, plan: plan, broken: make(chan struct{})}
	up, down := 0, 0
	if plan != nil {
		up, down = plan.up, plan.down
		if plan.after > 0 {
			timer := time.AfterFunc(plan.after, w.cut)
			wg.Go(func() { <-w.broken; timer.Stop() })
		}
	}
	wg.Go(func() { w.carry(near, far, up) })
	wg.Go(func() { w.carry(far, near, down) })
	return mine, nil
}

// carry moves bytes one way until an end or the cut; most > 0: the cut comes behind so many.
func (w *wire) carry(from, to net.Conn, most int) {
	chunks := make(chan chunk, 1024)
	var writer sync.WaitGroup
	writer.Go(func() {
		for c := range chunks {
			select {
			case <-time.After(time.Until(c.due)):
			case <-w.broken:
			}
			select {
			case <-w.broken: // for good: nothing may follow what was dropped
				continue
			default:
			}
			last := most > 0 && len(c.p) >= most
			if last {
				c.p = c.p[:most]
			}
			if _, err := to.Write(c.p); err != nil {
				w.end()
				continue
			}
			if most -= len(c.p); last {
				w.cut()
			}
		}
	})
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			chunks <- chunk{time.Now().Add(oneWay), bytes.Clone(buf[:n])}
		}
		if err != nil {
			break
		}
	}
	close(chunks)
	writer.Wait()
	w.end()
}

// cut breaks the wire as planned. Silence leaves both ends open: nothing arrives any more.
func (w *wire) cut() {
	w.once.Do(func() {
		close(w.broken)
		switch w.plan.how {
		case "reset":
			w.near.(*net.TCPConn).SetLinger(0)
			w.far.(*net.TCPConn).SetLinger(0)
			fallthrough
		case "end":
			w.near.Close()
			w.far.Close()
		}
	})
}

// end closes both ends when one has come to its own.
func (w *wire) end() {
	w.once.Do(func() { close(w.broken) })
	w.near.Close()
	w.far.Close()
}

// wanderer is a player whose connection is cut again and again.
type wanderer struct {
	t      *testing.T
	addr   string
	rand   *rand.Rand
	wg     *sync.WaitGroup
	until  time.Time // when it gives up
	resume client.Resume
	token  string

	entering bool // leave with the first state

	firstAll           int32
	all, own           int32 // numbers of the newest events
	received           int
	lost, doubled      int
	total              int // of the last event's word; 0: it has not come
	cuts               int
	resumed            []time.Duration // dial to first state
	welcomes, declined int
}

// enter plays up to the first state: a ticket is good for one hello, so that its welcome has to arrive.
func (p *wanderer) enter() (code protocol.CloseCode) {
	p.entering = true
	defer func() { p.entering = false }()
	return p.roam(nil)
}

// roam plays over one connection until it breaks, or to the last event. It returns the close code of a refusal.
func (p *wanderer) roam(plan *cut) (code protocol.CloseCode) {
	dialled := time.Now()
	conn, err := lay(p.addr, plan, p.wg)
	if err != nil {
		p.t.Error(err)
		return 0
	}
	defer conn.Close()
	s := client.NewSession(client.Config{Host: p.addr, Token: p.token, Resume: p.resume, Early: p.rand.IntN(4) > 0})
	buf := make([]byte, 16<<10)
	seen := false
	for p.total == 0 && time.Now().Before(p.until) && !(p.entering && seen) {
		if out := s.Out(); len(out) > 0 {
			n, err := conn.Write(out)
			s.Wrote(n)
			if err != nil {
				return 0
			}
		}
		patience := silence
		if p.entering {
			patience = cutsMost
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			what, rest, bad := s.Feed(b, time.Now().UnixNano())
			if bad != nil {
				if ce, ok := errors.AsType[*client.CloseError](bad); ok {
					return ce.Code
				}
				return 0
			}
			switch b = rest; what {
			case client.SignalWelcome:
				p.welcomes++
				p.token = ""
				if p.rand.IntN(2) == 0 {
					s.Ping(time.Now().UnixNano()) // a word, or none
				}
			case client.SignalEvent:
				p.event(&s.Event)
			case client.SignalState:
				if !seen && p.resumed != nil {
					p.resumed = append(p.resumed, time.Since(dialled))
				}
				seen = true
				if p.rand.IntN(4) == 0 {
					s.Input([]int32{0}, 0)
				}
			}
			if s.Playing() {
				p.resume = s.Resumption()
			}
		}
		if err != nil {
			return 0
		}
	}
	return 0
}

// event checks that each comes once and in order.
func (p *wanderer) event(e *protocol.Event) {
	p.received++
	note := func(newest *int32, n int32) {
		switch d := n - *newest - 1; {
		case d > 0:
			p.lost += int(d)
		case d < 0:
			p.doubled++
		}
		*newest = n
	}
	switch n := e.Values[0].Int; e.Op {
	case 0:
		if p.firstAll == 0 {
			p.firstAll, p.all = n, n-1
		}
		note(&p.all, n)
	case 1:
		note(&p.own, n)
	case 2:
		p.total = int(n-p.firstAll+1) + int(e.Values[1].Int) + 1
	}
}

// Players are cut off at random moments, in the middle of the handshake, the hello and the welcome as well: by a reset, by an end of
// stream, or by silence that neither side is told of. Every event reaches each of them once and in order. How long a resume takes
// is told, not judged: loadtest/links/resume measures it on a link that nobody else uses.
func TestResumeUnderCuts(t *testing.T) {
	for _, c := range []struct {
		driver        string
		players, cuts int
	}{{"", 40, 25}, {node.DriverPortable, 20, 10}} {
		t.Run(cmp.Or(c.driver, "default")+" driver", func(t *testing.T) {
			t.Parallel()
			resumeUnderCuts(t, c.driver, c.players, c.cuts)
		})
	}
}

func resumeUnderCuts(t *testing.T, driver string, players, cuts int) {
	seed := cmp.Or(*cutsSeed, rand.Uint64())
	t.Logf("-cuts.seed %d", seed)
	r := serve(t, func(c *node.Config) { c.Driver = driver }, beacon{})
	seats := []map[string]any{{"player_id": "starter"}}
	for i := range players {
		seats = append(seats, map[string]any{"player_id": fmt.Sprint("p", i)})
	}
	made := r.create(map[string]any{"game": "beacon", "seats": seats})
	starter := r.dial(made.Seats[0].Token, client.Options{})
	var wires, all, cutting sync.WaitGroup
	cutting.Add(players)
	wanderers := make([]*wanderer, players)
	giveUp := time.Now().Add(cutsMost)
	for i := range wanderers {
		p := &wanderer{
			t: t, addr: strings.TrimPrefix(r.game, "http://"), rand: rand.New(rand.NewPCG(seed, uint64(i))), wg: &wires,
			token: made.Seats[i+1].Token, until: giveUp,
		}
		wanderers[i] = p
		all.Go(func() {
			if code := p.enter(); code != 0 {
				t.Errorf("nobody gets in: closed with %d", code)
			}
			p.resumed = []time.Duration{}
			for p.cuts = 1; p.cuts < cuts && time.Now().Before(giveUp); p.cuts++ {
				if code := p.roam(randomCut(p.rand)); code != 0 {
					t.Errorf("after %d cuts: closed with %d", p.cuts, code)
				}
			}
			cutting.Done()
			for p.total == 0 && time.Now().Before(giveUp) { // to the last event, through whatever silence a busy machine has
				if code := p.roam(nil); code != 0 {
					t.Errorf("in the end: closed with %d", code)
				}
			}
		})
	}
	cutting.Wait()
	if _, err := starter.SendFields(map[string]float64{"stop": 1}); err != nil {
		t.Fatal(err)
	}
	all.Wait()

	var sent, received, lost, doubled, done, welcomes int
	var times []time.Duration
	for i, p := range wanderers {
		if p.total == 0 {
			t.Errorf("player %d never saw the last event", i)
		}
		sent += p.total
		received, lost, doubled = received+p.received, lost+p.lost, doubled+p.doubled
		done, welcomes = done+p.cuts, welcomes+p.welcomes
		times = append(times, p.resumed...)
	}
	if len(times) == 0 {
		t.Fatal("nobody ever resumed")
	}
	slices.Sort(times)
	trips := func(d time.Duration) float64 { return float64(d) / float64(2*oneWay) }
	median, p90 := times[len(times)/2], times[len(times)*9/10]
	t.Logf("%d cuts, %d welcomes: events sent %d, received %d, lost %d, doubled %d; %d resumes from dial to first state: median %.2f round trips, p90 %.2f",
		done, welcomes, sent, received, lost, doubled, len(times), trips(median), trips(p90))
	if received != sent || lost != 0 || doubled != 0 {
		t.Errorf("want every event once")
	}
	if done < players*cuts {
		t.Errorf("%d cuts in %v, want %d", done, cutsMost, players*cuts)
	}
	until(t, "every connection but the starter's is given back", func() bool {
		res, err := http.Get(r.admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		page, _ := io.ReadAll(res.Body)
		return bytes.Contains(page, []byte("skirmish_connections{state=\"playing\"} 1\n")) && bytes.Contains(page, []byte("skirmish_connections{state=\"closing\"} 0\n"))
	})
	starter.Close()
	wires.Wait()
}
