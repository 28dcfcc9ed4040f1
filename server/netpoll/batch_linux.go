package netpoll

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is a haul's io_uring with what its operations point to.
type ring struct {
	uring *uring // nil: none, everything goes singly
	msgs  [haulOps]unix.Msghdr
	iovs  [haulOps]unix.Iovec
	stamp [haulOps][stampSpace]byte
	got   [haulOps]int32 // by operation: bytes, or −errno
}

// ringless is set when the system refuses io_uring: it is not asked again.
var ringless atomic.Bool

// open tries to have a ring.
func (g *ring) open() {
	if ringless.Load() {
		return
	}
	u, err := openRing(haulOps)
	if err != nil {
		if !Exhausted(err) {
			ringless.Store(true)
		}
		return
	}
	g.uring = u
}

// drop gives the ring back.
func (g *ring) drop() {
	if g.uring != nil {
		g.uring.close()
		g.uring = nil
	}
}

func (g *ring) ready() bool { return g.uring != nil }

// usable tells whether c can take part in a batch of the ring.
func usable(c Conn) (*epollConn, bool) {
	ec, ok := c.(*epollConn)
	return ec, ok && ec.fd >= 0
}

// read is ReadEach of at most haulOps connections; false: nothing was done.
func (h *haul) read(conns []Conn, got func(Conn, []byte, int64, error)) bool {
	if h.uring == nil {
		return false
	}
	for _, c := range conns {
		if _, ok := usable(c); !ok {
			return false
		}
	}
	for i, c := range conns {
		h.iovs[i].Base = &h.buf[i*haulBytes]
		h.iovs[i].SetLen(haulBytes)
		h.msgs[i] = unix.Msghdr{Iov: &h.iovs[i], Control: &h.stamp[i][0]}
		h.msgs[i].SetIovlen(1)
		h.msgs[i].SetControllen(stampSpace)
		*h.uring.next() = sqe{op: opRecvmsg, fd: c.(*epollConn).fd, addr: uint64(uintptr(unsafe.Pointer(&h.msgs[i]))), size: 1, msgFlags: unix.MSG_DONTWAIT, data: uint64(i)}
	}
	h.run(len(conns))
	for i, c := range conns {
		ec := c.(*epollConn)
		n := h.got[i]
		switch {
		case ec.fd < 0 || n == -int32(unix.EAGAIN) || n == -int32(unix.EINTR):
		case n < 0:
			ec.ended = true
			got(c, nil, 0, os.NewSyscallError("read", syscall.Errno(-n)))
		case n == 0:
			ec.ended = true
			got(c, nil, 0, io.EOF)
		default:
			arrived := stamp(h.stamp[i][:min(uint64(h.msgs[i].Controllen), stampSpace)])
			if arrived == 0 {
				arrived = time.Now().UnixNano()
			}
			got(c, h.buf[i*haulBytes:][:n], arrived, nil)
		}
	}
	return true
}

// write is WriteEach of at most haulOps writes; false: nothing was done.
func (h *haul) write(writes []Write) bool {
	if h.uring == nil {
		return false
	}
	for i := range writes {
		if _, ok := usable(writes[i].Conn); !ok || len(writes[i].P) == 0 {
			return false
		}
	}
	for i := range writes {
		w := &writes[i]
		*h.uring.next() = sqe{op: opSend, fd: w.Conn.(*epollConn).fd, addr: uint64(uintptr(unsafe.Pointer(&w.P[0]))), size: uint32(len(w.P)), msgFlags: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL, data: uint64(i)}
	}
	h.run(len(writes))
	runtime.KeepAlive(writes)
	for i := range writes {
		w := &writes[i]
		switch n := h.got[i]; {
		case n >= 0:
			w.N, w.Err = int(n), nil
		case n == -int32(unix.EAGAIN) || n == -int32(unix.EINTR):
			w.N, w.Err = 0, nil
		default:
			w.N, w.Err = 0, os.NewSyscallError("write", syscall.Errno(-n))
		}
	}
	return true
}

// run has the n operations that are queued done and sorts their results. Those that the kernel left undone, which it does
// only when it has no memory, count as "would block"; the ring is not used again then.
func (h *haul) run(n int) {
	errno := h.uring.submit()
	for i := range n {
		h.got[i] = -int32(unix.EAGAIN)
	}
	for done := 0; done < n; done++ {
		c, ok := h.uring.result()
		if !ok {
			errno = unix.EIO
			break
		}
		h.got[c.data] = c.result
	}
	if errno != 0 {
		h.drop()
	}
}
