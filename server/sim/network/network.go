// Package network is a network in memory that netpoll's owners cannot tell from the system's, but for its clock, which is
// testing/synctest's, and its links, which are as good or bad as they are told to be, by a seed. It has no goroutine of
// its own: an end knows when the next thing reaches it, and whoever waits for it sleeps until then.
package network

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"skirmish/server/netpoll"
)

// Network joins hosts. Safe from any goroutine.
type Network struct {
	mu       sync.Mutex
	ports    map[netip.AddrPort]*listener
	nextPort uint16
}

// New makes a network without anybody.
func New() *Network {
	return &Network{ports: map[netip.AddrPort]*listener{}, nextPort: 20_000}
}

// Host is one machine, or one life of one (netpoll.Driver). Safe from any goroutine.
type Host struct {
	net  *Network
	sets map[*Set]struct{}
	ends map[*end]struct{}

	listeners []*listener
	offered   int // most bytes that a Write was called with
	crashed   bool
}

// Host adds a machine.
func (n *Network) Host() *Host {
	return &Host{net: n, sets: map[*Set]struct{}{}, ends: map[*end]struct{}{}}
}

// Name is "memory".
func (h *Host) Name() string { return "memory" }

// Offered is the most bytes that any Write of the host was called with: what its largest queue held.
func (h *Host) Offered() int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.offered
}

// Open counts the connections that are not closed on this side.
func (h *Host) Open() int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return len(h.ends)
}

func (h *Host) NewSet() (netpoll.Set, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.crashed {
		return nil, net.ErrClosed
	}
	s := &Set{host: h, signal: make(chan struct{}, 1)}
	h.sets[s] = struct{}{}
	return s, nil
}

func (h *Host) Listen(addr string, tlsConfig *tls.Config) (netpoll.Listener, error) {
	if tlsConfig != nil {
		return nil, fmt.Errorf("network: no TLS here")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("network: the port %q is no number", port)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, err
	}
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	at := netip.AddrPortFrom(ip, uint16(number))
	if number == 0 {
		at = netip.AddrPortFrom(ip, h.net.port())
	}
	switch {
	case h.crashed:
		return nil, net.ErrClosed
	case h.net.ports[at] != nil:
		return nil, errInUse
	}
	l := &listener{host: h, addr: at}
	h.net.ports[at] = l
	h.listeners = append(h.listeners, l)
	return l, nil
}

// port is one that nobody has had. Called with the lock held.
func (n *Network) port() uint16 {
	n.nextPort++
	return n.nextPort
}

// Dial connects to addr over a link. It does not wait: what is written leaves when the connection is made. ECONNREFUSED:
// nobody listens there.
func (h *Host) Dial(addr netip.AddrPort, from netip.Addr, link Link) (*Conn, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	e, err := h.dial(addr, from, link)
	if err != nil {
		return nil, err
	}
	return &Conn{end: e}, nil
}

// DialStream is Dial for an ordinary net.Conn.
func (h *Host) DialStream(addr netip.AddrPort, from netip.Addr, link Link) (*Stream, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	e, err := h.dial(addr, from, link)
	if err != nil {
		return nil, err
	}
	return newStream(e), nil
}

// dial is Dial with the lock held.
func (h *Host) dial(addr netip.AddrPort, from netip.Addr, link Link) (*end, error) {
	l := h.net.ports[addr]
	if l == nil || h.crashed {
		return nil, syscall.ECONNREFUSED
	}
	now := time.Now().UnixNano()
	up, down := newWay(&link, now, 1), newWay(&link, now, 2)
	made := now + 2*int64(link.Delay)
	up.departed = made // SYN and its answer come first
	local := netip.AddrPortFrom(from, h.net.port())
	client := &end{net: h.net, host: h, local: local, remote: addr, in: down, out: up}
	server := &end{net: h.net, host: l.host, local: addr, remote: local, in: up, out: down, peer: client}
	client.peer = server
	h.ends[client], l.host.ends[server] = struct{}{}, struct{}{}
	l.queue = append(l.queue, pending{server, up.arrival(0, made)})
	if l.wake != nil {
		ring(l.wake)
	}
	return client, nil
}

// Crash ends a host at once: whatever its goroutines do from now on has no effect. Its peers are told by a reset, as when a
// process dies, or hear nothing any more, as when a machine does.
func (h *Host) Crash(told bool) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.crashed = true
	now := time.Now().UnixNano()
	for _, l := range h.listeners {
		l.close(now)
	}
	for e := range h.ends {
		e.linger = told
		if !told {
			e.out.silence(now)
			e.in.silence(now)
			if e.peer.out.flying > 0 {
				e.peer.giveUp(now)
			}
		}
		e.close(now)
	}
	for s := range h.sets {
		s.close()
	}
}

// listener is a listening port (netpoll.Listener).
type listener struct {
	host *Host
	addr netip.AddrPort

	// The network's lock guards what follows.
	queue  []pending // by arrival
	wake   chan struct{}
	closed bool
}

// pending is a connection that nobody has accepted.
type pending struct {
	end *end
	at  int64 // from when it can be
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// next is when somebody can be accepted, 0: nobody comes.
func (l *listener) next() (first int64) {
	if l == nil || l.closed {
		return 0
	}
	for _, p := range l.queue {
		first = earliest(first, p.at)
	}
	return first
}

func (l *listener) Accept() (netpoll.Conn, error) {
	l.host.net.mu.Lock()
	defer l.host.net.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	now := time.Now().UnixNano()
	for i, p := range l.queue {
		if p.at <= now {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			return &Conn{end: p.end}, nil
		}
	}
	return nil, netpoll.ErrAgain
}

func (l *listener) Close() error {
	l.host.net.mu.Lock()
	defer l.host.net.mu.Unlock()
	l.close(time.Now().UnixNano())
	return nil
}

// close is Close with the lock held.
func (l *listener) close(now int64) {
	if l.closed {
		return
	}
	l.closed = true
	delete(l.host.net.ports, l.addr)
	for _, p := range l.queue {
		p.end.linger = true
		p.end.close(now)
	}
	l.queue = nil
	if l.wake != nil {
		ring(l.wake)
	}
}
