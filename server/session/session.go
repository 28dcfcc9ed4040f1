// Package session connects sockets to matches: the lobby, where a connection lives until its hello is accepted and
// again while it closes, and the rooms, one per match, where it plays.
package session

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"skirmish/protocol"
	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/wsconn"
)

// phase is where a connection is in its life: handshake → open → playing → closing → gone.
type phase uint8

const (
	phaseHandshake phase = iota // the HTTP head is being read
	phaseOpen                   // upgraded; its hello is awaited
	phasePlaying                // in a room
	phaseClosing                // a Close frame or an HTTP refusal is on its way out
	phaseGone                   // the socket is closed
)

// gaugeOf is the gauge that counts the connections in a phase.
func gaugeOf(m *metrics.Set, p phase) prometheus.Gauge {
	switch p {
	case phaseHandshake:
		return m.Connections.Handshake
	case phaseOpen:
		return m.Connections.Hello
	case phasePlaying:
		return m.Connections.Playing
	default:
		return m.Connections.Closing
	}
}

// Session is one connection from its accept to its last byte. It belongs to one goroutine at a time: the lobby's
// until its hello is accepted, then its room's, then the lobby's again while it closes.
type Session struct {
	conn      netpoll.Conn
	remote    netip.Addr
	phase     phase
	handshake *wsconn.Handshake // only in phaseHandshake
	reader    wsconn.Reader
	out       outbox
	early     []byte    // bytes behind the hello, read before the room took over
	due       time.Time // when the present phase ends by itself
	pings     bucket    // before the hello
	heard     int       // bytes before the hello
	midway    time.Time // since when a frame is unfinished; zero: none is
	opened    time.Time // when the hello came
	ending    Ending    // why it ended, for the log and the metrics
	index     int       // place in its owner's list of sessions
	finSent   bool
	drained   bool // and everything up to the FIN has arrived
	peerDone  bool // the peer has sent its last byte
	watching  bool // write readiness is watched

	player *connected // only in phasePlaying: the room's side of it
}

// Remote is the peer's address. Safe from any goroutine.
func (s *Session) Remote() netip.Addr { return s.remote }

// end queues the Close frame, with its explanation before it, and tries to send it. What the socket does not take
// leaves in the lobby.
func (s *Session) end(e Ending) {
	if s.phase >= phaseClosing {
		return
	}
	s.phase, s.ending = phaseClosing, e
	var buf [512]byte
	out := buf[:0]
	if e.explained() {
		begin := len(out)
		out = wsconn.BeginFrame(out)
		out = protocol.AppendError(out, &protocol.Error{
			Code: uint16(e.Code), Message: e.Reason, Fatal: true, RetryAfterMS: uint32(e.RetryAfter.Milliseconds()),
		})
		out = wsconn.EndFrame(out, begin, wsconn.OpBinary)
	}
	out = wsconn.AppendClose(out, uint16(e.Code), e.Reason)
	if _, err := s.out.write(s.conn, out); err != nil {
		s.drop()
	}
}

// drop closes the socket at once: the peer is gone, or has had its time.
func (s *Session) drop() {
	if s.phase == phaseGone {
		return
	}
	s.phase = phaseGone
	s.conn.SetOwner(nil)
	s.conn.Close()
}

// stalled tells whether a frame was begun longer ago than FrameTimeout. It is asked after every read and at every
// look at the deadlines.
func (s *Session) stalled(now time.Time) bool {
	if !s.reader.Midway() {
		s.midway = time.Time{}
		return false
	}
	if s.midway.IsZero() {
		s.midway = now
	}
	return now.Sub(s.midway) > FrameTimeout
}
