package main

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epoll is the poller of Linux: one set, one read per ready socket and poll, arrival times from the kernel. Its
// sockets are none of Go's own poller.
type epoll struct {
	fd     int
	conns  []*conn // by descriptor
	events []unix.EpollEvent
	buf    []byte
	head   unix.Msghdr // of recvmsg: kept here, a local would escape
	vector unix.Iovec
	oob    [64]byte // control messages; the one stamp asked for takes 32
}

// newPoller makes a poller of a kind, or the fastest that there is. TLS needs the portable one.
func newPoller(kind string, secure *tls.Config) (poller, error) {
	switch {
	case secure != nil || kind == pollPortable:
		return newPortable(secure), nil
	case kind == pollEpoll:
		return newEpoll()
	case kind == pollRing:
		return newRingPoller()
	}
	if p, err := newRingPoller(); err == nil {
		return p, nil
	}
	return newEpoll()
}

func newEpoll() (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	e := &epoll{fd: fd, events: make([]unix.EpollEvent, 512), buf: make([]byte, readBytes)}
	e.vector.Base = &e.buf[0]
	e.vector.SetLen(len(e.buf))
	return e, nil
}

func (e *epoll) dial(c *conn, to netip.AddrPort, from netip.Addr) error {
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return err
	}
	if c.small {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, slowReceiveBytes)
	}
	if err := e.begin(fd, to, from); err != nil {
		unix.Close(fd)
		return err
	}
	for len(e.conns) <= fd {
		e.conns = append(e.conns, nil)
	}
	e.conns[fd], c.fd, c.up = c, fd, false
	return nil
}

func (e *epoll) begin(fd int, to netip.AddrPort, from netip.Addr) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) // without it, the time of the read counts
	if from.Is4() {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) // the port is chosen at connect
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
			return err
		}
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP, Fd: int32(fd)}
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return err
	}
	var address unix.Sockaddr = &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	if to.Addr().Is4() {
		address = &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	if err := unix.Connect(fd, address); err != nil && err != unix.EINPROGRESS {
		return err
	}
	return nil
}

func (e *epoll) poll(s sink) {
	for {
		n, err := unix.EpollWait(e.fd, e.events, 0)
		if err != nil { // EINTR: the next slot comes soon
			return
		}
		for i := range e.events[:n] {
			fd := int(e.events[i].Fd)
			if c := e.conns[fd]; c != nil { // else closed while the batch was worked off
				e.ready(s, c)
			}
		}
		if n < len(e.events) {
			return
		}
	}
}

func (e *epoll) ready(s sink, c *conn) {
	if !c.up {
		if code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
			s.broken(c, unix.Errno(code))
			return
		}
		ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(c.fd)}
		if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_MOD, c.fd, &ev); err != nil {
			s.broken(c, err)
			return
		}
		c.up = true
		s.opened(c)
		return
	}
	n, at, err := e.read(c.fd)
	switch {
	case n > 0:
		s.received(c, e.buf[:n], at)
	case err == nil:
		s.broken(c, nil)
	case err != unix.EAGAIN && err != unix.EINTR:
		s.broken(c, err)
	}
}

// read is recvmsg with the kernel's stamp of the newest byte. The call cannot block, so it keeps its P.
func (e *epoll) read(fd int) (n int, at int64, err error) {
	e.head = unix.Msghdr{Iov: &e.vector, Control: &e.oob[0]}
	e.head.SetIovlen(1)
	e.head.SetControllen(len(e.oob))
	r, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&e.head)), unix.MSG_DONTWAIT)
	if errno != 0 {
		return 0, 0, errno
	}
	return int(r), stampIn(e.oob[:e.head.Controllen]), nil
}

// stampIn is the arrival time in control messages, now if there is none.
func stampIn(control []byte) int64 {
	if len(control) >= unix.CmsgLen(int(unsafe.Sizeof(unix.Timespec{}))) {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS {
			return (*unix.Timespec)(unsafe.Pointer(&control[unix.CmsgLen(0)])).Nano()
		}
	}
	return time.Now().UnixNano()
}

func (e *epoll) write(c *conn, p []byte) (int, error) {
	if c.fd < 0 || !c.up {
		return 0, nil
	}
	return sendNow(c.fd, p)
}

// sendNow writes what a socket takes at once.
func sendNow(fd int, p []byte) (int, error) {
	r, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
		return int(r), nil
	case unix.EAGAIN, unix.EINTR:
		return 0, nil
	}
	return 0, errno
}

func (e *epoll) push() {}

func (e *epoll) kind() string { return pollEpoll }

func (e *epoll) pause(c *conn, on bool) {
	if c.fd < 0 {
		return
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(c.fd)}
	if on {
		ev.Events = 0
	}
	unix.EpollCtl(e.fd, unix.EPOLL_CTL_MOD, c.fd, &ev) // it is in the set: no error
}

func (e *epoll) close(c *conn) {
	if c.fd < 0 {
		return
	}
	e.conns[c.fd] = nil
	unix.Close(c.fd)
	c.fd, c.up = -1, false
}

// wait sleeps in the kernel until an absolute time: a Go timer is 0.5 ms late, this one some 0.06.
func (e *epoll) wait(until int64) {
	t := unix.NsecToTimespec(until)
	for {
		err := unix.ClockNanosleep(unix.CLOCK_REALTIME, unix.TIMER_ABSTIME, &t, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (e *epoll) shut() { unix.Close(e.fd) }
