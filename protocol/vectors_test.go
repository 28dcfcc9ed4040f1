package protocol_test

import (
	"fmt"
	"slices"

	. "skirmish/protocol"
)

// The plans, messages and states of testdata/vectors.json. TestGolden writes and compares the file; clients
// in other languages read it (its format stands in SPEC.md, appendix A).

func integer(name string, min, max int32) Field {
	return Field{Name: name, Min: min, Max: max, Scale: 1}
}

func linear(name string, min, max int32, scale uint32) Field {
	return Field{Name: name, Min: min, Max: max, Scale: scale, Interp: InterpLinear}
}

func angle(name string, min, max int32) Field {
	return Field{Name: name, Min: min, Max: max, Scale: 1, Interp: InterpAngle, Wrap: true}
}

const (
	fullMin = -1 << 31
	fullMax = 1<<31 - 1
)

// plans by name: duel is like a small game, edge has the extremes, bare has nothing at all.
var plans = map[string]*Plan{
	"duel": {
		Kinds: []Kind{
			{Name: "ship", Fields: []Field{
				linear("x", -32768, 32767, 8), linear("y", -32768, 32767, 8), angle("aim", 0, 255),
				integer("hp", 0, 100), {Name: "shielded", Type: FieldBool, Max: 1, Scale: 1},
			}},
			{Name: "bolt", Fields: []Field{linear("x", -32768, 32767, 8), linear("y", -32768, 32767, 8), integer("owner", 0, 65535)}},
			{Name: "wall", Fields: []Field{integer("x", -32768, 32767), integer("w", 0, 32767)}},
		},
		Input: Kind{Name: "input", Fields: []Field{
			integer("ax", -127, 127), integer("ay", -127, 127), angle("aim", 0, 65535), integer("buttons", 0, 255),
		}},
		Private: &Kind{Name: "self", Fields: []Field{
			integer("x", fullMin, fullMax), integer("vx", fullMin, fullMax), integer("dash", 0, 600),
		}},
		Events: []Kind{
			{Name: "kill", Fields: []Field{integer("killer", 0, 65535), integer("victim", 0, 65535)}},
			{Name: "say", Fields: []Field{integer("seat", 1, 64), {Name: "text", Type: FieldText, Max: 40, Scale: 1}}},
			{Name: "start"},
		},
	},
	"edge": {
		Kinds: []Kind{
			{Name: "full", Fields: []Field{
				integer("any", fullMin, fullMax), angle("turn", fullMin, fullMax), angle("five", -2, 2),
				angle("six", 10, 15), angle("one", 7, 7),
			}},
			{Name: "empty"},
			{Name: "wide", Fields: wideFields()},
		},
		Input:   Kind{Name: "input", Fields: []Field{integer("any", fullMin, fullMax)}},
		Private: &Kind{Name: "wide", Fields: wideFields()},
	},
	"bare": {Input: Kind{Name: "input"}},
}

// wideFields is as many fields as a kind may have.
func wideFields() []Field {
	var fields []Field
	for i := range MaxFields {
		fields = append(fields, integer(fmt.Sprintf("f%d", i), -100, 100000))
	}
	return fields
}

// vector is one message: the value encodes to the bytes and back.
type vector struct {
	name string
	plan string // for input, event: whose kinds
	m    any
}

var vectors = []vector{
	{"hello with a ticket", "", &Hello{Version: 1, Token: "mt1.k1.gqFt.c2ln", SDK: "go/0.1.0"}},
	{"hello with a resume token", "", &Hello{Version: 1, Resume: "rt1.k1.gqFt.c2ln", LastEventSeq: 70000, SDK: "js/0.1.0"}},
	{"hello with the largest numbers", "", &Hello{Version: 1, Resume: "r", LastEventSeq: 1<<32 - 1, SDK: "é", Capabilities: 1<<53 - 1}},
	{"hello with a token of 32 bytes", "", &Hello{Version: 1, Token: "mt1.k1.0123456789abcdef.01234567"}},
	{"input: one", "duel", &Input{BaseTick: 1200, Fraction: 128, FirstSeq: 345, Count: 1, Values: []int32{127, -127, 40000, 5}}},
	{"input: three, the first of a player that saw nothing yet", "duel", &Input{FirstSeq: 1, Count: 3, Values: []int32{0, 0, 0, 0, 1, -1, 65535, 255, -32, -33, 128, 127}}},
	{"input: widths of an integer", "edge", &Input{BaseTick: 1<<32 - 1, Fraction: 255, FirstSeq: 1<<32 - 18, Count: 18, Values: []int32{
		0, 127, 128, 255, 256, 32767, 65535, 65536, fullMax, -1, -32, -33, -128, -129, -32768, -32769, fullMin, 1}}},
	{"input: as many as fit", "duel", &Input{BaseTick: 9, Fraction: 1, FirstSeq: 7, Count: MaxInputsPerMessage, Values: make([]int32, 4*MaxInputsPerMessage)}},
	{"input of a game without fields", "bare", &Input{FirstSeq: 1, Count: 2}},
	{"ping", "", &Ping{ID: 1, T0: 1234567}},
	{"ping with the largest numbers", "", &Ping{ID: 1<<32 - 1, T0: 1<<53 - 1}},
	{"request", "", &Request{ID: 7, Op: 300, Payload: []byte{1, 2, 255}}},
	{"request without payload", "", &Request{ID: 0, Op: 0, Payload: []byte{}}},
	{"request of the largest size", "", &Request{ID: 8, Op: 65535, Payload: slices.Repeat([]byte{0xab}, MaxRequestBytes)}},
	{"keyframe after a wrong checksum", "", &Keyframe{Reason: KeyframeCRC, CRC: 0xcbf43926}},
	{"keyframe after a bad delta", "", &Keyframe{Reason: KeyframeDecode}},
	{"keyframe for want of the baseline", "", &Keyframe{Reason: KeyframeBase}},
	{"bye", "", &Bye{}},
	{"bye with a reason of the game", "", &Bye{Code: 65535}},

	{"welcome", "", &Welcome{Version: 1, Seat: 3, PlayerID: "p-17", Role: RolePlayer, TickRate: 60, SnapshotRate: 30, Tick: 4242,
		ServerTime: 1795347488123456, ResumeToken: "rt1.k1.gqFt.c2ln", ReconnectMS: 30000,
		Limits:       Limits{MessageBytes: MaxMessageBytes, InputsPerMessage: MaxInputsPerMessage, InputsPerSecond: 120, SeqAhead: 120},
		TargetLeadMS: 25, Plan: plans["duel"], MatchID: "m-8f3a", Game: "duel", GameVersion: "1.2.0", EventSeq: 70000}},
	{"welcome of a spectator to a game of the extremes", "", &Welcome{Version: 1, Seat: 65535, PlayerID: "ñandú", Role: RoleSpectator, TickRate: 240,
		SnapshotRate: 240, Tick: 1<<32 - 1, ServerTime: 1<<53 - 1, ReconnectMS: 1<<32 - 1,
		Limits:       Limits{1<<32 - 1, 1<<32 - 1, 1<<32 - 1, 1<<32 - 1},
		TargetLeadMS: 65535, Plan: plans["edge"], MatchID: "m", Game: "edge", GameVersion: "", EventSeq: 1<<32 - 1}},
	{"welcome to a bare game", "", &Welcome{Version: 1, TickRate: 1, SnapshotRate: 1, Plan: plans["bare"], Role: RoleBot}},
	{"event", "duel", &Event{Seq: 1, Tick: 300, Op: 0, Values: []Value{{Int: 3}, {Int: 65535}}}},
	{"event with text", "duel", &Event{Seq: 70000, Tick: 1<<32 - 1, Op: 1, Values: []Value{{Int: 64}, {Text: "well played – ☺"}}}},
	{"event with empty text", "duel", &Event{Seq: 1<<32 - 1, Tick: 0, Op: 1, Values: []Value{{Int: 1}, {Text: ""}}}},
	{"event without fields", "duel", &Event{Seq: 2, Tick: 1, Op: 2}},
	{"roster", "", &Roster{Seq: 1, Entries: []RosterEntry{
		{Seat: 1, PlayerID: "p-1", Name: "Ada", Team: 0, State: SeatActive, Role: RolePlayer},
		{Seat: 2, PlayerID: "p-2", Name: "Łukasz", Team: 255, State: SeatLost, Role: RolePlayer},
		{Seat: 65535, PlayerID: "", Name: "", Team: 1, State: SeatKicked, Role: RoleBot},
	}}},
	{"roster without entries", "", &Roster{Seq: 1<<32 - 1, Entries: []RosterEntry{}}},
	{"pong", "", &Pong{ID: 1, T0: 1234567, T1: 1795347488123456, T2: 1795347488123499}},
	{"pong with the largest numbers", "", &Pong{ID: 1<<32 - 1, T0: 1<<53 - 1, T1: 1<<53 - 1, T2: 1<<53 - 1}},
	{"reply", "", &Reply{ID: 7, Status: ReplyOK, Payload: []byte("ok")}},
	{"reply of a game without requests", "", &Reply{ID: 1<<32 - 1, Status: ReplyUnsupported, Payload: []byte{}}},
	{"reply with a long payload", "", &Reply{ID: 9, Status: 65535, Payload: slices.Repeat([]byte{7}, 300)}},
	{"notice: slow", "", &Notice{Kind: NoticeSlow}},
	{"notice: throttled", "", &Notice{Kind: NoticeThrottled}},
	{"notice: draining", "", &Notice{Kind: NoticeDraining, DeadlineMS: 600000}},
	{"notice: moved", "", &Notice{Kind: NoticeMoved, DeadlineMS: 2000, URL: "wss://b.example/play", Token: "rt1.k1.gqFt.c2ln"}},
	{"notice: resumed", "", &Notice{Kind: NoticeResumed, DeadlineMS: 1<<32 - 1}},
	{"result", "", &Result{Reason: "finished", Payload: []byte(`{"winner":3}`)}},
	{"result of a match that failed", "", &Result{Reason: "aborted", Payload: []byte{}}},
	{"error", "", &Error{Code: uint16(CloseBadTicket), Message: "the ticket has expired", Fatal: true}},
	{"error with a time to wait", "", &Error{Code: uint16(CloseUnavailable), Message: "", RetryAfterMS: 5000}},
}

func init() {
	for _, v := range vectors {
		if w, is := v.m.(*Welcome); is {
			w.PlanHash = w.Plan.Hash()
		}
	}
}

// typeOf is the type of a message's value.
func typeOf(m any) Type {
	switch m.(type) {
	case *Hello:
		return TypeHello
	case *Input:
		return TypeInput
	case *Ping:
		return TypePing
	case *Request:
		return TypeRequest
	case *Keyframe:
		return TypeKeyframe
	case *Bye:
		return TypeBye
	case *Welcome:
		return TypeWelcome
	case *Event:
		return TypeEvent
	case *Roster:
		return TypeRoster
	case *Pong:
		return TypePong
	case *Reply:
		return TypeReply
	case *Notice:
		return TypeNotice
	case *Result:
		return TypeResult
	case *Error:
		return TypeError
	}
	panic("not a message")
}

func fromServer(t Type) bool { return t >= TypeWelcome }

// encode appends a message by the package's encoders.
func encode(m any, p *Plan) []byte {
	switch m := m.(type) {
	case *Hello:
		return AppendHello(nil, m)
	case *Input:
		return AppendInput(nil, m, len(p.Input.Fields))
	case *Ping:
		return AppendPing(nil, m)
	case *Request:
		return AppendRequest(nil, m)
	case *Keyframe:
		return AppendKeyframe(nil, m)
	case *Bye:
		return AppendBye(nil, m)
	case *Welcome:
		return AppendWelcome(nil, m)
	case *Event:
		return AppendEvent(nil, p, m)
	case *Roster:
		return AppendRoster(nil, m)
	case *Pong:
		return AppendPong(nil, m)
	case *Reply:
		return AppendReply(nil, m)
	case *Notice:
		return AppendNotice(nil, m)
	case *Result:
		return AppendResult(nil, m)
	case *Error:
		return AppendError(nil, m)
	}
	panic("not a message")
}

// decodeClient decodes a client's message by the package's Decoder.
func decodeClient(d *Decoder, msg []byte, p *Plan) (any, error) {
	t, err := d.Begin(msg)
	if err != nil {
		return nil, err
	}
	switch t {
	case TypeHello:
		m := new(Hello)
		return m, d.Hello(m)
	case TypeInput:
		m := new(Input)
		return m, d.Input(m, &p.Input)
	case TypePing:
		m := new(Ping)
		return m, d.Ping(m)
	case TypeRequest:
		m := new(Request)
		return m, d.Request(m)
	case TypeKeyframe:
		m := new(Keyframe)
		return m, d.Keyframe(m)
	case TypeBye:
		m := new(Bye)
		return m, d.Bye(m)
	}
	panic("Begin let an unknown type through")
}

// decodeServer decodes a server's message that is not a state.
func decodeServer(msg []byte, p *Plan) (any, error) {
	t, err := ServerType(msg)
	if err != nil {
		return nil, err
	}
	switch t {
	case TypeWelcome:
		m := new(Welcome)
		return m, DecodeWelcome(msg, m)
	case TypeSnapshot, TypeDelta:
		return nil, (&State{Plan: p}).Apply(msg)
	case TypeEvent:
		m := new(Event)
		return m, DecodeEvent(msg, p, m)
	case TypeRoster:
		m := new(Roster)
		return m, DecodeRoster(msg, m)
	case TypePong:
		m := new(Pong)
		return m, DecodePong(msg, m)
	case TypeReply:
		m := new(Reply)
		return m, DecodeReply(msg, m)
	case TypeNotice:
		m := new(Notice)
		return m, DecodeNotice(msg, m)
	case TypeResult:
		m := new(Result)
		return m, DecodeResult(msg, m)
	case TypeError:
		m := new(Error)
		return m, DecodeError(msg, m)
	}
	panic("ServerType let an unknown type through")
}

func decode(msg []byte, t Type, p *Plan) (any, error) {
	if p == nil {
		p = plans["bare"]
	}
	if fromServer(t) {
		return decodeServer(msg, p)
	}
	return decodeClient(NewDecoder(), msg, p)
}
