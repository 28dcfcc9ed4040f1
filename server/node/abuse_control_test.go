//go:build linux

package node_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"skirmish/protocol"
)

// Control players sit in matches of their own and note when each state arrives, by the kernel's stamp of its first byte. They
// have a process of their own: the stamps of segments that wait to be read run together, so that a reader who is late, as
// one beside hundreds of offenders is, would see gaps where there are none.

// controlHz is the rate of the control matches.
const controlHz = 50

// controlVariable holds the control process's controlConfig.
const controlVariable = "SKIRMISH_TEST_CONTROL"

type controlConfig struct {
	Addr  string
	Seats []controlSeat
}

type controlSeat struct{ From, Token string }

// controlAnswer is what the control players saw between two times.
type controlAnswer struct {
	P99    time.Duration // how far 99 of 100 intervals stayed from their period
	States int
	Broken []string // players whose connection ended
}

// TestControlProcess is the control players, when it is asked to be them. It answers lines of two times (ns since the Unix
// epoch) until its input ends.
func TestControlProcess(t *testing.T) {
	text := os.Getenv(controlVariable)
	if text == "" {
		return
	}
	var c controlConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	players := &controlPlayers{}
	for _, seat := range c.Seats {
		p, err := takeControlSeat(c.Addr, seat)
		if err != nil {
			t.Fatal(err)
		}
		players.all = append(players.all, p)
		go players.follow(p) // ends with the process
	}
	fmt.Println("SEATED all")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var from, to int64
		if _, err := fmt.Sscan(in.Text(), &from, &to); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(players.between(from, to))
		fmt.Printf("SAW %s\n", b)
	}
}

// onlookers are the control players, seen from the test.
type onlookers struct {
	t testing.TB
	*selfProcess
}

// watchOver seats players in matches of their own.
func watchOver(s *abused, matches, players int) *onlookers {
	s.t.Helper()
	cfg := controlConfig{Addr: hostOf(s.play)}
	for m := range matches {
		var seats []map[string]any
		for i := range players {
			seats = append(seats, map[string]any{"player_id": fmt.Sprintf("control-%d-%d", m, i)})
		}
		made := s.create(map[string]any{"game": "race", "params": map[string]any{"length": 1 << 30}, "seats": seats})
		for i, seat := range made.Seats {
			cfg.Seats = append(cfg.Seats, controlSeat{From: fmt.Sprintf("127.9.%d.%d", m, i+1), Token: seat.Token})
		}
	}
	c := &onlookers{t: s.t, selfProcess: startSelf(s.t, anyCPU, "TestControlProcess", controlVariable, cfg)}
	if c.line("SEATED") == "" {
		s.t.Fatalf("the control players found no seats: %.2000s", c.log.String())
	}
	return c
}

// errors99 is how far 99 of 100 intervals between two states stayed from their period, among those that ended between the
// two times.
func (c *onlookers) errors99(from, to time.Time) time.Duration {
	c.t.Helper()
	fmt.Fprintln(c.in, from.UnixNano(), to.UnixNano())
	var a controlAnswer
	if err := json.Unmarshal([]byte(c.line("SAW")), &a); err != nil {
		c.t.Fatalf("the control players say nothing: %v: %.2000s", err, c.log.String())
	}
	for _, b := range a.Broken {
		c.t.Error(b)
	}
	if a.States < 20 {
		c.t.Errorf("only %d states reached the control players in %v", a.States, to.Sub(from))
	}
	return a.P99
}

// quiet measures for d while nothing else happens.
func (c *onlookers) quiet(d time.Duration) time.Duration {
	from := time.Now()
	time.Sleep(d)
	return c.errors99(from, time.Now())
}

// controlPlayers are the control players, in their process.
type controlPlayers struct {
	mu  sync.Mutex
	all []*controlPlayer
}

type controlPlayer struct {
	conn   *rawConn
	stamps []int64 // of every state, ns
	broken error
}

func takeControlSeat(addr string, seat controlSeat) (*controlPlayer, error) {
	conn, err := dialFrom(seat.From, addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: seat.Token})
	if _, err = conn.Write(joined([]byte(rawHead), rawFrame(whole|opBinary, string(hello)))); err == nil {
		err = readAnswer(conn.Conn)
	}
	return &controlPlayer{conn: conn}, err
}

// readAnswer reads the answer to a handshake byte by byte, so that nothing behind it is read as well.
func readAnswer(c net.Conn) error {
	var last [4]byte
	b := make([]byte, 1)
	for string(last[:]) != "\r\n\r\n" {
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
		copy(last[:], last[1:])
		last[3] = b[0]
	}
	return nil
}

// follow reads states, and plays: an input for each.
func (c *controlPlayers) follow(p *controlPlayer) {
	err := p.play(func(stamp int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		p.stamps = append(p.stamps, stamp)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	p.broken = err
}

// between sums up what was seen between two times.
func (c *controlPlayers) between(from, to int64) (a controlAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []time.Duration
	for i, p := range c.all {
		if p.broken != nil {
			a.Broken = append(a.Broken, fmt.Sprintf("control player %d: %v", i, p.broken))
		}
		last := int64(0)
		for j := 1; j < len(p.stamps) && p.stamps[j] < to; j++ {
			if last = p.stamps[j]; last >= from {
				all = append(all, (time.Duration(last-p.stamps[j-1]) - time.Second/controlHz).Abs())
			}
		}
		// A state that is overdue at the end counts too.
		if overdue := time.Duration(to-last) - time.Second/controlHz; overdue > 0 {
			all = append(all, overdue)
		}
	}
	slices.Sort(all)
	if a.States = len(all); a.States > 0 {
		a.P99 = all[len(all)*99/100]
	}
	return a
}

func (p *controlPlayer) play(note func(stamp int64)) error {
	raw, err := p.conn.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) }); err != nil || set != nil {
		return fmt.Errorf("no time stamps: %v %v", err, set)
	}
	r := &stamped{raw: raw, control: make([]byte, 128)}
	head, body := make([]byte, 8), make([]byte, 64<<10)
	seq := uint32(0)
	for {
		if err := r.full(head[:2]); err != nil {
			return err
		}
		at, n := r.stamp, int(head[1])
		op := head[0] & 0x0F
		if n == 126 {
			if err := r.full(head[:2]); err != nil {
				return err
			}
			n = int(head[0])<<8 | int(head[1])
		}
		if err := r.full(body[:n]); err != nil {
			return err
		}
		switch op {
		case opClose:
			return fmt.Errorf("closed: %q", body[:n])
		case opPing:
			if _, err := p.conn.Write(rawFrame(whole|opPong, string(body[:n]))); err != nil {
				return err
			}
			continue
		}
		if t, _ := protocol.ServerType(body[:n]); t != protocol.TypeSnapshot && t != protocol.TypeDelta {
			continue
		}
		note(at)
		seq++
		in := protocol.AppendInput(nil, &protocol.Input{FirstSeq: seq, Count: 1, Values: []int32{int32(seq % 2)}}, 1)
		if _, err := p.conn.Write(rawFrame(whole|opBinary, string(in))); err != nil {
			return err
		}
	}
}

// stamped reads a socket with the kernel's time stamps.
type stamped struct {
	raw     syscall.RawConn
	control []byte
	stamp   int64 // of the newest segment read, ns since the Unix epoch
}

// full fills p.
func (r *stamped) full(p []byte) error {
	for len(p) > 0 {
		var n, c int
		var failed error
		err := r.raw.Read(func(fd uintptr) bool {
			n, c, _, _, failed = unix.Recvmsg(int(fd), p, r.control, unix.MSG_DONTWAIT)
			return failed != unix.EAGAIN && failed != unix.EINTR
		})
		switch {
		case err != nil:
			return err
		case failed != nil:
			return failed
		case n == 0:
			return io.EOF
		}
		p = p[n:]
		if messages, err := unix.ParseSocketControlMessage(r.control[:c]); err == nil && len(messages) > 0 && len(messages[0].Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			r.stamp = (*unix.Timespec)(unsafe.Pointer(&messages[0].Data[0])).Nano()
		} else {
			r.stamp = time.Now().UnixNano()
		}
	}
	return nil
}

// dialFrom connects from a loopback address of the caller's choice.
func dialFrom(from, to string) (*rawConn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: rawPatience, KeepAlive: -1}
	c, err := d.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(2 * rawPatience))
	return newRawConn(c), nil
}

// force ends a match through the API and waits for its end.
func (s *abused) force(id string) {
	s.t.Helper()
	status, _ := s.request("DELETE", s.admin+"/v1/matches/"+id+"?mode=force", nil, nil)
	if status != http.StatusNoContent && status != http.StatusConflict && status != http.StatusNotFound {
		s.t.Errorf("DELETE %s: %d", id, status)
	}
}
