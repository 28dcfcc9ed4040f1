package netpoll

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"
)

// NewPortable returns the driver for TLS and for every system: package net below, one reading goroutine for
// each connection, and a writing one while there is something to be written.
func NewPortable() Driver { return portable{} }

type portable struct{}

func (portable) Name() string { return Portable }

func (portable) Listen(addr string, tlsConfig *tls.Config) (Listener, error) {
	config := net.ListenConfig{Control: controlListener}
	network := "tcp"
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr().Is4() {
		network = "tcp4" // or else package net takes 0.0.0.0 for all addresses of IPv6 as well
	}
	nl, err := config.Listen(context.Background(), network, addr)
	if err != nil {
		return nil, err
	}
	return newPortableListener(nl, tlsConfig), nil
}

func newPortableListener(nl net.Listener, tlsConfig *tls.Config) *portableListener {
	l := &portableListener{nl: nl, tls: tlsConfig, queue: make(chan accepted, acceptQueue), pending: map[netip.Addr]int{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.wg.Go(l.accept)
	return l
}

// portableListener accepts, and greets by TLS, on goroutines of its own, so that a client that is slow about it costs
// a goroutine and never the loop.
type portableListener struct {
	nl     net.Listener
	tls    *tls.Config // nil: none
	queue  chan accepted
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	set      *portableSet       // nil: in none
	pending  map[netip.Addr]int // TLS handshakes going on
	pendings int                // their sum
}

// accepted is a connection or the error that came instead.
type accepted struct {
	conn net.Conn
	err  error
}

func (l *portableListener) Addr() net.Addr { return l.nl.Addr() }

func (l *portableListener) Accept() (Conn, error) {
	select {
	case a := <-l.queue:
		if a.err != nil {
			return nil, a.err
		}
		return newPortableConn(a.conn), nil
	default:
	}
	if l.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	return nil, ErrAgain
}

// Close is safe from any goroutine. It returns when the listener's goroutines have ended.
func (l *portableListener) Close() error {
	if l.ctx.Err() != nil {
		return nil
	}
	l.cancel()
	err := l.nl.Close()
	l.wg.Wait()
	for {
		select {
		case a := <-l.queue:
			if a.conn != nil {
				a.conn.Close()
			}
		default:
			return err
		}
	}
}

func (l *portableListener) accept() {
	var backoff Backoff
	for {
		conn, err := l.nl.Accept()
		if err == nil {
			backoff.Reset()
			if l.tls == nil {
				l.deliver(accepted{conn: conn})
			} else if from := remote(conn).Addr(); l.admit(from) {
				l.wg.Go(func() { l.greet(conn, from) })
			} else {
				conn.Close()
			}
			continue
		}
		if l.ctx.Err() != nil {
			return
		}
		l.deliver(accepted{err: err})
		select {
		case <-time.After(max(backoff.Next(err), backoffMin)):
		case <-l.ctx.Done():
		}
	}
}

// deliver waits for room in the queue: the system's backlog holds the others meanwhile.
func (l *portableListener) deliver(a accepted) {
	select {
	case l.queue <- a:
	case <-l.ctx.Done():
		if a.conn != nil {
			a.conn.Close()
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set != nil {
		l.set.ring()
	}
}

// admit counts a TLS handshake in, unless too many are going on.
func (l *portableListener) admit(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pendings >= tlsPending || l.pending[from] >= tlsPendingPerIP && !from.IsLoopback() {
		return false
	}
	l.pendings++
	l.pending[from]++
	return true
}

func (l *portableListener) greet(conn net.Conn, from netip.Addr) {
	ctx, cancel := context.WithTimeout(l.ctx, tlsTimeout)
	defer cancel()
	secure := tls.Server(conn, l.tls)
	err := secure.HandshakeContext(ctx)

	l.mu.Lock()
	l.pendings--
	if l.pending[from]--; l.pending[from] == 0 {
		delete(l.pending, from)
	}
	l.mu.Unlock()

	if err != nil {
		conn.Close()
		return
	}
	l.deliver(accepted{conn: secure})
}

// remote is the peer's address.
func remote(conn net.Conn) netip.AddrPort {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}
