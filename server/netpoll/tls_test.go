package netpoll_test

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"skirmish/server/netpoll"
)

// TestMuteTLSClients: whoever never greets, or greets by something else, keeps nobody else waiting and is never
// seen by the loop; with the listener he goes as well.
func TestMuteTLSClients(t *testing.T) {
	leavesNothing(t, func(t *testing.T) {
		tb := newTable(t, kind{netpoll.Portable, netpoll.NewPortable(), &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, dialTCP})
		var mutes []net.Conn
		for range 100 {
			nc, err := net.Dial("tcp", tb.l.Addr().String())
			tb.must(err)
			defer nc.Close()
			mutes = append(mutes, nc)
		}
		plain, err := net.Dial("tcp", tb.l.Addr().String())
		tb.must(err)
		defer plain.Close()
		const soon = 4 * time.Second // before the time for a greeting is over
		_ = plain.SetDeadline(time.Now().Add(soon))
		io.WriteString(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := io.ReadAll(plain); err != nil && isTimeout(err) {
			t.Errorf("a client without TLS is kept: %v", err)
		}
		set := tb.newSet()
		cl, c := tb.pair(set)
		cl.Write([]byte("hello"))
		tb.read(set, c, "hello")
		tb.quiet(tb.set)
		tb.must(tb.l.Close())
		for _, m := range mutes {
			_ = m.SetDeadline(time.Now().Add(soon))
			if _, err := io.ReadAll(m); err != nil && isTimeout(err) {
				t.Fatalf("a mute client outlives the listener: %v", err)
			}
		}
	})
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}
