package protocol_test

import (
	"encoding/hex"
	"maps"
	"slices"

	. "skirmish/protocol"
)

type object = map[string]any

// jsonOf is a message's value as it stands in the file. Names are those of SPEC.md, bytes are hex.
func jsonOf(m any, p *Plan) object {
	switch m := m.(type) {
	case *Hello:
		o := object{"version": m.Version, "sdk": m.SDK, "capabilities": m.Capabilities}
		if m.Resume != "" {
			o["resume"], o["last_event_seq"] = m.Resume, m.LastEventSeq
		} else {
			o["token"] = m.Token
		}
		return o
	case *Input:
		n, inputs := len(p.Input.Fields), [][]int32{}
		for i := range m.Count {
			inputs = append(inputs, append([]int32{}, m.Values[i*n:(i+1)*n]...))
		}
		return object{"base_tick": m.BaseTick, "fraction": m.Fraction, "first_seq": m.FirstSeq, "inputs": inputs}
	case *Ping:
		return object{"id": m.ID, "t0": m.T0}
	case *Request:
		return object{"id": m.ID, "op": m.Op, "payload": hex.EncodeToString(m.Payload)}
	case *Keyframe:
		return object{"reason": m.Reason, "crc": m.CRC}
	case *Bye:
		return object{"code": m.Code}
	case *Welcome:
		return object{"version": m.Version, "seat": m.Seat, "player_id": m.PlayerID, "role": m.Role, "tick_rate": m.TickRate,
			"snapshot_rate": m.SnapshotRate, "tick": m.Tick, "server_time": m.ServerTime, "resume_token": m.ResumeToken,
			"reconnect_ms": m.ReconnectMS, "limits": object{
				"message_bytes": m.Limits.MessageBytes, "inputs_per_message": m.Limits.InputsPerMessage,
				"inputs_per_second": m.Limits.InputsPerSecond, "seq_ahead": m.Limits.SeqAhead},
			"target_lead_ms": m.TargetLeadMS, "plan": jsonPlan(m.Plan), "plan_hash": m.PlanHash,
			"match_id": m.MatchID, "game": m.Game, "game_version": m.GameVersion, "event_seq": m.EventSeq}
	case *Event:
		values := []any{}
		for i, f := range p.Events[m.Op].Fields {
			if f.Type == FieldText {
				values = append(values, m.Values[i].Text)
			} else {
				values = append(values, m.Values[i].Int)
			}
		}
		return object{"seq": m.Seq, "tick": m.Tick, "op": m.Op, "values": values}
	case *Roster:
		entries := []object{}
		for _, e := range m.Entries {
			entries = append(entries, object{"seat": e.Seat, "player_id": e.PlayerID, "name": e.Name, "team": e.Team, "state": e.State, "role": e.Role})
		}
		return object{"seq": m.Seq, "entries": entries}
	case *Pong:
		return object{"id": m.ID, "t0": m.T0, "t1": m.T1, "t2": m.T2}
	case *Reply:
		return object{"id": m.ID, "status": m.Status, "payload": hex.EncodeToString(m.Payload)}
	case *Notice:
		return object{"kind": m.Kind, "deadline_ms": m.DeadlineMS, "url": orNull(m.URL), "token": orNull(m.Token)}
	case *Result:
		return object{"reason": m.Reason, "payload": hex.EncodeToString(m.Payload)}
	case *Error:
		return object{"code": m.Code, "message": m.Message, "fatal": m.Fatal, "retry_after_ms": m.RetryAfterMS}
	}
	panic("not a message")
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func jsonPlan(p *Plan) object {
	o := object{"kinds": jsonKinds(p.Kinds), "input": jsonKind(&p.Input), "private": nil, "events": jsonKinds(p.Events)}
	if p.Private != nil {
		o["private"] = jsonKind(p.Private)
	}
	return o
}

func jsonKinds(kinds []Kind) []object {
	list := []object{}
	for i := range kinds {
		list = append(list, jsonKind(&kinds[i]))
	}
	return list
}

func jsonKind(k *Kind) object {
	fields := []object{}
	for _, f := range k.Fields {
		fields = append(fields, object{"name": f.Name, "type": f.Type, "min": f.Min, "max": f.Max, "scale": f.Scale, "interp": f.Interp, "wrap": f.Wrap})
	}
	return object{"name": k.Name, "fields": fields}
}

// jsonState is what a client holds after a state message.
func jsonState(s *State) object {
	rows := []any{}
	for i, id := range s.Rows.IDs {
		rows = append(rows, []any{id, s.Rows.Kinds[i], append([]int32{}, s.Rows.Row(i)...)})
	}
	o := object{"tick": s.Head.Tick, "server_time": s.Head.ServerTime, "base_tick": s.Head.BaseTick, "ack": s.Head.Ack,
		"lead_ms": s.Head.LeadMS, "flags": s.Head.Flags, "rows": rows, "private": nil, "crc": nil, "rows_crc": s.Rows.CRC()}
	if s.HasPrivate {
		o["private"] = append([]int32{}, s.Private...)
	}
	if s.HasCRC {
		o["crc"] = s.CRC
	}
	return o
}

func planNames() []string { return slices.Sorted(maps.Keys(plans)) }
