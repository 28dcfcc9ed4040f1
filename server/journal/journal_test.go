package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"skirmish/server/journal"
)

// elsewhere opens a journal at a NATS server of its own, over TCP.
func elsewhere(t *testing.T) *journal.NATS {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS is not ready")
	}
	n, err := journal.OpenNATS(t.Context(), journal.Options{URL: s.ClientURL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func open(t *testing.T, dir string) *journal.NATS {
	t.Helper()
	n, err := journal.OpenNATS(t.Context(), journal.Options{Dir: dir, MaxStore: 64 << 20, Log: func(level, text string) { t.Log(level, text) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func stream(t *testing.T, j journal.Journal, c journal.StreamConfig) journal.Stream {
	t.Helper()
	s, err := j.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, s journal.Stream, key, id, data string) uint64 {
	t.Helper()
	seq, err := s.Append(t.Context(), key, id, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// Both journals keep the same contract.
func TestStreams(t *testing.T) {
	for name, j := range map[string]journal.Journal{"memory": &journal.Memory{}, "NATS": open(t, t.TempDir()), "NATS elsewhere": elsewhere(t)} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s := stream(t, j, journal.StreamConfig{Name: "TEST", MaxBytes: 1 << 20})
			one := add(t, s, "a.b-c_d", "id1", "first")
			two := add(t, s, "b", "id2", "second")
			if again := add(t, s, "a.b-c_d", "id1", "first"); again != one || two <= one {
				t.Errorf("numbers %d, %d, and %d for a repeat", one, two, again)
			}
			three := add(t, s, "a.b-c_d", "id3", "third")
			r, err := s.Last(ctx, "a.b-c_d")
			if err != nil || r.Seq != three || r.Key != "a.b-c_d" || r.ID != "id3" || string(r.Data) != "third" || time.Since(r.Time) > time.Minute {
				t.Errorf("last: %+v, %v", r, err)
			}
			if _, err := s.Last(ctx, "nobody"); !errors.Is(err, journal.ErrNotFound) {
				t.Errorf("the last of no key: %v", err)
			}
			if r, err := s.Read(ctx, two); err != nil || string(r.Data) != "second" {
				t.Errorf("read: %+v, %v", r, err)
			}
			for range 2 {
				if err := s.Delete(ctx, two); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
			if _, err := s.Read(ctx, two); !errors.Is(err, journal.ErrNotFound) {
				t.Errorf("read what was deleted: %v", err)
			}
			all, err := s.List(ctx, 0, 10)
			if err != nil || len(all) != 2 || all[0].Seq != one || all[1].Seq != three {
				t.Errorf("list: %+v, %v", all, err)
			}
			if rest, err := s.List(ctx, one+1, 10); err != nil || len(rest) != 1 || rest[0].Seq != three {
				t.Errorf("list from the second on: %+v, %v", rest, err)
			}
		})
	}
}

// A log that is written at its end and cut at its beginning, on a stream that does not wait for the disk.
func TestUnsyncedStreamIsTruncated(t *testing.T) {
	dir := t.TempDir()
	for name, j := range map[string]journal.Journal{"memory": &journal.Memory{}, "NATS": open(t, dir), "NATS elsewhere": elsewhere(t)} {
		t.Run(name, func(t *testing.T) {
			c := journal.StreamConfig{Name: "LOG", MaxBytes: 1 << 20, Unsynced: true}
			s := stream(t, j, c)
			var seqs []uint64
			for i := range 10 {
				seqs = append(seqs, add(t, s, "log", "", fmt.Sprint("same id, new record ", i)))
			}
			if seqs[9] != seqs[0]+9 {
				t.Fatalf("numbers %v", seqs)
			}
			for _, before := range []uint64{0, 1, seqs[0], seqs[4], seqs[4], seqs[2]} {
				if err := s.Truncate(t.Context(), before); err != nil {
					t.Fatal(err)
				}
			}
			all, err := s.List(t.Context(), 0, 100)
			if err != nil || len(all) != 6 || all[0].Seq != seqs[4] || string(all[5].Data) != "same id, new record 9" {
				t.Fatalf("%d records are left: %+v, %v", len(all), all, err)
			}
			if err := s.Truncate(t.Context(), seqs[9]+1); err != nil {
				t.Fatal(err)
			}
			if next := add(t, s, "log", "", "behind an empty log"); next != seqs[9]+1 {
				t.Errorf("a truncated stream counts from %d on, not %d", next, seqs[9]+1)
			}
		})
	}
	n := open(t, t.TempDir())
	stream(t, n, journal.StreamConfig{Name: "LOG", MaxBytes: 1 << 20, Unsynced: true})
	if _, err := n.Open(t.Context(), journal.StreamConfig{Name: "LOG", MaxBytes: 2 << 20, Unsynced: true}); err != nil {
		t.Errorf("opened again with another bound: %v", err)
	}
}

func TestReadersGoOnInOrder(t *testing.T) {
	for name, j := range map[string]journal.Journal{"memory": &journal.Memory{}, "NATS": open(t, t.TempDir()), "NATS elsewhere": elsewhere(t)} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, j, journal.StreamConfig{Name: "TEST", MaxBytes: 1 << 20})
			for i := range 5 {
				add(t, s, "k", fmt.Sprint(i), fmt.Sprint(i))
			}
			read := func(stopAt string, refuse string) string {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				var got strings.Builder
				err := s.Consume(ctx, "reader", func(r journal.Record) error {
					got.Write(r.Data)
					if string(r.Data) == refuse {
						refuse = ""
						return errors.New("not now")
					}
					if string(r.Data) == stopAt {
						cancel()
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				return got.String()
			}
			if got := read("3", "1"); got != "01123" {
				t.Errorf("read %s, want 01123: what is refused comes again before the others", got)
			}
			add(t, s, "k", "5", "5")
			if got := read("5", ""); got != "45" && got != "345" {
				t.Errorf("then %s, want 45", got)
			}
		})
	}
}

// What Append has confirmed is there after a restart, and so are the ids.
func TestRecordsOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	c := journal.StreamConfig{Name: "TEST", MaxBytes: 1 << 20}
	n := open(t, dir)
	s := stream(t, n, c)
	for i := range 100 {
		add(t, s, "k", fmt.Sprint(i), strings.Repeat("x", i))
	}
	n.Close()
	n = open(t, dir)
	s = stream(t, n, c)
	all, err := s.List(t.Context(), 0, 1000)
	if err != nil || len(all) != 100 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	for i, r := range all {
		if string(r.Data) != strings.Repeat("x", i) {
			t.Fatalf("record %d is %q", i, r.Data)
		}
	}
	if seq := add(t, s, "k", "99", "again"); seq != all[99].Seq {
		t.Errorf("the id of a record was forgotten over the restart: %d", seq)
	}
}

func TestFullStreamTakesRecordsAgainOnceThereIsRoom(t *testing.T) {
	for name, j := range map[string]journal.Journal{"memory": &journal.Memory{}, "NATS": open(t, t.TempDir()), "NATS elsewhere": elsewhere(t)} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, j, journal.StreamConfig{Name: "TEST", MaxBytes: 64 << 10})
			data := make([]byte, 8<<10)
			var seqs []uint64
			var err error
			for i := 0; err == nil && i < 100; i++ {
				var seq uint64
				if seq, err = s.Append(t.Context(), "k", fmt.Sprint(i), data); err == nil {
					seqs = append(seqs, seq)
				}
			}
			if !errors.Is(err, journal.ErrFull) || len(seqs) < 5 {
				t.Fatalf("after %d records: %v", len(seqs), err)
			}
			for _, seq := range seqs[:2] { // the oldest
				if err := s.Delete(t.Context(), seq); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Append(t.Context(), "k", "new", data); err != nil {
				t.Errorf("after two were deleted: %v", err)
			}
			if _, err := s.Read(t.Context(), seqs[2]); err != nil {
				t.Errorf("an old record: %v", err)
			}
		})
	}
}

func TestFullStreamDropsItsOldest(t *testing.T) {
	for name, j := range map[string]journal.Journal{"memory": &journal.Memory{}, "NATS": open(t, t.TempDir()), "NATS elsewhere": elsewhere(t)} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, j, journal.StreamConfig{Name: "TEST", MaxBytes: 64 << 10, DropOldest: true})
			var last uint64
			for i := range 50 {
				last = add(t, s, "k", fmt.Sprint(i), strings.Repeat("x", 8<<10))
			}
			if _, err := s.Read(t.Context(), last); err != nil {
				t.Errorf("the newest: %v", err)
			}
			if _, err := s.Read(t.Context(), 1); !errors.Is(err, journal.ErrNotFound) {
				t.Errorf("the oldest: %v", err)
			}
			if all, err := s.List(t.Context(), 1, 100); err != nil || len(all) < 5 || len(all) > 8 {
				t.Errorf("%d records, %v", len(all), err)
			}
		})
	}
}

func TestBrokenFolderIsOneSentence(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.OpenNATS(t.Context(), journal.Options{Dir: file, MaxStore: 1 << 20}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, err := journal.OpenNATS(t.Context(), journal.Options{URL: "nats://user:hidden@127.0.0.1:1"}); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("%v", err)
	}
}

// What one record of 1,000 bytes costs, with and without waiting for the disk.
func BenchmarkAppend(b *testing.B) {
	n, err := journal.OpenNATS(b.Context(), journal.Options{Dir: b.TempDir(), MaxStore: 2 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	for _, c := range []journal.StreamConfig{{Name: "SYNCED", MaxBytes: 1 << 29}, {Name: "UNSYNCED", MaxBytes: 1 << 29, Unsynced: true}} {
		b.Run(strings.ToLower(c.Name), func(b *testing.B) {
			s, err := n.Open(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			data := make([]byte, 1000)
			for b.Loop() {
				if _, err := s.Append(b.Context(), "k", "", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
