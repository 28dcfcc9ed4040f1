//go:build !race

package netpoll_test

import (
	"testing"
	"time"

	"skirmish/server/netpoll"
)

// TestEpollAllocatesNothing: the way of an input in and of a snapshot out.
func TestEpollAllocatesNothing(t *testing.T) {
	tb := newEpollTable(t)
	set := tb.newSet()
	cl, c := tb.pair(set)
	in, out := []byte("an input"), []byte("a snapshot, let us say")
	back := make([]byte, len(out))
	round := func() {
		cl.tcp.Write(in)
		for n := 0; n == 0; {
			n, _ = set.Poll(tb.events)
		}
		n, arrived, err := tb.events[0].Conn.Read(tb.buf)
		if n != len(in) || arrived == 0 || err != nil {
			t.Fatal(n, arrived, err)
		}
		if _, _, err := c.Read(tb.buf); err != netpoll.ErrAgain {
			t.Fatal(err)
		}
		if n, err := c.Write(out); n != len(out) || err != nil {
			t.Fatal(n, err)
		}
		if c.Unsent() < 0 {
			t.Fatal("unknown")
		}
		cl.tcp.Read(back)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations by Poll, Read, Write, Unsent", n)
	}
	var arrivals int
	conns, writes := []netpoll.Conn{c}, []netpoll.Write{{Conn: c, P: out}}
	got := func(netpoll.Conn, []byte, int64, error) { arrivals++ }
	batch := func() {
		cl.tcp.Write(in)
		for arrivals = 0; arrivals == 0; {
			netpoll.ReadEach(conns, got)
		}
		netpoll.WriteEach(writes)
		cl.tcp.Read(back)
	}
	batch()
	if n := testing.AllocsPerRun(100, batch); n != 0 {
		t.Errorf("%v allocations by ReadEach, WriteEach", n)
	}
	wait := func() {
		cl.tcp.Write(in)
		if n, err := set.Wait(tb.events, time.Now().Add(patience)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		_, _, _ = c.Read(tb.buf)
		set.Wake()
		if n, err := set.Wait(tb.events, time.Time{}); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		_ = set.WatchWrite(c, true)
		_ = set.WatchWrite(c, false)
	}
	wait()
	if n := testing.AllocsPerRun(100, wait); n != 0 {
		t.Errorf("%v allocations by Wait, Wake, WatchWrite", n)
	}
}
