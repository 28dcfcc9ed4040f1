package protocol_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"reflect"
	"strings"
	"testing"

	. "skirmish/protocol"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const goldenFile = "testdata/vectors.json"

// TestGoldenFile holds the file to what the package writes today. A difference is a change of the wire:
// version 1 is frozen, so look twice before `make golden`.
func TestGoldenFile(t *testing.T) {
	made := goldenBytes(t)
	if *update {
		if err := os.WriteFile(goldenFile, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	held, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(made, held) {
		return
	}
	a, b := strings.Split(string(made), "\n"), strings.Split(string(held), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s:%d differs (go test ./protocol -run Golden -update writes it anew)\nnow  %.300s\nheld %.300s", goldenFile, i+1, a[i], b[i])
		}
	}
	t.Fatalf("%s has %d lines, not %d", goldenFile, len(b), len(a))
}

// TestGoldenMessages reads the file as a stranger would: every message decodes to its value, and encodes
// to its bytes unless it is there for decoding only.
func TestGoldenMessages(t *testing.T) {
	for _, v := range readGolden(t).Messages {
		t.Run(v.Name, func(t *testing.T) {
			p := plans[v.Plan]
			m, err := decode(v.Bytes, v.Type, p)
			if err != nil {
				t.Fatal(err)
			}
			if got := jsonText(jsonOf(m, p)); got != jsonText(v.Value) {
				t.Fatalf("decodes to %s, not %s", got, jsonText(v.Value))
			}
			if got := encode(m, p); !v.DecodeOnly && !bytes.Equal(got, v.Bytes) {
				t.Fatalf("encodes to %x, not %x", got, v.Bytes)
			}
			if fromServer(v.Type) != (v.Direction == "server") {
				t.Fatalf("%v is not from the %s", v.Type, v.Direction)
			}
		})
	}
}

func TestGoldenHasEveryType(t *testing.T) {
	seen := map[Type]bool{}
	g := readGolden(t)
	for _, v := range g.Messages {
		seen[v.Type] = true
	}
	for _, s := range g.Sequences {
		for _, step := range s.Steps {
			if kind, err := ServerType(step.Bytes); err == nil {
				seen[kind] = true
			}
		}
	}
	for kind := range 0x100 {
		if named := Type(kind).String() != "message"; named != seen[Type(kind)] {
			t.Errorf("type %#x: named %v, in the file %v", kind, named, seen[Type(kind)])
		}
	}
}

// TestGoldenCut refuses every message of the file cut short anywhere, and with a byte too many.
func TestGoldenCut(t *testing.T) {
	for _, v := range readGolden(t).Messages {
		for n := range v.Bytes {
			if _, err := decode(v.Bytes[:n:n], v.Type, plans[v.Plan]); !errors.Is(err, ErrMessage) {
				t.Fatalf("%s: %d of %d bytes: %v", v.Name, n, len(v.Bytes), err)
			}
		}
		if _, err := decode(append(bytes.Clone(v.Bytes), 0), v.Type, plans[v.Plan]); !errors.Is(err, ErrMessage) && !errors.Is(err, ErrTooBig) {
			t.Fatalf("%s: a byte behind the end: %v", v.Name, err)
		}
	}
}

func TestGoldenSequences(t *testing.T) {
	for _, q := range readGolden(t).Sequences {
		t.Run(q.Name, func(t *testing.T) {
			s := &State{Plan: plans[q.Plan]}
			for _, step := range q.Steps {
				for n := range step.Bytes {
					if err := s.Apply(step.Bytes[:n:n]); err == nil {
						t.Fatalf("%s: %d of %d bytes applied", step.Name, n, len(step.Bytes))
					}
				}
				if got := outcome(s.Apply(step.Bytes)); got != step.Expect {
					t.Fatalf("%s: %s, not %s", step.Name, got, step.Expect)
				}
				if got := jsonText(jsonState(s)); got != jsonText(step.State) {
					t.Fatalf("%s:\n%s, not\n%s", step.Name, got, jsonText(step.State))
				}
				if !s.Sound() {
					t.Fatalf("%s: the checksum differs", step.Name)
				}
			}
		})
	}
}

func TestGoldenHostile(t *testing.T) {
	g := readGolden(t)
	if len(g.Hostile) < 60 {
		t.Fatalf("only %d hostile cases", len(g.Hostile))
	}
	for _, h := range g.Hostile {
		t.Run(h.Direction+"/"+h.Name, func(t *testing.T) {
			p := plans[h.Plan]
			if h.Direction == "client" {
				if got := closeCode(h.Bytes, p); got != h.Close {
					t.Fatalf("close code %d, not %d", got, h.Close)
				}
				return
			}
			if len(h.Before) == 0 {
				if _, err := decodeServer(h.Bytes, p); outcome(err) != h.Expect {
					t.Fatalf("%v, not %s", err, h.Expect)
				}
				return
			}
			s := &State{Plan: p}
			for _, b := range h.Before {
				if err := s.Apply(b); err != nil {
					t.Fatal(err)
				}
			}
			before := jsonText(jsonState(s))
			if err := s.Apply(h.Bytes); outcome(err) != h.Expect {
				t.Fatalf("%v, not %s", err, h.Expect)
			}
			if after := jsonText(jsonState(s)); after != before {
				t.Fatalf("the state changed from %s to %s", before, after)
			}
		})
	}
}

// closeCode is how a server answers a message: 0 if it is fine.
func closeCode(msg []byte, p *Plan) CloseCode { return closeCodeBy(NewDecoder(), msg, p) }

func closeCodeBy(d *Decoder, msg []byte, p *Plan) CloseCode {
	m, err := decodeClient(d, msg, p)
	if hello, is := m.(*Hello); is && err == nil && hello.Version != Version {
		return CloseVersion
	}
	return CloseCodeFor(err)
}

// outcome is how the file calls what a client makes of a server's message.
func outcome(err error) string {
	switch {
	case err == nil:
		return "applied"
	case errors.Is(err, ErrBaseline):
		return "baseline"
	case errors.Is(err, ErrMessage) || errors.Is(err, ErrTooBig):
		return "refused"
	}
	return err.Error()
}

// The file.

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

// wideOf is the same message in the longest form, if it is still within its limit then.
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
	return g, len(g.Bytes) <= 1024 && (w(v) || len(g.Bytes) <= 512)
}

func w(v vector) bool { _, is := v.m.(*Welcome); return is }

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
