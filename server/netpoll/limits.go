package netpoll

import "time"

// maxBatch is the most events of one look at an epoll instance.
const maxBatch = 256

// Batches.
const (
	haulOps   = 64         // connections read or written by one system call: 0.5 ms in which the thread cannot be taken away
	haulTakes = 1000       // batches, after which one that was not needed in them is given back
	haulBytes = 4<<10 + 64 // read from one of them; a line more than 4 KiB, lest they all fall into the same place of the cache
)

// Listening and accepting.
const (
	listenBacklog   = 4096                 // connections the kernel holds for Accept; it caps this at net.core.somaxconn
	fastOpenBacklog = 1024                 // of them those that are not yet through TCP's handshake but have sent bytes (TCP Fast Open)
	backoffMin      = 5 * time.Millisecond // first pause after EMFILE, ENFILE, ENOBUFS, ENOMEM
	backoffMax      = 1 * time.Second      // longest
	userTimeout     = 10 * time.Second     // TCP_USER_TIMEOUT: sent bytes unacknowledged for so long end the connection
)

// The portable driver.
const (
	readBufferBytes  = 64 << 10        // received and not yet read, per connection; beyond, the goroutine stops reading
	readChunkBytes   = 4 << 10         // one read of that goroutine
	writeBufferBytes = 256 << 10       // written and not yet sent, per connection; beyond, Write takes less
	writeLowBytes    = 128 << 10       // at or below this much unsent a full connection is writable again
	sendBufferBytes  = 16 << 10        // the kernel's own, where it does not tell how much is in it
	writePieceBytes  = 16 << 10        // one write of the writing goroutine: a TLS record
	keepBytes        = 4 << 10         // a buffer of at most this size is kept while it is empty
	acceptQueue      = 128             // accepted and not yet taken by Accept
	tlsTimeout       = 5 * time.Second // for a TLS handshake
	tlsPending       = 1000            // TLS handshakes at a time
	tlsPendingPerIP  = 20              // of them from one address (loopback is exempt)
	closeFlush       = 2 * time.Second // what Close grants to bytes that are still unsent
)
