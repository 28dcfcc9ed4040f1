package session

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
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
// thread: in turns a tick of an arena of 16 players, one of another with 200 spectators besides, and bare writes of
// as many bytes to 200 sockets, sent as the match sends them (WriteEach) and by a system call each. extra-% is what the
// second takes beyond the first and such writes, as a share of the first; the promise is 15 at most. extra-single-% is
// the same beyond single writes.
func BenchmarkSpectatorsOnSockets(b *testing.B) {
	alone, watched := newScene(b, 0), newScene(b, 200)
	var bare []netpoll.Conn
	for range 200 {
		conn, _ := watched.wire.connect()
		bare = append(bare, conn)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 50 {
		alone.tick()
		watched.tick()
	}
	var match, both, writes, single int64
	batch := make([]netpoll.Write, len(bare))
	for b.Loop() {
		match += alone.tick()
		both += watched.tick()
		message := make([]byte, watched.bytes)
		for i, conn := range bare {
			batch[i] = netpoll.Write{Conn: conn, P: message}
		}
		begun := threadCPU()
		netpoll.WriteEach(batch)
		writes += threadCPU() - begun
		time.Sleep(2 * time.Millisecond)
		begun = threadCPU()
		for i, conn := range bare {
			if _, err := conn.Write(message); err != nil || batch[i].Err != nil {
				b.Fatal(err, batch[i].Err)
			}
		}
		single += threadCPU() - begun
	}
	if n := len(watched.room.sessions); n != 216 {
		b.Fatalf("%d connections are left", n)
	}
	n := float64(b.N)
	b.ReportMetric(float64(match)/n, "match-ns/op")
	b.ReportMetric(float64(both)/n, "with-200-ns/op")
	b.ReportMetric(float64(writes)/n, "200-writes-ns/op")
	b.ReportMetric(float64(single)/n, "200-single-writes-ns/op")
	b.ReportMetric(100*float64(both-match-writes)/float64(match), "extra-%")
	b.ReportMetric(100*float64(both-match-single)/float64(match), "extra-single-%")
}

// scene is an arena on sockets.
type scene struct {
	*stage
	wire   *wire
	viewer *game.Viewer // of one spectator more, to know what they are sent
	state  []byte
	bytes  int // of a spectator's message in the last tick
}

func newScene(b testing.TB, spectators int) *scene {
	c := &scene{stage: newStage(b, arena.New(), 16, max(spectators, 1)), wire: newWire(b)}
	var players []*wirePeer
	for i := range 16 {
		id := fmt.Sprint("player", i)
		players = append(players, c.wire.arrive(c.stage, arrival{seat: c.seat(id, protocol.RolePlayer), player: id}))
	}
	for i := range spectators {
		id := fmt.Sprint("spectator", i)
		c.wire.arrive(c.stage, arrival{seat: c.seat(id, protocol.RoleSpectator), player: id})
	}
	c.viewer = c.room.engine.NewViewer(0)
	go c.wire.send(players)
	b.Cleanup(func() { close(c.wire.turns) })
	return c
}

// tick plays one tick with an input of each player and returns the CPU time it took.
func (c *scene) tick() int64 {
	c.wire.turns <- struct{}{}
	<-c.wire.sent
	c.now = c.now.Add(50 * time.Millisecond)
	for _, s := range c.room.sessions {
		s.player.pongBefore = c.now.Add(time.Hour)
	}
	time.Sleep(2 * time.Millisecond) // what was sent before has arrived, as between two real ticks
	begun := threadCPU()
	c.room.engine.Tick(c.now)
	took := threadCPU() - begun
	c.state = c.room.engine.AppendState(c.state[:0], c.viewer)
	c.bytes = len(c.state) + 4
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

// send gives one input of each player in every turn.
func (w *wire) send(players []*wirePeer) {
	var msg, frame []byte
	for seq := uint32(1); ; seq++ {
		if _, more := <-w.turns; !more {
			return
		}
		for i, p := range players {
			turn := int32(seq)
			values := []int32{(turn/20+int32(i))%3*60 - 60, (turn/30+int32(i))%3*60 - 60, turn * 100 % 65536, turn / 8 % 2}
			msg = protocol.AppendInput(msg[:0], &protocol.Input{FirstSeq: seq, Count: 1, Values: values}, len(values))
			frame = appendMasked(frame[:0], 0x82, msg)
			p.conn.Write(frame)
		}
		w.sent <- struct{}{}
	}
}
