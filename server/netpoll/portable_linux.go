//go:build !plainsockets

package netpoll

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// controlListener sets what accepted sockets inherit and package net does not set itself.
func controlListener(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout/time.Millisecond))
		allowFastOpen(int(fd))
	}); e != nil {
		return e
	}
	return err
}

// kernel is what the kernel knows of a connection's way out. One goroutine owns it.
type kernel struct {
	raw      syscall.RawConn // nil: not a TCP socket
	ask      func(fd uintptr)
	path     bool // ask for the round trip, not for the queue
	unsent   int
	smoothed time.Duration
	least    time.Duration
}

// init finds the socket of nc, below TLS if need be.
func (k *kernel) init(nc net.Conn) {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if t, ok := nc.(*net.TCPConn); ok {
		k.raw, _ = t.SyscallConn() // fails on a closed connection only
	}
	k.ask = func(fd uintptr) {
		if k.path {
			k.smoothed, k.least = roundTrip(int32(fd))
		} else {
			k.unsent = max(0, unsent(int32(fd)))
		}
	}
}

// queued is the number of bytes that the kernel holds, those in flight included; 0 if unknown.
func (k *kernel) queued() int {
	k.path, k.unsent = false, 0
	k.control()
	return k.unsent
}

// roundTrip is as Conn's RoundTrip.
func (k *kernel) roundTrip() (smoothed, least time.Duration) {
	k.path, k.smoothed, k.least = true, 0, 0
	k.control()
	return k.smoothed, k.least
}

func (k *kernel) control() {
	if k.raw != nil {
		_ = k.raw.Control(k.ask) // fails on a closed connection only, of which nothing is known
	}
}
