package protocol

import "hash/crc32"

// ServerType reads the type of a server's message, so that the client knows which of the decoders below,
// or State.Apply, takes it. The rest of the message is not looked at.
func ServerType(msg []byte) (Type, error) {
	c := cursor{msg: msg}
	if len(msg) > MaxServerMessageBytes {
		return 0, ErrTooBig
	}
	if n, is := c.array(""); !is {
		c.fail("", whyType)
	} else if n == 0 {
		c.fail("", whyShort)
	}
	t := Type(c.u8("type"))
	if c.ok() && (t < TypeWelcome || t > TypeError) {
		c.fail("type", whyUnknown)
	}
	if !c.ok() {
		return 0, c.err
	}
	return t, nil
}

// DecodeWelcome decodes a welcome into m. The plan is new; its hash is checked against its bytes.
func DecodeWelcome(msg []byte, m *Welcome) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeWelcome, welcomeElements)
	m.Version = uint32(c.int("version", Version, Version))
	m.Seat = c.u16("seat")
	m.PlayerID = c.str("player_id", MaxPlayerIDBytes)
	m.Role = Role(c.uint("role", int64(RoleBot)))
	m.TickRate = uint16(c.int("tick_rate", 1, MaxTickRate))
	m.SnapshotRate = uint16(c.int("snapshot_rate", 1, MaxTickRate))
	if c.ok() && m.TickRate%m.SnapshotRate != 0 {
		c.fail("snapshot_rate", "does not divide tick_rate")
	}
	m.Tick = c.u32("tick")
	m.ServerTime = c.micros("server_time")
	m.ResumeToken = c.str("resume_token", MaxTokenBytes)
	m.ReconnectMS = c.u32("reconnect_ms")
	more := c.tuple("limits", 4)
	m.Limits.MessageBytes = c.u32("message_bytes")
	m.Limits.InputsPerMessage = c.u32("inputs_per_message")
	m.Limits.InputsPerSecond = c.u32("inputs_per_second")
	m.Limits.SeqAhead = c.u32("seq_ahead")
	c.skip(more)
	m.TargetLeadMS = c.u16("target_lead_ms")
	begin := c.at
	m.Plan = c.plan()
	plan := c.msg[begin:c.at]
	m.PlanHash = c.u32("plan_hash")
	if c.ok() && m.PlanHash != crc32.ChecksumIEEE(plan) {
		c.fail("plan_hash", "differs from the plan")
	}
	more = c.tuple("match", 3)
	m.MatchID = c.str("match_id", MaxMatchIDBytes)
	m.Game = c.str("game", MaxGameBytes)
	m.GameVersion = c.str("game_version", MaxGameBytes)
	c.skip(more)
	m.EventSeq = c.u32("event_seq")
	return c.end(extra)
}

// DecodeEvent decodes an event of the plan p into m and re-uses m.Values.
func DecodeEvent(msg []byte, p *Plan, m *Event) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeEvent, 5)
	m.Seq = c.u32("seq")
	m.Tick = c.u32("tick")
	m.Op = c.u16("op")
	m.Values = m.Values[:0]
	if c.ok() && int(m.Op) >= len(p.Events) {
		c.fail("op", whyUnknown)
	}
	if !c.ok() {
		return c.err
	}
	fields := p.Events[m.Op].Fields
	if n := c.list("values", MaxFields); c.ok() && n != len(fields) {
		c.fail("values", whyCount)
	}
	for i := range fields {
		f := &fields[i]
		if f.Type == FieldText {
			m.Values = append(m.Values, Value{Text: c.str(f.Name, int(f.Max))})
		} else {
			m.Values = append(m.Values, Value{Int: int32(c.int(f.Name, int64(f.Min), int64(f.Max)))})
		}
		if !c.ok() {
			break
		}
	}
	return c.end(extra)
}

// DecodeRoster decodes a roster into m and re-uses m.Entries.
func DecodeRoster(msg []byte, m *Roster) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeRoster, 3)
	m.Seq = c.u32("seq")
	m.Entries = m.Entries[:0]
	for n := c.list("entries", MaxRosterEntries); n > 0 && c.ok(); n-- {
		more := c.tuple("entries", 6)
		m.Entries = append(m.Entries, RosterEntry{
			Seat:     c.u16("seat"),
			PlayerID: c.str("player_id", MaxPlayerIDBytes),
			Name:     c.str("name", MaxNameBytes),
			Team:     c.u8("team"),
			State:    SeatState(c.uint("state", int64(SeatKicked))),
			Role:     Role(c.uint("role", int64(RoleBot))),
		})
		c.skip(more)
	}
	return c.end(extra)
}

// DecodePong decodes a pong into m.
func DecodePong(msg []byte, m *Pong) error {
	c := cursor{msg: msg}
	extra := c.begin(TypePong, 5)
	m.ID = c.u32("id")
	m.T0 = c.micros("t0")
	m.T1 = c.micros("t1")
	m.T2 = c.micros("t2")
	return c.end(extra)
}

// DecodeReply decodes a reply into m. m.Payload belongs to msg.
func DecodeReply(msg []byte, m *Reply) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeReply, 4)
	m.ID = c.u32("id")
	m.Status = c.u16("status")
	m.Payload = c.bin("payload", MaxReplyBytes)
	return c.end(extra)
}

// DecodeNotice decodes a notice into m.
func DecodeNotice(msg []byte, m *Notice) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeNotice, 5)
	m.Kind = NoticeKind(c.int("kind", int64(NoticeSlow), int64(NoticeResumed)))
	m.DeadlineMS = c.u32("deadline_ms")
	m.URL = c.optionalStr("url", MaxURLBytes)
	m.Token = c.optionalStr("token", MaxTokenBytes)
	return c.end(extra)
}

// DecodeResult decodes a result into m. m.Payload belongs to msg.
func DecodeResult(msg []byte, m *Result) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeResult, 3)
	m.Reason = c.str("reason", MaxReasonBytes)
	m.Payload = c.bin("payload", MaxServerMessageBytes)
	return c.end(extra)
}

// DecodeError decodes an error into m.
func DecodeError(msg []byte, m *Error) error {
	c := cursor{msg: msg}
	extra := c.begin(TypeError, 5)
	m.Code = c.u16("code")
	m.Message = c.str("message", MaxErrorBytes)
	m.Fatal = c.bool("fatal")
	m.RetryAfterMS = c.u32("retry_after_ms")
	return c.end(extra)
}
