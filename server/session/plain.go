package session

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"skirmish/server/wsconn"
)

// plainHTTP hands a connection that asks for no WebSocket to net/http, with the bytes read so far in front. It stays
// counted until it is closed.
func (l *Lobby) plainHTTP(s *Session, now time.Time) {
	if l.plain == nil {
		l.refuse(s, &wsconn.Refusal{Status: http.StatusUpgradeRequired, Reason: "this port speaks WebSocket only"}, now)
		return
	}
	l.metrics.Handshakes.HTTP.Inc()
	head := bytes.Clone(s.handshake.Raw())
	s.conn.SetOwner(nil)
	c, err := s.conn.Detach()
	l.admission.settled(s.remote)
	l.forget(s, phaseHandshake)
	s.phase = phaseGone
	if err != nil {
		l.log.Warn().Err(err).Msg("cannot hand a connection to net/http")
		s.conn.Close()
		l.admission.leave(s.remote, now)
		return
	}
	c = behindProxy(c, s.remote)
	l.plain(&plainConn{Conn: c, r: io.MultiReader(bytes.NewReader(head), c), lobby: l, addr: s.remote})
}

// plainConn is a connection that left for net/http.
type plainConn struct {
	net.Conn
	r     io.Reader
	lobby *Lobby
	addr  netip.Addr
	once  sync.Once
}

func (c *plainConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *plainConn) Close() error {
	c.once.Do(func() { c.lobby.release(c.addr) })
	return c.Conn.Close()
}

// PlainListener is a net.Listener fed by the lobby: what an http.Server serves for the game port's plain requests.
type PlainListener struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// NewPlainListener makes one that says it listens on addr.
func NewPlainListener(addr net.Addr) *PlainListener {
	return &PlainListener{addr: addr, conns: make(chan net.Conn, acceptBatch), done: make(chan struct{})}
}

// Give hands c to a later Accept, or closes it when too many wait already. It never blocks the lobby.
func (l *PlainListener) Give(c net.Conn) {
	select {
	case <-l.done:
		c.Close()
	case l.conns <- c:
	default:
		c.Close()
	}
}

// Accept waits for the next connection (net.Listener).
func (l *PlainListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept (net.Listener).
func (l *PlainListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is the game port's address (net.Listener).
func (l *PlainListener) Addr() net.Addr { return l.addr }
