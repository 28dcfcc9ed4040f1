package netpoll_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"skirmish/server/netpoll"
)

// TestContract runs every story on every driver.
func TestContract(t *testing.T) {
	stories := []struct {
		name string
		run  func(t *table)
	}{
		{"accept", accepts},
		{"readiness stays until all is read", staysReadable},
		{"few events at a time are fair", fair},
		{"moving between sets loses nothing", moves},
		{"half close", halfClose},
		{"reset", reset},
		{"close inside a batch", closeInBatch},
		{"close with bytes unsent", closeUnsent},
		{"write after the peer has gone", writeToNobody},
		{"wake", wakes},
		{"deadline", deadlines},
		{"a full socket", full},
		{"back-pressure", backPressure},
		{"detach, served by net/http", detach},
		{"detach while it is read", detachMute},
		{"arrival", arrival},
		{"many connections", many},
		{"misuse", misuse},
		{"a closed set", closedSet},
		{"a closed listener", closedListener},
	}
	for _, k := range append(kinds(t), inMemory()...) {
		for _, s := range stories {
			t.Run(k.name+"/"+s.name, func(t *testing.T) {
				leavesNothing(t, func(t *testing.T) { s.run(newTable(t, k)) })
			})
		}
	}
}

func accepts(t *table) {
	if _, err := t.l.Accept(); !errors.Is(err, netpoll.ErrAgain) {
		t.Fatalf("nobody there: %v", err)
	}
	t.quiet(t.set)
	cl := t.dial()
	n, err := t.set.Wait(t.events, time.Now().Add(patience))
	if n != 1 || err != nil || t.events[0].Conn != nil || !t.events[0].Readable {
		t.Fatalf("%d events, %v: %+v", n, err, t.events[0])
	}
	c := t.accept()
	if want := netip.MustParseAddrPort(cl.LocalAddr().String()); c.Remote() != want {
		t.Errorf("remote %v, want %v", c.Remote(), want)
	}
	if _, err := t.l.Accept(); !errors.Is(err, netpoll.ErrAgain) {
		t.Errorf("the second one: %v", err)
	}
	t.quiet(t.set)
	c.SetOwner(t)
	if c.Owner() != t {
		t.Error("the owner is not kept")
	}
}

func staysReadable(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	t.quiet(set)
	cl.Write([]byte("hello"))
	for range 3 {
		t.await(set, c, readable)
		if n, err := set.Poll(t.events); n != 1 || err != nil || t.events[0].Conn != c || t.events[0].Writable {
			t.Fatalf("Poll: %d, %v, %+v", n, err, t.events[0])
		}
	}
	if n, _, err := c.Read(t.buf[:2]); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	t.await(set, c, readable)
	t.read(set, c, "llo")
	t.quiet(set)
	if n, _, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("an empty Read: %d, %v", n, err)
	}
}

func fair(t *table) {
	set := t.newSet()
	seen := map[netpoll.Conn]int{}
	for range 4 {
		cl, c := t.pair(set)
		cl.Write([]byte("x"))
		t.await(set, c, func(e netpoll.Event) bool { return e.Readable })
		t.must(set.Remove(c))
		seen[c] = 0
	}
	for c := range seen {
		t.must(set.Add(c))
	}
	for range 8 {
		n, err := set.Wait(t.events[:1], time.Now().Add(patience))
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		seen[t.events[0].Conn]++
	}
	for _, times := range seen {
		if times != 2 {
			t.Errorf("of 8 events one at a time a connection got %d, of 4 equally ready ones", times)
		}
	}
}

func moves(t *table) {
	a, b := t.newSet(), t.newSet()
	cl, c := t.pair(a)
	for range 3 {
		c.SetOwner(t)
		cl.Write([]byte("one"))
		t.await(a, c, readable)
		t.must(a.Remove(c))
		if c.Owner() != nil {
			t.Fatal("the owner is still there after Remove")
		}
		t.quiet(a)
		cl.Write([]byte("two"))
		t.must(b.Add(c))
		t.await(b, c, readable)
		t.quiet(a)
		t.read(b, c, "onetwo")
		cl.Write([]byte("three"))
		t.await(b, c, readable)
		t.must(b.Remove(c))
		t.must(b.Add(c))
		if n, err := b.Wait(t.events, time.Now().Add(patience)); n != 1 || err != nil {
			t.Fatalf("out and in again: %d events, %v", n, err)
		}
		t.read(b, c, "three")
		a, b = b, a
	}
}

func halfClose(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	cl.Write([]byte("last words"))
	cl.CloseWrite()
	t.await(set, c, readable)
	for got := ""; ; {
		n, _, err := c.Read(t.buf)
		got += string(t.buf[:n])
		if err == nil {
			continue
		}
		if errors.Is(err, netpoll.ErrAgain) {
			t.await(set, c, readable)
			continue
		}
		if err != io.EOF || got != "last words" {
			t.Fatalf("read %q, %v", got, err)
		}
		break
	}
	t.quiet(set) // the end is told once: a Wait would spin otherwise
	if n, err := c.Write([]byte("an answer")); n != 9 || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
	t.must(c.CloseWrite())
	if got, err := io.ReadAll(cl); string(got) != "an answer" || err != nil {
		t.Fatalf("the client reads %q, %v", got, err)
	}
	if _, err := c.Write([]byte("more")); err == nil {
		t.Error("Write goes on after CloseWrite")
	}
	t.quiet(set)
	t.must(set.Remove(c))
	t.must(set.Add(c))
	t.quiet(set)
}

func reset(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	cl.reset()
	t.await(set, c, readable)
	if n, _, err := c.Read(t.buf); n != 0 || err == nil || errors.Is(err, netpoll.ErrAgain) {
		t.Fatalf("Read: %d, %v", n, err)
	}
	t.quiet(set)
	t.must(set.WatchWrite(c, true))
	for deadline := time.Now().Add(patience); ; { // whoever waits to write learns of it there
		if _, err := c.Write([]byte("x")); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Write never fails")
		}
		t.await(set, c, func(e netpoll.Event) bool { return true })
	}
	t.must(c.Close())
	t.quiet(set)
}

func closeInBatch(t *table) {
	set := t.newSet()
	cl1, c1 := t.pair(set)
	cl2, c2 := t.pair(set)
	cl3, c3 := t.pair(nil)
	for _, c := range []netpoll.Conn{c1, c2, c3} {
		c.SetOwner(t)
	}
	cl1.Write([]byte("1"))
	cl2.Write([]byte("2"))
	n := 0
	for deadline := time.Now().Add(patience); n < 2; {
		var err error
		if n, err = set.Wait(t.events, deadline); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	first, other := t.events[0].Conn, t.events[1].Conn
	t.must(other.Close())
	if other.Owner() != nil {
		t.Error("a closed connection has an owner")
	}
	t.must(other.Close())
	if _, _, err := other.Read(t.buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read: %v", err)
	}
	if _, err := other.Write(t.buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	if err := other.CloseWrite(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("CloseWrite: %v", err)
	}
	if _, err := other.Detach(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Detach: %v", err)
	}
	// Its descriptor and its place in the set are taken by others now.
	_, c4 := t.pair(set)
	t.must(set.Add(c3))
	t.must(first.Close())
	t.quiet(set)
	cl3.Write([]byte("3"))
	t.await(set, c3, readable)
	t.read(set, c3, "3")
	if c4.Owner() != nil {
		t.Error("a new connection has an owner")
	}
}

func closeUnsent(t *table) {
	cl, c := t.pair(nil)
	sent := 0
	for {
		n, err := c.Write(t.buf)
		t.must(err)
		if sent += n; n < len(t.buf) {
			break
		}
	}
	t.must(c.Close())
	if got, err := io.Copy(io.Discard, cl); int(got) != sent || err != nil {
		t.Errorf("%d bytes written before Close, the client read %d, %v", sent, got, err)
	}
}

func writeToNobody(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	cl.tcp.Close()
	for deadline := time.Now().Add(patience); ; {
		if _, err := c.Write([]byte("is anybody there")); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Write never fails")
		}
		_, _, _ = c.Read(t.buf)
		_, _ = set.Wait(t.events, time.Now().Add(time.Millisecond))
	}
}

func wakes(t *table) {
	set := t.newSet()
	wait := func(name string) {
		t.Helper()
		begin := time.Now()
		if n, err := set.Wait(t.events, begin.Add(patience)); n != 0 || err != nil || time.Since(begin) > patience/2 {
			t.Fatalf("%s: %d events, %v, after %v", name, n, err, time.Since(begin))
		}
	}
	set.Wake()
	wait("woken before the first Wait")
	t.quiet(set)
	set.Wake()
	set.Wake()
	wait("woken twice")
	t.quiet(set)
	set.Wake()
	if n, err := set.Poll(t.events); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	set.Wake()
	wait("a Poll between")
	t.quiet(set)
	cl, c := t.pair(set)
	cl.Write([]byte("x"))
	t.await(set, c, readable)
	set.Wake()
	if n, err := set.Wait(t.events[:1], time.Now().Add(patience)); n != 1 || err != nil {
		t.Fatalf("woken and ready: %d events, %v", n, err)
	}
	t.read(set, c, "x")

	// Work handed over from many goroutines is never left lying.
	const total = 2000
	var mu sync.Mutex
	var wg sync.WaitGroup
	queue := 0
	for range 4 {
		wg.Go(func() {
			for range total / 4 {
				mu.Lock()
				queue++
				mu.Unlock()
				set.Wake()
			}
		})
	}
	for done := 0; done < total; {
		begin := time.Now()
		if _, err := set.Wait(t.events, begin.Add(patience)); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if done += queue; queue == 0 && time.Since(begin) >= patience {
			t.Fatalf("stuck after %d of %d", done, total)
		}
		queue = 0
		mu.Unlock()
	}
	wg.Wait()
}

func deadlines(t *table) {
	set := t.newSet()
	for _, d := range []time.Duration{30 * time.Millisecond, time.Millisecond, 0, -time.Hour, 10 * time.Millisecond} {
		begin := time.Now()
		n, err := set.Wait(t.events, begin.Add(d))
		if took := time.Since(begin); n != 0 || err != nil || took < d || took > max(d, 0)+patience/2 {
			t.Fatalf("%v: %d events, %v, after %v", d, n, err, took)
		}
	}
	cl, c := t.pair(set)
	cl.Write([]byte("x"))
	t.await(set, c, readable)
	if n, err := set.Wait(t.events, time.Now().Add(-time.Second)); n != 1 || err != nil {
		t.Errorf("ready, and the deadline has passed: %d events, %v", n, err)
	}
	if n, err := set.Wait(t.events, time.Time{}); n != 1 || err != nil {
		t.Errorf("ready, no deadline: %d events, %v", n, err)
	}
}

func full(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	_ = cl.tcp.SetReadBuffer(64 << 10)
	pattern := make([]byte, 251+64<<10) // of a period that no buffer has
	for i := range pattern {
		pattern[i] = byte(i % 251)
	}
	sent := 0
	fill := func() {
		for {
			p := pattern[sent%251:][:64<<10]
			n, err := c.Write(p)
			t.must(err)
			if sent += n; n < len(p) {
				return
			}
		}
	}
	fill()
	if c.Unsent() <= 0 {
		t.Errorf("a full socket has %d bytes unsent", c.Unsent())
	}
	t.quiet(set) // not watched
	received := make(chan []byte, 1)
	_ = cl.SetDeadline(time.Now().Add(patience))
	t.must(set.WatchWrite(c, true))
	go func() {
		var all bytes.Buffer
		_, _ = io.Copy(&all, cl)
		received <- all.Bytes()
	}()
	for range 3 {
		t.await(set, c, writable)
		fill()
	}
	t.await(set, c, writable)
	t.must(set.WatchWrite(c, false))
	t.must(c.CloseWrite())
	got := <-received
	if len(got) != sent {
		t.Errorf("%d bytes written, %d read", sent, len(got))
	}
	for at := 0; at < len(got); {
		n := min(len(got)-at, 64<<10)
		if !bytes.Equal(got[at:at+n], pattern[at%251:][:n]) {
			t.Fatalf("other bytes than those written, at %d", at)
		}
		at += n
	}
	for deadline := time.Now().Add(patience); c.Unsent() > 1; { // the FIN may count as one
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes unsent although all was read", c.Unsent())
		}
	}
}

func backPressure(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	const most = 32 << 20 // more than any buffer between here and there
	sent, chunk := 0, make([]byte, 64<<10)
	_ = cl.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	for sent < most {
		n, err := cl.tcp.Write(chunk)
		sent += n
		if err != nil {
			break
		}
		if t.tls != nil { // raw bytes are no records: it is over with the first
			return
		}
	}
	if sent >= most {
		t.Fatalf("%d bytes were taken although nobody reads", sent)
	}
	for got := 0; got < sent; {
		n, _, err := c.Read(t.buf)
		if errors.Is(err, netpoll.ErrAgain) {
			t.await(set, c, readable)
			continue
		}
		t.must(err)
		got += n
	}
}

func arrival(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	for i := range 10 {
		before := time.Now()
		cl.Write([]byte("x"))
		t.await(set, c, readable)
		after := time.Now()
		<-time.After(5 * time.Millisecond) // it lies there for a while before it is read
		_, arrived, err := c.Read(t.buf)
		t.must(err)
		if i == 0 {
			continue // the kernel begins to stamp when the first socket asks for it, a little later
		}
		if at := time.Unix(0, arrived); at.Before(before) || at.After(after) {
			t.Errorf("arrived %v after it was sent, read %v after", at.Sub(before), after.Sub(before))
		}
	}
}

func many(t *table) {
	const total = 200
	set := t.newSet()
	clients := map[netpoll.Conn]client{}
	for range total {
		cl, c := t.pair(set)
		clients[c] = cl
	}
	for round := range 3 {
		for _, cl := range clients {
			cl.Write([]byte{byte(round)})
		}
		for left := total; left > 0; {
			n, err := set.Wait(t.events, time.Now().Add(patience))
			if n == 0 || err != nil {
				t.Fatalf("%d left: %d events, %v", left, n, err)
			}
			for _, e := range t.events[:n] {
				k, _, err := e.Conn.Read(t.buf)
				t.must(err)
				_, err = e.Conn.Write(t.buf[:k])
				t.must(err)
				left -= k
			}
		}
		for _, cl := range clients {
			if _, err := io.ReadFull(cl, t.buf[:1]); err != nil || t.buf[0] != byte(round) {
				t.Fatal(t.buf[0], err)
			}
		}
	}
}

func misuse(t *table) {
	set := t.newSet()
	_, c := t.pair(set)
	fails := func(name string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	fails("added twice", set.Add(c))
	fails("added to two sets", t.set.Add(c))
	fails("removed from another set", t.set.Remove(c))
	fails("watched by another set", t.set.WatchWrite(c, true))
	fails("a second listener", t.set.Listen(t.l))
	fails("a foreign connection", set.Add(stranger{}))
	fails("a foreign connection removed", set.Remove(stranger{}))
	fails("a foreign listener", set.Listen(strangeListener{}))
	t.must(set.Remove(c))
	fails("removed twice", set.Remove(c))
	fails("watched outside", set.WatchWrite(c, true))
	if n, err := set.Poll(nil); n != 0 || err != nil {
		t.Errorf("Poll without room: %d, %v", n, err)
	}
	if _, err := t.driver.Listen(t.l.Addr().String(), t.tls); err == nil {
		t.Error("a port in use is opened again")
	}
	if _, err := t.driver.Listen("127.0.0.1:port", t.tls); err == nil {
		t.Error("an odd address is opened")
	}
}

type stranger struct{ netpoll.Conn }
type strangeListener struct{ netpoll.Listener }

func closedSet(t *table) {
	set, other := t.newSet(), t.newSet()
	cl, c := t.pair(set)
	c.SetOwner(t)
	t.must(set.Close())
	t.must(set.Close())
	set.Wake()
	if _, err := set.Poll(t.events); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Poll: %v", err)
	}
	if _, err := set.Wait(t.events, time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Wait: %v", err)
	}
	if err := set.Add(c); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Add: %v", err)
	}
	if c.Owner() != t {
		t.Error("the set took the owner with it")
	}
	t.must(other.Add(c))
	cl.Write([]byte("still here"))
	t.read(other, c, "still here")
}

func closedListener(t *table) {
	cl := t.dial() // perhaps accepted already, perhaps not: it is closed in any case
	done := make(chan error)
	go func() { done <- t.l.Close() }() // safe from another goroutine
	t.must(<-done)
	t.must(t.l.Close())
	if _, err := t.l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := io.ReadAll(cl); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the client waits for nobody: %v", err)
	}
	if err := t.newSet().Listen(t.l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Listen: %v", err)
	}
}
