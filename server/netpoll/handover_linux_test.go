package netpoll_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"skirmish/server/netpoll"
)

// A socket that is handed over refuses nobody: who connects while nobody accepts waits for the next owner.
func TestHandedOverSocketKeepsItsBacklog(t *testing.T) {
	for _, name := range []string{netpoll.Epoll, netpoll.Portable} {
		t.Run(name, func(t *testing.T) {
			d, err := netpoll.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			l, err := d.Listen("127.0.0.1:0", nil)
			if err != nil {
				t.Fatal(err)
			}
			addr := l.Addr().String()
			fd, err := netpoll.Duplicate(l)
			if err != nil {
				t.Fatal(err)
			}
			set, err := d.NewSet()
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			if err := set.Listen(l); err != nil {
				t.Fatal(err)
			}
			l.Close()
			var waiting []net.Conn
			for range 20 {
				c, err := net.DialTimeout("tcp", addr, 5*time.Second)
				if err != nil {
					t.Fatalf("while nobody accepts: %v", err)
				}
				defer c.Close()
				waiting = append(waiting, c)
			}
			if n, err := set.Poll(make([]netpoll.Event, 1)); n != 0 || err != nil {
				t.Errorf("the set of before still hears of the socket: %d, %v", n, err)
			}
			next, err := netpoll.Adopt(d, fd, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer next.Close()
			if got := next.Addr().String(); got != addr {
				t.Errorf("it listens on %s, not on %s", got, addr)
			}
			for n, deadline := 0, time.Now().Add(5*time.Second); n < len(waiting); {
				c, err := next.Accept()
				if errors.Is(err, netpoll.ErrAgain) && time.Now().Before(deadline) {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					t.Fatalf("after %d: %v", n, err)
				}
				c.Close()
				n++
			}
		})
	}
}
