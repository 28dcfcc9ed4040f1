package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"skirmish/protocol"
)

// Client plays one seat over one connection after the other. Its methods are safe from any goroutine unless they
// say otherwise.
type Client struct {
	options Options
	target  target
	born    time.Time      // times of the sessions count from here
	wg      sync.WaitGroup // the reading goroutine
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}

	mu       sync.Mutex // guards what follows; never held over I/O or a callback
	session  *Session
	wire     *wire // nil while there is no connection
	closing  bool  // the owner wants the end
	err      error // how it ended
	result   protocol.Result
	over     bool // result arrived
	calls    map[uint32]chan reply
	lastCall uint32
}

// wire is the writing side of one connection.
type wire struct {
	conn    net.Conn
	busy    bool // a goroutine is writing scratch
	scratch [4096]byte
}

type reply struct {
	status  uint16
	payload []byte
}

// Dial connects to a server's URL (ws://host:port/play), says hello and returns once the welcome has come. Ctx
// bounds the joining only; without a deadline it takes 10 s at most. The error is a *RefusedError when the server
// declined the handshake, a *CloseError when it declined the hello.
func Dial(ctx context.Context, url string, o Options) (*Client, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if o.PingEvery == 0 {
		o.PingEvery = defaultPingEvery
	}
	c := &Client{
		options: o,
		target:  t,
		born:    time.Now(),
		done:    make(chan struct{}),
		calls:   make(map[uint32]chan reply),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	l, err := c.join(ctx, o.Token, o.Resume)
	if err != nil {
		c.cancel()
		return nil, err
	}
	c.wg.Go(func() { c.run(l) })
	return c, nil
}

// line is one connection as its reading goroutine sees it.
type line struct {
	conn    net.Conn
	session *Session
	buf     []byte
	rest    []byte // read behind the welcome
}

// now is the sessions' clock.
func (c *Client) now() int64 { return int64(time.Since(c.born)) + 1 }

// join makes a connection up to its welcome.
func (c *Client) join(ctx context.Context, token string, resume Resume) (*line, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultHelloWait)
		defer cancel()
	}
	conn, err := c.options.connect(ctx, c.target)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	s := NewSession(Config{
		Host: c.target.host, Target: c.target.path, Origin: c.options.Origin,
		Token: token, Resume: resume, SDK: c.options.SDK, Early: true,
	})
	l := &line{conn: conn, session: s, buf: make([]byte, readBufferBytes)}
	err = l.greet(c.now)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("client: joining %s: %w", c.target.addr, cause)
		}
		conn.Close()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		conn.Close()
		return nil, ErrClosed
	}
	c.wire, c.session = &wire{conn: conn}, s
	return l, nil
}

// greet writes and reads until the welcome.
func (l *line) greet(now func() int64) error {
	for {
		if out := l.session.Out(); len(out) > 0 {
			n, err := l.conn.Write(out)
			l.session.Wrote(n)
			if err != nil {
				return l.session.End(err)
			}
		}
		n, readErr := l.conn.Read(l.buf)
		p := l.buf[:n]
		for len(p) > 0 {
			what, rest, err := l.session.Feed(p, now())
			if err != nil {
				l.conn.Write(l.session.Out()) // the answer to a Close; the connection ends anyway
				return err
			}
			if what == SignalWelcome {
				l.rest = rest
				return nil
			}
			p = rest
		}
		if readErr != nil {
			return l.session.End(readErr)
		}
	}
}

// run reads one connection after the other until the end.
func (c *Client) run(l *line) {
	defer close(c.done)
	defer c.cancel()
	for {
		err := c.play(l)
		c.mu.Lock()
		c.wire = nil
		again := c.options.AutoResume && !c.closing && !c.over
		c.mu.Unlock()
		l.conn.Close()
		if ce, ok := errors.AsType[*CloseError](err); again && ok && Retryable(ce.Code) {
			if c.options.OnLost != nil {
				c.options.OnLost(err)
			}
			if next, resumeErr := c.resume(l.session, ce); next != nil {
				l = next
				continue
			} else if resumeErr != nil {
				err = resumeErr
			}
		}
		c.end(err)
		return
	}
}

// end publishes how it ended and wakes who waits for a reply.
func (c *Client) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	for id, ch := range c.calls {
		close(ch)
		delete(c.calls, id)
	}
}

// play reads one connection to its end.
func (c *Client) play(l *line) error {
	if c.options.OnWelcome != nil {
		c.options.OnWelcome(&l.session.Welcome)
	}
	if c.options.PingEvery > 0 {
		stop := make(chan struct{})
		var pinger sync.WaitGroup
		pinger.Go(func() { c.ping(stop) })
		defer pinger.Wait()
		defer close(stop)
	}
	p := l.rest
	for {
		for len(p) > 0 {
			c.mu.Lock()
			what, rest, err := l.session.Feed(p, c.now())
			c.mu.Unlock()
			if err != nil {
				c.flush() // the answer to a Close
				return err
			}
			c.tell(what, l.session)
			p = rest
		}
		c.flush()
		l.conn.SetReadDeadline(time.Now().Add(silenceLimit))
		n, err := l.conn.Read(l.buf)
		if n == 0 && err != nil {
			c.mu.Lock()
			err = l.session.End(err)
			c.mu.Unlock()
			return err
		}
		p = l.buf[:n]
	}
}

// tell calls back. Only this goroutine changes what a session decodes, so callbacks may read it unlocked.
func (c *Client) tell(what Signal, s *Session) {
	o := &c.options
	switch what {
	case SignalState:
		if o.OnState != nil {
			o.OnState(&s.State)
		}
	case SignalEvent:
		if o.OnEvent != nil {
			o.OnEvent(&s.Event)
		}
	case SignalRoster:
		if o.OnRoster != nil {
			o.OnRoster(s.Roster)
		}
	case SignalNotice:
		if o.OnNotice != nil {
			o.OnNotice(&s.Notice)
		}
	case SignalReply:
		c.mu.Lock()
		ch := c.calls[s.Reply.ID]
		delete(c.calls, s.Reply.ID)
		c.mu.Unlock()
		if ch != nil {
			ch <- reply{s.Reply.Status, append([]byte(nil), s.Reply.Payload...)}
		}
	case SignalResult:
		c.mu.Lock()
		c.over = true
		c.result = protocol.Result{Reason: s.Result.Reason, Payload: append([]byte(nil), s.Result.Payload...)}
		c.mu.Unlock()
	}
}

// ping keeps the clock estimate fresh: one at once, then one each period.
func (c *Client) ping(stop <-chan struct{}) {
	t := time.NewTicker(c.options.PingEvery)
	defer t.Stop()
	for {
		c.with(func(s *Session) { s.Ping(c.now()) })
		select {
		case <-t.C:
		case <-stop:
			return
		}
	}
}

// ready tells why nothing can be sent now. The caller holds mu.
func (c *Client) ready() error {
	switch {
	case c.err != nil:
		return c.err
	case c.wire == nil || c.closing:
		return ErrClosed
	case len(c.session.Out()) > maxBacklogBytes:
		return ErrBacklog
	}
	return nil
}

// with runs f on the playing session and writes what it put out.
func (c *Client) with(f func(*Session)) error {
	c.mu.Lock()
	err := c.ready()
	if err == nil {
		f(c.session)
	}
	c.mu.Unlock()
	if err == nil {
		c.flush()
	}
	return err
}

// flush writes what is in Out. One goroutine writes at a time; the others leave their bytes to it.
func (c *Client) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, s := c.wire, c.session
	if w == nil || w.busy {
		return
	}
	for c.wire == w && len(s.Out()) > 0 {
		n := copy(w.scratch[:], s.Out())
		w.busy = true
		c.mu.Unlock()
		w.conn.SetWriteDeadline(time.Now().Add(writeLimit))
		wrote, err := w.conn.Write(w.scratch[:n])
		c.mu.Lock()
		w.busy = false
		s.Wrote(wrote)
		if err != nil {
			w.conn.Close() // the reading goroutine ends the connection
			return
		}
	}
}
