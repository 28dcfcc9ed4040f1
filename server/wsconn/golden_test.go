package wsconn_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skirmish/server/wsconn"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs, got:\n%s", file, got)
	}
}

// TestGoldenAnswers holds every byte that we send around messages.
func TestGoldenAnswers(t *testing.T) {
	var b strings.Builder
	say := func(name string, p []byte) { fmt.Fprintf(&b, "# %s\n%q\n\n", name, p) }
	var h wsconn.Handshake
	if _, err := h.Feed([]byte(also())); err != nil {
		t.Fatal(err)
	}
	say("upgrade without a sub-protocol", wsconn.AppendUpgrade(nil, h.Request(), ""))
	say("upgrade", wsconn.AppendUpgrade(nil, h.Request(), "skirmish.v1"))
	for _, c := range handshakes() {
		var h wsconn.Handshake
		if _, err := h.Feed([]byte(c.head)); err != nil {
			say("refused: "+c.name, wsconn.AppendRefusal(nil, err.(*wsconn.Refusal)))
		}
	}
	say("full", wsconn.AppendRefusal(nil, &wsconn.Refusal{Status: 503, Reason: "too many connections", Header: []wsconn.Field{{Name: "Retry-After", Value: "5"}}}))
	say("close", wsconn.AppendClose(nil, wsconn.CodeNormal, ""))
	say("close with a reason", wsconn.AppendClose(nil, 4408, "timed out"))
	say("close without a code", wsconn.AppendClose(nil, wsconn.CodeNoStatus, "left away"))
	say("close with a reason cut between two characters", wsconn.AppendClose(nil, 1002, strings.Repeat("ä", 100)))
	say("an empty ping", wsconn.AppendFrame(nil, wsconn.OpPing, nil))
	say("binary", wsconn.AppendFrame(nil, wsconn.OpBinary, []byte("payload")))
	golden(t, "answers.golden", []byte(b.String()))
}

// TestGoldenFrames holds what is made of every story: stream in hex, then the messages and the fault with its
// reason.
func TestGoldenFrames(t *testing.T) {
	var b strings.Builder
	for _, s := range stories() {
		if len(s.stream) > 500 {
			continue
		}
		fmt.Fprintf(&b, "# %s\n%x\n", s.name, s.stream)
		var r wsconn.Reader
		r.Init(s.limits)
		for rest := bytes.Clone(s.stream); ; {
			m, behind, err := r.Next(rest)
			if err != nil {
				fmt.Fprintln(&b, err)
				break
			}
			if m.Op == wsconn.OpNone {
				break
			}
			fmt.Fprintf(&b, "%d %d %q\n", m.Op, m.Code, m.Payload)
			rest = behind
		}
		fmt.Fprintf(&b, "midway %v\n\n", r.Midway())
	}
	golden(t, "frames.golden", []byte(b.String()))
}
