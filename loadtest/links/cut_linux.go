package main

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// cut ends a connection: with a reset, with an end of the stream, or without a word to the server, as a player does whose phone
// has changed networks.
func cut(c net.Conn, how int) error {
	t := c.(*net.TCPConn)
	switch how {
	case 0:
		t.SetLinger(0)
	case 1:
		raw, err := t.SyscallConn()
		if err != nil {
			return err
		}
		if e := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) }); e != nil || err != nil {
			return errors.Join(e, err)
		}
	}
	if err := t.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil // its reader was quicker: a socket under repair cannot be read
}
