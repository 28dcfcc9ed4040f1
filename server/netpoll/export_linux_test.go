package netpoll

import "unsafe"

// Descriptor is that of an epoll connection, set or listener.
func Descriptor(x any) int {
	switch x := x.(type) {
	case *epollConn:
		return int(x.fd)
	case *epollSet:
		return int(x.epfd)
	case *epollListener:
		return x.fd
	}
	return -1
}

// ConnBytes is the memory of an epoll connection.
const ConnBytes = unsafe.Sizeof(epollConn{})

// Slots is the size of an epoll set's table.
func Slots(s Set) int { return len(s.(*epollSet).slots) }

// WithoutRings runs f as on a system that has no io_uring.
func WithoutRings(f func()) {
	free := hauls.free
	hauls.free = nil
	ringless.Store(true)
	f()
	ringless.Store(false)
	hauls.free = free
}
