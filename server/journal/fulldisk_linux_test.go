package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/server/journal"
)

// A disk that is really full: nothing that was confirmed is lost, and records are taken again as soon as there is room. It
// needs a small disk of its own, which root alone can mount; without it TestFullStream… is what there is.
func TestFullDiskIsFreedAgain(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Logf("no disk of its own: mount: %v", err)
		return
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	c := journal.StreamConfig{Name: "TEST", MaxBytes: 48 << 20}
	n := open(t, filepath.Join(disk, "nats"))
	s := stream(t, n, c)
	var confirmed []uint64
	add := func(i int) error {
		seq, err := s.Append(t.Context(), "k", fmt.Sprint(i), make([]byte, 32<<10))
		if err == nil {
			confirmed = append(confirmed, seq)
		}
		return err
	}
	for i := range 50 {
		if err := add(i); err != nil {
			t.Fatal(err)
		}
	}
	fat := filepath.Join(disk, "fat")
	f, err := os.Create(fat)
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	f.Close()
	for i := 50; err == nil || i < 60; i++ { // the first ones may find room in a block
		err = add(i)
	}
	if begin := time.Now(); !errors.Is(add(100), journal.ErrFull) || time.Since(begin) > time.Second {
		t.Errorf("a full disk is not said at once: %v", time.Since(begin))
	}
	if err := os.Remove(fat); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for add(1000) != nil {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("nothing is taken any more")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("taken again %v after the disk was freed", time.Since(begin).Round(time.Millisecond))
	there := func(when string) {
		for _, seq := range confirmed {
			if _, err := s.Read(t.Context(), seq); err != nil {
				t.Errorf("%s, record %d: %v", when, seq, err)
			}
		}
	}
	there("afterwards")
	n.Close()
	n = open(t, filepath.Join(disk, "nats"))
	s = stream(t, n, c)
	there("after a restart")
}
