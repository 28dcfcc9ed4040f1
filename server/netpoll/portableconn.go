package netpoll

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"
)

// portableConn is a net.Conn behind two bounded buffers. Its owner's calls touch the buffers only; the goroutines
// move the bytes between them and the network. Locks are taken in the order connection, set.
type portableConn struct {
	nc     net.Conn
	remote netip.AddrPort
	owner  any            // the owner's
	kernel kernel         // the owner's
	reader sync.WaitGroup // the reading goroutine
	writer sync.WaitGroup // the writing one, while there is one
	room   sync.Cond      // in has been read from, or the reading goroutine shall stop

	mu         sync.Mutex // guards what follows
	set        *portableSet
	generation uint32 // of its stay in set: an entry of the set's list with another one is void
	queued     bool   // there is a valid entry
	watch      bool   // write readiness is wanted

	in       []byte // received; in[:off] has been read
	off      int
	arrived  int64 // of the newest byte of in
	readErr  error // what the reading goroutine ended with
	ended    bool  // a Read has told it
	stopping bool  // Close or Detach: the reading goroutine shall end

	out      []byte // written by the owner, not yet taken by the writing goroutine
	spare    []byte // a buffer to be the next out
	unsent   int    // bytes in out and in the writing goroutine's hands
	writeErr error
	writing  bool // the writing goroutine exists
	finish   bool // CloseWrite was called
	shut     bool // and has been done
	closed   bool // Close was called
}

// pastDeadline interrupts a Read.
var pastDeadline = time.Unix(1, 0)

func newPortableConn(nc net.Conn) *portableConn {
	c := &portableConn{nc: nc, remote: remote(nc)}
	c.kernel.init(nc)
	c.room.L = &c.mu
	c.reader.Go(c.readLoop)
	return c
}

func (c *portableConn) Read(p []byte) (n int, arrived int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopping:
		return 0, 0, net.ErrClosed
	case len(p) == 0:
		return 0, 0, nil
	case c.off < len(c.in):
		n = copy(p, c.in[c.off:])
		c.off += n
		if c.off == len(c.in) {
			c.in, c.off = c.in[:0], 0
			if cap(c.in) > keepBytes {
				c.in = nil
			}
		}
		c.room.Signal()
		return n, c.arrived, nil
	case c.readErr != nil:
		c.ended = true
		return 0, 0, c.readErr
	case c.writeErr != nil:
		c.ended = true
		return 0, 0, c.writeErr
	}
	return 0, 0, ErrAgain
}

func (c *portableConn) readLoop() {
	chunk := make([]byte, readChunkBytes)
	for {
		n, err := c.nc.Read(chunk)
		if !c.received(chunk[:n], err) {
			return
		}
	}
}

// received adds what has come, waits for room for more, and tells whether to go on.
func (c *portableConn) received(p []byte, err error) bool {
	now := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if len(p) > 0 {
		if c.off > 0 {
			c.in, c.off = c.in[:copy(c.in, c.in[c.off:])], 0
		}
		c.in, c.arrived = append(c.in, p...), now
	}
	if c.stopping { // Detach: err is its doing, and a true one will come again
		return false
	}
	c.readErr = err
	c.ready()
	for err == nil && !c.stopping && len(c.in)-c.off > readBufferBytes-readChunkBytes {
		c.room.Wait()
	}
	return err == nil && !c.stopping
}

func (c *portableConn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopping:
		return 0, net.ErrClosed
	case c.writeErr != nil:
		return 0, c.writeErr
	case c.finish:
		return 0, errFinished
	}
	n = min(len(p), writeBufferBytes-c.unsent)
	if n > 0 {
		c.out = append(c.out, p[:n]...)
		c.unsent += n
		c.startWriter()
	}
	return n, nil
}

// startWriter is called with mu held.
func (c *portableConn) startWriter() {
	if !c.writing {
		c.writing = true
		c.writer.Go(c.writeLoop)
	}
}

// writeLoop writes until there is nothing left, then does what CloseWrite and Close have left to it.
func (c *portableConn) writeLoop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.out) > 0 {
			c.writeOut()
		}
		if !c.finish || c.shut || c.writeErr != nil {
			break
		}
		c.shut = true
		c.mu.Unlock()
		shutDown(c.nc)
		c.mu.Lock()
	}
	c.writing = false
	if c.closed {
		c.mu.Unlock()
		c.nc.Close()
		c.mu.Lock()
	}
}

// writeOut writes what is in out. It is called with mu held and lets go of it meanwhile.
func (c *portableConn) writeOut() {
	batch := c.out
	c.out, c.spare = c.spare, nil
	for rest := batch; len(rest) > 0 && c.writeErr == nil; {
		piece := rest[:min(len(rest), writePieceBytes)]
		rest = rest[len(piece):]
		c.mu.Unlock()
		_, err := c.nc.Write(piece)
		c.mu.Lock()
		c.unsent -= len(piece)
		c.writeErr = err
		c.ready()
	}
	if cap(batch) <= keepBytes {
		c.spare = batch[:0]
	}
	if c.writeErr != nil {
		c.out, c.unsent = nil, 0
	}
}

// shutDown sends FIN, by TLS a close_notify before it.
func shutDown(nc net.Conn) {
	if t, ok := nc.(*tls.Conn); ok {
		_ = t.CloseWrite() // the FIN is what counts
		nc = t.NetConn()
	}
	if t, ok := nc.(*net.TCPConn); ok {
		_ = t.CloseWrite() // fails only if the connection is over already
	}
}

// Unsent is what waits here and in the kernel; without a word from the kernel, what waits here.
func (c *portableConn) Unsent() int {
	queued := c.kernel.queued()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unsent + queued
}

func (c *portableConn) RoundTrip() (smoothed, least time.Duration) { return c.kernel.roundTrip() }

func (c *portableConn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return net.ErrClosed
	}
	if !c.finish {
		c.finish = true
		c.startWriter()
	}
	return nil
}

// Close leaves the bytes still unsent to the writing goroutine, for closeFlush, as the kernel does for a socket. A TLS
// connection is always closed by that goroutine: its close_notify may block.
func (c *portableConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return nil
	}
	c.leave()
	c.closed, c.stopping, c.owner, c.in = true, true, nil, nil
	c.room.Broadcast()
	if _, secure := c.nc.(*tls.Conn); !secure && !c.writing {
		return c.nc.Close()
	}
	c.startWriter()
	_ = c.nc.SetWriteDeadline(time.Now().Add(closeFlush))
	return c.nc.SetReadDeadline(pastDeadline)
}

// leave takes c out of its set. It is called with mu held.
func (c *portableConn) leave() {
	if c.set != nil {
		delete(c.set.members, c)
		c.set, c.watch, c.queued = nil, false, false
		c.generation++
	}
}

// ready tells the set if there is something to tell. It is called with mu held whenever that may have changed.
func (c *portableConn) ready() {
	if c.set != nil && !c.queued && (c.readable() || c.writable()) {
		c.queued = true
		c.set.push(entry{c, c.generation})
	}
}

func (c *portableConn) readable() bool {
	return !c.ended && (c.off < len(c.in) || c.readErr != nil || c.writeErr != nil)
}

func (c *portableConn) writable() bool {
	return c.watch && (c.unsent <= writeLowBytes || c.writeErr != nil)
}

func (c *portableConn) Remote() netip.AddrPort { return c.remote }

func (c *portableConn) Owner() any { return c.owner }

func (c *portableConn) SetOwner(owner any) { c.owner = owner }

// Detach ends the reading goroutine, which takes no longer than its next look at its deadline.
func (c *portableConn) Detach() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return nil, net.ErrClosed
	}
	c.leave()
	c.stopping, c.owner = true, nil
	c.room.Broadcast()
	err := c.nc.SetReadDeadline(pastDeadline)
	c.mu.Unlock()
	c.reader.Wait()
	c.mu.Lock()
	if err == nil {
		err = c.nc.SetReadDeadline(time.Time{})
	}
	if err != nil {
		c.nc.Close()
		return nil, err
	}
	if c.off == len(c.in) && !c.writing {
		return c.nc, nil
	}
	return &detached{Conn: c.nc, unread: c.in[c.off:], writer: &c.writer}, nil
}

// detached yields the bytes that had been read already before those that come, and writes behind those that are
// being written.
type detached struct {
	net.Conn
	unread []byte
	writer *sync.WaitGroup
}

func (d *detached) Read(p []byte) (int, error) {
	if len(d.unread) > 0 {
		n := copy(p, d.unread)
		d.unread = d.unread[n:]
		return n, nil
	}
	return d.Conn.Read(p)
}

func (d *detached) Write(p []byte) (int, error) {
	d.writer.Wait()
	return d.Conn.Write(p)
}

// CloseWrite keeps what a TCP connection can do.
func (d *detached) CloseWrite() error {
	d.writer.Wait()
	shutDown(d.Conn)
	return nil
}
