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

// hauls are the ones that nobody uses. They are the process's own, as the ring's descriptors are. A machine that is short of
// processors for a while may need many, since a batch is held by whoever is not running either: what was not needed since
// is given back.
var hauls struct {
	mu    sync.Mutex
	free  []*haul
	least int // of free, in the last so many takes
	takes int
}

func takeHaul() *haul {
	hauls.mu.Lock()
	if n := len(hauls.free); n > 0 {
		h := hauls.free[n-1]
		hauls.free = hauls.free[:n-1]
		hauls.least = min(hauls.least, n-1)
		spare := spareHaul()
		hauls.mu.Unlock()
		if spare != nil {
			spare.drop()
		}
		return h
	}
	hauls.least = 0
	hauls.mu.Unlock()
	h := new(haul)
	h.open()
	return h
}

// spareHaul takes out one that was not needed lately, nil if there is none. hauls.mu is held.
func spareHaul() *haul {
	if hauls.takes++; hauls.takes < haulTakes {
		return nil
	}
	var spare *haul
	if hauls.least > 0 {
		spare, hauls.free[0] = hauls.free[0], nil
		hauls.free = hauls.free[1:]
	}
	hauls.takes, hauls.least = 0, len(hauls.free)
	return spare
}

func (h *haul) release() {
	hauls.mu.Lock()
	defer hauls.mu.Unlock()
	hauls.free = append(hauls.free, h)
}
