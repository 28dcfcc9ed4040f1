package netpoll

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The part of io_uring that sends and receives without waiting: operations are written into a queue that the kernel
// shares, one system call has them all done, and each has its result in another queue when that call returns. With
// MSG_DONTWAIT nothing is ever left for later, so that a ring is bound to no thread and no buffer is held beyond the call.

// uring is one pair of queues. One goroutine uses it at a time.
type uring struct {
	fd      int // 0: there is none
	sqes    []sqe
	cqes    []cqe
	sqTail  *uint32 // written by us
	cqHead  *uint32 // written by us
	cqTail  *uint32 // written by the kernel
	tail    uint32  // of the submission queue, with what is not announced yet
	waiting uint32  // operations queued since the last submit
	queues  []byte  // the mappings
	entries []byte
}

// sqe is struct io_uring_sqe.
type sqe struct {
	op          uint8
	flags       uint8
	priority    uint16
	fd          int32
	offset      uint64
	addr        uint64
	size        uint32
	msgFlags    uint32
	data        uint64
	buffer      uint16
	personality uint16
	splice      int32
	_           [2]uint64
}

// cqe is struct io_uring_cqe.
type cqe struct {
	data   uint64
	result int32 // ≥ 0: bytes; else −errno
	flags  uint32
}

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, cpu, idle, features, workQueue uint32
	_                                                           [3]uint32
	sq                                                          struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

const (
	opRecvmsg = 10
	opSend    = 26

	featureSingleMap = 1 << 0 // one mapping for both queues' heads: Linux 5.4
	featureFastPoll  = 1 << 5 // Linux 5.7; opSend is older
	mapEntries       = 0x10000000
)

// openRing makes a ring of n operations, a power of two. It fails where the kernel is older than 5.7, has io_uring
// switched off, or a container forbids it.
func openRing(n int) (*uring, error) {
	var p ringParams
	fd, _, e := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(n), uintptr(unsafe.Pointer(&p)), 0)
	if e != 0 {
		return nil, os.NewSyscallError("io_uring_setup", e)
	}
	r := &uring{fd: int(fd)}
	if p.features&featureSingleMap == 0 || p.features&featureFastPoll == 0 {
		r.close()
		return nil, unix.ENOSYS
	}
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+uint32(unsafe.Sizeof(cqe{}))*p.cqEntries)
	var err error
	if r.queues, err = unix.Mmap(r.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		r.close()
		return nil, os.NewSyscallError("mmap", err)
	}
	size = uint32(unsafe.Sizeof(sqe{})) * p.sqEntries
	if r.entries, err = unix.Mmap(r.fd, mapEntries, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		r.close()
		return nil, os.NewSyscallError("mmap", err)
	}
	at := func(offset uint32) unsafe.Pointer { return unsafe.Pointer(&r.queues[offset]) }
	r.sqes = unsafe.Slice((*sqe)(unsafe.Pointer(&r.entries[0])), p.sqEntries)
	r.cqes = unsafe.Slice((*cqe)(at(p.cq.cqes)), p.cqEntries)
	r.sqTail, r.cqHead, r.cqTail = (*uint32)(at(p.sq.tail)), (*uint32)(at(p.cq.head)), (*uint32)(at(p.cq.tail))
	for i, array := 0, unsafe.Slice((*uint32)(at(p.sq.array)), p.sqEntries); i < len(array); i++ {
		array[i] = uint32(i) // place i of the queue is entry i, always
	}
	return r, nil
}

func (r *uring) close() {
	if r.queues != nil {
		_ = unix.Munmap(r.queues)
	}
	if r.entries != nil {
		_ = unix.Munmap(r.entries)
	}
	_ = unix.Close(r.fd)
	*r = uring{}
}

// next is the next free entry; the caller queues no more than the ring has before it submits.
func (r *uring) next() *sqe {
	s := &r.sqes[r.tail&uint32(len(r.sqes)-1)]
	r.tail++
	r.waiting++
	return s
}

// submit has everything done that is queued. It is a raw call, as in socket_linux.go. After an error the ring is useless.
func (r *uring) submit() syscall.Errno {
	atomic.StoreUint32(r.sqTail, r.tail)
	for r.waiting > 0 {
		n, _, e := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.waiting), 0, 0, 0, 0)
		switch {
		case e == unix.EINTR:
			continue
		case e != 0:
			return e
		case n == 0:
			return unix.EIO
		}
		r.waiting -= uint32(n)
	}
	return 0
}

// result takes the next result; ok = false: there is none.
func (r *uring) result() (c cqe, ok bool) {
	head := *r.cqHead
	if head == atomic.LoadUint32(r.cqTail) {
		return c, false
	}
	c = r.cqes[head&uint32(len(r.cqes)-1)]
	atomic.StoreUint32(r.cqHead, head+1)
	return c, true
}
