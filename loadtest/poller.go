package main

import "net/netip"

// poller moves the bytes of one loop's connections. Its owner is the loop; no method blocks but wait.
type poller interface {
	// dial begins a connection from a source address, or any with the zero Addr. The sink hears opened or broken.
	dial(c *conn, to netip.AddrPort, from netip.Addr) error
	// write sends what the socket takes.
	write(c *conn, p []byte) (int, error)
	// pause stops reading a connection until it is resumed: the peer's bytes stay in the system.
	pause(c *conn, on bool)
	// close ends a connection; nothing is heard of it any more.
	close(c *conn)
	// poll tells the sink what has happened since the last poll.
	poll(s sink)
	// wait sleeps until a time in ns since the Unix epoch.
	wait(until int64)
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
}
