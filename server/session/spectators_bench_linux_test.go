package session

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/protocol"
	"skirmish/server/netpoll"
	"skirmish/server/wsconn"
)

// BenchmarkSpectatorsOnSockets is what spectators cost on real loopback sockets, by the CPU time of the match's own
// thread, medians of three ticks in changing order: of an arena of 16 players, of another with 200 spectators besides, and of a
// third with bare writes of as many bytes to 200 sockets behind it, in batches as the match sends them (WriteEach). extra-%
// is what the second takes beyond the third, as a share of the first; the promise is 15 at most. The spectators do
// what clients do: they send a ping every 8 s, as the SDK does.
func BenchmarkSpectatorsOnSockets(b *testing.B) {
	alone, watched, floored := newScene(b, 0), newScene(b, 200), newScene(b, 0)
	bare := make([]netpoll.Write, 200)
	for i := range bare {
		bare[i].Conn, _ = watched.wire.connect()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range bare {
		bare[i].P = make([]byte, 64)
	}
	for range 100 {
		alone.tick(nil)
		watched.tick(nil)
		floored.tick(nil)
	}
	if n := watched.room.crowd.size(); n < 190 {
		b.Fatalf("%d of 200 spectators are in step", n)
	}
	var match, both, floor []int64
	for n := 0; b.Loop(); n++ {
		for k := range 3 { // none finds the processor's caches always as the same one has left them
			switch (n + k*(1+n/3%2)) % 3 { // forwards and backwards, from each of them
			case 0:
				match = append(match, alone.tick(nil))
			case 1:
				both = append(both, watched.tick(nil))
				for i := range bare {
					bare[i].P = watched.sent
				}
			case 2:
				floor = append(floor, floored.tick(bare))
			}
		}
	}
	if n := len(watched.room.sessions); n != 216 {
		b.Fatalf("%d connections are left", n)
	}
	m, w, f := median(match), median(both), median(floor)
	b.ReportMetric(m, "match-ns/op")
	b.ReportMetric(w, "with-200-ns/op")
	b.ReportMetric(f, "with-200-writes-ns/op")
	b.ReportMetric(100*(w-f)/m, "extra-%")
}

func median(of []int64) float64 {
	slices.Sort(of)
	return float64(of[len(of)/2])
}

// scene is an arena on sockets.
type scene struct {
	*stage
	wire   *wire
	viewer *game.Viewer // of one spectator more, to know what they are sent
	sent   []byte       // as many bytes as a spectator was sent in the last tick
}

func newScene(b testing.TB, spectators int) *scene {
	c := &scene{stage: newStage(b, arena.New(), 16, max(spectators, 1)), wire: newWire(b)}
	c.room.lobby.driver = netpoll.NewEpoll()
	var players, watchers []*wirePeer
	for i := range 16 {
		id := fmt.Sprint("player", i)
		players = append(players, c.wire.arrive(c.stage, arrival{seat: c.seat(id, protocol.RolePlayer), player: id}))
	}
	for i := range spectators {
		id := fmt.Sprint("spectator", i)
		watchers = append(watchers, c.wire.arrive(c.stage, arrival{seat: c.seat(id, protocol.RoleSpectator), player: id}))
	}
	c.viewer = c.room.engine.NewViewer(0)
	go c.wire.send(players, watchers)
	b.Cleanup(func() { close(c.wire.turns) })
	return c
}

// tick plays one tick with an input of each player, sends what is to be sent besides, and returns the CPU time it took.
func (c *scene) tick(besides []netpoll.Write) int64 {
	c.wire.turns <- struct{}{}
	<-c.wire.sent
	c.now = c.now.Add(50 * time.Millisecond)
	time.Sleep(2 * time.Millisecond) // what was sent before has arrived, as between two real ticks
	begun := threadCPU()
	c.room.engine.Tick(c.now)
	netpoll.WriteEach(besides)
	took := threadCPU() - begun
	c.sent = append(c.room.engine.AppendState(c.sent[:0], c.viewer), 0, 0, 0, 0) // a frame's head
	return took
}

func threadCPU() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}

// wire is a listener and the far ends of its connections.
type wire struct {
	b        testing.TB
	set      netpoll.Set
	listener netpoll.Listener
	turns    chan struct{} // one for each input of all players
	sent     chan struct{}
}

type wirePeer struct{ conn net.Conn }

func newWire(b testing.TB) *wire {
	d := netpoll.NewEpoll()
	l, err := d.Listen("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	set, err := d.NewSet()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		l.Close()
		set.Close()
	})
	return &wire{b: b, set: set, listener: l, turns: make(chan struct{}), sent: make(chan struct{})}
}

// connect makes a connection whose far end reads everything away.
func (w *wire) connect() (netpoll.Conn, net.Conn) {
	far, err := net.Dial("tcp", w.listener.Addr().String())
	if err != nil {
		w.b.Fatal(err)
	}
	w.b.Cleanup(func() { far.Close() })
	go io.Copy(io.Discard, far)
	for {
		conn, err := w.listener.Accept()
		if err == nil {
			w.b.Cleanup(func() { conn.Close() })
			return conn, far
		}
		if !errors.Is(err, netpoll.ErrAgain) {
			w.b.Fatal(err)
		}
	}
}

func (w *wire) arrive(s *stage, a arrival) *wirePeer {
	conn, far := w.connect()
	a.session = &Session{conn: conn, phase: phasePlaying, opened: s.now}
	a.session.reader.Init(wsconn.ReaderLimits{MessageBytes: protocol.MaxMessageBytes})
	if !s.room.attach(a) {
		w.b.Fatal("the match takes no connections")
	}
	return &wirePeer{conn: far}
}

// send gives one input of each player in every turn, and a spectator's ping every 8 s.
func (w *wire) send(players, watchers []*wirePeer) {
	var msg, frame []byte
	const pingEvery = 160 // ticks
	pong := appendMasked(nil, 0x8A, nil)
	for seq := uint32(1); ; seq++ {
		if _, more := <-w.turns; !more {
			return
		}
		for i, p := range players {
			turn := int32(seq)
			values := []int32{(turn/20+int32(i))%3*60 - 60, (turn/30+int32(i))%3*60 - 60, turn * 100 % 65536, turn / 8 % 2}
			msg = protocol.AppendInput(msg[:0], &protocol.Input{FirstSeq: seq, Count: 1, Values: values}, len(values))
			frame = appendMasked(frame[:0], 0x82, msg)
			if seq%100 == uint32(i) {
				frame = append(frame, pong...)
			}
			p.conn.Write(frame)
		}
		for i := int(seq % pingEvery); i < len(watchers); i += pingEvery {
			msg = protocol.AppendPing(msg[:0], &protocol.Ping{ID: seq, T0: 1})
			frame = appendMasked(frame[:0], 0x82, msg)
			watchers[i].conn.Write(frame)
		}
		w.sent <- struct{}{}
	}
}
