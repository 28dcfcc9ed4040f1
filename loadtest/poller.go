package main

import "net/netip"

// poller moves the bytes of one loop's connections. Its owner is the loop; no method blocks but wait.
type poller interface {
	// dial begins a connection from a source address, or any with the zero Addr. The sink hears opened or broken.
	dial(c *conn, to netip.AddrPort, from netip.Addr) error
	// write takes what the socket takes; it may wait for push to be sent.
	write(c *conn, p []byte) (int, error)
	// push sends what has been taken since the last push or poll.
	push()
	// pause stops reading a connection until it is resumed: the peer's bytes stay in the system.
	pause(c *conn, on bool)
	// close ends a connection; nothing is heard of it any more.
	close(c *conn)
	// poll tells the sink what has happened since the last poll.
	poll(s sink)
	// wait sleeps until a time in ns since the Unix epoch.
	wait(until int64)
	// kind is which one it is.
	kind() string
	// shut releases the poller itself.
	shut()
}

// sink hears of connections. Bytes are valid until received returns; at is when they arrived, in ns since the
// Unix epoch, by the kernel's stamp where it gives one.
type sink interface {
	opened(c *conn)
	received(c *conn, p []byte, at int64)
	broken(c *conn, err error) // nil: the peer's end of stream
}

// conn is one connection as a poller knows it.
type conn struct {
	owner *bot
	fd    int // epoll: −1 when closed
	up    bool
	wire  *wire // portable
	link  *link // emulated, nil none
	small bool  // a receive buffer as small as the system has

	ringed   bool   // carried by an io_uring
	serial   uint32 // there
	sending  bool   // a send waits for push, of the bytes from and up to
	from, to int
	rest     []byte // taken, but not by the socket
}

// Kinds of pollers.
const (
	pollRing     = "ring"     // io_uring, Linux 6.1
	pollEpoll    = "epoll"    // Linux
	pollPortable = "portable" // a goroutine for each connection
)
