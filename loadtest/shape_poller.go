package main

import "net/netip"

// link is the emulated link of one connection.
type link struct {
	up, down *pipe
	conn     *conn
	openAt   int64 // when the sink hears opened, 0: it has or never will
	over     bool  // the end has come and is told behind the last byte
	err      error // of the end
	paused   bool  // the socket is not read: its queue is full
}

func newLink(n *Network, seed uint64) *link {
	return &link{up: newPipe(n, n.Up, 2*seed), down: newPipe(n, n.Down, 2*seed+1)}
}

// shaper is a poller whose connections may go over emulated links; the others pass by.
type shaper struct {
	poller
	sink  sink
	links []*link
	clock func() int64
}

func newShaper(p poller, clock func() int64) *shaper { return &shaper{poller: p, clock: clock} }

func (s *shaper) dial(c *conn, to netip.AddrPort, from netip.Addr) error {
	if c.link != nil {
		c.link.conn = c
		s.links = append(s.links, c.link)
	}
	return s.poller.dial(c, to, from)
}

// write puts into the link what its queue takes.
func (s *shaper) write(c *conn, p []byte) (int, error) {
	if c.link == nil {
		return s.poller.write(c, p)
	}
	if !c.up {
		return 0, nil
	}
	n := min(len(p), max(0, c.link.up.limit-c.link.up.held()))
	c.link.up.put(p[:n], s.clock())
	return n, nil
}

func (s *shaper) close(c *conn) {
	if c.link != nil {
		c.link.conn, c.link = nil, nil
	}
	s.poller.close(c)
}

func (s *shaper) poll(to sink) {
	s.sink = to
	s.poller.poll(s)
	if len(s.links) > 0 {
		s.carry(s.clock())
	}
}

// carry moves along all links what is due.
func (s *shaper) carry(now int64) {
	kept := s.links[:0]
	for _, l := range s.links {
		s.carryUp(l, now)
		s.carryDown(l, now)
		if l.conn != nil {
			kept = append(kept, l)
		}
	}
	clear(s.links[len(kept):])
	s.links = kept
}

func (s *shaper) carryUp(l *link, now int64) {
	for l.conn != nil {
		b, _ := l.up.next(now)
		if b == nil {
			return
		}
		n, err := s.poller.write(l.conn, b)
		if n > 0 {
			l.up.take(n)
		}
		if n < len(b) || err != nil { // full, or broken: the read tells
			return
		}
	}
}

func (s *shaper) carryDown(l *link, now int64) {
	if l.conn != nil && l.openAt != 0 && now >= l.openAt {
		l.openAt = 0
		s.sink.opened(l.conn)
	}
	for l.conn != nil && l.openAt == 0 {
		b, at := l.down.next(now)
		if b == nil {
			break
		}
		n := len(b)
		s.sink.received(l.conn, b, at)
		l.down.take(n)
	}
	switch {
	case l.conn == nil:
	case l.over && l.down.held() == 0:
		c := l.conn
		l.conn, c.link = nil, nil
		s.sink.broken(c, l.err)
	case l.paused && l.down.held() < l.down.limit/2:
		l.paused = false
		s.poller.pause(l.conn, false)
	}
}

// opened, received and broken are what the poller beneath tells.
func (s *shaper) opened(c *conn) {
	if c.link == nil {
		s.sink.opened(c)
		return
	}
	c.link.openAt = s.clock() + c.link.up.delay + c.link.down.delay // the answer to the SYN
}

func (s *shaper) received(c *conn, p []byte, at int64) {
	l := c.link
	if l == nil {
		s.sink.received(c, p, at)
		return
	}
	l.down.put(p, at)
	if !l.paused && l.down.full() {
		l.paused = true
		s.poller.pause(c, true)
	}
}

func (s *shaper) broken(c *conn, err error) {
	if l := c.link; l != nil && c.up {
		l.over, l.err = true, err
		s.poller.pause(c, true) // an end is told as long as it is asked for
		return
	}
	if c.link != nil {
		c.link.conn, c.link = nil, nil
	}
	s.sink.broken(c, err)
}
