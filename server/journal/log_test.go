package journal_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"skirmish/server/journal"
)

const kindNote = journal.KindFirst

func openLog(t testing.TB, s journal.Stream, cfg journal.LogConfig) (*journal.Log, map[string]string) {
	t.Helper()
	l, keys, err := journal.OpenLog(t.Context(), s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for key, entries := range keys {
		var parts []string
		for _, e := range entries {
			parts = append(parts, string(e.Data))
		}
		got[key] = strings.Join(parts, " ")
	}
	return l, got
}

func flush(t testing.TB, l *journal.Log) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func note(l *journal.Log, key, text string) { l.Append(key, kindNote, []byte(text)) }

// Whoever opens the log again finds each key's newest checkpoint and what came behind it.
func TestLogIsReadFromTheNewestCheckpoints(t *testing.T) {
	for name, j := range map[string]journal.Journal{"memory": &journal.Memory{}, "NATS": open(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, j, journal.StreamConfig{Name: "LOG", MaxBytes: 8 << 20, Unsynced: true})
			l, got := openLog(t, s, journal.LogConfig{})
			if len(got) != 0 {
				t.Fatalf("an empty log holds %v", got)
			}
			note(l, "a", "lost: it has no checkpoint")
			l.Checkpoint("a", []byte("a0"))
			l.Checkpoint("b", []byte("b0"))
			note(l, "a", "1")
			note(l, "b", "1")
			flush(t, l)
			l.Checkpoint("a", []byte("a1"))
			note(l, "a", "2")
			l.Checkpoint("c", []byte("c0"))
			flush(t, l)
			l.End("c")
			note(l, "b", "2")
			flush(t, l)
			flush(t, l) // nothing
			note(l, "a", "never written")
			l, got = openLog(t, s, journal.LogConfig{})
			if want := map[string]string{"a": "a1 2", "b": "b0 1 2"}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			note(l, "b", "3")
			l.End("a")
			flush(t, l)
			if _, got = openLog(t, s, journal.LogConfig{}); fmt.Sprint(got) != "map[b:b0 1 2 3]" {
				t.Fatalf("then %v", got)
			}
		})
	}
}

// A stream that refuses everything holds nobody up, and what is dropped meanwhile leaves no hole in what is read.
func TestLogGap(t *testing.T) {
	m := &journal.Memory{}
	refuse := errors.New("no space left")
	broken := false
	m.Fault = func(call string) error {
		if broken && call == "Append" {
			return refuse
		}
		return nil
	}
	s := stream(t, m, journal.StreamConfig{Name: "LOG"})
	var told []error
	l, _ := openLog(t, s, journal.LogConfig{Wrote: func(_ int, err error) { told = append(told, err) }})
	l.Checkpoint("a", []byte("a0"))
	l.Checkpoint("b", []byte("b0"))
	l.Checkpoint("c", []byte("c0"))
	note(l, "a", "1")
	flush(t, l)
	broken = true
	note(l, "a", "2")
	if err := l.Flush(t.Context()); !errors.Is(err, refuse) {
		t.Fatal(err)
	}
	l.End("c")
	big := strings.Repeat("x", 1<<20)
	for range 17 {
		note(l, "b", big)
	}
	if l.Gaps() != 1 {
		t.Fatalf("%d gaps", l.Gaps())
	}
	note(l, "a", "behind the gap")
	if err := l.Flush(t.Context()); !errors.Is(err, refuse) {
		t.Fatal(err)
	}
	broken = false
	l.Checkpoint("b", []byte("b1"))
	note(l, "b", "2")
	flush(t, l)
	if _, got := openLog(t, s, journal.LogConfig{}); fmt.Sprint(got) != "map[a:a0 1 b:b1 2]" {
		t.Fatalf("got %.200v", got)
	}
	if len(told) < 4 || told[0] != nil || told[1] == nil || told[2] == nil || told[3] != nil {
		t.Errorf("told %v", told)
	}
	if err := l.Append("a", kindNote, make([]byte, journal.MaxEntryBytes+1)); !errors.Is(err, journal.ErrEntry) {
		t.Errorf("an entry that fits no record: %v", err)
	}
}

// What a record that cannot be read has held is missing: nothing of a key counts between it and the next checkpoint.
func TestLogWithATornRecord(t *testing.T) {
	m := &journal.Memory{}
	s := stream(t, m, journal.StreamConfig{Name: "LOG"})
	l, _ := openLog(t, s, journal.LogConfig{})
	l.Checkpoint("a", []byte("a0"))
	l.Checkpoint("b", []byte("b0"))
	note(l, "a", "1")
	flush(t, l)
	torn, err := s.Read(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": nil, "short": torn.Data[:3], "torn": torn.Data[:len(torn.Data)-5], "another version": append([]byte{9}, torn.Data[1:]...),
		"a flipped bit": append([]byte{torn.Data[0], torn.Data[1] ^ 1}, torn.Data[2:]...),
	} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, &journal.Memory{}, journal.StreamConfig{Name: "LOG"})
			add(t, s, "log", "", string(torn.Data))
			add(t, s, "log", "", string(data))
			l, _ := openLog(t, s, journal.LogConfig{})
			note(l, "a", "2")
			l.Checkpoint("b", []byte("b1"))
			note(l, "b", "1")
			flush(t, l)
			if _, got := openLog(t, s, journal.LogConfig{}); fmt.Sprint(got) != "map[a:a0 1 b:b1 1]" {
				t.Errorf("got %v", got)
			}
		})
	}
}

// The old end of a log goes away, and never what is needed.
func TestLogIsCut(t *testing.T) {
	m := &journal.Memory{}
	s := stream(t, m, journal.StreamConfig{Name: "LOG"})
	l, _ := openLog(t, s, journal.LogConfig{})
	l.Checkpoint("a", []byte("a0"))
	l.Checkpoint("b", []byte("b0"))
	flush(t, l)
	l.Checkpoint("a", []byte("a1"))
	flush(t, l)
	l.Cut(t.Context())
	if all, _ := s.List(t.Context(), 0, 10); len(all) != 2 {
		t.Errorf("%d records are left of 2 that are needed", len(all))
	}
	l, _ = openLog(t, s, journal.LogConfig{}) // a restart
	l.Checkpoint("a", []byte("a2"))
	flush(t, l)
	l.Cut(t.Context())
	if _, got := openLog(t, s, journal.LogConfig{}); fmt.Sprint(got) != "map[a:a2 b:b0]" {
		t.Errorf("what was there before a restart: %v", got)
	}
	l.Checkpoint("b", []byte("b1"))
	l.End("a")
	flush(t, l)
	l.Cut(t.Context())
	if all, _ := s.List(t.Context(), 0, 10); len(all) != 1 {
		t.Errorf("%d records are left, one is needed", len(all))
	}
	l.End("b")
	flush(t, l)
	l.Cut(t.Context())
	if all, _ := s.List(t.Context(), 0, 10); len(all) != 0 {
		t.Errorf("%d records are left of a log that nobody needs", len(all))
	}
}

// Run writes what is there when it is told to end, and leaves little to read.
func TestLogRun(t *testing.T) {
	s := stream(t, &journal.Memory{}, journal.StreamConfig{Name: "LOG"})
	gathered := make(chan struct{}, 1)
	var before []int // records that are there before each one is written
	l, _ := openLog(t, s, journal.LogConfig{Gather: func() {
		select {
		case gathered <- struct{}{}:
		default:
		}
	}, Before: func() {
		all, _ := s.List(t.Context(), 0, 10)
		before = append(before, len(all))
	}})
	l.Checkpoint("a", []byte("old"))
	flush(t, l)
	<-gathered
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	<-gathered
	l.Checkpoint("a", []byte("a0"))
	cancel()
	<-done
	if _, got := openLog(t, s, journal.LogConfig{}); fmt.Sprint(got) != "map[a:a0]" {
		t.Errorf("got %v", got)
	}
	if all, _ := s.List(t.Context(), 0, 10); len(all) != 1 {
		t.Errorf("%d records are left, one is needed", len(all))
	}
	if fmt.Sprint(before) != "[0 1]" {
		t.Errorf("Before was called with %v records there", before)
	}
}

var update = flag.Bool("update", false, "write the golden files")

const goldenLog = "testdata/log.golden"

// written is the record that goldenLog holds.
func written(t testing.TB) []byte {
	t.Helper()
	s, _ := (&journal.Memory{}).Open(t.Context(), journal.StreamConfig{Name: "LOG"})
	l, _ := openLog(t, s, journal.LogConfig{})
	l.Checkpoint("a", []byte("state"))
	l.Append("a", kindNote, []byte("tick"))
	l.Checkpoint("b", []byte(strings.Repeat("long", 50)))
	l.Append("b", kindNote, nil)
	l.Checkpoint("c", []byte("over"))
	l.End("c")
	flush(t, l)
	r, err := s.Read(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return r.Data
}

// What an older program has left is read by this one, and what this one writes by an older one: the bytes stay as they are.
func TestGoldenLog(t *testing.T) {
	got := written(t)
	if *update {
		if err := os.WriteFile(goldenLog, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenLog)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	s, _ := (&journal.Memory{}).Open(t.Context(), journal.StreamConfig{Name: "LOG"})
	s.Append(t.Context(), "log", "", want)
	if _, held := openLog(t, s, journal.LogConfig{}); len(held) != 2 || held["a"] != "state tick" || held["b"] != strings.Repeat("long", 50)+" " {
		t.Errorf("read %v", held)
	}
}

func FuzzLog(f *testing.F) {
	r := journal.Record{Data: written(f)}
	f.Add(r.Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, seal := range []bool{false, true} {
			s, _ := (&journal.Memory{}).Open(t.Context(), journal.StreamConfig{Name: "LOG"})
			s.Append(t.Context(), "log", "", r.Data)
			if seal {
				data = journal.Sealed(data)
			}
			s.Append(t.Context(), "log", "", data)
			_, keys, err := journal.OpenLog(t.Context(), s, journal.LogConfig{})
			if err != nil {
				t.Fatal(err)
			}
			for key, entries := range keys {
				if len(entries) == 0 {
					t.Errorf("%q has nothing", key)
				}
			}
		}
	})
}

// What a match's tick costs in the log: 200 bytes of 300 matches, and a record for them all.
func BenchmarkLog(b *testing.B) {
	n, err := journal.OpenNATS(b.Context(), journal.Options{Dir: b.TempDir(), MaxStore: 2 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	s, err := n.Open(b.Context(), journal.StreamConfig{Name: "LOG", MaxBytes: 1 << 30, Unsynced: true})
	if err != nil {
		b.Fatal(err)
	}
	l, _ := openLog(b, s, journal.LogConfig{})
	tick := make([]byte, 200)
	for b.Loop() {
		for range 300 {
			l.Append("0123456789abcdef01234567", kindNote, tick)
		}
		if err := l.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
