package network

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"skirmish/server/netpoll"
)

// Stream is an end as an ordinary blocking net.Conn.
type Stream struct {
	end     *end
	reading half
	writing half
}

// half is one direction's callers.
type half struct {
	busy   sync.Mutex // one call at a time
	timer  *time.Timer
	signal chan struct{}

	mu       sync.Mutex
	deadline time.Time
}

// newStream is called with the network's lock held.
func newStream(e *end) *Stream {
	s := &Stream{end: e}
	s.reading.signal, s.writing.signal = make(chan struct{}, 1), make(chan struct{}, 1)
	e.wakes = append(e.wakes, s.reading.signal, s.writing.signal)
	return s
}

// wait sleeps until something is at hand (0: until a signal), for the deadline at most.
func (h *half) wait(until, now int64) error {
	h.mu.Lock()
	deadline := h.deadline
	h.mu.Unlock()
	if !deadline.IsZero() {
		if deadline.UnixNano() <= now {
			return os.ErrDeadlineExceeded
		}
		until = earliest(until, deadline.UnixNano())
	}
	if until == 0 {
		<-h.signal
		return nil
	}
	h.timer = sleep(h.timer, time.Duration(until-now), h.signal)
	return nil
}

func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	h.deadline = t
	h.mu.Unlock()
	ring(h.signal)
}

func (s *Stream) Read(p []byte) (int, error) {
	s.reading.busy.Lock()
	defer s.reading.busy.Unlock()
	for {
		s.end.net.mu.Lock()
		now := time.Now().UnixNano()
		n, _, err := s.end.read(p, now)
		until := s.end.readAt()
		s.end.net.mu.Unlock()
		if err != netpoll.ErrAgain {
			return n, err
		}
		if err := s.reading.wait(until, now); err != nil {
			return 0, err
		}
	}
}

func (s *Stream) Write(p []byte) (n int, err error) {
	s.writing.busy.Lock()
	defer s.writing.busy.Unlock()
	for {
		s.end.net.mu.Lock()
		now := time.Now().UnixNano()
		k, err := s.end.write(p[n:], now)
		until := earliest(s.end.out.roomAt(now), s.end.reset, s.end.dead)
		s.end.net.mu.Unlock()
		if n += k; n == len(p) || err != nil {
			return n, err
		}
		if k > 0 {
			continue
		}
		if err := s.writing.wait(until, now); err != nil {
			return n, err
		}
	}
}

func (s *Stream) CloseWrite() error {
	s.end.net.mu.Lock()
	defer s.end.net.mu.Unlock()
	return s.end.closeWrite(time.Now().UnixNano())
}

func (s *Stream) Close() error {
	s.end.net.mu.Lock()
	defer s.end.net.mu.Unlock()
	if s.end.closed {
		return net.ErrClosed
	}
	s.end.close(time.Now().UnixNano())
	return nil
}

// SetLinger with 0 lets Close send a reset, as a TCP connection's does; other values are not known here.
func (s *Stream) SetLinger(sec int) error {
	if sec != 0 {
		return syscall.EINVAL
	}
	s.end.net.mu.Lock()
	defer s.end.net.mu.Unlock()
	s.end.linger = true
	return nil
}

// SetReadBuffer is there for the sake of TCP connections; a link's buffer is its own.
func (s *Stream) SetReadBuffer(int) error { return nil }

func (s *Stream) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.end.local) }
func (s *Stream) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.end.remote) }

func (s *Stream) SetReadDeadline(t time.Time) error  { s.reading.setDeadline(t); return nil }
func (s *Stream) SetWriteDeadline(t time.Time) error { s.writing.setDeadline(t); return nil }
func (s *Stream) SetDeadline(t time.Time) error {
	s.reading.setDeadline(t)
	s.writing.setDeadline(t)
	return nil
}
