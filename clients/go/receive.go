package client

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"skirmish/protocol"
)

// message takes one binary message in.
func (s *Session) message(msg []byte, now int64) (Signal, error) {
	t, err := protocol.ServerType(msg)
	if err != nil {
		return SignalNone, s.malformed(err)
	}
	if s.phase == phaseHello && t != protocol.TypeWelcome && t != protocol.TypeError {
		return SignalNone, s.refuse(&fault{protocol.CloseBadMessage, "a message before the welcome"})
	}
	what := SignalNone
	switch t {
	case protocol.TypeSnapshot, protocol.TypeDelta:
		return s.state(msg, t, now)
	case protocol.TypeEvent:
		if err = protocol.DecodeEvent(msg, s.State.Plan, &s.Event); err == nil {
			if s.Event.Seq <= s.lastEvent {
				return SignalNone, nil // sent again after a resume, seen before
			}
			s.lastEvent = s.Event.Seq
			s.Stats.Events++
			what = SignalEvent
		}
	case protocol.TypePong:
		var m protocol.Pong
		if err = protocol.DecodePong(msg, &m); err == nil && s.pong(&m, now) {
			what = SignalPong
		}
	case protocol.TypeRoster:
		if err = protocol.DecodeRoster(msg, &s.roster); err == nil {
			what = s.seats()
		}
	case protocol.TypeWelcome:
		if s.phase != phaseHello {
			return SignalNone, s.refuse(&fault{protocol.CloseBadMessage, "a second welcome"})
		}
		if err = protocol.DecodeWelcome(msg, &s.Welcome); err == nil {
			what, err = s.welcome()
		}
	case protocol.TypeReply:
		err, what = protocol.DecodeReply(msg, &s.Reply), SignalReply
	case protocol.TypeNotice:
		err, what = protocol.DecodeNotice(msg, &s.Notice), SignalNotice
	case protocol.TypeResult:
		err, what = protocol.DecodeResult(msg, &s.Result), SignalResult
		s.Result.Payload = bytes.Clone(s.Result.Payload) // the one thing that is wanted after the end
	case protocol.TypeError:
		if err = protocol.DecodeError(msg, &s.Error); err == nil {
			s.failed, what = true, SignalError
		}
	}
	if err != nil {
		return SignalNone, s.malformed(err)
	}
	return what, nil
}

func (s *Session) malformed(err error) error {
	if e, ok := err.(*CloseError); ok {
		return e
	}
	reason := err.Error()
	if !utf8.ValidString(reason) {
		reason = "a malformed message"
	}
	return s.refuse(&fault{protocol.CloseBadMessage, reason})
}

func (s *Session) welcome() (Signal, error) {
	w := &s.Welcome
	switch {
	case w.Version != protocol.Version:
		return SignalNone, s.refuse(&fault{protocol.CloseVersion, "the server speaks another version"})
	case w.Plan == nil || w.TickRate == 0 || w.SnapshotRate == 0:
		return SignalNone, s.refuse(&fault{protocol.CloseBadMessage, "a welcome without plan or rates"})
	}
	s.phase = phasePlaying
	if w.EventSeq < s.lastEvent {
		s.lastEvent = w.EventSeq // a server that was killed has undone the newer ones
	}
	s.State.Reset(w.Plan)
	s.grid = grid{tick: w.Tick, time: int64(w.ServerTime), rate: int64(w.TickRate)}
	s.Pacer.start(int(w.TickRate), milliseconds(uint32(w.TargetLeadMS)), s.nextInput)
	return SignalWelcome, nil
}

// state applies a snapshot or delta. One that cannot be applied costs a keyframe, not the connection.
func (s *Session) state(msg []byte, t protocol.Type, now int64) (Signal, error) {
	if t == protocol.TypeDelta && s.waiting {
		s.Stats.Stale++
		if now-s.keyframeAt >= keyframeEvery {
			s.askKeyframe(protocol.KeyframeBase, 0, now)
		}
		return SignalNone, nil
	}
	apply := s.State.Apply
	if s.skims {
		apply = s.State.Skim
	}
	if err := apply(msg); err != nil {
		reason := protocol.KeyframeDecode
		if err == protocol.ErrBaseline {
			reason = protocol.KeyframeBase
		}
		s.fault(reason, 0, now)
		return SignalNone, nil
	}
	s.Stats.States++
	s.Stats.StateBytes += uint64(len(msg))
	if t == protocol.TypeSnapshot {
		s.Stats.Fulls++
		s.waiting = false
		s.grid.set(s.State.Head.Tick, int64(s.State.Head.ServerTime))
	}
	s.grid.heard(s.State.Head.Tick, s.Clock.Server(now), s.Clock.MinRTT/2+clockSlack, s.Clock.Samples > 0)
	if !s.State.Sound() {
		s.fault(protocol.KeyframeCRC, s.State.Rows.CRC(), now)
		return SignalNone, nil
	}
	s.acknowledge(s.State.Head.Ack)
	s.pace(now)
	return SignalState, nil
}

// pace tells the input clock what became of the newest input.
func (s *Session) pace(now int64) {
	h := &s.State.Head
	if h.Ack >= s.Pacer.next { // an input of an earlier connection: the numbers go on behind it
		s.Pacer.next = s.nextInput
	}
	sent, known := s.SentAt(h.Ack)
	s.Pacer.heard(h.Tick, h.Ack, h.LeadMS, known && h.Flags&protocol.FlagInputMissing == 0, sent, now)
}

// Skim says whether the rows of the coming states are passed over, as a load generator wants it that measures many
// players and looks with the eyes of a few: State has the head and the own row, no others and no checksum. To see
// again takes a keyframe, which is asked for. A new session does not skim.
func (s *Session) Skim(on bool, now int64) {
	if s.skims && !on && s.State.Begun() {
		s.waiting = true
		s.askKeyframe(protocol.KeyframeBase, 0, now)
	}
	s.skims = on
}

// fault counts a state that is of no use and asks for a keyframe.
func (s *Session) fault(why protocol.KeyframeReason, crc uint32, now int64) {
	s.Stats.Faults++
	if !s.waiting || now-s.keyframeAt >= keyframeEvery {
		s.askKeyframe(why, crc, now)
	}
	s.waiting = true
}

func (s *Session) askKeyframe(why protocol.KeyframeReason, crc uint32, now int64) {
	s.keyframeAt = now
	m := protocol.Keyframe{Reason: why, CRC: crc}
	begin := len(s.out)
	s.out = endFrame(protocol.AppendKeyframe(beginFrame(s.out), &m), begin, ws.OpBinary)
}

// seats merges the newest roster into the table.
func (s *Session) seats() Signal {
	for _, e := range s.roster.Entries {
		i := sort.Search(len(s.Roster), func(i int) bool { return s.Roster[i].Seat >= e.Seat })
		if i == len(s.Roster) || s.Roster[i].Seat != e.Seat {
			s.Roster = append(s.Roster, e)
			copy(s.Roster[i+1:], s.Roster[i:])
		}
		s.Roster[i] = e
	}
	return SignalRoster
}

func (s *Session) pong(m *protocol.Pong, now int64) bool {
	p := &s.pings[m.ID%pingRing]
	if p.id == 0 || p.id != m.ID {
		return false // not asked for, or too old
	}
	p.id = 0
	s.Clock.add(p.t0, int64(m.T1), int64(m.T2), now/1000)
	s.grid.pong = int64(m.T2)
	return true
}
