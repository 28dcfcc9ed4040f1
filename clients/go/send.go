package client

import (
	"time"

	"github.com/gobwas/ws"

	"skirmish/protocol"
)

// appendHello appends the first message.
func (s *Session) appendHello(dst []byte) []byte {
	m := protocol.Hello{
		Version: protocol.Version,
		Token:   s.config.Token,
		SDK:     s.config.SDK,
	}
	if s.config.Resume.Token != "" {
		m.Token, m.Resume, m.LastEventSeq = "", s.config.Resume.Token, s.config.Resume.LastEventSeq
	}
	return protocol.AppendHello(dst, &m)
}

// SetView tells the coming inputs what the player has on screen: the picture lies fraction/256 of a snapshot
// interval beyond the state of tick. Without it, an input names the newest state.
func (s *Session) SetView(tick uint32, fraction uint8) {
	s.viewTick, s.viewPart, s.viewSet = tick, fraction, true
}

// Input puts the next input into Out and returns its number. Values are wire values, as many as the plan's
// input has fields and each in its range; anything else is the caller's fault and the server's 4400. At is when
// the input was meant to be sent: SentAt tells it again.
func (s *Session) Input(values []int32, at int64) uint32 {
	seq := s.nextInput
	s.nextInput++
	s.sent[seq%sentRing] = at
	m := &s.input
	m.BaseTick, m.Fraction = s.State.Head.Tick, 0
	if s.viewSet {
		m.BaseTick, m.Fraction = s.viewTick, s.viewPart
	}
	m.FirstSeq, m.Count = seq, 1
	m.Values = append(m.Values[:0], values...)
	begin := len(s.out)
	s.out = endFrame(protocol.AppendInput(beginFrame(s.out), m, len(values)), begin, ws.OpBinary)
	s.Stats.Inputs++
	s.Pacer.sent(seq, at)
	return seq
}

// acknowledge takes in the number of the newest input that was applied. Numbers never sent are the server's
// memory of an earlier connection: the coming ones go on behind them.
func (s *Session) acknowledge(ack uint32) {
	s.ackedFrom = s.acked + 1
	if ack <= s.acked || ack == ^uint32(0) {
		return // nothing new: from lies beyond acked
	}
	if ack >= s.nextInput {
		s.acked, s.ackedFrom, s.nextInput = ack, ack+1, ack+1
		return
	}
	if s.nextInput > sentRing {
		s.ackedFrom = max(s.ackedFrom, s.nextInput-sentRing)
	}
	s.acked = ack
}

// Acked is the run of inputs, first to last, that the newest state has and the one before had not; first > last
// when there are none.
func (s *Session) Acked() (first, last uint32) { return s.ackedFrom, s.acked }

// SentAt is when an input was meant to be sent; false when it is not among the newest 512 or not this session's.
func (s *Session) SentAt(seq uint32) (int64, bool) {
	if seq >= s.nextInput || s.nextInput-seq > sentRing || seq == 0 {
		return 0, false
	}
	at := s.sent[seq%sentRing]
	return at, at != 0
}

// Ping puts a ping into Out; its pong improves Clock.
func (s *Session) Ping(now int64) {
	s.pingID++
	if s.pingID == 0 {
		s.pingID++
	}
	p := &s.pings[s.pingID%pingRing]
	p.id, p.t0 = s.pingID, now/1000
	m := protocol.Ping{ID: s.pingID, T0: uint64(p.t0)}
	begin := len(s.out)
	s.out = endFrame(protocol.AppendPing(beginFrame(s.out), &m), begin, ws.OpBinary)
}

// Request puts a game's own call into Out; a SignalReply with this id answers it. The payload has at most
// protocol.MaxRequestBytes.
func (s *Session) Request(id uint32, op uint16, payload []byte) {
	s.request = protocol.Request{ID: id, Op: op, Payload: payload}
	begin := len(s.out)
	s.out = endFrame(protocol.AppendRequest(beginFrame(s.out), &s.request), begin, ws.OpBinary)
	s.request.Payload = nil
}

// Bye gives the seat up: the server answers with Close 4001. Code is the game's own, 0 for none.
func (s *Session) Bye(code uint16) {
	m := protocol.Bye{Code: code}
	begin := len(s.out)
	s.out = endFrame(protocol.AppendBye(beginFrame(s.out), &m), begin, ws.OpBinary)
}

// Close puts a Close frame into Out. Without a bye before it the seat stays held for Welcome.ReconnectMS.
func (s *Session) Close(code protocol.CloseCode, reason string) {
	if s.phase == phaseHandshake || s.phase == phaseClosed {
		return
	}
	s.out = appendClose(s.out, code, reason)
}

// ServerTime is when a tick was due, in µs since the Unix epoch on the server's clock: exact at a snapshot, and
// counted from there. Ticks that the server had to drop are noticed within two pings.
func (s *Session) ServerTime(tick uint32) int64 {
	if s.grid.rate == 0 {
		return 0 // no welcome yet
	}
	return s.grid.at(tick)
}

// ServerTick is where the server is at now on its line of ticks, false while no pong has set the clock.
func (s *Session) ServerTick(now int64) (tick float64, ok bool) {
	if s.Clock.Samples == 0 || s.grid.rate == 0 {
		return 0, false
	}
	return float64(s.grid.tick) + float64(s.Clock.Server(now)-s.grid.time)*float64(s.grid.rate)/1e6, true
}

// Age is how old the newest state is at now, false while no pong has set the clock.
func (s *Session) Age(now int64) (time.Duration, bool) {
	if s.Clock.Samples == 0 || s.Stats.States == 0 {
		return 0, false
	}
	µs := s.Clock.Server(now) - s.ServerTime(s.State.Head.Tick)
	return time.Duration(µs) * time.Microsecond, true
}

// Resumption is what the next connection needs to come back into this seat.
func (s *Session) Resumption() Resume {
	r := Resume{Token: s.Welcome.ResumeToken, LastEventSeq: s.lastEvent, NextInput: s.nextInput}
	// Inputs on their way are lost with the socket; the numbers may not run further ahead of what the server
	// has than its limit allows.
	if ahead := s.Welcome.Limits.SeqAhead; ahead > 0 && ahead < maxSeqSkip && s.nextInput-s.acked > ahead {
		r.NextInput = s.acked + ahead
	}
	return r
}

func milliseconds(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }
