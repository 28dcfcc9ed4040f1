package netpoll_test

import (
	"net"
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
	l, err := netpoll.NewEpoll().Listen("127.0.0.1:0", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	var clients []int
	var conns []netpoll.Conn
	var writes []netpoll.Write
	for range 64 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer unix.Close(fd)
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			b.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		clients, conns = append(clients, fd), append(conns, c)
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
