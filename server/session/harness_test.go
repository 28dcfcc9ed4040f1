package session

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/ticket"
	"skirmish/server/wsconn"
)

// memConn is a connection without a socket: tests write its inbox and read its outbox.
type memConn struct {
	set    *memSet
	in     []byte
	eof    bool
	out    []byte
	room   int // bytes the "socket" still takes; negative: any number
	owner  any
	closed bool
	fin    bool

	unsent   int           // what the kernel would still hold
	asked    int           // how often Unsent was called
	smoothed time.Duration // round trip
	least    time.Duration
}

func (c *memConn) Read(p []byte) (int, int64, error) {
	if len(c.in) == 0 {
		if c.eof {
			return 0, 0, io.EOF
		}
		return 0, 0, netpoll.ErrAgain
	}
	n := copy(p, c.in)
	c.in = c.in[:copy(c.in, c.in[n:])]
	return n, 1, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	if c.closed {
		return 0, net.ErrClosed
	}
	n := len(p)
	if c.room >= 0 {
		n = min(n, c.room)
		c.room -= n
	}
	c.out = append(c.out, p[:n]...)
	return n, nil
}

func (c *memConn) Unsent() int {
	c.asked++
	return c.unsent
}
func (c *memConn) RoundTrip() (smoothed, least time.Duration) { return c.smoothed, c.least }
func (c *memConn) CloseWrite() error                          { c.fin = true; return nil }
func (c *memConn) Close() error {
	if c.set != nil {
		c.set.Remove(c)
	}
	c.closed = true
	return nil
}
func (c *memConn) Detach() (net.Conn, error) { return nil, errors.New("no socket") }
func (c *memConn) Remote() netip.AddrPort    { return netip.MustParseAddrPort("192.0.2.1:1234") }
func (c *memConn) Owner() any                { return c.owner }
func (c *memConn) SetOwner(o any)            { c.owner = o }

// memSet polls memConns.
type memSet struct{ conns []*memConn }

func (s *memSet) Add(c netpoll.Conn) error {
	m := c.(*memConn)
	m.set = s
	s.conns = append(s.conns, m)
	return nil
}
func (s *memSet) Listen(netpoll.Listener) error { return nil }
func (s *memSet) Remove(c netpoll.Conn) error {
	for i := range s.conns {
		if s.conns[i] == c {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			break
		}
	}
	c.(*memConn).set = nil
	c.SetOwner(nil)
	return nil
}
func (s *memSet) WatchWrite(netpoll.Conn, bool) error { return nil }
func (s *memSet) Poll(events []netpoll.Event) (int, error) {
	n := 0
	for _, c := range s.conns {
		if n < len(events) && (len(c.in) > 0 || c.eof) {
			events[n] = netpoll.Event{Conn: c, Readable: true}
			n++
		}
	}
	return n, nil
}
func (s *memSet) Wait(e []netpoll.Event, _ time.Time) (int, error) { return s.Poll(e) }
func (s *memSet) Wake()                                            {}
func (s *memSet) Close() error                                     { return nil }

type memDriver struct{}

func (memDriver) Listen(string, *tls.Config) (netpoll.Listener, error) {
	return nil, errors.ErrUnsupported
}

func (memDriver) Name() string                 { return "memory" }
func (memDriver) NewSet() (netpoll.Set, error) { return &memSet{}, nil }

// stage is a room whose clock and sockets the test holds.
type stage struct {
	t    testing.TB
	room *Room
	now  time.Time
	keys *ticket.Keyring
}

// newStage sets a match of g up, ticking at 20 Hz with a snapshot every tick.
func newStage(t testing.TB, g game.Game, players, spectators int) *stage {
	t.Helper()
	def, err := game.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ticket.NewKeyring(ticket.RandomKey())
	if err != nil {
		t.Fatal(err)
	}
	lobby := &Lobby{driver: memDriver{}, set: &memSet{}, metrics: metrics.New(), log: zerolog.Nop(), admission: admission{addrs: map[netip.Addr]*addrCount{}}}
	room, err := NewRoom(context.Background(), RoomConfig{
		Definition: def,
		Match:      game.Match{ID: "m1", Game: def.Spec.Name, Seed: 1, Params: def.Spec.QuickPlay.Params, TickRate: 20, SnapshotRate: 20, Players: players},
		Spectators: spectators, Reconnect: 5 * time.Second, Empty: 30 * time.Second,
	}, lobby, func() *ticket.Keyring { return keys }, metrics.New(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	room.engine.Attach(room)
	s := &stage{t: t, room: room, now: time.Unix(1_000_000, 0), keys: keys}
	room.running.Store(s.now.UnixNano())
	return s
}

// tick runs n ticks of 50 ms.
func (s *stage) tick(n int) {
	for range n {
		s.now = s.now.Add(50 * time.Millisecond)
		s.room.engine.Tick(s.now)
	}
}

// run lets d pass, every connection answering the server's pings as a client does.
func (s *stage) run(d time.Duration, alive ...*peer) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.tick(1)
		for _, p := range alive {
			p.frames()
		}
	}
}

// seat reserves a seat.
func (s *stage) seat(id string, role protocol.Role) uint16 {
	s.t.Helper()
	seats, err := s.room.Reserve([]SeatRequest{{PlayerID: id, Name: id, Role: role, TTL: time.Hour}})
	if err != nil {
		s.t.Fatal(err)
	}
	return seats[0].Number
}

// join reserves a seat and connects to it.
func (s *stage) join(id string) *peer {
	s.t.Helper()
	return s.arrive(arrival{seat: s.seat(id, protocol.RolePlayer), player: id})
}

// arrive sends a connection into the room, as the lobby does after a good hello.
func (s *stage) arrive(a arrival) *peer {
	s.t.Helper()
	c := &memConn{room: -1}
	a.session = &Session{conn: c, phase: phasePlaying, opened: s.now}
	a.session.reader.Init(wsconn.ReaderLimits{MessageBytes: protocol.MaxMessageBytes})
	if !s.room.attach(a) {
		s.t.Fatal("the match takes no connections")
	}
	return &peer{t: s.t, c: c, s: a.session, seat: a.seat}
}

// peer is the client's end of a memConn.
type peer struct {
	t    testing.TB
	c    *memConn
	s    *Session
	seat uint16
	seq  uint32

	welcome *protocol.Welcome
	state   protocol.State
	got     []protocol.Type
	events  []uint32
	result  string
	closed  uint16
	reason  string
}

// send masks and queues one binary message.
func (p *peer) send(msg []byte) { p.c.in = appendMasked(p.c.in, 0x82, msg) }

// input sends n inputs of one message, all fields zero.
func (p *peer) input(n int) {
	fields := 1
	if p.welcome != nil {
		fields = len(p.welcome.Plan.Input.Fields)
	}
	p.send(protocol.AppendInput(nil, &protocol.Input{FirstSeq: p.seq + 1, Count: n, Values: make([]int32, n*fields)}, fields))
	p.seq += uint32(n)
}

// frames takes in everything that was written, and answers pings.
func (p *peer) frames() *peer {
	p.t.Helper()
	b := p.c.out
	for len(b) >= 2 {
		n, head := int(b[1]), 2
		switch n {
		case 126:
			if len(b) < 4 {
				break
			}
			n, head = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			p.t.Fatal("a frame of 64 KiB or more")
		}
		if len(b) < head+n {
			break
		}
		p.frame(b[0]&0x0F, b[head:head+n])
		b = b[head+n:]
	}
	p.c.out = append(p.c.out[:0], b...)
	return p
}

// frame takes in one frame.
func (p *peer) frame(op byte, msg []byte) {
	p.t.Helper()
	switch op {
	case 0x8:
		p.closed = binary.BigEndian.Uint16(msg)
		p.reason = string(msg[2:])
		return
	case 0x9:
		p.c.in = appendMasked(p.c.in, 0x8A, msg)
		return
	case 0xA:
		return
	}
	typ, err := protocol.ServerType(msg)
	if err != nil {
		p.t.Fatal(err)
	}
	p.got = append(p.got, typ)
	switch typ {
	case protocol.TypeWelcome:
		p.welcome = &protocol.Welcome{}
		err = protocol.DecodeWelcome(msg, p.welcome)
		p.state.Plan = p.welcome.Plan
	case protocol.TypeSnapshot, protocol.TypeDelta:
		err = p.state.Apply(msg)
	case protocol.TypeEvent:
		var ev protocol.Event
		err = protocol.DecodeEvent(msg, p.welcome.Plan, &ev)
		p.events = append(p.events, ev.Seq)
	case protocol.TypeResult:
		var r protocol.Result
		err = protocol.DecodeResult(msg, &r)
		p.result = r.Reason + " " + string(r.Payload)
	}
	if err != nil {
		p.t.Fatalf("message %#x: %v", typ, err)
	}
}

// count is how often a message of this type came.
func (p *peer) count(t protocol.Type) (n int) {
	for _, got := range p.got {
		if got == t {
			n++
		}
	}
	return n
}

// appendMasked appends a client frame of less than 64 KiB.
func appendMasked(dst []byte, head byte, payload []byte) []byte {
	dst = append(dst, head)
	if len(payload) < 126 {
		dst = append(dst, 0x80|byte(len(payload)))
	} else {
		dst = append(dst, 0x80|126, byte(len(payload)>>8), byte(len(payload)))
	}
	mask := [4]byte{1, 2, 3, 4}
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i%4])
	}
	return dst
}
