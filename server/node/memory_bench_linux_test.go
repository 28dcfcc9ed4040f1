package node_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/protocol"
)

// BenchmarkMemory is what connections take of the process's own memory: heap and stacks in use, garbage collected, of a whole
// node in this process, less what it took before they came. The far ends are bare descriptors and take nothing. Idle ones
// have shaken hands and wait with their hello; playing ones are 4,000 in arenas of 16 at 10 Hz that have played for as long
// as it takes for each buffer to have its size, their matches' own memory, journals and recordings included. What the kernel
// holds is not counted.
func BenchmarkMemory(b *testing.B) {
	b.Run("idle", func(b *testing.B) { benchmarkMemory(b, 4000, false) })
	b.Run("playing", func(b *testing.B) { benchmarkMemory(b, 4000, true) })
}

func benchmarkMemory(b *testing.B, n int, play bool) {
	for b.Loop() {
		r := serve(b, nil)
		c := newCrowd(b, r, n)
		before := inUse()
		if play {
			c.takeTickets(n)
			c.connect(n)
			c.play(13 * time.Second) // every match has been checkpointed by then
		} else {
			c.connect(n)
		}
		after := inUse()
		b.ReportMetric(float64(after.heap-before.heap)/float64(n), "heap-B/conn")
		b.ReportMetric(float64(after.stacks-before.stacks)/float64(n), "stack-B/conn")
		b.ReportMetric(float64(after.heap+after.stacks-before.heap-before.stacks)/float64(n), "B/conn")
		c.close()
		r.stop()
	}
}

// used is memory in use, bytes.
type used struct{ heap, stacks int64 }

func inUse() used {
	for range 3 { // the first ones empty the pools
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return used{int64(m.HeapAlloc), int64(m.StackInuse)}
}

// memoryCrowd are clients without memory of their own.
type memoryCrowd struct {
	b      *testing.B
	r      *running
	port   int
	fds    []int
	hellos [][]byte // frames
	buf    []byte
	out    []byte
	values []int32
	seq    uint32
}

func newCrowd(b *testing.B, r *running, n int) *memoryCrowd {
	u, err := url.Parse(r.game)
	if err != nil {
		b.Fatal(err)
	}
	port, _ := strconv.Atoi(u.Port())
	return &memoryCrowd{b: b, r: r, port: port, fds: make([]int, 0, n), hellos: make([][]byte, 0, n), buf: make([]byte, 64<<10), out: make([]byte, 0, 256), values: make([]int32, 4)}
}

// takeTickets makes matches of 16 with a seat for each.
func (c *memoryCrowd) takeTickets(n int) {
	for m := range n / 16 {
		var seats []map[string]any
		for i := range 16 {
			seats = append(seats, map[string]any{"player_id": fmt.Sprintf("player-%d-%d", m, i)})
		}
		made := c.r.create(map[string]any{"game": "arena", "tick_rate": 10, "snapshot_rate": 10, "params": map[string]any{"round_seconds": 3600}, "seats": seats})
		for _, s := range made.Seats {
			hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: s.Token, SDK: "bench"})
			c.hellos = append(c.hellos, masked(nil, hello))
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// masked appends a client's binary frame; its mask is zero, so the payload is itself.
func masked(dst, payload []byte) []byte {
	dst = append(dst, 0x82)
	if n := len(payload); n < 126 {
		dst = append(dst, 0x80|byte(n))
	} else {
		dst = append(dst, 0x80|126, byte(n>>8), byte(n))
	}
	return append(append(dst, 0, 0, 0, 0), payload...)
}

// connect has n clients shake hands, and say hello if they have tickets.
func (c *memoryCrowd) connect(n int) {
	request := []byte("GET " + "/play" + " HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: skirmish.v1\r\n\r\n")
	for i := range n {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			c.b.Fatal(err)
		}
		c.fds = append(c.fds, fd)
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: c.port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			c.b.Fatal(err)
		}
		if _, err := unix.Write(fd, request); err != nil {
			c.b.Fatal(err)
		}
		k, err := unix.Read(fd, c.buf)
		if err != nil || !bytes.HasPrefix(c.buf[:k], []byte("HTTP/1.1 101")) {
			c.b.Fatalf("connection %d: %q, %v", i, c.buf[:k], err)
		}
		if i < len(c.hellos) {
			_, _ = unix.Write(fd, c.hellos[i])
		}
	}
}

// play sends inputs and reads everything away. Everybody must have got something in the end.
func (c *memoryCrowd) play(d time.Duration) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	got := make([]bool, len(c.fds))
	for end := time.Now().Add(d); time.Now().Before(end); <-ticker.C {
		c.seq++
		c.values[0], c.values[2], c.values[3] = int32(c.seq/20%3*60)-60, int32(c.seq*100%65536), int32(c.seq/8%2)
		input := protocol.AppendInput(nil, &protocol.Input{FirstSeq: c.seq, Count: 1, Values: c.values}, len(c.values))
		c.out = append(masked(c.out[:0], input), 0x8a, 0x80, 0, 0, 0, 0) // and a pong, asked for or not
		clear(got)
		for i, fd := range c.fds {
			n, _, err := unix.Recvfrom(fd, c.buf, unix.MSG_DONTWAIT)
			if got[i] = n > 0; n == 0 && err == nil {
				c.b.Fatalf("connection %d was ended", i)
			}
			_, _ = unix.Write(fd, c.out)
		}
	}
	missing := 0
	for _, ok := range got {
		if !ok {
			missing++
		}
	}
	if missing > len(c.fds)/2 {
		c.b.Fatalf("%d of %d players got nothing in the last turn", missing, len(c.fds))
	}
}

func (c *memoryCrowd) close() {
	for _, fd := range c.fds {
		unix.Close(fd)
	}
}
