package client

import (
	"github.com/gobwas/ws"

	"skirmish/protocol"
)

// Signal says what a Feed came to. The details lie in the Session's fields, valid until the next Feed.
type Signal uint8

const (
	SignalNone    Signal = iota // the bytes are used up
	SignalOpen                  // the handshake is done, the hello is in Out or has gone
	SignalWelcome               // Session.Welcome
	SignalState                 // Session.State, and Acked tells which inputs it has
	SignalEvent                 // Session.Event
	SignalRoster                // Session.Roster
	SignalPong                  // Session.Clock
	SignalReply                 // Session.Reply
	SignalNotice                // Session.Notice
	SignalResult                // Session.Result: the match is over, Close 4000 follows
	SignalError                 // Session.Error: explains the Close that follows
)

// Config is what a Session needs to know. Exactly one of Token and Resume.Token is set.
type Config struct {
	Host   string // the Host header
	Target string // path and query, default /play
	Origin string // Origin header, none when empty: a native client needs none
	Token  string // join ticket
	Resume Resume // instead of Token: back into an earlier seat
	SDK    string // name and version of what is built on this package, default this package's
	Early  bool   // the hello travels with the handshake: a round trip less
}

// Resume brings a player back into a seat whose connection was lost.
type Resume struct {
	Token        string // of the last welcome
	LastEventSeq uint32 // the newest event seen: the later ones are sent again
	NextInput    uint32 // number of the next input, 0 when unknown
}

// Stats counts what a Session has seen.
type Stats struct {
	BytesIn, BytesOut uint64 // of the stream, the handshake included; BytesOut as written, see Wrote
	States            uint64 // snapshots and deltas
	StateBytes        uint64 // their messages, without frame headers
	Fulls             uint64 // snapshots that stand alone
	Events            uint64
	Inputs            uint64
	Faults            uint64 // states that could not be applied or whose checksum was wrong
	Stale             uint64 // deltas passed over while waiting for a keyframe
}

type phase uint8

const (
	phaseHandshake phase = iota
	phaseHello           // hello sent, welcome awaited
	phasePlaying
	phaseClosed
)

// Session is the client end of one connection without I/O: bytes in by Feed, bytes out by Out and Wrote. Times are
// ns on the caller's own monotonic clock of any epoch. One goroutine owns a Session; its exported fields are for
// reading. Once grown it allocates nothing for inputs, snapshots and pings.
type Session struct {
	Welcome protocol.Welcome
	State   protocol.State // the newest
	Event   protocol.Event
	Roster  []protocol.RosterEntry // by seat, rising
	Reply   protocol.Reply
	Notice  protocol.Notice
	Result  protocol.Result
	Error   protocol.Error
	Clock   Clock
	Pacer   Pacer // when the next input is due
	Stats   Stats
	Heard   int64 // when the last byte came

	config    Config
	phase     phase
	handshake handshake
	frames    frameReader
	out       []byte
	err       error
	failed    bool // Error arrived

	lastEvent uint32
	roster    protocol.Roster

	nextInput  uint32
	acked      uint32 // newest acknowledged input
	ackedFrom  uint32 // first input that the last state acknowledged
	sent       [sentRing]int64
	input      protocol.Input
	viewTick   uint32
	viewPart   uint8
	viewSet    bool
	keyframeAt int64 // when the last keyframe was asked for
	waiting    bool  // for a keyframe
	skims      bool

	grid grid // of the server's ticks

	pingID uint32
	pings  [pingRing]struct {
		id uint32
		t0 int64 // µs
	}
	request protocol.Request
}

// NewSession starts a session: the handshake's request is in Out.
func NewSession(c Config) *Session {
	s := new(Session)
	s.Open(c)
	return s
}

// Open makes s a new session over a new connection and keeps grown memory.
func (s *Session) Open(c Config) {
	*s = Session{
		State:  s.State,
		Roster: s.Roster[:0],
		frames: frameReader{frame: s.frames.frame[:0], message: s.frames.message[:0]},
		out:    s.out[:0],
		config: c,
	}
	s.State.Reset(nil)
	if s.config.Target == "" {
		s.config.Target = "/play"
	}
	if s.config.SDK == "" {
		s.config.SDK = sdkName
	}
	s.nextInput = max(1, c.Resume.NextInput)
	s.lastEvent = c.Resume.LastEventSeq
	var early []byte
	if c.Early {
		early = s.appendHello(nil)
	}
	s.handshake, s.out = newHandshake(s.out, c.Host, s.config.Target, c.Origin, early)
}

// Out is what waits to be written, valid until the next call of any method.
func (s *Session) Out() []byte { return s.out }

// Wrote drops the first n bytes of Out: they are on their way.
func (s *Session) Wrote(n int) {
	s.Stats.BytesOut += uint64(n)
	s.out = s.out[:copy(s.out, s.out[n:])]
}

// Playing tells whether the welcome has come and the session has not ended.
func (s *Session) Playing() bool { return s.phase == phasePlaying }

// Err is how the session ended: nil, *RefusedError or *CloseError.
func (s *Session) Err() error { return s.err }

// Feed takes bytes from the server, received at now, up to the first thing worth telling; call it again with
// rest until rest is empty. An error ends the session: write what is in Out (a Close may be), then close.
func (s *Session) Feed(p []byte, now int64) (what Signal, rest []byte, err error) {
	if s.err != nil {
		return SignalNone, nil, s.err
	}
	before := len(p)
	what, rest, err = s.feed(p, now)
	s.Stats.BytesIn += uint64(before - len(rest))
	s.Heard = now
	if err != nil {
		s.phase, s.err = phaseClosed, err
		return SignalNone, nil, err
	}
	return what, rest, nil
}

func (s *Session) feed(p []byte, now int64) (what Signal, rest []byte, err error) {
	if s.phase == phaseHandshake {
		done, rest, err := s.handshake.feed(p)
		if err != nil || !done {
			return SignalNone, nil, err
		}
		s.handshake = handshake{}
		s.phase = phaseHello
		if !s.config.Early {
			begin := len(s.out)
			s.out = endFrame(s.appendHello(beginFrame(s.out)), begin, ws.OpBinary)
		}
		return SignalOpen, rest, nil
	}
	for {
		op, payload, rest, bad := s.frames.next(p)
		if bad != nil {
			return SignalNone, nil, s.refuse(bad)
		}
		switch op {
		case ws.OpContinuation:
			return SignalNone, nil, nil
		case ws.OpBinary:
			what, err = s.message(payload, now)
			if err != nil || what != SignalNone {
				return what, rest, err
			}
		case ws.OpText:
			return SignalNone, nil, s.refuse(&fault{protocol.CloseUnsupported, "a text frame"})
		case ws.OpPing:
			if len(s.out) < maxBacklogBytes { // a server that floods pings and reads nothing
				begin := len(s.out)
				s.out = endFrame(append(beginFrame(s.out), payload...), begin, ws.OpPong)
			}
		case ws.OpClose:
			code, reason, bad := closeFrame(payload)
			if bad != nil {
				return SignalNone, nil, s.refuse(bad)
			}
			s.out = appendClose(s.out, code, "")
			return SignalNone, nil, s.closed(code, reason)
		}
		p = rest
	}
}

// End tells that the server's bytes have ended; cause is the socket's error, nil for an orderly end of stream.
// It returns how the session ended.
func (s *Session) End(cause error) error {
	if s.err != nil {
		return s.err
	}
	if s.phase == phaseHandshake {
		s.err = s.handshake.end()
	}
	s.phase = phaseClosed
	if s.err == nil {
		e := s.closed(protocol.CloseAbnormal, "the connection broke")
		e.Cause = cause
		s.err = e
	}
	return s.err
}

// closed makes the error of an end that the server decided.
func (s *Session) closed(code protocol.CloseCode, reason string) *CloseError {
	e := &CloseError{Code: code, Reason: reason}
	if s.failed {
		e.RetryAfter = milliseconds(s.Error.RetryAfterMS)
		if e.Reason == "" {
			e.Reason = s.Error.Message
		}
	}
	return e
}

// refuse ends the session for a fault of the server.
func (s *Session) refuse(f *fault) error {
	s.out = appendClose(s.out, f.code, f.reason)
	return &CloseError{Code: f.code, Reason: f.reason, Local: true}
}
