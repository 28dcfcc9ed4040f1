package netpoll

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// NewEpoll returns the driver for Linux: raw non-blocking sockets, an epoll instance for each Set, no
// goroutine and nothing of Go's poller for a connection.
func NewEpoll() Driver { return epoll{} }

type epoll struct{}

func (epoll) Name() string { return Epoll }

func (epoll) Listen(addr string, tlsConfig *tls.Config) (Listener, error) {
	if tlsConfig != nil {
		return nil, errors.New("netpoll: the epoll driver does not speak TLS, use the portable one")
	}
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	fd, err := listenSocket(a)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: a, Err: err}
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		unix.Close(fd)
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: a, Err: os.NewSyscallError("getsockname", err)}
	}
	return &epollListener{fd: fd, addr: net.TCPAddrFromAddrPort(addrPort(sa))}, nil
}

// epollListener is a listening socket. Its mutex lets a shutdown close it from another goroutine; the accepting
// one never finds it taken otherwise.
type epollListener struct {
	addr net.Addr

	mu      sync.Mutex
	fd      int       // −1: closed
	set     *epollSet // that watches it; nil: none
	backoff Backoff
	resume  time.Time // no readiness is reported before; zero: no pause
}

func (l *epollListener) Addr() net.Addr { return l.addr }

func (l *epollListener) Accept() (Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return nil, net.ErrClosed
	}
	for {
		fd, sa, err := unix.Accept4(l.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			l.backoff.Reset()
			return &epollConn{fd: int32(fd), remote: addrPort(sa)}, nil
		case unix.EAGAIN:
			return nil, ErrAgain
		case unix.EINTR, unix.ECONNABORTED: // that one is gone, the next may be there
			continue
		}
		err = os.NewSyscallError("accept4", err)
		if pause := l.backoff.Next(err); pause > 0 {
			l.resume = time.Now().Add(pause)
		}
		return nil, err
	}
}

// pausedUntil tells until when the listener wants to be left alone; zero: it does not.
func (l *epollListener) pausedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.resume
}

// endPause makes pausedUntil zero.
func (l *epollListener) endPause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resume = time.Time{}
}

// Close is safe from any goroutine. It takes the descriptor out of the Set: the kernel would not, as long as another process has
// a duplicate.
func (l *epollListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return nil
	}
	l.unwatch()
	fd := l.fd
	l.fd = -1
	return os.NewSyscallError("close", unix.Close(fd))
}

// unwatch ends the watch of a Set. Called with the lock held.
func (l *epollListener) unwatch() {
	if l.set != nil {
		_ = l.set.control(unix.EPOLL_CTL_DEL, l.fd, 0, 0, 0)
		l.set = nil
	}
}

// epollConn is one socket. 80 bytes and no other memory.
type epollConn struct {
	set    *epollSet // nil: in none
	owner  any
	remote netip.AddrPort
	fd     int32 // −1: closed or detached
	slot   int32 // its place in set
	watch  bool  // write readiness is wanted
	ended  bool  // a Read has told the end of the stream or an error: there is nothing more to be told
	armed  bool  // the epoll instance of set knows fd
}

func (c *epollConn) Read(p []byte) (n int, arrived int64, err error) {
	if c.fd < 0 {
		return 0, 0, net.ErrClosed
	}
	n, arrived, errno := receive(c.fd, p)
	switch {
	case errno == unix.EAGAIN:
		return 0, 0, ErrAgain
	case errno != 0:
		c.ended = true
		return 0, 0, os.NewSyscallError("read", errno)
	case n == 0 && len(p) > 0:
		c.ended = true
		return 0, 0, io.EOF
	}
	if arrived == 0 {
		arrived = time.Now().UnixNano()
	}
	return n, arrived, nil
}

func (c *epollConn) Write(p []byte) (n int, err error) {
	if c.fd < 0 {
		return 0, net.ErrClosed
	}
	n, errno := send(c.fd, p)
	switch errno {
	case 0:
		return n, nil
	case unix.EAGAIN:
		return 0, nil
	}
	return 0, os.NewSyscallError("write", errno)
}

func (c *epollConn) Unsent() int {
	if c.fd < 0 {
		return -1
	}
	return unsent(c.fd)
}

func (c *epollConn) RoundTrip() (smoothed, least time.Duration) {
	if c.fd < 0 {
		return 0, 0
	}
	return roundTrip(c.fd)
}

func (c *epollConn) CloseWrite() error {
	if c.fd < 0 {
		return net.ErrClosed
	}
	return os.NewSyscallError("shutdown", unix.Shutdown(int(c.fd), unix.SHUT_WR))
}

// Close needs no epoll_ctl: the kernel forgets a descriptor that is closed.
func (c *epollConn) Close() error {
	if c.fd < 0 {
		return nil
	}
	if c.set != nil {
		c.set.forget(c)
	}
	fd := c.fd
	c.fd, c.owner = -1, nil
	return os.NewSyscallError("close", unix.Close(int(fd)))
}

// Detach hands a duplicate of the descriptor to package net, which registers it in Go's poller.
func (c *epollConn) Detach() (net.Conn, error) {
	if c.fd < 0 {
		return nil, net.ErrClosed
	}
	if c.set != nil {
		if err := c.set.Remove(c); err != nil {
			return nil, err
		}
	}
	f := os.NewFile(uintptr(c.fd), "tcp")
	c.fd, c.owner = -1, nil
	nc, err := net.FileConn(f)
	return nc, errors.Join(err, f.Close())
}

func (c *epollConn) Remote() netip.AddrPort { return c.remote }

func (c *epollConn) Owner() any { return c.owner }

func (c *epollConn) SetOwner(owner any) { c.owner = owner }
