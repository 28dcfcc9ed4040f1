package protocol_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"reflect"
	"strings"
	"testing"

	. "skirmish/protocol"
)

// How testdata/vectors.json is read and made; SPEC.md, appendix A, describes it.

type golden struct {
	Format      int             `json:"format"`
	Version     int             `json:"version"`
	Subprotocol string          `json:"subprotocol"`
	Plans       []goldenPlan    `json:"plans"`
	Messages    []goldenMessage `json:"messages"`
	Sequences   []goldenStates  `json:"sequences"`
	Hostile     []goldenHostile `json:"hostile"`
}

type goldenPlan struct {
	Name  string   `json:"name"`
	Plan  any      `json:"plan"`
	Bytes hexBytes `json:"bytes"`
	Hash  uint32   `json:"hash"`
}

type goldenMessage struct {
	Name       string   `json:"name"`
	Direction  string   `json:"direction"`
	Type       Type     `json:"type"`
	Plan       string   `json:"plan,omitempty"`
	DecodeOnly bool     `json:"decode_only,omitempty"`
	Value      any      `json:"value"`
	Bytes      hexBytes `json:"bytes"`
}

type goldenStates struct {
	Name  string       `json:"name"`
	Plan  string       `json:"plan"`
	Steps []goldenStep `json:"steps"`
}

type goldenStep struct {
	Name   string   `json:"name"`
	Bytes  hexBytes `json:"bytes"`
	Expect string   `json:"expect"`
	State  any      `json:"state"`
}

type goldenHostile struct {
	Name      string     `json:"name"`
	Direction string     `json:"direction"`
	Plan      string     `json:"plan,omitempty"`
	Before    []hexBytes `json:"before,omitempty"`
	Bytes     hexBytes   `json:"bytes"`
	Close     CloseCode  `json:"close,omitempty"`
	Expect    string     `json:"expect,omitempty"`
}

type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }
func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

func readGolden(t testing.TB) *golden {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	g := new(golden)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// goldenBytes makes the file: one line for each entry, so that a change of one shows as one.
func goldenBytes(t *testing.T) []byte {
	g := &golden{Format: 1, Version: Version, Subprotocol: Subprotocol, Hostile: hostile()}
	for _, name := range planNames() {
		p := plans[name]
		g.Plans = append(g.Plans, goldenPlan{name, jsonPlan(p), AppendPlan(nil, p), p.Hash()})
	}
	for _, v := range vectors {
		g.Messages = append(g.Messages, messageOf(v))
	}
	for _, v := range vectors {
		if wide, fits := wideOf(v); fits {
			g.Messages = append(g.Messages, wide)
		}
	}
	for _, l := range long {
		p := plans[l.plan]
		msg := pack(l.elements)
		kind := Type(l.elements[0].(int))
		m, err := decode(msg, kind, p)
		if err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		g.Messages = append(g.Messages, goldenMessage{l.name, direction(kind), kind, l.plan, true, jsonOf(m, p), msg})
	}
	for _, q := range sequences {
		g.Sequences = append(g.Sequences, statesOf(t, q))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n\"format\": %d,\n\"version\": %d,\n\"subprotocol\": %q,\n", g.Format, g.Version, g.Subprotocol)
	section(&out, "plans", g.Plans, ",")
	section(&out, "messages", g.Messages, ",")
	section(&out, "sequences", g.Sequences, ",")
	section(&out, "hostile", g.Hostile, "")
	out.WriteString("}\n")
	return out.Bytes()
}

func section[E any](out *bytes.Buffer, name string, entries []E, comma string) {
	fmt.Fprintf(out, "%q: [\n", name)
	for i, e := range entries {
		out.WriteString(jsonText(e))
		if i < len(entries)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]" + comma + "\n")
}

func direction(t Type) string {
	if fromServer(t) {
		return "server"
	}
	return "client"
}

func messageOf(v vector) goldenMessage {
	p, kind := plans[v.plan], typeOf(v.m)
	return goldenMessage{v.name, direction(kind), kind, v.plan, false, jsonOf(v.m, p), encode(v.m, p)}
}

// wideOf is the same message in the longest form, if it is short enough then.
func wideOf(v vector) (goldenMessage, bool) {
	g := messageOf(v)
	if w, is := v.m.(*Welcome); is {
		other := *w
		other.PlanHash = crc32.ChecksumIEEE(widen(AppendPlan(nil, w.Plan)))
		g = messageOf(vector{v.name, v.plan, &other})
	}
	g.Name += ", in the longest form"
	g.DecodeOnly = true
	g.Bytes = widen(g.Bytes)
	return g, len(g.Bytes) <= 1024 // bytes: the file stays readable
}

// statesOf plays a sequence as a server does and a client does.
func statesOf(t *testing.T, q sequence) goldenStates {
	p := plans[q.plan]
	out := goldenStates{Name: q.name, Plan: q.plan}
	client := &State{Plan: p}
	var base *Rows
	var private []int32
	var tick uint32
	for _, s := range q.steps {
		if s.bytes == nil {
			s.head.BaseTick = tick
			s.bytes = stateBytes(p, s, base, private)
			base, tick = s.rows, s.head.Tick
			if s.private != nil || s.full {
				private = s.private
			}
			if s.form != nil {
				s.bytes = s.form(s.bytes)
			}
			s.expect = "applied"
		}
		if got := outcome(client.Apply(s.bytes)); got != s.expect {
			t.Fatalf("%s, %s: %s, not %s", q.name, s.name, got, s.expect)
		}
		if s.expect == "applied" && s.rows != nil && !reflect.DeepEqual(jsonRows(&client.Rows), jsonRows(s.rows)) {
			t.Fatalf("%s, %s: the client has %v", q.name, s.name, jsonState(client)["rows"])
		}
		out.Steps = append(out.Steps, goldenStep{s.name, s.bytes, s.expect, jsonState(client)})
	}
	return out
}

func jsonRows(r *Rows) any { return jsonState(&State{Rows: *r})["rows"] }

func stateBytes(p *Plan, s step, base *Rows, private []int32) []byte {
	var msg []byte
	if s.full {
		msg = AppendSnapshotRows(AppendSnapshotHead(nil, &s.head), s.rows)
		private = nil
	} else {
		msg = AppendDeltaRows(AppendDeltaHead(nil, &s.head), p, base, s.rows)
	}
	msg = AppendPrivate(msg, p.Private, private, s.private)
	return AppendCRC(msg, s.rows.CRC(), s.crc)
}

func jsonText(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// widen writes every integer of a message in 64 bits and every head in 32.
func widen(msg []byte) []byte {
	var out []byte
	for len(msg) > 0 {
		b := msg[0]
		switch {
		case b == 0xc0 || b == 0xc2 || b == 0xc3:
			out, msg = append(out, b), msg[1:]
		case b < 0x80 || b >= 0xe0:
			out, msg = append64(out, 0xd3, uint64(int64(int8(b)))), msg[1:]
		case b >= 0xcc && b <= 0xd3:
			n := 1 << ((b - 0xcc) & 3)
			v := uint64(0)
			if b >= 0xd0 && msg[1] >= 0x80 {
				v = ^v
			}
			for _, x := range msg[1 : 1+n] {
				v = v<<8 | uint64(x)
			}
			code := byte(0xcf)
			if b >= 0xd0 {
				code = 0xd3
			}
			out, msg = append64(out, code, v), msg[1+n:]
		case b&0xf0 == 0x90:
			out, msg = append32(out, 0xdd, uint32(b&15)), msg[1:]
		case b == 0xdc:
			out, msg = append32(out, 0xdd, uint32(binary.BigEndian.Uint16(msg[1:]))), msg[3:]
		case b&0xe0 == 0xa0:
			n := int(b & 31)
			out, msg = append(append32(out, 0xdb, uint32(n)), msg[1:1+n]...), msg[1+n:]
		case b == 0xd9 || b == 0xc4:
			n := int(msg[1])
			out, msg = append(append32(out, b+2, uint32(n)), msg[2:2+n]...), msg[2+n:]
		case b == 0xc5:
			n := int(binary.BigEndian.Uint16(msg[1:]))
			out, msg = append(append32(out, 0xc6, uint32(n)), msg[3:3+n]...), msg[3+n:]
		default:
			panic(fmt.Sprintf("widen: %#x", b))
		}
	}
	return out
}

func append64(out []byte, code byte, v uint64) []byte {
	return binary.BigEndian.AppendUint64(append(out, code), v)
}

func append32(out []byte, code byte, v uint32) []byte {
	return binary.BigEndian.AppendUint32(append(out, code), v)
}

// lengthen puts five elements of a later version behind a server's message: nil, a number, a text, bytes
// and arrays in arrays.
func lengthen(msg []byte) []byte {
	if msg[0]&0xf0 != 0x90 {
		panic("lengthen: not a short message")
	}
	out := append([]byte{0xdc, 0, msg[0]&15 + 5}, msg[1:]...)
	return append(out, unhex("c0 cfffffffffffffffff a3ff6162 c4020102 92 9192c3c2 91 91 90")...)
}
