package netpoll_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"skirmish/server/netpoll"
)

func TestOpen(t *testing.T) {
	best := netpoll.Portable
	if runtime.GOOS == "linux" {
		best = netpoll.Epoll
	}
	for name, want := range map[string]string{"": best, best: best, netpoll.Portable: netpoll.Portable} {
		if d, err := netpoll.Open(name); err != nil || d.Name() != want {
			t.Errorf("Open(%q): %v, %v", name, d, err)
		}
	}
	for _, name := range []string{"kqueue", "Epoll", " "} {
		if _, err := netpoll.Open(name); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("Open(%q): %v", name, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	var b netpoll.Backoff
	full := os.NewSyscallError("accept4", syscall.EMFILE)
	if d := b.Next(errors.New("something else")); d != 0 {
		t.Errorf("another error: %v", d)
	}
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000} {
		if d := b.Next(full); d != want*time.Millisecond {
			t.Errorf("pause %d is %v, want %v ms", i, d, want)
		}
	}
	b.Reset()
	if d := b.Next(syscall.ENFILE); d != 5*time.Millisecond {
		t.Errorf("after a success: %v", d)
	}
}
