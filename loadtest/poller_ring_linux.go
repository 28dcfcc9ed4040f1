package main

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringPoller is the epoll poller with an io_uring beside it, which carries the connections that are up: all inputs of
// a slot go out in one call, and all that has come in is fetched by one. A call into the kernel costs a microsecond
// where its pages are kept apart (PTI), and there were two for each snapshot and input. Connections that begin, that
// are emulated or that read slowly stay with epoll. Its loop is locked to its thread.
type ringPoller struct {
	*epoll
	ring    *ring
	started bool
	held    int    // connections of epoll
	serial  uint32 // of the connections of the ring: completions for an earlier owner of a descriptor are told apart

	out     []byte      // of the sends that are not submitted yet
	pending []*conn     // of these sends
	head    unix.Msghdr // of all receives: no names, room for the stamp
	later   []completion
}

// What a submission is for, in the low bits of what the kernel hands back with its completion.
const (
	ringSends uint64 = iota
	ringReceives
	ringCancels
)

func ringTag(what uint64, c *conn) uint64 { return uint64(c.fd)<<32 | uint64(c.serial)<<2 | what }

// newRingPoller fails where the kernel has no io_uring that can do it, or none for us.
func newRingPoller() (*ringPoller, error) {
	r, err := newRing(ringEntries, ringBuffers, ringBufferBytes)
	if err != nil {
		return nil, err
	}
	e, err := newEpoll()
	if err != nil {
		r.close()
		return nil, err
	}
	p := &ringPoller{epoll: e, ring: r, out: make([]byte, 0, ringOutBytes)}
	p.head.SetControllen(len(e.oob))
	return p, nil
}

func (p *ringPoller) dial(c *conn, to netip.AddrPort, from netip.Addr) error {
	c.ringed = false
	err := p.epoll.dial(c, to, from)
	if err == nil {
		p.held++
	}
	return err
}

func (p *ringPoller) poll(s sink) {
	if !p.started {
		p.started = true
		runtime.LockOSThread()
		if err := p.ring.start(); err != nil { // it could be made a moment ago
			panic(err)
		}
	}
	p.push()
	p.ring.submit()
	for i := 0; i < len(p.later); i++ { // what push has found, and finds meanwhile
		p.complete(s, p.later[i])
	}
	p.later = p.later[:0]
	for {
		c, ok := p.ring.take()
		if !ok {
			break
		}
		p.complete(s, c)
	}
	if p.held > 0 {
		p.epoll.poll(adopting{s, p})
	}
}

// adopting is a sink that gives connections to the ring as soon as they are up.
type adopting struct {
	sink
	p *ringPoller
}

func (a adopting) opened(c *conn) {
	if c.link == nil && !c.small {
		a.p.adopt(c)
	}
	a.sink.opened(c)
}

func (p *ringPoller) adopt(c *conn) {
	unix.EpollCtl(p.epoll.fd, unix.EPOLL_CTL_DEL, c.fd, nil) // it is in the set: no error
	p.held--
	p.serial = (p.serial + 1) & (1<<30 - 1)
	c.ringed, c.serial, c.sending, c.rest = true, p.serial, false, c.rest[:0]
	p.receive(c)
}

// submission is a free one. All being in use, they are handed over first.
func (p *ringPoller) submission() *submission {
	s := p.ring.next()
	for s == nil {
		p.push()
		p.ring.submit()
		s = p.ring.next()
	}
	return s
}

// receive asks for all that comes, each time into a buffer of the ring.
func (p *ringPoller) receive(c *conn) {
	s := p.submission()
	s.op, s.flags, s.ioprio, s.fd = ringOpRecvmsg, ringBufferSelect, ringMultishot, int32(c.fd)
	s.addr, s.len = uint64(uintptr(unsafe.Pointer(&p.head))), 1
	s.userData = ringTag(ringReceives, c)
}

func (p *ringPoller) write(c *conn, b []byte) (int, error) {
	if !c.ringed || c.fd < 0 {
		return p.epoll.write(c, b)
	}
	if c.sending { // one at a time keeps the bytes in order
		p.push()
	}
	if len(c.rest) > 0 {
		n, err := p.epoll.write(c, c.rest)
		if c.rest = c.rest[:copy(c.rest, c.rest[n:])]; err != nil || len(c.rest) > 0 {
			return 0, err
		}
	}
	if len(p.out)+len(b) > cap(p.out) {
		p.push()
	}
	b = b[:min(len(b), cap(p.out))]
	s := p.submission()
	begin := len(p.out)
	p.out = append(p.out, b...)
	s.op, s.fd, s.opFlags = ringOpSend, int32(c.fd), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT
	s.addr, s.len = uint64(uintptr(unsafe.Pointer(&p.out[begin]))), uint32(len(b))
	s.userData = ringTag(ringSends, c)
	c.sending, c.from, c.to = true, begin, len(p.out)
	p.pending = append(p.pending, c)
	return len(b), nil
}

// push sends what write has taken, in one call. Sends that must not wait are complete when it returns.
func (p *ringPoller) push() {
	if len(p.pending) == 0 {
		return
	}
	p.ring.submit()
	for {
		c, ok := p.ring.take()
		switch {
		case !ok:
			for _, c := range p.pending {
				c.sending = false
			}
			clear(p.pending)
			p.pending, p.out = p.pending[:0], p.out[:0]
			return
		case c.userData&3 == ringSends:
			p.sent(c)
		default:
			p.later = append(p.later, c)
		}
	}
}

// sent keeps what the socket did not take. Errors are left to the next read.
func (p *ringPoller) sent(done completion) {
	c := p.owner(done)
	if c == nil || !c.sending {
		return
	}
	n := int(max(done.res, 0))
	if done.res == -int32(unix.EAGAIN) || n > 0 && n < c.to-c.from {
		c.rest = append(c.rest[:0], p.out[c.from+n:c.to]...)
	}
	c.sending = false
}

// owner is the connection of a completion, nil when it is closed.
func (p *ringPoller) owner(done completion) *conn {
	c := p.conns[done.userData>>32]
	if c == nil || !c.ringed || uint64(c.serial) != done.userData>>2&(1<<30-1) {
		return nil
	}
	return c
}

// complete tells the sink what has been received. The buffer holds struct io_uring_recvmsg_out, the control messages
// and the bytes.
func (p *ringPoller) complete(s sink, done completion) {
	if done.userData&3 != ringReceives {
		return
	}
	c := p.owner(done)
	size := 0
	if done.flags&ringHasBuffer != 0 {
		id := uint16(done.flags >> ringBufferShift)
		if b := p.ring.buffer(id); c != nil && done.res >= ringHeadBytes {
			size = int(binary.LittleEndian.Uint32(b[8:]))
			at := stampIn(b[ringHeadBytes:][:binary.LittleEndian.Uint32(b[4:])])
			if size > 0 {
				s.received(c, b[ringHeadBytes+len(p.oob):][:size], at)
			}
		}
		p.ring.giveBack(id)
		c = p.owner(done) // it may be closed now
	}
	switch {
	case c == nil:
	case size == 0 && done.res >= 0:
		s.broken(c, nil)
	case done.res < 0 && done.res != -int32(unix.ENOBUFS):
		if done.res != -int32(unix.ECANCELED) {
			s.broken(c, unix.Errno(-done.res))
		}
	case done.flags&ringMore == 0:
		p.receive(c)
	}
}

// close ends a connection. The kernel holds the socket as long as it is received from: that is called off.
func (p *ringPoller) close(c *conn) {
	if c.fd < 0 {
		return
	}
	if !c.ringed {
		p.held--
		p.epoll.close(c)
		return
	}
	if c.sending {
		p.push() // what has been written before goes out
	}
	unix.Shutdown(c.fd, unix.SHUT_RDWR)
	s := p.submission()
	s.op, s.addr, s.fd = ringOpCancel, ringTag(ringReceives, c), -1
	s.userData = ringTag(ringCancels, c)
	p.epoll.close(c)
	c.ringed = false
}

func (p *ringPoller) kind() string { return pollRing }

func (p *ringPoller) shut() {
	p.ring.submit() // the last cancels
	p.ring.close()
	p.epoll.shut()
}
