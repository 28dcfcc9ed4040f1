package session

import "skirmish/server/netpoll"

// outbox holds what the socket did not take yet. While it holds anything nothing else is written: a frame that was
// begun is finished first.
type outbox struct {
	unsent []byte
	gone   int // of unsent: sent already, and moved away once it is the greater part, so that a slow reader costs no more copying than a fast one
}

func (o *outbox) empty() bool { return len(o.unsent) == 0 }

// waiting is the number of unsent bytes.
func (o *outbox) waiting() int { return len(o.unsent) - o.gone }

// write sends p, behind what is unsent, and keeps what the socket does not take. sent is what the socket took of it all.
func (o *outbox) write(c netpoll.Conn, p []byte) (sent int, err error) {
	if !o.empty() {
		o.unsent = append(o.unsent, p...)
		return o.flush(c)
	}
	sent, err = c.Write(p)
	if err == nil && sent < len(p) {
		o.keep(p[sent:])
	}
	return sent, err
}

// keep adds what the socket did not take.
func (o *outbox) keep(p []byte) { o.unsent = append(o.unsent, p...) }

// flush sends what it can of what is unsent.
func (o *outbox) flush(c netpoll.Conn) (sent int, err error) {
	if o.empty() {
		return 0, nil
	}
	sent, err = c.Write(o.unsent[o.gone:])
	if err != nil {
		return sent, err
	}
	if o.gone += sent; o.gone > len(o.unsent)/2 {
		o.unsent = o.unsent[:copy(o.unsent, o.unsent[o.gone:])]
		o.gone = 0
	}
	if o.empty() && cap(o.unsent) > outboxKeepBytes {
		o.unsent = nil
	}
	return sent, nil
}
