package protocol_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
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
