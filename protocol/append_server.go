package protocol

import "hash/crc32"

// What a server sends, but for the state. Each AppendX appends one whole message to dst.

// AppendWelcome appends a welcome, its plan included. m.PlanHash must be m.Plan.Hash().
//
//	[0x20, version, seat, player_id, role, tick_rate, snapshot_rate, tick, server_time, resume_token,
//	 reconnect_ms, [message_bytes, inputs_per_message, inputs_per_second, seq_ahead], target_lead_ms,
//	 plan, plan_hash, [match_id, game, game_version], event_seq]
func AppendWelcome(dst []byte, m *Welcome) []byte {
	dst = append(appendArray(dst, welcomeElements), byte(TypeWelcome))
	dst = appendUint(dst, uint64(m.Version))
	dst = appendUint(dst, uint64(m.Seat))
	dst = appendStr(dst, m.PlayerID)
	dst = appendUint(dst, uint64(m.Role))
	dst = appendUint(dst, uint64(m.TickRate))
	dst = appendUint(dst, uint64(m.SnapshotRate))
	dst = appendUint(dst, uint64(m.Tick))
	dst = appendUint(dst, m.ServerTime)
	dst = appendStr(dst, m.ResumeToken)
	dst = appendUint(dst, uint64(m.ReconnectMS))
	dst = append(dst, 0x94)
	dst = appendUint(dst, uint64(m.Limits.MessageBytes))
	dst = appendUint(dst, uint64(m.Limits.InputsPerMessage))
	dst = appendUint(dst, uint64(m.Limits.InputsPerSecond))
	dst = appendUint(dst, uint64(m.Limits.SeqAhead))
	dst = appendUint(dst, uint64(m.TargetLeadMS))
	dst = AppendPlan(dst, m.Plan)
	dst = appendUint(dst, uint64(m.PlanHash))
	dst = appendStr(append(dst, 0x93), m.MatchID)
	dst = appendStr(dst, m.Game)
	dst = appendStr(dst, m.GameVersion)
	return appendUint(dst, uint64(m.EventSeq))
}

const welcomeElements = 17

// AppendPlan appends the plan as it stands in a welcome.
//
//	[[kind …], input, private | nil, [event …]], kind = [name, [field …]],
//	field = [name, type, min, max, scale, interp, wrap]
func AppendPlan(dst []byte, p *Plan) []byte {
	dst = appendKinds(append(dst, 0x94), p.Kinds)
	dst = appendKind(dst, &p.Input)
	if p.Private == nil {
		dst = append(dst, codeNil)
	} else {
		dst = appendKind(dst, p.Private)
	}
	return appendKinds(dst, p.Events)
}

func appendKinds(dst []byte, kinds []Kind) []byte {
	dst = appendArray(dst, len(kinds))
	for i := range kinds {
		dst = appendKind(dst, &kinds[i])
	}
	return dst
}

func appendKind(dst []byte, k *Kind) []byte {
	dst = appendStr(append(dst, 0x92), k.Name)
	dst = appendArray(dst, len(k.Fields))
	for i := range k.Fields {
		f := &k.Fields[i]
		dst = appendStr(append(dst, 0x97), f.Name)
		dst = append(dst, byte(f.Type))
		dst = appendInt(dst, int64(f.Min))
		dst = appendInt(dst, int64(f.Max))
		dst = appendUint(dst, uint64(f.Scale))
		dst = append(dst, byte(f.Interp))
		dst = appendBool(dst, f.Wrap)
	}
	return dst
}

// Hash is the CRC-32 (IEEE) of the plan's bytes: the plan_hash of a welcome.
func (p *Plan) Hash() uint32 { return crc32.ChecksumIEEE(AppendPlan(nil, p)) }

// AppendEvent appends an event of the plan p: m.Op indexes p.Events, and m.Values holds one value for each
// of its fields, Text for text fields and Int for all others.
//
//	[0x23, seq, tick, op, [value …]]
func AppendEvent(dst []byte, p *Plan, m *Event) []byte {
	fields := p.Events[m.Op].Fields
	dst = append(dst, 0x95, byte(TypeEvent))
	dst = appendUint(dst, uint64(m.Seq))
	dst = appendUint(dst, uint64(m.Tick))
	dst = appendUint(dst, uint64(m.Op))
	dst = appendArray(dst, len(fields))
	for i := range fields {
		if fields[i].Type == FieldText {
			dst = appendStr(dst, m.Values[i].Text)
		} else {
			dst = appendInt(dst, int64(m.Values[i].Int))
		}
	}
	return dst
}

// AppendRoster appends [0x24, seq, [[seat, player_id, name, team, state, role] …]].
func AppendRoster(dst []byte, m *Roster) []byte {
	dst = append(dst, 0x93, byte(TypeRoster))
	dst = appendUint(dst, uint64(m.Seq))
	dst = appendArray(dst, len(m.Entries))
	for i := range m.Entries {
		e := &m.Entries[i]
		dst = appendUint(append(dst, 0x96), uint64(e.Seat))
		dst = appendStr(dst, e.PlayerID)
		dst = appendStr(dst, e.Name)
		dst = appendUint(dst, uint64(e.Team))
		dst = append(dst, byte(e.State), byte(e.Role))
	}
	return dst
}

// AppendPong appends [0x25, id, t0, t1, t2].
func AppendPong(dst []byte, m *Pong) []byte {
	dst = append(dst, 0x95, byte(TypePong))
	dst = appendUint(dst, uint64(m.ID))
	dst = appendUint(dst, m.T0)
	dst = appendUint(dst, m.T1)
	return appendUint(dst, m.T2)
}

// AppendReply appends [0x26, id, status, payload].
func AppendReply(dst []byte, m *Reply) []byte {
	dst = append(dst, 0x94, byte(TypeReply))
	dst = appendUint(dst, uint64(m.ID))
	dst = appendUint(dst, uint64(m.Status))
	return appendBin(dst, m.Payload)
}

// AppendNotice appends [0x27, kind, deadline_ms, url | nil, token | nil].
func AppendNotice(dst []byte, m *Notice) []byte {
	dst = append(dst, 0x95, byte(TypeNotice), byte(m.Kind))
	dst = appendUint(dst, uint64(m.DeadlineMS))
	dst = appendOptionalStr(dst, m.URL)
	return appendOptionalStr(dst, m.Token)
}

// AppendResult appends [0x28, reason, payload].
func AppendResult(dst []byte, m *Result) []byte {
	dst = appendStr(append(dst, 0x93, byte(TypeResult)), m.Reason)
	return appendBin(dst, m.Payload)
}

// AppendError appends [0x29, code, message, fatal, retry_after_ms].
func AppendError(dst []byte, m *Error) []byte {
	dst = appendUint(append(dst, 0x95, byte(TypeError)), uint64(m.Code))
	dst = appendStr(dst, m.Message)
	dst = appendBool(dst, m.Fatal)
	return appendUint(dst, uint64(m.RetryAfterMS))
}
