package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/wsconn"
)

// LobbyConfig says what a lobby lets in.
type LobbyConfig struct {
	Path           string         // of the WebSocket; "" takes any
	Subprotocol    string         // that the client must offer; "" asks for none
	Origins        []string       // allowed besides the server's own; "*" allows all
	MaxConnections int            // in all, players included
	ExemptLoopback bool           // no limits per address for loopback
	TrustedProxies []netip.Prefix // networks whose X-Forwarded-For says who a client is; nobody else's is looked at
	Frames         wsconn.ReaderLimits
	FirstMessage   time.Duration // how long an upgraded connection may stay without leaving the lobby; 0: for ever, and without a player's limits on pings and bytes
	MaxUnsent      int           // bytes a connection may leave unread before it is closed with 1008
}

// Receiver takes the messages of connections in the lobby. It runs on the lobby's goroutine.
type Receiver interface {
	// Message handles one data message of s; m.Payload and rest are valid until it returns. rest is what was read behind
	// the message. moved tells that s now belongs to somebody else, who must copy rest. An error ends s as endingOf says.
	Message(l *Lobby, s *Session, m wsconn.Message, rest []byte) (moved bool, err error)
}

// Lobby owns every connection that is in no match: while it shakes hands, until its hello is accepted, and while
// it closes. One goroutine runs it.
type Lobby struct {
	cfg      LobbyConfig
	driver   netpoll.Driver // for the rooms' sets
	set      netpoll.Set
	alarm    *netpoll.Alarm // for the rooms' ticks
	listener netpoll.Listener
	receiver Receiver
	plain    func(net.Conn) // takes ordinary HTTP requests; nil: 404
	metrics  *metrics.Set
	log      zerolog.Logger

	admission admission
	sessions  []*Session
	closing   bool // no accept any more
	readBuf   []byte
	events    []netpoll.Event

	mu       sync.Mutex
	returned []*Session   // by rooms, to be closed
	released []netip.Addr // plain HTTP connections that ended
}

// NewLobby makes a lobby for listener, whose connections belong to it from the first byte on.
func NewLobby(cfg LobbyConfig, d netpoll.Driver, listener netpoll.Listener, r Receiver, plain func(net.Conn), m *metrics.Set, log zerolog.Logger) (*Lobby, error) {
	set, err := d.NewSet()
	if err != nil {
		return nil, fmt.Errorf("open the lobby's poll set: %w", err)
	}
	if err := set.Listen(listener); err != nil {
		set.Close()
		return nil, fmt.Errorf("watch the listening socket: %w", err)
	}
	return &Lobby{
		cfg: cfg, driver: d, set: set, alarm: netpoll.NewAlarm(d), listener: listener, receiver: r, plain: plain, metrics: m, log: log,
		admission: admission{max: cfg.MaxConnections, exemptLoopback: cfg.ExemptLoopback, proxies: cfg.TrustedProxies, addrs: map[netip.Addr]*addrCount{}},
		readBuf:   make([]byte, readBufferBytes),
		events:    make([]netpoll.Event, maxEventsPerPoll),
	}, nil
}

// Run serves until ctx is done, then closes what is left, waiting at most CloseTimeout for Close frames to arrive. The
// rooms must have returned their sessions before, or they are not waited for.
func (l *Lobby) Run(ctx context.Context) error {
	defer l.set.Close()
	defer l.alarm.Close()
	stop := context.AfterFunc(ctx, l.set.Wake)
	defer stop()
	next := time.Now().Add(lobbyScan)
	for {
		n, err := l.set.Wait(l.events, next)
		if err != nil {
			return fmt.Errorf("wait for sockets: %w", err)
		}
		now := time.Now()
		if ctx.Err() != nil && !l.closing {
			l.close(now) // before anybody is let in: who comes back from a match that was handed over is the next process's
		}
		l.serve(l.events[:n], now)
		l.takeReturned(now)
		if !now.Before(next) {
			l.scan(now)
			next = now.Add(lobbyScan)
		}
		if l.closing && len(l.sessions) == 0 {
			return nil
		}
	}
}

// Return hands a session back to be closed: its Close frame is queued, or it is gone already. Safe from any goroutine.
func (l *Lobby) Return(s *Session) {
	l.mu.Lock()
	l.returned = append(l.returned, s)
	l.mu.Unlock()
	l.set.Wake()
}

// release forgets a plain HTTP connection. Safe from any goroutine.
func (l *Lobby) release(addr netip.Addr) {
	l.mu.Lock()
	l.released = append(l.released, addr)
	l.mu.Unlock()
}

// serve handles what is ready. Between a few connections it lets others run: under a flood it never waits, and a match whose
// tick is due would wait for the scheduler's patience of 10 ms to end.
func (l *Lobby) serve(events []netpoll.Event, now time.Time) {
	for i, ev := range events {
		if i%lobbyShare == lobbyShare-1 {
			runtime.Gosched()
		}
		if ev.Conn == nil {
			l.accept(now)
			continue
		}
		s, ok := ev.Conn.Owner().(*Session)
		if !ok {
			continue // closed earlier in this batch
		}
		if ev.Writable {
			l.flush(s, now)
		}
		if ev.Readable && s.phase != phaseGone {
			l.read(s, now)
		}
	}
}

// accept takes in what waits on the listening socket, a batch at the most so that others get their turn.
func (l *Lobby) accept(now time.Time) {
	if l.closing {
		return
	}
	for range acceptBatch {
		c, err := l.listener.Accept()
		if errors.Is(err, netpoll.ErrAgain) || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.log.Warn().Err(err).Msg("cannot accept connections")
			return
		}
		l.welcomeSocket(c, now)
	}
}

// welcomeSocket begins a session, or refuses it before the handshake.
func (l *Lobby) welcomeSocket(c netpoll.Conn, now time.Time) {
	s := &Session{conn: c, remote: c.Remote().Addr().Unmap(), due: now.Add(HandshakeTimeout)}
	c.SetOwner(s)
	if err := l.set.Add(c); err != nil {
		l.log.Warn().Err(err).Msg("cannot watch a new connection")
		c.Close()
		return
	}
	l.keep(s)
	status, reason := l.admission.enter(s.remote, now)
	if l.admission.overrun() {
		l.metrics.Handshakes.Limited.Inc()
		l.turn(s, phaseClosing, now)
		l.gone(s, now)
		return
	}
	if status != 0 {
		if reason == reasonTickets {
			l.metrics.Tickets.Limited.Inc()
		}
		l.refuse(s, retryLater(status, reason), now)
		return
	}
	s.handshake = &wsconn.Handshake{}
}

// keep adds s to the lobby's list.
func (l *Lobby) keep(s *Session) {
	s.index = len(l.sessions)
	l.sessions = append(l.sessions, s)
	gaugeOf(l.metrics, s.phase).Inc()
}

// forget takes s off the list: it moved to a room or is gone.
func (l *Lobby) forget(s *Session, as phase) {
	last := len(l.sessions) - 1
	l.sessions[s.index] = l.sessions[last]
	l.sessions[s.index].index = s.index
	l.sessions[last] = nil
	l.sessions = l.sessions[:last]
	gaugeOf(l.metrics, as).Dec()
}

// turn moves s to its next phase within the lobby.
func (l *Lobby) turn(s *Session, to phase, due time.Time) {
	if s.phase == phaseHandshake {
		l.admission.settled(s.remote)
		s.handshake = nil
	}
	gaugeOf(l.metrics, s.phase).Dec()
	gaugeOf(l.metrics, to).Inc()
	s.phase, s.due = to, due
}

// read takes what has arrived on s.
func (l *Lobby) read(s *Session, now time.Time) {
	n, _, err := s.conn.Read(l.readBuf)
	if errors.Is(err, netpoll.ErrAgain) {
		return
	}
	if err != nil {
		l.ended(s, err, now)
		return
	}
	l.metrics.Bytes.In.Add(float64(n))
	p := l.readBuf[:n]
	switch s.phase {
	case phaseHandshake:
		l.shake(s, p, now)
	case phaseOpen:
		if s.heard += n; l.cfg.FirstMessage > 0 && s.heard > BytesBurst {
			l.end(s, endEarlyFlood, now)
			return
		}
		l.messages(s, p, now)
	case phaseClosing: // read away, so that closing does not reset what we sent
	}
}

// ended parts with a peer that has sent its last byte. It may still be reading: what it was sent is finished first, and one
// that ended without a Close frame is told so by ours.
func (l *Lobby) ended(s *Session, err error, now time.Time) {
	switch s.peerDone = true; {
	case err != io.EOF || s.phase == phaseHandshake:
		l.gone(s, now)
	case s.phase == phaseOpen:
		l.end(s, endNoClose, now)
	case s.out.empty():
		l.gone(s, now)
	}
}

// shake feeds the HTTP head; at its end the connection is upgraded, handed to net/http or refused.
func (l *Lobby) shake(s *Session, p []byte, now time.Time) {
	done, err := s.handshake.Feed(p)
	if refusal, ok := errors.AsType[*wsconn.Refusal](err); ok {
		l.refuse(s, refusal, now)
		return
	}
	if !done {
		return
	}
	if refusal := l.identify(s, now); refusal != nil {
		l.refuse(s, refusal, now)
		return
	}
	req := s.handshake.Request()
	if !req.Upgrade {
		l.plainHTTP(s, now)
		return
	}
	if refusal := l.cfg.judge(req); refusal != nil {
		l.refuse(s, refusal, now)
		return
	}
	hello, refusal := l.cfg.earlyHello(req)
	if refusal != nil {
		l.refuse(s, refusal, now)
		return
	}
	l.metrics.Handshakes.Upgraded.Inc()
	rest := append([]byte(nil), s.handshake.Rest()...)
	answer := wsconn.AppendUpgrade(nil, req, l.cfg.Subprotocol)
	due := time.Time{}
	if l.cfg.FirstMessage > 0 {
		due = now.Add(l.cfg.FirstMessage)
	}
	l.turn(s, phaseOpen, due)
	s.reader.Init(l.cfg.Frames)
	if !l.send(s, answer, now) {
		return
	}
	if hello != nil && l.receive(s, wsconn.Message{Op: wsconn.OpBinary, Payload: hello}, rest, now) {
		return
	}
	if len(rest) > 0 {
		l.messages(s, rest, now)
	}
}

// retryLater is a refusal that passes.
func retryLater(status int, reason string) *wsconn.Refusal {
	seconds := strconv.Itoa(int(RefusalRetryAfter / time.Second))
	return &wsconn.Refusal{Status: status, Reason: reason, Header: []wsconn.Field{{Name: "Retry-After", Value: seconds}}}
}

// judge decides on a well-formed upgrade: path, origin, sub-protocol.
func (c *LobbyConfig) judge(req *wsconn.Request) *wsconn.Refusal {
	if c.Path != "" && req.Path != c.Path {
		return &wsconn.Refusal{Status: http.StatusNotFound, Reason: "no WebSocket here: connect to " + c.Path}
	}
	if !c.allows(req.Origin, req.Host) {
		return &wsconn.Refusal{Status: http.StatusForbidden, Reason: "this origin is not allowed"}
	}
	if c.Subprotocol == "" {
		return nil
	}
	if req.Offers(c.Subprotocol) {
		return nil
	}
	return &wsconn.Refusal{Status: http.StatusBadRequest, Reason: "offer the sub-protocol " + c.Subprotocol + " in Sec-WebSocket-Protocol"}
}

// allows tells whether a page of this origin may connect. No origin is a native client; the server's own page has the
// host that it asked for.
func (c *LobbyConfig) allows(origin, host string) bool {
	if origin == "" {
		return true
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, host) {
		return true
	}
	for _, allowed := range c.Origins {
		if allowed == "*" || strings.EqualFold(allowed, origin) {
			return true
		}
	}
	return false
}

// messages parses what was read from an upgraded connection and gives it to the receiver.
func (l *Lobby) messages(s *Session, p []byte, now time.Time) {
	for s.phase == phaseOpen {
		m, rest, err := s.reader.Next(p)
		if err != nil {
			l.end(s, endingOf(err), now)
			return
		}
		p = rest
		switch m.Op {
		case wsconn.OpNone:
			if s.stalled(now) {
				l.end(s, endStalledFrame, now)
			}
			return
		case wsconn.OpPing:
			if l.cfg.FirstMessage > 0 && !s.pings.take(now, 1, ControlPerSecond, ControlBurst) {
				l.end(s, endControlFlood, now)
				return
			}
			l.send(s, wsconn.AppendFrame(nil, wsconn.OpPong, m.Payload), now)
		case wsconn.OpPong:
		case wsconn.OpClose:
			l.end(s, closeAnswer(m), now)
		default:
			s.midway = time.Time{}
			if l.receive(s, m, rest, now) {
				return
			}
		}
	}
}

// receive gives a message to the receiver; true: s is somebody else's now.
func (l *Lobby) receive(s *Session, m wsconn.Message, rest []byte, now time.Time) (moved bool) {
	moved, err := l.receiver.Message(l, s, m, rest)
	if err != nil {
		l.end(s, endingOf(err), now)
	}
	return moved
}

// send writes p to s; false when s did not survive it.
func (l *Lobby) send(s *Session, p []byte, now time.Time) bool {
	sent, err := s.out.write(s.conn, p)
	l.metrics.Bytes.Out.Add(float64(sent))
	if err != nil {
		l.gone(s, now)
		return false
	}
	if l.cfg.MaxUnsent > 0 && s.out.waiting() > l.cfg.MaxUnsent {
		l.end(s, Ending{Code: 1008, Reason: "too much left unread"}, now)
		return false
	}
	l.watch(s)
	return true
}

// watch asks for write readiness exactly while something is unsent.
func (l *Lobby) watch(s *Session) {
	if want := !s.out.empty(); want != s.watching && s.phase != phaseGone {
		s.watching = want
		if err := l.set.WatchWrite(s.conn, want); err != nil {
			l.log.Warn().Err(err).Msg("cannot watch a connection for writing")
		}
	}
}

// flush goes on with what was unsent; a closing connection gets its FIN behind the last byte.
func (l *Lobby) flush(s *Session, now time.Time) {
	sent, err := s.out.flush(s.conn)
	l.metrics.Bytes.Out.Add(float64(sent))
	if err != nil {
		l.gone(s, now)
		return
	}
	l.watch(s)
	l.finish(s, now)
}

// refuse answers the handshake with an HTTP error and closes.
func (l *Lobby) refuse(s *Session, r *wsconn.Refusal, now time.Time) {
	switch r.Status {
	case http.StatusRequestTimeout:
		l.metrics.Handshakes.Timeout.Inc()
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		l.metrics.Handshakes.Limited.Inc()
	default:
		l.metrics.Handshakes.Refused.Inc()
	}
	l.turn(s, phaseClosing, now.Add(CloseTimeout))
	if _, err := s.out.write(s.conn, wsconn.AppendRefusal(nil, r)); err != nil {
		l.gone(s, now)
		return
	}
	l.watch(s)
	l.finish(s, now)
}

// end closes an upgraded connection with a code and a reason.
func (l *Lobby) end(s *Session, e Ending, now time.Time) {
	was := s.phase
	s.end(e)
	if s.phase == phaseGone {
		l.settle(s, was, now)
		return
	}
	s.phase = was
	l.turn(s, phaseClosing, now.Add(CloseTimeout))
	l.metrics.Closes.Inc(uint16(e.Code))
	l.watch(s)
	l.finish(s, now)
}

// finish sends the FIN of a closing connection once everything before it has left.
func (l *Lobby) finish(s *Session, now time.Time) {
	if s.phase != phaseClosing || s.finSent || !s.out.empty() {
		return
	}
	s.finSent = true
	if err := s.conn.CloseWrite(); err != nil {
		l.gone(s, now)
		return
	}
	if s.peerDone { // it cannot send what would be answered by a reset
		l.gone(s, now)
		return
	}
	l.drain(s, now)
}

// drain gives the peer DrainTimeout to close its own side, from when all that was sent has arrived. While a slow link still
// carries some of it, whatever the peer sends would be answered by a reset that takes the Close frame with it, if the
// socket were closed.
func (l *Lobby) drain(s *Session, now time.Time) {
	if s.drained || s.conn.Unsent() > 0 {
		return
	}
	s.drained = true
	if due := now.Add(DrainTimeout); due.Before(s.due) {
		s.due = due
	}
}

// gone closes the socket and forgets the session.
func (l *Lobby) gone(s *Session, now time.Time) {
	was := s.phase
	s.drop()
	l.settle(s, was, now)
}

// settle forgets a session whose socket is closed; was is the phase it was counted in.
func (l *Lobby) settle(s *Session, was phase, now time.Time) {
	if was == phaseHandshake {
		l.metrics.Handshakes.Dropped.Inc()
		l.admission.settled(s.remote)
	}
	l.forget(s, was)
	l.admission.leave(s.remote, now)
}

// move takes s out of the lobby: from now on it belongs to the caller, who hands it back by Return.
func (l *Lobby) move(s *Session) error {
	if s.watching {
		s.watching = false
		if err := l.set.WatchWrite(s.conn, false); err != nil {
			return err
		}
	}
	if err := l.set.Remove(s.conn); err != nil {
		return err
	}
	l.forget(s, s.phase)
	s.phase = phasePlaying
	return nil
}

// takeReturned continues with sessions that rooms have ended.
func (l *Lobby) takeReturned(now time.Time) {
	l.mu.Lock()
	back, released := l.returned, l.released
	l.returned, l.released = nil, nil
	l.mu.Unlock()
	for _, addr := range released {
		l.admission.leave(addr, now)
	}
	for _, s := range back {
		if s.phase == phaseGone {
			l.admission.leave(s.remote, now)
			continue
		}
		s.due = now.Add(CloseTimeout)
		l.keep(s)
		s.conn.SetOwner(s)
		if err := l.set.Add(s.conn); err != nil {
			l.gone(s, now)
			continue
		}
		l.watch(s)
		l.finish(s, now)
	}
}

// scan ends what has had its time.
func (l *Lobby) scan(now time.Time) {
	l.admission.sweep(now)
	for i := len(l.sessions) - 1; i >= 0; i-- {
		if i >= len(l.sessions) {
			continue
		}
		s := l.sessions[i]
		late := !s.due.IsZero() && now.After(s.due)
		switch {
		case s.phase == phaseHandshake && late:
			l.refuse(s, &wsconn.Refusal{Status: http.StatusRequestTimeout, Reason: "the request did not end within 5 s"}, now)
		case s.phase == phaseOpen && late:
			l.end(s, endNoHello, now)
		case s.phase == phaseOpen && s.stalled(now):
			l.end(s, endStalledFrame, now)
		case s.phase == phaseClosing && late:
			l.gone(s, now)
		case s.finSent:
			l.drain(s, now)
		}
	}
}

// close stops accepting and ends everything in the lobby.
func (l *Lobby) close(now time.Time) {
	l.closing = true
	l.listener.Close()
	for i := len(l.sessions) - 1; i >= 0; i-- {
		switch s := l.sessions[i]; s.phase {
		case phaseHandshake:
			l.refuse(s, retryLater(http.StatusServiceUnavailable, endShutdown.Reason), now)
		case phaseOpen:
			l.end(s, endShutdown, now)
		}
	}
}
