package netpoll_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/server/netpoll"
)

// watched lists the descriptors that each epoll instance of this process watches, by the instance's own.
func watched(t testing.TB) map[int]map[int]bool {
	t.Helper()
	all := map[int]map[int]bool{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if link, _ := os.Readlink("/proc/self/fd/" + e.Name()); !strings.Contains(link, "eventpoll") {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if err != nil {
			continue
		}
		var epfd int
		fmt.Sscan(e.Name(), &epfd)
		all[epfd] = map[int]bool{}
		for line := range strings.Lines(string(info)) {
			var fd int
			if n, _ := fmt.Sscanf(line, "tfd: %d", &fd); n == 1 {
				all[epfd][fd] = true
			}
		}
	}
	return all
}

func newEpollTable(t *testing.T) *table {
	return newTable(t, kind{"epoll", netpoll.NewEpoll(), nil, dialTCP})
}

// TestNothingInGosPoller: 500 connections, no goroutine for any of them, none of their descriptors in an epoll
// instance that is not ours; only the set that Waits is itself in Go's.
func TestNothingInGosPoller(t *testing.T) {
	tb := newEpollTable(t)
	tb.quiet(tb.set)
	match := tb.newSet()
	before := runtime.NumGoroutine()
	var conns []netpoll.Conn
	for range 500 {
		cl, c := tb.pair(match)
		conns = append(conns, c)
		cl.Write([]byte("x"))
	}
	for got := 0; got < len(conns); {
		n, err := match.Poll(tb.events)
		tb.must(err)
		for _, e := range tb.events[:n] {
			k, _, err := e.Conn.Read(tb.buf)
			tb.must(err)
			got += k
		}
	}
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines more", n)
	}
	ours, lobby := netpoll.Descriptor(match), netpoll.Descriptor(tb.set)
	for epfd, fds := range watched(t) {
		if epfd == ours {
			if len(fds) != len(conns) {
				t.Errorf("the match's set watches %d descriptors, wanted its %d connections and nothing else", len(fds), len(conns))
			}
			continue
		}
		for _, c := range conns {
			if fds[netpoll.Descriptor(c)] {
				t.Errorf("a connection's descriptor is in epoll instance %d", epfd)
			}
		}
		if fds[ours] {
			t.Error("a set that only Polls is in Go's poller")
		}
		if epfd != lobby && fds[netpoll.Descriptor(tb.l)] {
			t.Error("the listener is in Go's poller")
		}
	}
	found := false
	for epfd, fds := range watched(t) {
		found = found || epfd != lobby && fds[lobby]
	}
	if !found {
		t.Error("the set that Waits is not in Go's poller: does it block a thread?")
	}
}

// TestAcceptedSocketsInherit: what the listening socket was told holds for those it accepts.
func TestAcceptedSocketsInherit(t *testing.T) {
	tb := newEpollTable(t)
	_, c := tb.pair(nil)
	for name, o := range map[string][3]int{
		"TCP_NODELAY":      {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		"TCP_USER_TIMEOUT": {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 10000},
		"SO_TIMESTAMPNS":   {unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
	} {
		if v, err := unix.GetsockoptInt(netpoll.Descriptor(c), o[0], o[1]); v != o[2] || err != nil {
			t.Errorf("%s = %d, %v", name, v, err)
		}
	}
	flags, err := unix.FcntlInt(uintptr(netpoll.Descriptor(c)), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Errorf("flags %x, %v", flags, err)
	}
	if flags, err := unix.FcntlInt(uintptr(netpoll.Descriptor(c)), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %x, %v", flags, err)
	}
}

// TestKernelStamps: the arrival is the kernel's, however late the owner reads.
func TestKernelStamps(t *testing.T) {
	tb := newEpollTable(t)
	cl, c := tb.pair(nil)
	set := tb.newSet()
	tb.must(set.Add(c))
	for i := range 5 {
		before := time.Now()
		cl.Write([]byte("x"))
		tb.await(set, c, readable)
		after := time.Now()
		<-time.After(10 * time.Millisecond)
		_, arrived, err := c.Read(tb.buf)
		tb.must(err)
		if at := time.Unix(0, arrived); i > 0 && (at.Before(before) || at.After(after)) {
			t.Errorf("no stamp of the kernel: %v after the send, read %v after", at.Sub(before), time.Since(before))
		}
	}
}

func TestConnMemory(t *testing.T) {
	if netpoll.ConnBytes > 96 {
		t.Errorf("a connection has %d bytes", netpoll.ConnBytes)
	}
	tb := newEpollTable(t)
	set := tb.newSet()
	for range 100 { // places are used again
		cl, c := tb.pair(set)
		tb.must(c.Close())
		cl.tcp.Close()
	}
	if n := netpoll.Slots(set); n != 1 {
		t.Errorf("%d places for one connection at a time", n)
	}
}

func TestAddresses(t *testing.T) {
	for _, k := range kinds(t) {
		if k.tls != nil {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			for _, c := range []struct {
				listen string
				dial   []string
				not    string
			}{
				{"127.0.0.1:0", []string{"127.0.0.1"}, "::1"},
				{"0.0.0.0:0", []string{"127.0.0.1", "127.0.0.2"}, "::1"},
				{"[::1]:0", []string{"::1"}, "127.0.0.1"},
				{":0", []string{"127.0.0.1", "::1"}, ""},
				{"localhost:0", []string{"localhost"}, ""},
			} {
				l, err := k.driver.Listen(c.listen, nil)
				if err != nil {
					if strings.Contains(c.listen, "::1") && errors.Is(err, unix.EADDRNOTAVAIL) {
						t.Logf("no IPv6 here")
						continue
					}
					t.Fatal(err)
				}
				defer l.Close()
				port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
				for _, host := range c.dial {
					nc, err := net.Dial("tcp", net.JoinHostPort(host, port))
					if err != nil {
						if host == "::1" {
							t.Logf("no IPv6 here: %v", err)
							continue
						}
						t.Fatalf("%s: %v", c.listen, err)
					}
					defer nc.Close()
					set, err := k.driver.NewSet()
					if err != nil {
						t.Fatal(err)
					}
					defer set.Close()
					tb := &table{T: t, kind: k, l: l, set: set, events: make([]netpoll.Event, 8)}
					tb.must(set.Listen(l))
					a := tb.accept()
					if want := netip.MustParseAddrPort(nc.LocalAddr().String()); a.Remote() != want {
						t.Errorf("%s: remote %v, want %v", c.listen, a.Remote(), want)
					}
				}
				if c.not != "" {
					if nc, err := net.Dial("tcp", net.JoinHostPort(c.not, port)); err == nil {
						nc.Close()
						t.Errorf("%s is reached by %s", c.listen, c.not)
					}
				}
			}
			l, err := k.driver.Listen("127.0.0.1:0", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if _, err := k.driver.Listen(l.Addr().String(), nil); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), l.Addr().String()) {
				t.Errorf("a port in use: %v", err)
			}
		})
	}
}

// TestOutOfDescriptors: the error comes out once per pause, the loop neither spins nor stops, and goes on by itself.
func TestOutOfDescriptors(t *testing.T) {
	for _, k := range kinds(t) {
		if k.tls != nil {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			tb := newTable(t, k)
			tb.quiet(tb.set) // opens what Wait needs
			cl := tb.dial()
			first := tb.accept()
			defer first.Close()
			var old unix.Rlimit
			tb.must(unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
			// The next client's end is the last descriptor there is: below the highest open one, with all holes filled.
			var holes []*os.File
			defer func() {
				for _, f := range holes {
					f.Close()
				}
			}()
			limit := old
			limit.Cur = 64
			for {
				f, err := os.Open("/dev/null")
				tb.must(err)
				holes = append(holes, f)
				if f.Fd() >= 64 {
					break
				}
			}
			next := tb.dialLater()
			tb.must(unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
			restored := false
			defer func() {
				if !restored {
					_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
				}
			}()
			tb.must(next())
			begin := time.Now()
			failures, waits := 0, 0
			for time.Since(begin) < 100*time.Millisecond {
				n, err := tb.set.Wait(tb.events, begin.Add(100*time.Millisecond))
				tb.must(err)
				waits++
				if n == 0 {
					continue
				}
				if _, err := tb.l.Accept(); !netpoll.Exhausted(err) {
					t.Fatalf("Accept: %v", err)
				}
				failures++
				tb.quietUntil(begin.Add(time.Duration(failures) * 4 * time.Millisecond))
			}
			if failures < 2 || failures > 8 || waits > 20 {
				t.Errorf("%d attempts, %d rounds in 100 ms, wanted about 5 with 5, 10, 20 … ms between", failures, waits)
			}
			tb.must(unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
			restored = true
			c := acceptThrough(tb)
			cl.Write([]byte("x"))
			tb.must(c.Close())
		})
	}
}

// dialLater prepares a socket now and connects it when called.
func (t *table) dialLater() func() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	t.must(err)
	t.Cleanup(func() { unix.Close(fd) })
	to := t.l.Addr().(*net.TCPAddr)
	return func() error {
		return unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())})
	}
}

// quietUntil asserts that the listener keeps its pause.
func (t *table) quietUntil(deadline time.Time) {
	t.Helper()
	n, err := t.set.Poll(t.events)
	if err != nil || n != 0 && time.Now().Before(deadline) {
		t.Fatalf("a paused listener is reported: %d events, %v", n, err)
	}
}

// acceptThrough accepts although old errors may still come out first.
func acceptThrough(t *table) netpoll.Conn {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c, err := t.l.Accept()
		if err == nil {
			return c
		}
		if !netpoll.Exhausted(err) && !errors.Is(err, netpoll.ErrAgain) {
			t.Fatal(err)
		}
		_, err = t.set.Wait(t.events, deadline)
		t.must(err)
	}
	t.Fatal("never accepted")
	return nil
}

// TestDescriptorsOfASet: one for a set that only Polls.
func TestDescriptorsOfASet(t *testing.T) {
	before := descriptors()
	s, err := netpoll.NewEpoll().NewSet()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Poll(make([]netpoll.Event, 1)); err != nil {
		t.Fatal(err)
	}
	s.Wake()
	if n := descriptors() - before; n != 1 {
		t.Errorf("%d descriptors for a set that only Polls", n)
	}
	if n, err := s.Wait(make([]netpoll.Event, 1), time.Time{}); n != 0 || err != nil {
		t.Errorf("a Wake of before the first Wait: %d, %v", n, err)
	}
	if err := s.Close(); err != nil || descriptors() != before {
		t.Errorf("%d descriptors left, %v", descriptors()-before, err)
	}
}

func TestEpollRefusesTLS(t *testing.T) {
	k := kinds(t)[1]
	if _, err := netpoll.NewEpoll().Listen("127.0.0.1:0", k.tls); err == nil {
		t.Error("TLS is taken")
	}
}
