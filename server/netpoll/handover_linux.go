package netpoll

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Duplicate returns another descriptor of a listening socket, for another process or another Listener: connections that nobody
// has accepted stay with the socket as long as one of its descriptors is open. l is a Listener of this package's drivers or one
// of package net. The descriptor is the caller's to close.
func Duplicate(l any) (fd int, err error) {
	switch l := l.(type) {
	case *epollListener:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.fd < 0 {
			return -1, net.ErrClosed
		}
		return duplicate(l.fd)
	case *portableListener:
		return Duplicate(l.nl)
	case syscall.Conn:
		raw, err := l.SyscallConn()
		if err != nil {
			return -1, err
		}
		fd := -1
		var failed error
		err = raw.Control(func(s uintptr) { fd, failed = duplicate(int(s)) })
		return fd, errors.Join(err, failed)
	}
	return -1, fmt.Errorf("netpoll: hand over a %T: %w", l, errors.ErrUnsupported)
}

func duplicate(fd int) (int, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return dup, os.NewSyscallError("fcntl", err)
}

// Adopt is Listen on a socket that listens already. It takes fd.
func Adopt(d Driver, fd int, tlsConfig *tls.Config) (Listener, error) {
	switch d.(type) {
	case epoll:
		if tlsConfig != nil {
			unix.Close(fd)
			return nil, errors.New("netpoll: the epoll driver does not speak TLS, use the portable one")
		}
		sa, err := unix.Getsockname(fd)
		if err == nil {
			err = unix.SetNonblock(fd, true)
		}
		if err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("netpoll: adopt a listening socket: %w", err)
		}
		unix.CloseOnExec(fd)
		return &epollListener{fd: fd, addr: net.TCPAddrFromAddrPort(addrPort(sa))}, nil
	case portable:
		nl, err := AdoptNet(fd)
		if err != nil {
			return nil, err
		}
		return newPortableListener(nl, tlsConfig), nil
	}
	unix.Close(fd)
	return nil, fmt.Errorf("netpoll: the driver %s adopts no socket: %w", d.Name(), errors.ErrUnsupported)
}

// AdoptNet is net.Listen on a socket that listens already. It takes fd.
func AdoptNet(fd int) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	l, err := net.FileListener(f) // of a duplicate
	if err != nil {
		return nil, fmt.Errorf("netpoll: adopt a listening socket: %w", err)
	}
	return l, nil
}
