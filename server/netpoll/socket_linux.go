package netpoll

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls on a connection's descriptor. All of them are non-blocking, so they are made as raw calls that keep
// the processor of the goroutine: the scheduler is not told, cannot take the processor away in the middle
// of a tick, and is spared its bookkeeping, 0.15 µs each (BenchmarkUnsent: 0.46 µs against 0.61). Their structures
// live on the stack: nothing escapes.

// stampSpace holds one control message with a time stamp, with room to spare.
const stampSpace = 64

// receive reads into p. arrived is the kernel's stamp of the newest segment read, 0 if it gave none.
func receive(fd int32, p []byte) (n int, arrived int64, errno syscall.Errno) {
	if len(p) == 0 {
		return 0, 0, 0
	}
	var control [stampSpace]byte
	iov := unix.Iovec{Base: &p[0]}
	iov.SetLen(len(p))
	msg := unix.Msghdr{Iov: &iov, Control: &control[0]}
	msg.SetIovlen(1)
	for {
		msg.SetControllen(len(control))
		r, _, e := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT)
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			return 0, 0, e
		}
		return int(r), stamp(control[:min(uint64(msg.Controllen), stampSpace)]), 0
	}
}

// stamp reads the SCM_TIMESTAMPNS message, ns since the Unix epoch, 0 if it is not there. It is the only
// message that these sockets ask for, hence the first or none.
func stamp(control []byte) int64 {
	const head = unix.SizeofCmsghdr
	if len(control) < head+int(unsafe.Sizeof(unix.Timespec{})) {
		return 0
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS {
		return 0
	}
	return (*unix.Timespec)(unsafe.Pointer(&control[head])).Nano()
}

// send writes as much of p as the socket takes in one call; EAGAIN when it takes nothing.
func send(fd int32, p []byte) (n int, errno syscall.Errno) {
	if len(p) == 0 {
		return 0, 0
	}
	for {
		r, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if e == unix.EINTR {
			continue
		}
		return int(r), e
	}
}

// unsent is SIOCOUTQ: bytes in the send queue, sent and unacknowledged ones included; −1 if unknown.
func unsent(fd int32) int {
	var n int32
	_, _, e := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	if e != 0 {
		return -1
	}
	return int(n)
}

// roundTrip asks TCP_INFO for the smoothed and the least round trip; 0, 0 if it gives none.
func roundTrip(fd int32) (smoothed, least time.Duration) {
	var info unix.TCPInfo
	size := uint32(unsafe.Sizeof(info))
	_, _, e := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return 0, 0
	}
	return time.Duration(info.Rtt) * time.Microsecond, time.Duration(info.Min_rtt) * time.Microsecond
}

// epollNow is epoll_pwait that does not wait.
func epollNow(epfd int32, events []unix.EpollEvent) (n int, errno syscall.Errno) {
	for {
		r, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
		if e == unix.EINTR {
			continue
		}
		return int(r), e
	}
}

// listenSocket opens a non-blocking listening socket. What is set here is inherited by the sockets it accepts
// (TestAcceptedSocketsInherit), which saves three system calls each.
func listenSocket(addr *net.TCPAddr) (fd int, err error) {
	family, sa, dual := sockaddr(addr)
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err == unix.EAFNOSUPPORT && dual { // a kernel without IPv6
		family, sa, dual = unix.AF_INET, &unix.SockaddrInet4{Port: addr.Port}, false
		fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	}
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = setUp(fd, family, sa, dual)
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func setUp(fd, family int, sa unix.Sockaddr, dual bool) error {
	if family == unix.AF_INET6 {
		only := 1
		if dual {
			only = 0
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	for _, o := range [...]struct{ level, name, value int }{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout / time.Millisecond)},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	allowFastOpen(fd)
	// Without it arrival times come from the clock at the read: later, never wrong. Hence no error.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	if err := unix.Bind(fd, sa); err != nil {
		return os.NewSyscallError("bind", err)
	}
	return os.NewSyscallError("listen", unix.Listen(fd, listenBacklog))
}

// allowFastOpen takes first bytes that travel with the SYN from clients that have this machine's cookie: a player who comes
// back saves a round trip. Where net.ipv4.tcp_fastopen lacks the 2 the kernel goes on without; hence no error.
func allowFastOpen(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, fastOpenBacklog)
}

// sockaddr translates addr. Without an address, or with the unspecified one of IPv6, the socket is dual-stack,
// as in package net.
func sockaddr(addr *net.TCPAddr) (family int, sa unix.Sockaddr, dual bool) {
	if ip4 := addr.IP.To4(); ip4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(ip4)}, false
	}
	in6 := &unix.SockaddrInet6{Port: addr.Port}
	copy(in6.Addr[:], addr.IP.To16())
	if addr.Zone != "" {
		if i, err := net.InterfaceByName(addr.Zone); err == nil {
			in6.ZoneId = uint32(i.Index)
		} else if n, err := strconv.ParseUint(addr.Zone, 10, 32); err == nil {
			in6.ZoneId = uint32(n)
		}
	}
	return unix.AF_INET6, in6, len(addr.IP) == 0 || addr.IP.IsUnspecified()
}

// addrPort translates back; IPv4 addresses that came over a dual-stack socket are IPv4 addresses.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		a := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 && a.Is6() {
			a = a.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		return netip.AddrPortFrom(a, uint16(sa.Port))
	}
	return netip.AddrPort{}
}
