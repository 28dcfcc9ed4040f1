package session

import (
	"strings"
	"testing"
	"time"

	"net/netip"

	"github.com/rs/zerolog"

	"skirmish/protocol"
	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/wsconn"
)

// hall is a lobby whose clock and sockets the test holds.
type hall struct {
	t     *testing.T
	lobby *Lobby
	set   *memSet
	now   time.Time
}

func newHall(t *testing.T, r Receiver, change func(*LobbyConfig)) *hall {
	cfg := LobbyConfig{
		Path: "/play", Subprotocol: protocol.Subprotocol, MaxConnections: 100, ExemptLoopback: true,
		Frames: wsconn.ReaderLimits{MessageBytes: protocol.MaxMessageBytes}, FirstMessage: HelloTimeout,
	}
	if change != nil {
		change(&cfg)
	}
	set := &memSet{}
	return &hall{t: t, set: set, now: time.Unix(1_000_000, 0), lobby: &Lobby{
		cfg: cfg, set: set, receiver: r, metrics: metrics.New(), log: zerolog.Nop(),
		admission: admission{max: cfg.MaxConnections, exemptLoopback: cfg.ExemptLoopback, proxies: cfg.TrustedProxies, addrs: map[netip.Addr]*addrCount{}},
		readBuf:   make([]byte, readBufferBytes), events: make([]netpoll.Event, maxEventsPerPoll),
	}}
}

// connect is an accepted socket.
func (h *hall) connect() *memConn {
	c := &memConn{room: -1}
	h.lobby.welcomeSocket(c, h.now)
	return c
}

// serve handles what is ready.
func (h *hall) serve() {
	n, _ := h.set.Poll(h.lobby.events)
	h.lobby.serve(h.lobby.events[:n], h.now)
	h.lobby.takeReturned(h.now)
}

// after lets d pass, with a look at the deadlines.
func (h *hall) after(d time.Duration) {
	h.now = h.now.Add(d)
	h.lobby.scan(h.now)
	h.serve()
}

const goodHead = "GET /play HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: skirmish.v1\r\n\r\n"

func TestLobbyHandshakeByteByByte(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	c := h.connect()
	for _, b := range []byte(goodHead) {
		c.in = append(c.in, b)
		h.serve()
	}
	// The accept value for the key of RFC 6455, section 1.3.
	if got := string(c.out); !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.Contains(got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
		t.Fatalf("answer %q", got)
	}
}

func TestLobbyKeepsWhatCameBehindTheHead(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	c := h.connect()
	c.in = appendMasked([]byte(goodHead), 0x82, []byte("early"))
	h.serve()
	if !strings.HasSuffix(string(c.out), "\x82\x05early") {
		t.Fatalf("the frame behind the head was lost: %q", c.out)
	}
}

func TestLobbyLosesPatience(t *testing.T) {
	for _, story := range []struct {
		name string
		send string
		wait time.Duration
		says string
	}{
		{"with a mute socket", "", HandshakeTimeout, "HTTP/1.1 408"},
		{"with half a head", "GET /play HTTP/1.1\r\nHost:", HandshakeTimeout, "HTTP/1.1 408"},
		{"with no hello", goodHead, HelloTimeout, "no hello"},
		{"with half a frame", goodHead + "\x82\xfe", HelloTimeout, ""},
	} {
		t.Run(story.name, func(t *testing.T) {
			h := newHall(t, &Echo{}, nil)
			c := h.connect()
			c.in = []byte(story.send)
			h.serve()
			h.after(story.wait - 100*time.Millisecond)
			if c.fin || c.closed {
				t.Fatal("closed before its time")
			}
			h.after(200 * time.Millisecond)
			if !strings.Contains(string(c.out), story.says) || !c.fin {
				t.Fatalf("fin %v, said %q, want …%s…", c.fin, c.out, story.says)
			}
			h.after(DrainTimeout + time.Millisecond)
			if !c.closed || len(h.lobby.sessions) != 0 || h.lobby.admission.total != 0 || h.lobby.admission.handshakes != 0 {
				t.Fatalf("left over: closed %v, %d sessions, %d connections", c.closed, len(h.lobby.sessions), h.lobby.admission.total)
			}
		})
	}
}

// A peer that reads nothing keeps its socket for CloseTimeout, not longer.
func TestLobbyClosesOnThoseWhoDoNotRead(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	c := h.connect()
	c.in = []byte(goodHead)
	h.serve()
	c.room = 0
	c.in = appendMasked(nil, 0x81, []byte("text is not for the play path"))
	h.serve()
	h.after(CloseTimeout - 100*time.Millisecond)
	if c.closed {
		t.Fatal("closed before its time")
	}
	h.after(200 * time.Millisecond)
	if !c.closed || len(h.lobby.sessions) != 0 {
		t.Fatalf("closed %v, %d sessions left", c.closed, len(h.lobby.sessions))
	}
}

// The Close frame goes out whole even if the socket takes it piece by piece; the FIN comes behind it.
func TestLobbyFinishesTheCloseFrame(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	c := h.connect()
	c.in = []byte(goodHead)
	h.serve()
	c.out, c.room = nil, 3
	c.in = appendMasked(nil, 0x81, []byte("x"))
	h.serve()
	if c.fin {
		t.Fatal("FIN before the last byte")
	}
	c.room = -1
	h.lobby.flush(h.lobby.sessions[0], h.now)
	if !c.fin || c.out[0] != 0x88 || int(c.out[1]) != len(c.out)-2 {
		t.Fatalf("fin %v, frame % x", c.fin, c.out)
	}
}

func TestLobbyShutsDown(t *testing.T) {
	h := newHall(t, &Echo{}, nil)
	h.lobby.listener = noListener{}
	waiting, open := h.connect(), h.connect()
	open.in = []byte(goodHead)
	h.serve()
	h.lobby.close(h.now)
	if !strings.Contains(string(waiting.out), "503") || !strings.Contains(string(open.out), "shuts down") {
		t.Fatalf("said %q and %q", waiting.out, open.out)
	}
	h.after(DrainTimeout + time.Millisecond)
	if len(h.lobby.sessions) != 0 || !waiting.closed || !open.closed {
		t.Fatal("somebody was left behind")
	}
}

type noListener struct{ netpoll.Listener }

func (noListener) Close() error { return nil }

func TestLobbyOverflowIsToldBeforeTheHandshake(t *testing.T) {
	h := newHall(t, &Echo{}, func(c *LobbyConfig) { c.MaxConnections = 1 })
	h.connect()
	c := h.connect()
	if !strings.HasPrefix(string(c.out), "HTTP/1.1 503") || !strings.Contains(string(c.out), "Retry-After: 1") || !c.fin {
		t.Fatalf("fin %v, said %q", c.fin, c.out)
	}
}
