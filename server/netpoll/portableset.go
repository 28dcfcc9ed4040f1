package netpoll

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// NewSet makes a list of what is ready, filled by the goroutines of the connections.
func (portable) NewSet() (Set, error) {
	return &portableSet{signal: make(chan struct{}, 1), members: map[*portableConn]struct{}{}}, nil
}

// portableSet imitates a level-triggered epoll instance: an entry stays in the list until a Poll finds its
// connection not ready.
type portableSet struct {
	// The owner's.
	members  map[*portableConn]struct{}
	listener *portableListener
	timer    *time.Timer
	taken    []entry // scratch of Poll
	closed   bool

	woken  atomic.Bool
	signal chan struct{} // full: the list or woken may have changed

	mu   sync.Mutex // guards list
	list []entry
}

// entry says that a connection may be ready. It is void if the connection has left since.
type entry struct {
	conn       *portableConn
	generation uint32
}

func (s *portableSet) Add(c Conn) error {
	pc, ok := c.(*portableConn)
	switch {
	case !ok:
		return errForeign
	case s.closed:
		return net.ErrClosed
	}
	pc.mu.Lock()
	defer pc.mu.Unlock()
	switch {
	case pc.stopping:
		return net.ErrClosed
	case pc.set != nil:
		return errInSet
	}
	s.members[pc] = struct{}{}
	pc.set = s
	pc.ready()
	return nil
}

func (s *portableSet) Listen(l Listener) error {
	pl, ok := l.(*portableListener)
	switch {
	case !ok:
		return errForeign
	case s.listener != nil:
		return errListens
	case s.closed || pl.ctx.Err() != nil:
		return net.ErrClosed
	}
	s.listener = pl
	pl.mu.Lock()
	defer pl.mu.Unlock()
	pl.set = s
	return nil
}

func (s *portableSet) Remove(c Conn) error {
	pc, ok := c.(*portableConn)
	if !ok {
		return errNotInSet
	}
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.set != s {
		return errNotInSet
	}
	pc.leave()
	pc.owner = nil
	return nil
}

func (s *portableSet) WatchWrite(c Conn, on bool) error {
	pc, ok := c.(*portableConn)
	if !ok {
		return errNotInSet
	}
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.set != s {
		return errNotInSet
	}
	pc.watch = on
	pc.ready()
	return nil
}

// push adds an entry. Safe from any goroutine.
func (s *portableSet) push(e entry) {
	s.mu.Lock()
	s.list = append(s.list, e)
	s.mu.Unlock()
	s.ring()
}

// ring ends a Wait's sleep. Safe from any goroutine.
func (s *portableSet) ring() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// Wake is safe from any goroutine.
func (s *portableSet) Wake() {
	s.woken.Store(true)
	s.ring()
}

func (s *portableSet) Poll(events []Event) (n int, err error) {
	if s.closed {
		return 0, net.ErrClosed
	}
	if len(events) == 0 {
		return 0, nil
	}
	if s.listener != nil && len(s.listener.queue) > 0 {
		events[0] = Event{Readable: true}
		n = 1
	}
	s.mu.Lock()
	s.taken, s.list = s.list, s.taken[:0]
	s.mu.Unlock()

	looked, still := 0, 0
	for looked < len(s.taken) && n < len(events) {
		e := s.taken[looked]
		looked++
		if events[n] = s.look(e); events[n].Conn != nil {
			s.taken[still] = e
			still++
			n++
		}
	}
	// Those that had no turn come first the next time, then those that were ready, then the new ones.
	s.mu.Lock()
	fresh := len(s.list)
	s.list = append(s.list, s.taken[looked:]...)
	s.list = append(s.list, s.taken[:still]...)
	rotate(s.list, fresh)
	s.mu.Unlock()
	clear(s.taken)
	return n, nil
}

// look makes an event of an entry, an empty one if there is nothing to be told.
func (s *portableSet) look(e entry) Event {
	c := e.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != s || c.generation != e.generation {
		return Event{}
	}
	event := Event{Conn: c, Readable: c.readable(), Writable: c.writable()}
	if !event.Readable && !event.Writable {
		c.queued = false
		return Event{}
	}
	return event
}

// rotate moves the first n entries behind the others.
func rotate(list []entry, n int) {
	slices.Reverse(list[:n])
	slices.Reverse(list[n:])
	slices.Reverse(list)
}

func (s *portableSet) Wait(events []Event, deadline time.Time) (int, error) {
	for {
		n, err := s.Poll(events)
		if woken := s.woken.Swap(false); woken || n > 0 || err != nil {
			return n, err
		}
		if deadline.IsZero() {
			<-s.signal
			continue
		}
		left := time.Until(deadline)
		if left <= 0 {
			return 0, nil
		}
		if s.timer == nil {
			s.timer = time.NewTimer(left)
		} else {
			s.timer.Reset(left)
		}
		select {
		case <-s.signal:
		case <-s.timer.C:
		}
	}
}

func (s *portableSet) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	for c := range s.members {
		c.mu.Lock()
		c.leave()
		c.mu.Unlock()
	}
	if l := s.listener; l != nil {
		l.mu.Lock()
		l.set = nil
		l.mu.Unlock()
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	return nil
}
