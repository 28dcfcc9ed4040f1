package netpoll

import "sync"

// Write is one connection's part of WriteEach.
type Write struct {
	Conn Conn
	P    []byte // what to send; only read, and the same bytes may stand in several Writes
	N    int    // how much of it the socket took: less than len(P) with a nil Err when it is full
	Err  error
}

// ReadEach reads once from each connection and calls got for each that had bytes (valid until got returns) or has
// ended; the ones with nothing to read are passed over. What got is told is what Conn.Read tells. A connection
// that an earlier got closed is passed over too. The connections belong to the caller; they need not be in a Set.
//
// Where the system has io_uring all of it is a system call for every 64 connections, which takes about a third less CPU
// than a poll and a read for each; else it is a Read for each. See DESIGN.md.
func ReadEach(conns []Conn, got func(c Conn, p []byte, arrived int64, err error)) {
	h := takeHaul()
	defer h.release()
	for len(conns) > 0 {
		n := min(len(conns), haulOps)
		if !h.read(conns[:n], got) {
			h.readSingly(conns[:n], got)
		}
		conns = conns[n:]
	}
}

// WriteEach sends each of the writes, as Conn.Write does, and fills in what became of it. The connections belong to the
// caller, each stands in one of the writes. Where the system has io_uring it is a system call for every 64 of them.
func WriteEach(writes []Write) {
	h := takeHaul()
	defer h.release()
	for len(writes) > 0 {
		n := min(len(writes), haulOps)
		if !h.write(writes[:n]) {
			writeSingly(writes[:n])
		}
		writes = writes[n:]
	}
}

// Batching tells whether ReadEach and WriteEach have io_uring. Safe from any goroutine.
func Batching() bool {
	h := takeHaul()
	defer h.release()
	return h.ready()
}

func (h *haul) readSingly(conns []Conn, got func(Conn, []byte, int64, error)) {
	for _, c := range conns {
		if n, arrived, err := c.Read(h.buf[:haulBytes]); err != ErrAgain {
			got(c, h.buf[:n], arrived, err)
		}
	}
}

func writeSingly(writes []Write) {
	for i := range writes {
		w := &writes[i]
		w.N, w.Err = w.Conn.Write(w.P)
	}
}

// haul is what one batch needs: buffers and, where the system has io_uring, a ring. Batches of many matches share few of
// them: each is held for the time of one batch, in which nothing blocks.
type haul struct {
	buf [haulBytes * haulOps]byte // of what is read
	ring
}

// hauls are the ones that nobody uses. They are the process's own, as the ring's descriptors are.
var hauls struct {
	mu   sync.Mutex
	free []*haul
}

func takeHaul() *haul {
	hauls.mu.Lock()
	if n := len(hauls.free); n > 0 {
		h := hauls.free[n-1]
		hauls.free = hauls.free[:n-1]
		hauls.mu.Unlock()
		return h
	}
	hauls.mu.Unlock()
	h := new(haul)
	h.open()
	return h
}

func (h *haul) release() {
	hauls.mu.Lock()
	defer hauls.mu.Unlock()
	hauls.free = append(hauls.free, h)
}
