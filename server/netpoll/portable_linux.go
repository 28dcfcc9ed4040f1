package netpoll

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// controlListener sets what accepted sockets inherit and package net does not set itself.
func controlListener(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout/time.Millisecond))
	}); e != nil {
		return e
	}
	return err
}
