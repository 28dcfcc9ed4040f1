package session

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"skirmish/server/ticket"
	"skirmish/server/wsconn"
)

// newGate is a gate that knows no match.
func newGate(t *testing.T, h *hall) *Gate {
	t.Helper()
	keys, err := ticket.NewKeyring(ticket.RandomKey())
	if err != nil {
		t.Fatal(err)
	}
	return &Gate{Node: "n", Keys: func() *ticket.Keyring { return keys }, Room: func(string) *Room { return nil },
		Draining: func() bool { return false }, Metrics: h.lobby.metrics, Log: h.lobby.log}
}

// Whoever pings instead of saying hello, and reads nothing, is held to a player's limits: nothing piles up for it.
func TestLobbyPingFloodBeforeHello(t *testing.T) {
	h := newHall(t, nil, nil)
	h.lobby.receiver = newGate(t, h)
	c := h.connect()
	c.in = []byte(goodHead)
	h.serve()
	c.out, c.room = nil, 0
	for range 1000 {
		c.in = appendMasked(c.in, 0x89, []byte(strings.Repeat("x", 125)))
	}
	s := h.lobby.sessions[0]
	for range 20 {
		h.serve()
	}
	if s.ending != endControlFlood || len(s.out.unsent) > 20*127+200 {
		t.Fatalf("ended with %v, %d bytes wait for it", s.ending, len(s.out.unsent))
	}
	c.room = -1
	h.lobby.flush(s, h.now)
	if !c.fin || !strings.HasSuffix(string(c.out), "per second") {
		t.Fatalf("fin %v, said % x", c.fin, c.out)
	}
}

// Ten pings a second are nobody's fault.
func TestLobbyPingsBeforeHello(t *testing.T) {
	h := newHall(t, nil, nil)
	h.lobby.receiver = newGate(t, h)
	c := h.connect()
	c.in = []byte(goodHead)
	h.serve()
	c.out = nil
	for range 45 {
		c.in = appendMasked(c.in, 0x89, []byte("x"))
		h.after(100 * time.Millisecond)
	}
	if got := strings.Count(string(c.out), "\x8a\x01x"); got != 45 || c.fin {
		t.Fatalf("%d pongs to 45 pings, closed %v", got, c.fin)
	}
}

// Pongs without end before a hello: 32 KiB of anything are enough.
func TestLobbyByteFloodBeforeHello(t *testing.T) {
	h := newHall(t, nil, nil)
	h.lobby.receiver = newGate(t, h)
	c := h.connect()
	c.in = []byte(goodHead)
	h.serve()
	c.out = nil
	for range 1000 {
		c.in = appendMasked(c.in, 0x8A, []byte(strings.Repeat("x", 125)))
	}
	for range 20 {
		h.serve()
	}
	if !c.fin || !strings.Contains(string(c.out), endEarlyFlood.Reason) {
		t.Fatalf("fin %v, said %q", c.fin, c.out)
	}
}

// The echo has none of these limits: test suites ping as they like.
func TestLobbyEchoTakesAnyPings(t *testing.T) {
	h := newHall(t, &Echo{}, func(c *LobbyConfig) {
		c.FirstMessage = 0
		c.Frames = wsconn.ReaderLimits{MessageBytes: 1 << 20, Fragments: -1, Text: true}
	})
	c := h.connect()
	c.in = []byte(goodHead)
	h.serve()
	c.out = nil
	for range 1000 {
		c.in = appendMasked(c.in, 0x89, []byte(strings.Repeat("x", 125)))
	}
	for range 20 {
		h.serve()
	}
	if len(c.out) != 127*1000 || c.fin {
		t.Fatalf("%d bytes of pongs, closed %v", len(c.out), c.fin)
	}
}

// A storm beyond the cap does not take the descriptors that others need: so many are told, the others are just closed.
func TestLobbyRefusesOnlySoMany(t *testing.T) {
	h := newHall(t, &Echo{}, func(c *LobbyConfig) { c.MaxConnections = 10 })
	told, mute := 0, 0
	for range 10 + MaxRefusals + 1000 {
		switch c := h.connect(); {
		case strings.HasPrefix(string(c.out), "HTTP/1.1 503"):
			told++
		case c.closed:
			mute++
		}
	}
	if told != MaxRefusals || mute != 1000 || len(h.lobby.sessions) != 10+MaxRefusals {
		t.Fatalf("%d told, %d closed at once, %d held", told, mute, len(h.lobby.sessions))
	}
	h.after(HandshakeTimeout + time.Millisecond)
	h.after(CloseTimeout + time.Millisecond)
	if a := &h.lobby.admission; a.total != 0 || a.handshakes != 0 {
		t.Fatalf("%d connections, %d handshakes counted afterwards", a.total, a.handshakes)
	}
}

// A peer that half-closes in the middle of its handshake is counted as gone.
func TestLobbyCountsWhoGoes(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	c := h.connect()
	c.in, c.eof = []byte(goodHead[:40]), true
	h.serve()
	h.serve()
	if got := testutil.ToFloat64(h.lobby.metrics.Handshakes.Dropped); got != 1 || !c.closed {
		t.Fatalf("%v dropped, closed %v", got, c.closed)
	}
	open := h.connect()
	open.in, open.eof = []byte(goodHead), true
	h.serve()
	h.serve()
	if !strings.Contains(string(open.out), endNoClose.Reason) || !open.fin || !open.closed {
		t.Fatalf("fin %v, closed %v, said %q", open.fin, open.closed, open.out)
	}
	if got := testutil.ToFloat64(h.lobby.metrics.Handshakes.Dropped); got != 1 {
		t.Fatalf("%v dropped, one was", got)
	}
}

// Under a flood the lobby is never without work: the ticks of matches get their turns in between, even on one processor.
func TestLobbyLetsOthersRun(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	for range maxEventsPerPoll {
		h.connect()
	}
	for _, c := range h.set.conns {
		c.in = []byte(goodHead)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var turns atomic.Int32
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !stop.Load() {
			turns.Add(1)
			runtime.Gosched()
		}
	}()
	h.serve()
	got := turns.Load()
	stop.Store(true)
	<-done
	if got < maxEventsPerPoll/lobbyShare/2 {
		t.Fatalf("another goroutine had %d turns while %d connections were served", got, maxEventsPerPoll)
	}
}
