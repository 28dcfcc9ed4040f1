package netpoll

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// NewSet opens an epoll instance: one descriptor. A second one, for Wake, and the entry in Go's poller come
// with the first Wait; a Set whose owner only Polls has neither.
func (epoll) NewSet() (Set, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &epollSet{epfd: int32(fd), wakefd: -1}, nil
}

// Slots of the entries that are not connections.
const (
	listenerSlot = -1
	wakeSlot     = -2
)

// epollSet is level-triggered. What epoll hands back with an event is not the descriptor, whose number may have
// been used again, but a slot of the Set's own small table and the generation that the slot had at
// registration: an event of an earlier tenant is recognised and dropped. (A table by descriptor would have the
// size of the whole process's descriptors in each match.)
type epollSet struct {
	epfd     int32
	slots    []epollSlot
	free     []int32 // slots without a tenant
	raw      []unix.EpollEvent
	listener *epollListener
	heard    uint32 // generation of the listener's entry
	silent   bool   // the listener's entry is switched off until its pause is over
	woken    bool   // Poll has swallowed a Wake that belongs to the next Wait

	park parking

	pending atomic.Bool // a Wake that no Wait has seen
	mu      sync.Mutex  // guards wakefd against Wake while it is opened and closed
	wakefd  int
}

type epollSlot struct {
	conn       *epollConn // nil: free
	generation uint32
}

func (s *epollSet) Add(c Conn) error {
	ec, ok := c.(*epollConn)
	switch {
	case !ok:
		return errForeign
	case ec.fd < 0 || s.epfd < 0:
		return net.ErrClosed
	case ec.set != nil:
		return errInSet
	}
	i := int32(len(s.slots))
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.slots = append(s.slots, epollSlot{})
	}
	s.slots[i].conn = ec
	ec.set, ec.slot, ec.watch = s, i, false
	if err := s.arm(ec); err != nil {
		s.forget(ec)
		return err
	}
	return nil
}

// arm tells the kernel what is wanted of c. A connection that has ended and is not written to is taken out:
// its end would be reported for ever, and a Wait would spin.
func (s *epollSet) arm(c *epollConn) error {
	var want uint32
	if !c.ended {
		want = unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if c.watch {
		want |= unix.EPOLLOUT
	}
	op := unix.EPOLL_CTL_MOD
	switch {
	case want == 0 && !c.armed:
		return nil
	case want == 0:
		op = unix.EPOLL_CTL_DEL
	case !c.armed:
		op = unix.EPOLL_CTL_ADD
	}
	if err := s.control(op, int(c.fd), want, c.slot, s.slots[c.slot].generation); err != nil {
		return err
	}
	c.armed = want != 0
	return nil
}

func (s *epollSet) control(op, fd int, want uint32, slot int32, generation uint32) error {
	e := unix.EpollEvent{Events: want, Fd: slot, Pad: int32(generation)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(int(s.epfd), op, fd, &e))
}

// forget ends the tenancy of c without a word to the kernel.
func (s *epollSet) forget(c *epollConn) {
	slot := &s.slots[c.slot]
	slot.conn = nil
	slot.generation++
	s.free = append(s.free, c.slot)
	c.set, c.armed, c.watch = nil, false, false
}

func (s *epollSet) Listen(l Listener) error {
	el, ok := l.(*epollListener)
	switch {
	case !ok:
		return errForeign
	case s.listener != nil:
		return errListens
	case s.epfd < 0:
		return net.ErrClosed
	}
	el.mu.Lock()
	defer el.mu.Unlock()
	if el.fd < 0 {
		return net.ErrClosed
	}
	if err := s.control(unix.EPOLL_CTL_ADD, el.fd, unix.EPOLLIN, listenerSlot, s.heard); err != nil {
		return err
	}
	s.listener, el.set = el, s
	return nil
}

func (s *epollSet) Remove(c Conn) error {
	ec, ok := c.(*epollConn)
	if !ok || ec.set != s {
		return errNotInSet
	}
	armed := ec.armed
	s.forget(ec)
	ec.owner = nil
	if !armed {
		return nil
	}
	return s.control(unix.EPOLL_CTL_DEL, int(ec.fd), 0, 0, 0)
}

func (s *epollSet) WatchWrite(c Conn, on bool) error {
	ec, ok := c.(*epollConn)
	if !ok || ec.set != s {
		return errNotInSet
	}
	if ec.watch == on {
		return nil
	}
	ec.watch = on
	return s.arm(ec)
}

func (s *epollSet) Poll(events []Event) (int, error) {
	if s.epfd < 0 {
		return 0, net.ErrClosed
	}
	if len(events) == 0 {
		return 0, nil
	}
	if s.listener != nil {
		s.checkPause()
	}
	n, _, err := s.poll(events)
	return n, err
}

// poll fills events once. busy tells that the kernel reported something, even if nothing of it is for the caller.
func (s *epollSet) poll(events []Event) (n int, busy bool, err error) {
	if want := min(len(events), maxBatch); len(s.raw) < want {
		s.raw = make([]unix.EpollEvent, want)
	}
	ready, errno := epollNow(s.epfd, s.raw[:min(len(events), len(s.raw))])
	if errno != 0 {
		return 0, false, os.NewSyscallError("epoll_pwait", errno)
	}
	for i := range ready {
		if e, ok := s.event(&s.raw[i]); ok {
			events[n] = e
			n++
		}
	}
	return n, ready > 0, nil
}

// event translates what the kernel reported; ok = false: nothing that concerns the caller.
func (s *epollSet) event(raw *unix.EpollEvent) (e Event, ok bool) {
	switch {
	case raw.Fd == wakeSlot:
		s.drainWake()
		s.woken = true
		return e, false
	case raw.Fd == listenerSlot:
		return Event{Readable: true}, s.listener != nil && uint32(raw.Pad) == s.heard
	}
	slot := &s.slots[raw.Fd]
	c := slot.conn
	if c == nil || slot.generation != uint32(raw.Pad) {
		return e, false
	}
	// HUP and ERR come unasked, with or without IN; reading (or writing) brings the reason to light.
	const gone = unix.EPOLLHUP | unix.EPOLLERR
	e = Event{
		Conn:     c,
		Readable: !c.ended && raw.Events&(unix.EPOLLIN|unix.EPOLLRDHUP|gone) != 0,
		Writable: c.watch && raw.Events&(unix.EPOLLOUT|gone) != 0,
	}
	if c.ended && !c.watch {
		_ = s.arm(c) // it only deletes the entry; were that to fail, the next event would try again
		return e, false
	}
	return e, e.Readable || e.Writable
}

// checkPause switches the listener's entry off when its Accept asked for a pause, and on again afterwards.
func (s *epollSet) checkPause() {
	until := s.listener.pausedUntil()
	switch {
	case until.IsZero():
		return
	case !time.Now().Before(until):
		s.listener.endPause()
		if s.silent {
			s.silent = !s.rearmListener(unix.EPOLLIN)
		}
	case !s.silent:
		s.silent = s.rearmListener(0)
	}
}

func (s *epollSet) rearmListener(want uint32) bool {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	return s.listener.fd >= 0 && s.control(unix.EPOLL_CTL_MOD, s.listener.fd, want, listenerSlot, s.heard) == nil
}

// Close lets go of everything in the set; see Set.
func (s *epollSet) Close() error {
	if s.epfd < 0 {
		return nil
	}
	for i := range s.slots {
		if c := s.slots[i].conn; c != nil {
			c.set, c.armed, c.watch = nil, false, false
		}
	}
	if l := s.listener; l != nil {
		l.mu.Lock()
		l.unwatch()
		l.mu.Unlock()
	}
	s.slots, s.free, s.listener = nil, nil, nil
	err := s.closeWake()
	if s.park.file != nil {
		err = errors.Join(err, s.park.file.Close()) // it owns the descriptor
	} else {
		err = errors.Join(err, os.NewSyscallError("close", unix.Close(int(s.epfd))))
	}
	s.epfd = -1
	return err
}

// parking is what a waiting set needs: its epoll descriptor as a file of Go's own poller, which is then
// woken by readiness inside it. Faster than a thread blocked in epoll_wait, and with deadlines.
type parking struct {
	file     *os.File // nil until the first Wait
	conn     syscall.RawConn
	deadline time.Time // the one that file has now
	check    func(fd uintptr) bool
	events   []Event // of the Wait going on
	n        int
	err      error
}

func (s *epollSet) Wait(events []Event, deadline time.Time) (int, error) {
	if s.epfd < 0 {
		return 0, net.ErrClosed
	}
	if s.park.file == nil {
		if err := s.openPark(); err != nil {
			return 0, err
		}
	}
	for {
		until := deadline
		if s.listener != nil {
			s.checkPause()
			if pause := s.listener.pausedUntil(); !pause.IsZero() && (until.IsZero() || pause.Before(until)) {
				until = pause
			}
		}
		n, err := s.wait(events, until)
		if woken := s.takeWake(); woken || n > 0 || err != nil {
			return n, err
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, nil
		}
	}
}

// wait parks until there is an event, a Wake, or the deadline.
func (s *epollSet) wait(events []Event, deadline time.Time) (int, error) {
	p := &s.park
	if !deadline.IsZero() && !time.Now().Before(deadline) {
		n, _, err := s.poll(events) // a passed deadline would keep RawConn.Read from looking at all
		return n, err
	}
	if !deadline.Equal(p.deadline) {
		if err := p.file.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		p.deadline = deadline
	}
	p.events, p.n, p.err = events, 0, nil
	err := p.conn.Read(p.check)
	p.events = nil
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if p.err != nil {
		err = p.err
	}
	return p.n, err
}

// look is what the poller calls whenever the epoll descriptor may be ready; true ends the parking.
func (s *epollSet) look(uintptr) bool {
	p := &s.park
	for {
		var busy bool
		p.n, busy, p.err = s.poll(p.events)
		switch {
		case p.n > 0 || p.err != nil || s.woken || s.pending.Load():
			return true
		case !busy: // only now is the edge that Go's poller waits for still to come
			return false
		}
	}
}

func (s *epollSet) openPark() error {
	if err := s.openWake(); err != nil {
		return err
	}
	if err := unix.SetNonblock(int(s.epfd), true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(s.epfd), "epoll")
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	s.park.file, s.park.conn, s.park.check = f, conn, s.look
	return nil
}

// Wake is safe from any goroutine. Its flag spares the system call when an earlier Wake is still unseen.
func (s *epollSet) Wake() {
	if s.pending.Swap(true) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakefd >= 0 {
		_, _ = unix.Write(s.wakefd, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // it cannot fail: the counter is 0 or 1
	}
}

// takeWake tells whether there was a Wake, and makes the next one ring again. The counter is emptied before the flag
// is cleared: a Wake in between has nothing to do, because what it announces was there before the owner looks.
func (s *epollSet) takeWake() bool {
	if !s.woken {
		if !s.pending.Load() {
			return false
		}
		s.drainWake()
	}
	s.woken = false
	s.pending.Store(false)
	return true
}

func (s *epollSet) drainWake() {
	var counter [8]byte
	_, _ = unix.Read(s.wakefd, counter[:]) // EAGAIN: already empty
}

func (s *epollSet) openWake() error {
	if s.wakefd >= 0 {
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if err := s.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN, wakeSlot, 0); err != nil {
		unix.Close(fd)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakefd = fd
	return nil
}

func (s *epollSet) closeWake() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wakefd < 0 {
		return nil
	}
	fd := s.wakefd
	s.wakefd = -1
	return os.NewSyscallError("close", unix.Close(fd))
}
