// Package netpoll moves bytes between non-blocking sockets and the goroutine that owns them. It knows bytes,
// never sessions. On Linux the epoll driver has no goroutine per connection and none of its connections in
// Go's own poller; the portable driver does the same over net.Conn for TLS and for other systems.
package netpoll

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"
)

// ErrAgain means that nothing can be read or accepted now; readiness will be reported by the Set.
var ErrAgain = errors.New("netpoll: would block")

// Driver opens listeners and sets that work together.
type Driver interface {
	// Name is "epoll" or "portable".
	Name() string
	// Listen opens a listening TCP socket. The epoll driver refuses a TLS configuration.
	Listen(addr string, tlsConfig *tls.Config) (Listener, error)
	NewSet() (Set, error)
}

// Listener is a listening socket. The goroutine that owns the Set it was added to calls Accept.
type Listener interface {
	Addr() net.Addr
	// Accept returns the next connection without waiting, or ErrAgain. Other errors are the system's
	// (EMFILE, ENOBUFS …): temporary unless the listener is closed (net.ErrClosed). After one that is Exhausted
	// the Set is silent about the listener for 5 ms … 1 s (see Backoff): count it and go on.
	Accept() (Conn, error)
	// Close is safe from any goroutine. Connections that nobody accepted are closed with it.
	Close() error
}

// Conn is one accepted connection. All methods belong to its owner: the goroutine of the Set it is in, or,
// in no Set, whoever holds it. None of them blocks.
type Conn interface {
	// Read fills p with what has arrived and tells when (wall clock, ns since the Unix epoch; the kernel's
	// own stamp where it gives one; of the newest byte in p). ErrAgain: nothing there. io.EOF: the peer has sent its
	// last byte. Once Read has told the end or an error, the connection is no longer reported as readable.
	Read(p []byte) (n int, arrived int64, err error)
	// Write sends as much of p as the socket takes. n < len(p) with a nil error: the socket is full, the
	// rest is the caller's to keep (see Set.WatchWrite).
	Write(p []byte) (n int, err error)
	// Unsent is the number of bytes written but not yet acknowledged by the peer's kernel, −1 if unknown. Where RoundTrip
	// is unknown it counts those that the own kernel has not taken yet, whose send buffer is small then.
	Unsent() int
	// RoundTrip is what the kernel knows of the path: the smoothed round trip and the least one of late. 0, 0: unknown,
	// as with the portable driver on other systems than Linux. It costs a system call.
	RoundTrip() (smoothed, least time.Duration)
	// CloseWrite sends FIN behind what was written; reading goes on.
	CloseWrite() error
	// Close releases the connection and takes it out of its Set; what was written is still sent, as long as the
	// peer takes it. Owner is nil afterwards. Safe to call twice.
	Close() error
	// Detach takes the connection out of its Set and turns it into an ordinary blocking net.Conn; the
	// Conn is dead afterwards. For plain HTTP requests, which net/http serves better.
	Detach() (net.Conn, error)
	Remote() netip.AddrPort
	// Owner is what SetOwner stored: the way from an Event to the caller's own record.
	Owner() any
	SetOwner(any)
}

// Event says that a connection, or with Conn == nil the listener, is ready.
type Event struct {
	Conn     Conn
	Readable bool // data, end of stream or an error is to be read
	Writable bool // only while WatchWrite is on
}

// Set watches connections for one goroutine, its owner. A connection is in one Set at the most; moving it
// is Remove on the one and Add on the other, and loses no readiness: whatever is unread is reported again and
// again (level-triggered).
type Set interface {
	Add(c Conn) error
	// Listen watches a listener, one per Set. Its events have Conn == nil.
	Listen(l Listener) error
	// Remove takes c out and forgets its Owner. A connection with an event later in the batch at hand must not be
	// given to another goroutine before that batch is done.
	Remove(c Conn) error
	// WatchWrite switches write readiness of c on or off (off after Add).
	WatchWrite(c Conn, on bool) error
	// Poll fills events with what is ready now and returns their number. It never blocks. An event whose
	// connection was closed or removed after Poll returned it must be passed over by the caller: Conn.Owner
	// is nil then.
	Poll(events []Event) (int, error)
	// Wait is Poll that waits for the first event, for Wake, or for the deadline (zero: none). It returns
	// 0, nil on Wake or at the deadline; events and a Wake may come together.
	Wait(events []Event, deadline time.Time) (int, error)
	// Wake ends a Wait, the present one or the next; a Poll in between does not use it up. Safe from any goroutine.
	Wake()
	// Close releases the set; the connections still in it stay open and belong to whoever holds them.
	Close() error
}
