package protocol_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	. "skirmish/protocol"
)

// Random plans, tables and messages. rapid prints the seed of a failure.

func drawField(t *rapid.T, name string) Field {
	f := Field{Name: name, Scale: uint32(rapid.IntRange(1, 1<<20).Draw(t, "scale")), Interp: Interp(rapid.IntRange(0, 2).Draw(t, "interp"))}
	switch rapid.IntRange(0, 4).Draw(t, "range") {
	case 0:
		f.Min, f.Max = fullMin, fullMax
	case 1:
		f.Max = 255
	case 2:
		f.Type, f.Max = FieldBool, 1
	default:
		a, b := rapid.Int32().Draw(t, "a"), rapid.Int32().Draw(t, "b")
		f.Min, f.Max = min(a, b), max(a, b)
	}
	f.Wrap = rapid.Bool().Draw(t, "wrap")
	return f
}

func drawKind(t *rapid.T, name string, most int) Kind {
	k := Kind{Name: name}
	for i := range rapid.IntRange(0, most).Draw(t, "fields") {
		k.Fields = append(k.Fields, drawField(t, fmt.Sprintf("f%d", i)))
	}
	return k
}

func drawPlan(t *rapid.T) *Plan {
	p := &Plan{Input: drawKind(t, "input", MaxInputFields)}
	for i := range rapid.IntRange(1, 4).Draw(t, "kinds") {
		most := 4
		if i == 3 {
			most = MaxFields
		}
		p.Kinds = append(p.Kinds, drawKind(t, fmt.Sprintf("k%d", i), most))
	}
	if rapid.Bool().Draw(t, "has private") {
		k := drawKind(t, "self", MaxFields)
		p.Private = &k
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "events") {
		k := drawKind(t, fmt.Sprintf("e%d", i), 4)
		k.Fields = append(k.Fields, Field{Name: "text", Type: FieldText, Max: 256, Scale: 1})
		p.Events = append(p.Events, k)
	}
	return p
}

// drawValue likes the ends of the range.
func drawValue(t *rapid.T, f *Field) int32 {
	switch rapid.IntRange(0, 4).Draw(t, "where") {
	case 0:
		return f.Min
	case 1:
		return f.Max
	}
	return rapid.Int32Range(f.Min, f.Max).Draw(t, "value")
}

func drawValues(t *rapid.T, k *Kind) []int32 {
	values := make([]int32, len(k.Fields))
	for i := range values {
		values[i] = drawValue(t, &k.Fields[i])
	}
	return values
}

func drawRow(t *rapid.T, p *Plan, id uint32) row {
	kind := rapid.IntRange(0, len(p.Kinds)-1).Draw(t, "kind")
	return row{id, uint8(kind), drawValues(t, &p.Kinds[kind])}
}

func drawRows(t *rapid.T, p *Plan) []row {
	var rows []row
	ids := rapid.SliceOfNDistinct(rapid.OneOf(rapid.Uint32Range(0, 20), rapid.Uint32(), rapid.Just(uint32(1<<32-1))), 0, 12, rapid.ID).Draw(t, "ids")
	slices.Sort(ids)
	for _, id := range ids {
		rows = append(rows, drawRow(t, p, id))
	}
	return rows
}

// drawNext is what may become of rows: some stay, change, go, turn into another kind, and some are new.
func drawNext(t *rapid.T, p *Plan, rows []row) []row {
	var next []row
	for _, r := range rows {
		switch rapid.IntRange(0, 4).Draw(t, "fate") {
		case 0: // it goes
		case 1:
			next = append(next, r)
		case 2:
			next = append(next, drawRow(t, p, r.id))
		default:
			values := slices.Clone(r.values)
			for i := range values {
				if rapid.Bool().Draw(t, "changes") {
					values[i] = drawValue(t, &p.Kinds[r.kind].Fields[i])
				}
			}
			next = append(next, row{r.id, r.kind, values})
		}
	}
	for _, r := range drawRows(t, p) {
		if !slices.ContainsFunc(next, func(o row) bool { return o.id == r.id }) {
			next = append(next, r)
		}
	}
	slices.SortFunc(next, func(a, b row) int { return int(int64(a.id) - int64(b.id)) })
	return next
}

// TestRandomStates plays a random match: whatever the rows do, the client's table equals the server's, and
// the twin's too.
func TestRandomStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		client, twin := &State{Plan: p}, &twinState{plan: p}
		var rows []row
		var base *Rows
		var private []int32
		tick := uint32(0)
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			rows = drawNext(t, p, rows)
			s := step{full: base == nil || rapid.IntRange(0, 5).Draw(t, "full") == 0, rows: table(rows...), crc: rapid.Bool().Draw(t, "crc")}
			s.head = StateHead{Tick: tick + uint32(rapid.IntRange(1, 1000).Draw(t, "tick")), BaseTick: tick, Ack: rapid.Uint32().Draw(t, "ack"),
				LeadMS: rapid.Int16().Draw(t, "lead"), Flags: rapid.Uint8().Draw(t, "flags")}
			if s.full {
				s.head.BaseTick, s.head.ServerTime = 0, rapid.Uint64Range(0, 1<<53-1).Draw(t, "time")
			}
			if p.Private != nil && (private != nil && !s.full || rapid.Bool().Draw(t, "private")) {
				s.private = drawValues(t, p.Private)
			}
			msg := stateBytes(p, s, base, private)
			if err := client.Apply(msg); err != nil {
				t.Fatal(err)
			}
			if err := twin.apply(msg); err != nil {
				t.Fatal(err)
			}
			if err := twin.same(client); err != nil {
				t.Fatal(err)
			}
			if !client.Rows.Equal(s.rows) || client.Head != s.head || !client.Sound() || client.HasPrivate != (s.private != nil) || !slices.Equal(client.Private, s.private) && client.HasPrivate {
				t.Fatalf("%v and %v, not %v and %v", client.Rows, client.Private, s.rows, s.private)
			}
			base, private, tick = s.rows, s.private, s.head.Tick
			if s.private == nil {
				private = nil
			}
		}
	})
}

func drawText(t *rapid.T, most int) string {
	s := rapid.StringN(0, -1, most).Draw(t, "text")
	return s
}

// drawMessage is any message that is no state.
func drawMessage(t *rapid.T, p *Plan) any {
	u16, u32 := rapid.Uint16(), rapid.Uint32()
	u53 := rapid.Uint64Range(0, 1<<53-1)
	blob := func(most int) []byte { return rapid.SliceOfN(rapid.Byte(), 0, most).Draw(t, "bytes") }
	switch rapid.IntRange(0, 13).Draw(t, "message") {
	case 0:
		m := &Hello{Version: 1, SDK: drawText(t, MaxSDKBytes), Capabilities: u53.Draw(t, "capabilities"), Token: "t" + drawText(t, 1000)}
		if rapid.Bool().Draw(t, "resume") {
			m.Resume, m.Token, m.LastEventSeq = m.Token, "", u32.Draw(t, "seq")
		}
		return m
	case 1:
		m := &Input{BaseTick: u32.Draw(t, "base"), Fraction: rapid.Uint8().Draw(t, "fraction"), Count: rapid.IntRange(1, 20).Draw(t, "count")}
		m.FirstSeq = rapid.Uint32Range(1, 1<<32-20).Draw(t, "seq")
		for range m.Count {
			m.Values = append(m.Values, drawValues(t, &p.Input)...)
		}
		return m
	case 2:
		return &Ping{ID: u32.Draw(t, "id"), T0: u53.Draw(t, "t0")}
	case 3:
		return &Request{ID: u32.Draw(t, "id"), Op: u16.Draw(t, "op"), Payload: blob(MaxRequestBytes)}
	case 4:
		return &Keyframe{Reason: KeyframeReason(rapid.IntRange(1, 3).Draw(t, "reason")), CRC: u32.Draw(t, "crc")}
	case 5:
		return &Bye{Code: u16.Draw(t, "code")}
	case 6:
		rate := rapid.IntRange(1, 120).Draw(t, "rate")
		return &Welcome{Version: 1, Seat: u16.Draw(t, "seat"), PlayerID: drawText(t, MaxPlayerIDBytes), Role: Role(rapid.IntRange(0, 2).Draw(t, "role")),
			TickRate: uint16(2 * rate), SnapshotRate: uint16(rate), Tick: u32.Draw(t, "tick"), ServerTime: u53.Draw(t, "time"), ResumeToken: drawText(t, MaxTokenBytes),
			ReconnectMS: u32.Draw(t, "ms"), Limits: Limits{u32.Draw(t, "l"), u32.Draw(t, "l"), u32.Draw(t, "l"), u32.Draw(t, "l")}, TargetLeadMS: u16.Draw(t, "lead"),
			Plan: p, PlanHash: p.Hash(), MatchID: drawText(t, MaxMatchIDBytes), Game: drawText(t, MaxGameBytes), GameVersion: drawText(t, MaxGameBytes), EventSeq: rapid.Uint32().Draw(t, "event seq")}
	case 7:
		if len(p.Events) == 0 {
			return &Bye{}
		}
		m := &Event{Seq: u32.Draw(t, "seq"), Tick: u32.Draw(t, "tick"), Op: uint16(rapid.IntRange(0, len(p.Events)-1).Draw(t, "op"))}
		for _, f := range p.Events[m.Op].Fields {
			if f.Type == FieldText {
				m.Values = append(m.Values, Value{Text: drawText(t, int(f.Max))})
			} else {
				m.Values = append(m.Values, Value{Int: drawValue(t, &f)})
			}
		}
		return m
	case 8:
		m := &Roster{Seq: u32.Draw(t, "seq")}
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			m.Entries = append(m.Entries, RosterEntry{u16.Draw(t, "seat"), drawText(t, MaxPlayerIDBytes), drawText(t, MaxNameBytes), rapid.Uint8().Draw(t, "team"),
				SeatState(rapid.IntRange(0, 5).Draw(t, "state")), Role(rapid.IntRange(0, 2).Draw(t, "role"))})
		}
		return m
	case 9:
		return &Pong{u32.Draw(t, "id"), u53.Draw(t, "t0"), u53.Draw(t, "t1"), u53.Draw(t, "t2")}
	case 10:
		return &Reply{u32.Draw(t, "id"), u16.Draw(t, "status"), blob(2000)}
	case 11:
		return &Notice{NoticeKind(rapid.IntRange(1, 5).Draw(t, "kind")), u32.Draw(t, "ms"), drawText(t, MaxURLBytes), drawText(t, MaxTokenBytes)}
	case 12:
		return &Result{drawText(t, MaxReasonBytes), blob(2000)}
	}
	return &Error{u16.Draw(t, "code"), drawText(t, MaxErrorBytes), rapid.Bool().Draw(t, "fatal"), u32.Draw(t, "ms")}
}

// TestRandomMessages: what is encoded decodes to the same value, and is as short as the library makes it.
func TestRandomMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		m := drawMessage(t, p)
		msg := encode(m, p)
		if !fromServer(typeOf(m)) && len(msg) > MaxHelloBytes {
			return
		}
		got, err := decode(msg, typeOf(m), p)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if a, b := jsonText(jsonOf(got, p)), jsonText(jsonOf(m, p)); a != b {
			t.Fatalf("%s, not %s", a, b)
		}
		if short := shortest(msg); !bytes.Equal(short, msg) {
			t.Fatalf("%x, the library writes %x", msg, short)
		}
	})
}

// shortest is the message decoded and encoded again by the library.
func shortest(msg []byte) []byte { return pack(list(elements(msg))) }

// TestVectorsAreShortest holds the golden bytes themselves to the library.
func TestVectorsAreShortest(t *testing.T) {
	g := readGolden(t)
	for _, v := range g.Messages {
		if got := shortest(v.Bytes); !v.DecodeOnly && !bytes.Equal(got, v.Bytes) {
			t.Errorf("%s: %x, not %x", v.Name, v.Bytes, got)
		}
	}
	for _, q := range g.Sequences[:3] {
		for _, s := range q.Steps {
			if got := shortest(s.Bytes); !bytes.Equal(got, s.Bytes) {
				t.Errorf("%s: %x, not %x", s.Name, s.Bytes, got)
			}
		}
	}
}
