package netpoll_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"skirmish/server/netpoll"
)

// TestBatches runs the stories of ReadEach and WriteEach on every driver, with io_uring where there is one and without.
func TestBatches(t *testing.T) {
	stories := []struct {
		name string
		run  func(t *table)
	}{
		{"who has something is read", batchReads},
		{"what is left waits", batchLeavesRest},
		{"closed by an earlier one", batchCloses},
		{"the same bytes to many", batchWrites},
		{"a full socket takes a part", batchFull},
		{"a peer that is gone", batchGone},
	}
	for _, k := range kinds(t) {
		for _, s := range stories {
			t.Run(k.name+"/"+s.name, func(t *testing.T) {
				leavesNothing(t, func(t *testing.T) { s.run(newTable(t, k)) })
			})
			t.Run(k.name+" without rings/"+s.name, func(t *testing.T) {
				netpoll.WithoutRings(func() { leavesNothing(t, func(t *testing.T) { s.run(newTable(t, k)) }) })
			})
		}
	}
}

// gather reads each of conns until done, or for as long as patience lasts, and returns what came from each.
func (t *table) gather(conns []netpoll.Conn, done func(map[netpoll.Conn]string) bool) map[netpoll.Conn]string {
	t.Helper()
	got := map[netpoll.Conn]string{}
	for deadline := time.Now().Add(patience); !done(got); {
		if time.Now().After(deadline) {
			t.Fatalf("read in vain: %q", got)
		}
		netpoll.ReadEach(conns, func(c netpoll.Conn, p []byte, arrived int64, err error) {
			switch {
			case errors.Is(err, io.EOF):
				got[c] += "|end"
			case err != nil:
				got[c] += "|error"
			case len(p) == 0:
				t.Error("called for nothing")
			default:
				if age := time.Since(time.Unix(0, arrived)); age < 0 || age > patience {
					t.Errorf("arrived %v ago", age)
				}
				got[c] += string(p)
			}
		})
	}
	return got
}

func batchReads(t *table) {
	var conns []netpoll.Conn
	var clients []client
	for range 5 {
		cl, c := t.pair(nil)
		clients, conns = append(clients, cl), append(conns, c)
	}
	netpoll.ReadEach(conns, func(c netpoll.Conn, p []byte, _ int64, err error) { t.Errorf("nobody spoke: %q, %v", p, err) })
	netpoll.ReadEach(nil, nil)
	clients[1].Write([]byte("one"))
	clients[3].Write([]byte("three"))
	_ = clients[3].CloseWrite()
	if t.tls == nil {
		clients[4].reset()
	} else {
		_ = clients[4].CloseWrite()
	}
	got := t.gather(conns, func(m map[netpoll.Conn]string) bool {
		return m[conns[1]] == "one" && len(m[conns[3]]) >= len("three|end") && m[conns[4]] != ""
	})
	if got[conns[0]] != "" || got[conns[2]] != "" || got[conns[3]][:9] != "three|end" {
		t.Errorf("read %q", got)
	}
}

func batchLeavesRest(t *table) {
	cl, c := t.pair(nil)
	long := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	go cl.Write(long)
	got := t.gather([]netpoll.Conn{c}, func(m map[netpoll.Conn]string) bool { return len(m[c]) >= len(long) })
	if got[c] != string(long) {
		t.Error("the bytes are others than were sent")
	}
}

// Who is closed while the results of a batch are told has none.
func batchCloses(t *table) {
	var conns []netpoll.Conn
	set := t.newSet()
	for range 3 {
		cl, c := t.pair(set)
		cl.Write([]byte("x"))
		t.await(set, c, readable)
		t.must(set.Remove(c))
		conns = append(conns, c)
	}
	var told []netpoll.Conn
	for deadline := time.Now().Add(patience); len(told) == 0 && time.Now().Before(deadline); { // with TLS the first bytes may be its own
		netpoll.ReadEach(conns, func(c netpoll.Conn, p []byte, _ int64, err error) {
			if err != nil {
				return // closed below
			}
			told = append(told, c)
			for _, other := range conns {
				if other != c {
					other.Close()
				}
			}
		})
	}
	if len(told) != 1 {
		t.Errorf("%d connections had their say, want the first alone", len(told))
	}
}

func batchWrites(t *table) {
	many := 150 // more than one submission
	if t.tls != nil {
		many = 10 // handshakes take long
	}
	shared := []byte("to everybody")
	var clients []client
	var writes []netpoll.Write
	for i := range many {
		cl, c := t.pair(nil)
		clients = append(clients, cl)
		p := shared
		if i%3 == 0 {
			p = fmt.Appendf(nil, "to number %d", i)
		}
		writes = append(writes, netpoll.Write{Conn: c, P: p})
	}
	writes[7].P = nil // nothing is as good as anything
	netpoll.WriteEach(writes)
	netpoll.WriteEach(nil)
	for i, w := range writes {
		if w.N != len(w.P) || w.Err != nil {
			t.Fatalf("write %d: %d of %d, %v", i, w.N, len(w.P), w.Err)
		}
		buf := make([]byte, len(w.P))
		if _, err := io.ReadFull(clients[i], buf); err != nil || !bytes.Equal(buf, w.P) {
			t.Fatalf("client %d has %q, %v", i, buf, err)
		}
	}
}

func batchFull(t *table) {
	clA, a := t.pair(nil)
	clB, b := t.pair(nil)
	large := bytes.Repeat([]byte("large"), 1<<20)
	sent := 0
	for deadline := time.Now().Add(patience); ; {
		writes := []netpoll.Write{{Conn: a, P: large}}
		netpoll.WriteEach(writes)
		if writes[0].Err != nil {
			t.Fatal(writes[0].Err)
		}
		if sent += writes[0].N; writes[0].N < len(large) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the socket never fills")
		}
	}
	both := []netpoll.Write{{Conn: a, P: nil}, {Conn: b, P: []byte("small")}}
	netpoll.WriteEach(both)
	if both[1].N != 5 || both[1].Err != nil {
		t.Errorf("another's full socket: %+v", both[1])
	}
	buf := make([]byte, 5)
	if _, err := io.ReadFull(clB, buf); err != nil || string(buf) != "small" {
		t.Errorf("read %q, %v", buf, err)
	}
	a.CloseWrite()
	if n, err := io.Copy(io.Discard, clA); int(n) != sent || err != nil {
		t.Errorf("%d bytes were taken, %d came, %v", sent, n, err)
	}
}

func batchGone(t *table) {
	clA, a := t.pair(nil)
	clB, b := t.pair(nil)
	clA.reset()
	var failed error
	for deadline := time.Now().Add(patience); failed == nil && time.Now().Before(deadline); {
		writes := []netpoll.Write{{Conn: a, P: []byte("hello")}, {Conn: b, P: []byte("x")}}
		netpoll.WriteEach(writes)
		if failed = writes[0].Err; writes[1].Err != nil {
			t.Fatalf("the other one: %v", writes[1].Err)
		}
	}
	if failed == nil {
		t.Error("a peer that reset takes everything")
	}
	buf := make([]byte, 1)
	if _, err := io.ReadFull(clB, buf); err != nil || !slices.Equal(buf, []byte("x")) {
		t.Errorf("read %q, %v", buf, err)
	}
}
