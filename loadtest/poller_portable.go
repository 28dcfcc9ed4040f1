package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// portable is the poller of other systems and of TLS: a goroutine per connection reads, the loop takes what has
// come once per slot. It is slower than epoll by far and a full socket blocks the loop.
type portable struct {
	tls *tls.Config // nil: none
	wg  sync.WaitGroup

	mu    sync.Mutex // guards news
	news  []news
	taken []news // of the last poll, re-used
}

// news is one thing that happened to a connection.
type news struct {
	c    *conn
	w    *wire
	data []byte // nil: opened, or broken when over
	at   int64
	err  error
	over bool
}

// wire is a connection's net.Conn, set before opened is told.
type wire struct {
	conn   net.Conn
	cancel context.CancelFunc
}

func newPortable(secure *tls.Config) *portable { return &portable{tls: secure} }

func (p *portable) dial(c *conn, to netip.AddrPort, from netip.Addr) error {
	ctx, cancel := context.WithCancel(context.Background())
	w := &wire{cancel: cancel}
	c.wire = w
	var d net.Dialer
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	whole := ctx
	p.wg.Go(func() {
		ctx, stop := context.WithTimeout(ctx, joinLimit)
		defer stop()
		conn, err := d.DialContext(ctx, "tcp", to.String())
		if err == nil && p.tls != nil {
			t := tls.Client(conn, p.tls)
			if err = t.HandshakeContext(ctx); err != nil {
				conn.Close()
			}
			conn = t
		}
		if err != nil {
			cancel()
			p.tell(news{c: c, w: w, err: err, over: true})
			return
		}
		defer conn.Close()
		defer context.AfterFunc(whole, func() { conn.Close() })() // from here on, cancel closes it
		p.read(c, w, conn)
	})
	return nil
}

// read tells of everything until the end.
func (p *portable) read(c *conn, w *wire, conn net.Conn) {
	p.mu.Lock()
	w.conn = conn
	p.news = append(p.news, news{c: c, w: w})
	p.mu.Unlock()
	buf := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buf)
		if n > 0 {
			p.tell(news{c: c, w: w, data: append([]byte(nil), buf[:n]...), at: time.Now().UnixNano()})
		}
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			p.tell(news{c: c, w: w, err: err, over: true})
			return
		}
	}
}

func (p *portable) tell(n news) {
	p.mu.Lock()
	p.news = append(p.news, n)
	p.mu.Unlock()
}

func (p *portable) poll(s sink) {
	p.mu.Lock()
	p.news, p.taken = p.taken[:0], p.news
	p.mu.Unlock()
	for i := range p.taken {
		n := &p.taken[i]
		if n.c.wire != n.w {
			continue // closed
		}
		switch {
		case n.over:
			s.broken(n.c, n.err)
		case n.data == nil:
			n.c.up = true
			s.opened(n.c)
		default:
			s.received(n.c, n.data, n.at)
		}
	}
	clear(p.taken)
}

func (p *portable) write(c *conn, b []byte) (int, error) {
	if c.wire == nil || !c.up {
		return 0, nil
	}
	c.wire.conn.SetWriteDeadline(time.Now().Add(time.Second))
	return c.wire.conn.Write(b)
}

func (p *portable) close(c *conn) {
	if c.wire != nil {
		c.wire.cancel()
		c.wire, c.up = nil, false
	}
}

// pause does nothing: a goroutine reads on.
func (p *portable) push() {}

func (p *portable) kind() string { return pollPortable }

func (p *portable) pause(*conn, bool) {}

func (p *portable) wait(until int64) { time.Sleep(time.Duration(until - time.Now().UnixNano())) }

func (p *portable) shut() { p.wg.Wait() }
