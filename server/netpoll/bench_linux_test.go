package netpoll_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/server/netpoll"
)

// BenchmarkWrite is one snapshot of 400 bytes out; the client's reading is counted in.
func BenchmarkWrite(b *testing.B) {
	benchmark(b, func(set netpoll.Set, c netpoll.Conn, client int, buf []byte, events []netpoll.Event) {
		if n, err := c.Write(buf[:400]); n != 400 || err != nil {
			b.Fatal(n, err)
		}
		_, _ = unix.Read(client, buf)
	})
}

// BenchmarkPollRead is one input of 24 bytes in; the client's writing is counted in.
func BenchmarkPollRead(b *testing.B) {
	benchmark(b, func(set netpoll.Set, c netpoll.Conn, client int, buf []byte, events []netpoll.Event) {
		_, _ = unix.Write(client, buf[:24])
		if n, err := set.Poll(events); n != 1 || err != nil {
			b.Fatal(n, err)
		}
		if n, _, err := c.Read(buf); n != 24 || err != nil {
			b.Fatal(n, err)
		}
	})
}

// BenchmarkUnsent is what a look at the send queue costs.
func BenchmarkUnsent(b *testing.B) {
	benchmark(b, func(set netpoll.Set, c netpoll.Conn, client int, buf []byte, events []netpoll.Event) {
		c.Unsent()
	})
}

// BenchmarkWait is a Wait that finds something at once.
func BenchmarkWait(b *testing.B) {
	far := time.Now().Add(time.Hour)
	benchmark(b, func(set netpoll.Set, c netpoll.Conn, client int, buf []byte, events []netpoll.Event) {
		set.Wake()
		if n, err := set.Wait(events, far); n != 0 || err != nil {
			b.Fatal(n, err)
		}
	})
}

func benchmark(b *testing.B, round func(netpoll.Set, netpoll.Conn, int, []byte, []netpoll.Event)) {
	d := netpoll.NewEpoll()
	l, err := d.Listen("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	set, err := d.NewSet()
	if err != nil {
		b.Fatal(err)
	}
	defer set.Close()
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(client)
	port := l.Addr().(*net.TCPAddr).Port
	if err := unix.Connect(client, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		b.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := set.Add(c); err != nil {
		b.Fatal(err)
	}
	buf, events := make([]byte, 64<<10), make([]netpoll.Event, 64)
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		round(set, c, client, buf, events)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used: on a busy machine it says more than the clock.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBatch is a tick's worth of 64 sockets, an input in and a snapshot out each, in two system calls and with a call for
// each; the clients' part is left out.
func BenchmarkBatch(b *testing.B) {
	b.Run("batched", batch)
	b.Run("singly", func(b *testing.B) { netpoll.WithoutRings(func() { batch(b) }) })
}

func batch(b *testing.B) {
	clients, conns := connectMany(b, 64)
	var writes []netpoll.Write
	for _, c := range conns {
		writes = append(writes, netpoll.Write{Conn: c, P: make([]byte, 276)})
	}
	buf, inputs := make([]byte, 4096), 0
	got := func(_ netpoll.Conn, p []byte, _ int64, _ error) { inputs += len(p) }
	var spent time.Duration
	for b.Loop() {
		for _, fd := range clients {
			_, _ = unix.Write(fd, buf[:24])
		}
		begun := cpuTime(b)
		netpoll.ReadEach(conns, got)
		netpoll.WriteEach(writes)
		spent += cpuTime(b) - begun
		for _, fd := range clients {
			_, _ = unix.Read(fd, buf)
		}
	}
	if inputs != 24*64*b.N {
		b.Fatalf("%d bytes of inputs, want %d", inputs, 24*64*b.N)
	}
	b.ReportMetric(float64(spent)/float64(b.N)/64, "cpu-ns/socket")
}

// BenchmarkFlush compares who sends what 40 matches of 16 players have in one tick: each match at once, as a Room does, or a
// flush loop that is handed copies and sends what of many matches has come, 64 sockets a call. Only the sending side's CPU
// time counts.
func BenchmarkFlush(b *testing.B) {
	const matches, players = 40, 16
	b.Run("direct", func(b *testing.B) {
		flushed(b, matches, players, func(_ int, writes []netpoll.Write, done *sync.WaitGroup) {
			netpoll.WriteEach(writes)
			done.Done()
		})
	})
	b.Run("loop", func(b *testing.B) {
		handed := make(chan []netpoll.Write, matches)
		loop := make(chan *sync.WaitGroup)
		go func() {
			for done := range loop {
				var batch []netpoll.Write
				for range matches {
					if batch = append(batch, <-handed...); len(batch) >= 64 {
						netpoll.WriteEach(batch)
						batch = batch[:0]
					}
				}
				netpoll.WriteEach(batch)
				done.Add(-matches)
			}
		}()
		defer close(loop)
		copies := make([][]netpoll.Write, matches)
		flushed(b, matches, players, func(m int, writes []netpoll.Write, done *sync.WaitGroup) {
			if m == 0 {
				loop <- done
			}
			if copies[m] == nil {
				copies[m] = make([]netpoll.Write, len(writes))
				for i := range copies[m] {
					copies[m][i].P = make([]byte, len(writes[i].P))
				}
			}
			for i := range writes { // a match goes on with its buffers
				copies[m][i].Conn = writes[i].Conn
				copy(copies[m][i].P, writes[i].P)
			}
			handed <- copies[m]
		})
	})
}

// flushed has each match, on a goroutine of its own, send once in every round.
func flushed(b *testing.B, matches, players int, send func(m int, writes []netpoll.Write, done *sync.WaitGroup)) {
	far, conns := connectMany(b, matches*players)
	turns := make([]chan *sync.WaitGroup, matches)
	for m := range turns {
		turns[m] = make(chan *sync.WaitGroup)
		writes := make([]netpoll.Write, players)
		for i := range writes {
			writes[i] = netpoll.Write{Conn: conns[m*players+i], P: make([]byte, 276)}
		}
		go func() {
			for done := range turns[m] {
				send(m, writes, done)
			}
		}()
		defer close(turns[m])
	}
	buf := make([]byte, 4096)
	var spent time.Duration
	for b.Loop() {
		var done sync.WaitGroup
		done.Add(matches)
		begun := cpuTime(b)
		for _, turn := range turns {
			turn <- &done
		}
		done.Wait()
		spent += cpuTime(b) - begun
		for _, fd := range far {
			if n, err := unix.Read(fd, buf); n != 276 {
				b.Fatal(n, err)
			}
		}
	}
	b.ReportMetric(float64(spent)/float64(b.N)/float64(matches*players), "cpu-ns/socket")
}

// connectMany makes connections and the descriptors of their far ends.
func connectMany(b *testing.B, n int) (far []int, conns []netpoll.Conn) {
	l, err := netpoll.NewEpoll().Listen("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { unix.Close(fd) })
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			b.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		far, conns = append(far, fd), append(conns, c)
	}
	return far, conns
}
