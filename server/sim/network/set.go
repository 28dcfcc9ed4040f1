package network

import (
	"net"
	"slices"
	"time"

	"skirmish/server/netpoll"
)

// Set watches ends (netpoll.Set). Nothing runs for it: it knows when the next thing arrives and sleeps until then.
type Set struct {
	host   *Host
	signal chan struct{} // full: look again
	timer  *time.Timer   // the owner's

	// The network's lock guards what follows.
	members  []*Conn
	turn     int // where the next Poll begins
	listener *listener
	woken    bool
	closed   bool
}

func (s *Set) Add(c netpoll.Conn) error {
	nc, ok := c.(*Conn)
	if !ok {
		return errForeign
	}
	e, _ := nc.lock()
	if e == nil {
		return net.ErrClosed
	}
	defer e.net.mu.Unlock()
	switch {
	case s.closed || e.closed:
		return net.ErrClosed
	case e.net != s.host.net:
		return errForeign
	case nc.set != nil:
		return errInSet
	}
	nc.set, nc.watch = s, false
	e.wakes = append(e.wakes, s.signal)
	s.members = append(s.members, nc)
	return nil
}

// drop takes c out. Called with the lock held.
func (s *Set) drop(c *Conn) {
	i := slices.Index(s.members, c)
	s.members = slices.Delete(s.members, i, i+1)
	c.set = nil
	if at := slices.Index(c.end.wakes, s.signal); at >= 0 {
		c.end.wakes = slices.Delete(c.end.wakes, at, at+1)
	}
}

func (s *Set) Listen(l netpoll.Listener) error {
	nl, ok := l.(*listener)
	if !ok {
		return errForeign
	}
	s.host.net.mu.Lock()
	defer s.host.net.mu.Unlock()
	switch {
	case s.listener != nil:
		return errListens
	case s.closed || nl.closed:
		return net.ErrClosed
	}
	s.listener = nl
	nl.wake = s.signal
	return nil
}

func (s *Set) Remove(c netpoll.Conn) error {
	nc, ok := c.(*Conn)
	if !ok {
		return errNotInSet
	}
	s.host.net.mu.Lock()
	defer s.host.net.mu.Unlock()
	if nc.set != s {
		return errNotInSet
	}
	s.drop(nc)
	nc.owner = nil
	return nil
}

func (s *Set) WatchWrite(c netpoll.Conn, on bool) error {
	nc, ok := c.(*Conn)
	if !ok {
		return errNotInSet
	}
	s.host.net.mu.Lock()
	defer s.host.net.mu.Unlock()
	if nc.set != s {
		return errNotInSet
	}
	nc.watch = on
	return nil
}

func (s *Set) Poll(events []netpoll.Event) (int, error) {
	s.host.net.mu.Lock()
	defer s.host.net.mu.Unlock()
	return s.poll(events, time.Now().UnixNano())
}

// poll is Poll with the lock held.
func (s *Set) poll(events []netpoll.Event, now int64) (n int, err error) {
	if s.closed {
		return 0, net.ErrClosed
	}
	if len(events) == 0 {
		return 0, nil
	}
	if at := s.listener.next(); at != 0 && at <= now {
		events[0] = netpoll.Event{Readable: true}
		n = 1
	}
	begin := s.turn
	for i := range s.members {
		if n == len(events) {
			break
		}
		at := (begin + i) % len(s.members)
		c := s.members[at]
		ev := netpoll.Event{Conn: c, Readable: c.end.readable(now), Writable: c.watch && c.end.writable(now)}
		if ev.Readable || ev.Writable {
			events[n] = ev
			n++
			s.turn = at + 1 // those behind it have their turn the next time
		}
	}
	return n, nil
}

// next is when something will be ready, 0: nothing that is known. Called with the lock held.
func (s *Set) next(now int64) int64 {
	first := s.listener.next()
	for _, c := range s.members {
		if !c.end.ended {
			first = earliest(first, c.end.readAt())
		}
		if c.watch {
			first = earliest(first, c.end.out.roomAt(now), c.end.reset, c.end.dead)
		}
	}
	return first
}

func (s *Set) Wait(events []netpoll.Event, deadline time.Time) (int, error) {
	for {
		s.host.net.mu.Lock()
		now := time.Now().UnixNano()
		n, err := s.poll(events, now)
		woken := s.woken
		s.woken = false
		until := s.next(now)
		s.host.net.mu.Unlock()
		if woken || n > 0 || err != nil {
			return n, err
		}
		if !deadline.IsZero() {
			if deadline.UnixNano() <= now {
				return 0, nil
			}
			until = earliest(until, deadline.UnixNano())
		}
		if until == 0 {
			<-s.signal
			continue
		}
		s.timer = sleep(s.timer, time.Duration(until-now), s.signal)
	}
}

// sleep waits for a signal, for d at most, and returns the timer for the next time.
func sleep(timer *time.Timer, d time.Duration, signal <-chan struct{}) *time.Timer {
	if timer == nil {
		timer = time.NewTimer(d)
	} else {
		timer.Reset(d)
	}
	select {
	case <-signal:
	case <-timer.C:
	}
	return timer
}

// Wake is safe from any goroutine.
func (s *Set) Wake() {
	s.host.net.mu.Lock()
	s.woken = true
	s.host.net.mu.Unlock()
	ring(s.signal)
}

func (s *Set) Close() error {
	s.host.net.mu.Lock()
	defer s.host.net.mu.Unlock()
	s.close()
	return nil
}

// close is Close with the lock held.
func (s *Set) close() {
	if s.closed {
		return
	}
	s.closed = true
	for len(s.members) > 0 {
		s.drop(s.members[0])
	}
	if s.listener != nil {
		s.listener.wake = nil
	}
	delete(s.host.sets, s)
	ring(s.signal)
}
