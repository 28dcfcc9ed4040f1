package main

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is an io_uring as far as the swarm needs it: submissions that complete at once or are answered by poll, and a
// ring of buffers for what is received. One thread owns it, the first one that calls start. The layout is that of
// <linux/io_uring.h>, which golang.org/x/sys does not have.
type ring struct {
	fd      int
	entries uint32
	memory  []byte // both queues
	slots   []submission
	sqHead  *uint32 // the kernel's
	sqTail  *uint32 // ours
	tail    uint32  // with what is not submitted yet
	cqHead  *uint32
	cqTail  *uint32
	cqMask  uint32
	done    []completion

	shelf     []bufferSlot // of buffers that the kernel may fill
	shelfMem  []byte
	shelfTail *uint16
	buffers   []byte
	size      int
}

// submission is struct io_uring_sqe.
type submission struct {
	op       uint8
	flags    uint8
	ioprio   uint16
	fd       int32
	off      uint64
	addr     uint64
	len      uint32
	opFlags  uint32 // msg_flags, cancel_flags
	userData uint64
	group    uint16
	_        uint16
	_        int32
	_        [2]uint64
}

// completion is struct io_uring_cqe.
type completion struct {
	userData uint64
	res      int32
	flags    uint32
}

// bufferSlot is struct io_uring_buf. The first one's last field is the tail of all.
type bufferSlot struct {
	addr uint64
	len  uint32
	id   uint16
	tail uint16
}

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
	_                                                    [3]uint32
	sq, cq                                               [10]uint32 // offsets; the last two are a user address
}

const (
	ringOpRecvmsg = 10
	ringOpCancel  = 14
	ringOpSend    = 26

	ringBufferSelect = 1 << 5 // IOSQE_BUFFER_SELECT
	ringMultishot    = 1 << 1 // IORING_RECV_MULTISHOT, in ioprio
	ringHasBuffer    = 1 << 0 // IORING_CQE_F_BUFFER
	ringMore         = 1 << 1 // IORING_CQE_F_MORE
	ringBufferShift  = 16     // IORING_CQE_BUFFER_SHIFT
	ringGetEvents    = 1 << 0 // IORING_ENTER_GETEVENTS

	ringCQSize       = 1 << 3
	ringDisabled     = 1 << 6
	ringSingleIssuer = 1 << 12
	ringDeferTask    = 1 << 13
	ringSingleMap    = 1 << 0 // a feature

	ringEnable       = 12 // IORING_REGISTER_ENABLE_RINGS
	ringBufferRing   = 22 // IORING_REGISTER_PBUF_RING
	ringOffsetOfSQEs = 0x10000000
	ringHeadBytes    = 16 // struct io_uring_recvmsg_out
)

// newRing makes a ring with n buffers of size bytes each, both powers of two. The error says what this kernel lacks or
// forbids: 6.1 has all that is needed.
func newRing(entries uint32, n, size int) (*ring, error) {
	p := ringParams{flags: ringCQSize | ringDisabled | ringSingleIssuer | ringDeferTask, cqEntries: 8 * entries}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	r := &ring{fd: int(fd), entries: p.sqEntries, cqMask: p.cqEntries - 1, size: size}
	if err := r.open(&p, n); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *ring) open(p *ringParams, n int) (err error) {
	if p.features&ringSingleMap == 0 {
		return fmt.Errorf("io_uring: %w", unix.ENOSYS)
	}
	const head, tail, array, cqes = 0, 1, 6, 5 // of the offsets
	length := max(int(p.sq[array])+4*int(p.sqEntries), int(p.cq[cqes])+16*int(p.cqEntries))
	if r.memory, err = unix.Mmap(r.fd, 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return fmt.Errorf("the queues of io_uring: %w", err)
	}
	slots, err := unix.Mmap(r.fd, ringOffsetOfSQEs, int(p.sqEntries)*int(unsafe.Sizeof(submission{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return fmt.Errorf("the submissions of io_uring: %w", err)
	}
	r.slots = unsafe.Slice((*submission)(unsafe.Pointer(&slots[0])), p.sqEntries)
	word := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.memory[offset])) }
	r.sqHead, r.sqTail = word(p.sq[head]), word(p.sq[tail])
	r.cqHead, r.cqTail = word(p.cq[head]), word(p.cq[tail])
	r.done = unsafe.Slice((*completion)(unsafe.Pointer(&r.memory[p.cq[cqes]])), p.cqEntries)
	for i, order := 0, unsafe.Slice(word(p.sq[array]), p.sqEntries); i < len(order); i++ {
		order[i] = uint32(i)
	}
	if r.shelfMem, err = unix.Mmap(-1, 0, n*int(unsafe.Sizeof(bufferSlot{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE); err != nil {
		return fmt.Errorf("the buffers of io_uring: %w", err)
	}
	r.shelf = unsafe.Slice((*bufferSlot)(unsafe.Pointer(&r.shelfMem[0])), n)
	r.shelfTail = &r.shelf[0].tail
	register := struct { // struct io_uring_buf_reg
		addr    uint64
		entries uint32
		group   uint16
		flags   uint16
		_       [3]uint64
	}{addr: uint64(uintptr(unsafe.Pointer(&r.shelfMem[0]))), entries: uint32(n)}
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), ringBufferRing, uintptr(unsafe.Pointer(&register)), 1, 0, 0); errno != 0 {
		return fmt.Errorf("the buffers of io_uring: %w", errno)
	}
	r.buffers = make([]byte, n*r.size)
	for id := range n {
		r.giveBack(uint16(id))
	}
	return nil
}

// start makes the calling thread the ring's owner.
func (r *ring) start() error {
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), ringEnable, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("io_uring: %w", errno)
	}
	return nil
}

// next is a cleared submission, nil when all are in use: submit, then there are again. What it points to has to stay
// until submit.
func (r *ring) next() *submission {
	if r.tail-atomic.LoadUint32(r.sqHead) == r.entries {
		return nil
	}
	s := &r.slots[r.tail&(r.entries-1)]
	*s = submission{}
	r.tail++
	return s
}

// submit hands over all submissions, and lets the kernel do what has become ready since the last time: both in one
// call that does not wait.
func (r *ring) submit() {
	atomic.StoreUint32(r.sqTail, r.tail)
	for {
		n := r.tail - atomic.LoadUint32(r.sqHead)
		_, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(n), 0, ringGetEvents, 0, 0)
		if errno != unix.EINTR {
			return
		}
	}
}

// take is the oldest completion, false: none.
func (r *ring) take() (c completion, ok bool) {
	head := *r.cqHead
	if head == atomic.LoadUint32(r.cqTail) {
		return c, false
	}
	c = r.done[head&r.cqMask]
	atomic.StoreUint32(r.cqHead, head+1)
	return c, true
}

// buffer is what a completion has received into, until giveBack.
func (r *ring) buffer(id uint16) []byte { return r.buffers[int(id)*r.size:][:r.size] }

// giveBack lets the kernel fill a buffer again.
func (r *ring) giveBack(id uint16) {
	tail := *r.shelfTail
	s := &r.shelf[int(tail)&(len(r.shelf)-1)]
	s.addr, s.len, s.id = uint64(uintptr(unsafe.Pointer(&r.buffers[int(id)*r.size]))), uint32(r.size), id
	// A release store, as the kernel reads it: there is no 16-bit one, and id and tail of the first slot share a word.
	first := &r.shelf[0]
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&first.id)), uint32(first.id)|uint32(tail+1)<<16)
}

func (r *ring) close() {
	unix.Close(r.fd)
	if r.slots != nil {
		unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(&r.slots[0])), len(r.slots)*int(unsafe.Sizeof(submission{}))))
	}
	for _, m := range [][]byte{r.memory, r.shelfMem} {
		if m != nil {
			unix.Munmap(m)
		}
	}
}
