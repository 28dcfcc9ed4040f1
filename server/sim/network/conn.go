package network

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"skirmish/server/netpoll"
)

var (
	errForeign  = errors.New("network: that belongs to another network")
	errInSet    = errors.New("network: the connection is in a set already")
	errNotInSet = errors.New("network: the connection is not in this set")
	errListens  = errors.New("network: the set watches a listener already")
	errFinished = errors.New("network: write after CloseWrite")
	errInUse    = errors.New("network: the port is in use")
)

// end is one end of a connection. The network's lock guards it.
type end struct {
	net    *Network
	host   *Host
	remote netip.AddrPort
	local  netip.AddrPort
	peer   *end
	in     *way
	out    *way
	reset  int64           // arrival of the peer's reset, 0: none
	dead   int64           // when the connection is given up because nothing is acknowledged, 0: it is not
	closed bool            // by its own side
	linger bool            // Close sends a reset
	ended  bool            // a read has told the end
	wakes  []chan struct{} // those who wait for it
}

// wake lets whoever waits for the end look again.
func (e *end) wake() {
	for _, ch := range e.wakes {
		ring(ch)
	}
}

func ring(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// broken tells what ended the connection before its time.
func (e *end) broken(now int64) error {
	switch {
	case e.closed:
		return net.ErrClosed
	case e.reset != 0 && e.reset <= now:
		return syscall.ECONNRESET
	case e.dead != 0 && e.dead <= now:
		return syscall.ETIMEDOUT
	}
	return nil
}

func (e *end) read(p []byte, now int64) (n int, arrived int64, err error) {
	switch err := e.broken(now); {
	case err == net.ErrClosed:
		return 0, 0, err
	case len(p) == 0:
		return 0, 0, nil
	case err != nil: // a reset takes what was not read with it
		e.ended = true
		return 0, 0, err
	}
	if n, arrived = e.in.read(p, now); n > 0 {
		e.peer.wake()
		return n, arrived, nil
	}
	if len(e.in.segments) == 0 && e.in.fin != 0 && e.in.fin <= now {
		e.ended = true
		return 0, 0, io.EOF
	}
	return 0, 0, netpoll.ErrAgain
}

func (e *end) write(p []byte, now int64) (n int, err error) {
	if err := e.broken(now); err != nil {
		return 0, err
	}
	if e.out.fin != 0 {
		return 0, errFinished
	}
	e.host.offered = max(e.host.offered, len(p))
	n = min(len(p), e.out.room(now))
	switch {
	case n <= 0:
		return 0, nil
	case e.out.silent:
		e.out.held += n
		e.out.flying += n
		e.giveUp(now)
	case e.peer.closed: // its host knows no such connection any more
		e.refused(e.out.arrival(n, now))
	default:
		e.out.push(p[:n], now)
		e.peer.wake()
	}
	return n, nil
}

// giveUp begins the time after which a connection without acknowledgements is over.
func (e *end) giveUp(now int64) {
	if e.dead == 0 {
		e.dead = now + int64(UserTimeout)
		e.wake()
	}
}

// refused lets the peer answer by a reset what reaches it at a time.
func (e *end) refused(at int64) {
	if e.reset == 0 && !e.in.silent {
		e.reset = at + int64(e.in.link.Delay)
		e.wake()
	}
}

func (e *end) closeWrite(now int64) error {
	if err := e.broken(now); err != nil {
		return err
	}
	e.out.finish(now)
	e.peer.wake()
	return nil
}

// close sends the end behind what was sent, or a reset where something was not read: its sender must not believe that it was.
func (e *end) close(now int64) {
	if e.closed {
		return
	}
	e.closed = true
	delete(e.host.ends, e)
	switch {
	case e.peer.closed, e.reset != 0 && e.reset <= now:
	case e.linger:
		e.out.segments, e.out.unread = nil, 0
		e.peer.refused(now)
	case len(e.in.segments) > 0:
		e.out.finish(now)
		e.peer.refused(max(now, e.in.segments[0].at))
	default:
		e.out.finish(now)
	}
	e.peer.wake()
	e.wake()
}

func (e *end) readable(now int64) bool {
	if e.closed || e.ended {
		return false
	}
	at := e.readAt()
	return at != 0 && at <= now
}

func (e *end) writable(now int64) bool {
	return !e.closed && (e.broken(now) != nil || e.out.room(now) >= e.out.buffer()/3)
}

// readAt is when there is something to be read, 0: nothing that is known brings it.
func (e *end) readAt() int64 { return earliest(e.in.next(), e.reset, e.dead) }

// earliest is the first of several times; 0 is none.
func earliest(times ...int64) (first int64) {
	for _, t := range times {
		if t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

// Conn is an end as netpoll's owner sees it (netpoll.Conn).
type Conn struct {
	end   *end // nil: detached
	set   *Set
	watch bool
	owner any
}

func (c *Conn) lock() (*end, int64) {
	e := c.end
	if e == nil {
		return nil, 0
	}
	e.net.mu.Lock()
	return e, time.Now().UnixNano()
}

func (c *Conn) Read(p []byte) (n int, arrived int64, err error) {
	e, now := c.lock()
	if e == nil {
		return 0, 0, net.ErrClosed
	}
	defer e.net.mu.Unlock()
	return e.read(p, now)
}

func (c *Conn) Write(p []byte) (n int, err error) {
	e, now := c.lock()
	if e == nil {
		return 0, net.ErrClosed
	}
	defer e.net.mu.Unlock()
	return e.write(p, now)
}

func (c *Conn) Unsent() int {
	e, now := c.lock()
	if e == nil {
		return 0
	}
	defer e.net.mu.Unlock()
	return e.out.unsent(now)
}

// RoundTrip tells the link's own, and what waits in front of it as the smoothed one.
func (c *Conn) RoundTrip() (smoothed, least time.Duration) {
	e, now := c.lock()
	if e == nil {
		return 0, 0
	}
	defer e.net.mu.Unlock()
	least = max(2*e.out.link.Delay, time.Microsecond)
	return least + max(0, time.Duration(e.out.departed-now)), least
}

func (c *Conn) CloseWrite() error {
	e, now := c.lock()
	if e == nil {
		return net.ErrClosed
	}
	defer e.net.mu.Unlock()
	return e.closeWrite(now)
}

func (c *Conn) Close() error {
	e, now := c.lock()
	if e == nil {
		return nil
	}
	defer e.net.mu.Unlock()
	c.leave()
	c.owner = nil
	e.close(now)
	return nil
}

// Reset closes by a reset: what was written and has not arrived is lost.
func (c *Conn) Reset() {
	if e, _ := c.lock(); e != nil {
		e.linger = true
		e.net.mu.Unlock()
	}
	c.Close()
}

// Break cuts the wire: nothing arrives any more on either side, and neither is told.
func (c *Conn) Break() {
	e, now := c.lock()
	if e == nil {
		return
	}
	defer e.net.mu.Unlock()
	for _, side := range []*end{e, e.peer} {
		side.out.silence(now)
		if side.out.flying > 0 {
			side.giveUp(now)
		}
		side.wake()
	}
}

func (c *Conn) Detach() (net.Conn, error) {
	e, _ := c.lock()
	if e == nil {
		return nil, net.ErrClosed
	}
	defer e.net.mu.Unlock()
	if e.closed {
		return nil, net.ErrClosed
	}
	c.leave()
	c.end, c.owner = nil, nil
	return newStream(e), nil
}

// leave takes c out of its set. Called with the lock held.
func (c *Conn) leave() {
	if s := c.set; s != nil {
		s.drop(c)
	}
}

func (c *Conn) Remote() netip.AddrPort {
	if c.end == nil {
		return netip.AddrPort{}
	}
	return c.end.remote
}

func (c *Conn) Owner() any     { return c.owner }
func (c *Conn) SetOwner(o any) { c.owner = o }
