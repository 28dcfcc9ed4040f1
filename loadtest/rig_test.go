package main

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/protocol"
)

// mute is a poller without a network: what is written is dropped.
type mute struct{ written int }

func (m *mute) dial(c *conn, _ netip.AddrPort, _ netip.Addr) error { c.up = true; return nil }
func (m *mute) write(_ *conn, p []byte) (int, error)               { m.written += len(p); return len(p), nil }
func (m *mute) push()                                              {}
func (m *mute) pause(*conn, bool)                                  {}
func (m *mute) close(c *conn)                                      { c.up = false }
func (m *mute) poll(sink)                                          {}
func (m *mute) wait(int64)                                         {}
func (m *mute) kind() string                                       { return "mute" }
func (m *mute) shut()                                              {}

// rig is one bot in a loop against a real engine, without sockets.
type rig struct {
	t      testing.TB
	loop   *loop
	bot    *bot
	engine *game.Engine
	viewer *game.Viewer
	now    int64
}

func newRig(t testing.TB, players int) *rig {
	t.Helper()
	a := arena.New()
	d, err := game.Compile(a)
	if err != nil {
		t.Fatal(err)
	}
	m := d.NewMatch("m", 1, []byte(`{"rounds":0}`))
	m.TickRate, m.SnapshotRate = 20, 20
	e, err := game.NewEngine(context.Background(), d, m)
	if err != nil {
		t.Fatal(err)
	}
	for seat := range players {
		if err := e.Join(game.PlayerInfo{Seat: game.Seat(seat + 1), ID: "p" + string(rune('a'+seat)), Bot: seat > 0}); err != nil {
			t.Fatal(err)
		}
	}
	r := &rig{t: t, engine: e, viewer: e.NewViewer(1), now: 1_000_000_000_000}
	schedule := newSchedule(r.now, 20)
	l := newLoop(&mute{}, schedule, window{r.now, r.now + int64(time.Hour)}, d, netip.AddrPort{}, nil, new(atomic.Int64))
	b := &bot{host: "h", target: "/play", token: "mt1.t", team: new(team), brain: a.Bot(1)}
	l.clock = func() int64 { return r.now }
	r.loop, r.bot = l, b
	l.bots = append(l.bots, b)
	l.connect(b, r.now)
	r.welcome()
	return r
}

// welcome answers the bot's handshake and hello.
func (r *rig) welcome() {
	r.feed([]byte(answer(r.t, string(r.bot.session.Out()))))
	r.message(protocol.AppendWelcome(nil, &protocol.Welcome{
		Version: protocol.Version, Seat: 1, PlayerID: "pa", TickRate: 20, SnapshotRate: 20, Tick: r.engine.Now(), ServerTime: uint64(r.now / 1000),
		ResumeToken: "rt1.x", ReconnectMS: 20_000, Limits: protocol.Limits{MessageBytes: 4096, InputsPerMessage: 32, InputsPerSecond: 40, SeqAhead: 40},
		Plan: r.loop.definition.Plan, PlanHash: r.loop.definition.PlanHash, MatchID: "m", Game: "arena", GameVersion: "1",
	}))
}

// answer is the 101 to a request.
func answer(t testing.TB, request string) string {
	t.Helper()
	_, key, _ := strings.Cut(request, "Sec-WebSocket-Key: ")
	key, _, _ = strings.Cut(key, "\r\n")
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: skirmish.v1\r\n\r\n"
}

func (r *rig) feed(p []byte) { r.loop.received(&r.bot.link, p, r.now) }

// message feeds one message in one frame.
func (r *rig) message(msg []byte) { r.feed(frame(msg)) }

func frame(msg []byte) []byte {
	head := []byte{0x82}
	switch n := len(msg); {
	case n <= 125:
		head = append(head, byte(n))
	case n <= 65535:
		head = binary.BigEndian.AppendUint16(append(head, 126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	return append(head, msg...)
}

// state is the frame of the engine's next tick.
func (r *rig) state() []byte {
	r.now += r.loop.schedule.period
	r.engine.Tick(time.Unix(0, r.now))
	return frame(r.engine.AppendState(nil, r.viewer))
}

// tick is one tick of the server and what the bot makes of it.
func (r *rig) tick() { r.see(r.state()) }

func (r *rig) see(state []byte) {
	r.feed(state)
	r.loop.think(r.bot, r.now, r.now)
	r.loop.flush(r.bot)
	if err := r.bot.session.Err(); err != nil {
		r.t.Fatal(err)
	}
}

// tape is a second of play: a full snapshot and what follows, to be seen again and again.
func (r *rig) tape() (states [][]byte) {
	for range 200 {
		r.state() // the fight has begun
	}
	r.viewer.Rebase()
	for range 20 {
		states = append(states, r.state())
	}
	return states
}
