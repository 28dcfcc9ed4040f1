//go:build linux

package node_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/server/node"
	"skirmish/server/webhook"
)

// The abused server is a process of its own, so that its memory, descriptors and goroutines are its own: the test's binary
// again, told by an environment variable to be a server. It ends when its standard input does.

// abuseVariable holds the server's abuseConfig.
const abuseVariable = "SKIRMISH_TEST_ABUSED"

type abuseConfig struct {
	Driver           string
	NoLoopbackLimits bool
	MaxConnections   int
	Cert, Key        string
	DataDir          string
	MemoryLimit      int64
	Processors       int // 0: as many as there are
}

// abuseStats is what the server says of itself.
type abuseStats struct {
	Goroutines int
	Files      int // descriptors
	Heap       int // bytes in use after a collection
}

// TestAbusedServerProcess is the server, when it is asked to be one.
func TestAbusedServerProcess(t *testing.T) {
	text := os.Getenv(abuseVariable)
	if text == "" {
		return
	}
	var c abuseConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	cfg := node.Default()
	cfg.Addr, cfg.AdminAddr, cfg.DataDir, cfg.Driver = "127.0.0.1:0", "127.0.0.1:0", c.DataDir, c.Driver
	cfg.QuickPlay, cfg.NoLoopbackLimits, cfg.LogLevel = true, c.NoLoopbackLimits, zerolog.ErrorLevel
	cfg.TLSCert, cfg.TLSKey, cfg.MemoryLimit = c.Cert, c.Key, c.MemoryLimit
	cfg.WebhookSecrets, _ = webhook.ParseSecrets("main:" + hookSecret)
	cfg.Webhooks.First, cfg.Webhooks.Most = 10*time.Millisecond, 50*time.Millisecond
	if c.Processors > 0 {
		runtime.GOMAXPROCS(c.Processors)
	}
	if c.MaxConnections > 0 {
		cfg.MaxConnections = c.MaxConnections
	}
	n, err := node.Start(cfg, append(troubles(), arena.New(), race{}, crowd{})...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx) }()
	fmt.Printf("LISTENS %s %s\n", n.Addr(), n.AdminAddr())
	give := func() {}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "exhaust":
			give = takeDescriptors()
			fmt.Println("DONE exhaust")
			continue
		case "release":
			give()
			fmt.Println("DONE release")
			continue
		}
		runtime.GC()
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		files, _ := os.ReadDir("/proc/self/fd")
		b, _ := json.Marshal(abuseStats{Goroutines: runtime.NumGoroutine(), Files: len(files) - 1, Heap: int(m.HeapAlloc)})
		fmt.Printf("STATS %s\n", b)
	}
	cancel()
	select {
	case <-done:
	case <-time.After(15 * time.Second): // a match that hangs keeps it; the process ends here all the same
	}
}

// takeDescriptors opens files until there are no more descriptors, of which there are few from now on; give ends that.
func takeDescriptors() (give func()) {
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	few := old
	few.Cur = 256
	unix.Setrlimit(unix.RLIMIT_NOFILE, &few)
	var held []*os.File
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		held = append(held, f)
	}
	return func() {
		unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
		for _, f := range held {
			f.Close()
		}
	}
}

// abused is such a server and the requests to its API.
type abused struct {
	running
	*selfProcess
}

// selfProcess is a process of the test's own binary.
type selfProcess struct {
	pid int
	in  io.WriteCloser
	out *bufio.Scanner
	log lockedBuffer
}

// lockedBuffer is a log that is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// With -offenders the server has one core, as PROMISES measures, and whoever plays and offends the others: what offenders do
// to a server is of interest, not what they cost the machine that they run on.
const (
	serverCPU = 0
	anyCPU    = -1
)

// startOn starts cmd on one core of several, or on any.
func startOn(cmd *exec.Cmd, cpu int) error {
	if *offenders == 0 || cpu == anyCPU || runtime.NumCPU() < 2 {
		return cmd.Start()
	}
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	one.Set(cpu)
	rest := all
	rest.Clear(cpu)
	// A child inherits what its thread has; the other threads of this process keep to the other cores from here on.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil {
			unix.SchedSetaffinity(id, &rest)
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &rest)
	return cmd.Start()
}

// startSelf runs one test of this binary as a process, configured by an environment variable. It ends when its standard
// input does, at the test's end.
func startSelf(t testing.TB, cpu int, test, variable string, config any) *selfProcess {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &selfProcess{}
	cmd := exec.Command(self, "-test.run=^"+test+"$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), variable+"="+string(text), leaveAtOnce)
	cmd.Stderr = &p.log
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := startOn(cmd, cpu); err != nil {
		t.Fatal(err)
	}
	p.pid, p.out = cmd.Process.Pid, bufio.NewScanner(out)
	t.Cleanup(func() {
		p.in.Close()
		stop := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
		defer stop.Stop()
		for p.out.Scan() { // to its end, so that it is not held up by a full pipe
		}
		if err := cmd.Wait(); err != nil {
			text := p.log.String()
			t.Errorf("%s ended with %v: %s", test, err, text[max(0, len(text)-8000):])
		}
	})
	return p
}

// line reads the output up to the line that begins so, and returns the rest of it; empty: there is none.
func (p *selfProcess) line(begin string) string {
	for p.out.Scan() {
		if rest, ok := strings.CutPrefix(p.out.Text(), begin+" "); ok {
			return rest
		}
	}
	return ""
}

// abuse starts a server to be abused. The test runs beside others from here on, unless its times are to be measured.
func abuse(t *testing.T, c abuseConfig) *abused {
	t.Helper()
	if *offenders == 0 {
		t.Parallel()
	}
	c.DataDir = t.TempDir()
	s := &abused{selfProcess: startSelf(t, serverCPU, "TestAbusedServerProcess", abuseVariable, c)}
	addrs := strings.Fields(s.line("LISTENS"))
	if len(addrs) != 2 {
		t.Fatalf("the server did not start: %.2000s", s.log.String())
	}
	s.running = running{t: t, game: "http://" + addrs[0], admin: "http://" + addrs[1], play: "ws://" + addrs[0] + "/play"}
	return s
}

// stats collects garbage and counts.
func (s *abused) stats() (st abuseStats) {
	s.t.Helper()
	fmt.Fprintln(s.in, "stats")
	if err := json.Unmarshal([]byte(s.line("STATS")), &st); err != nil {
		s.t.Fatalf("the server says nothing any more: %v: %.4000s", err, s.log.String())
	}
	return st
}

// tell has the server do something to itself.
func (s *abused) tell(what string) {
	s.t.Helper()
	fmt.Fprintln(s.in, what)
	if s.line("DONE") != what {
		s.t.Fatalf("%s: the server says nothing any more: %.4000s", what, s.log.String())
	}
}

// processorTime is what the server has used.
func (s *abused) processorTime() time.Duration {
	s.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		s.t.Fatal(err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// resident is the memory that the server holds, in bytes.
func (s *abused) resident() int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	n, _ := strconv.Atoi(fields[1])
	return n * os.Getpagesize()
}

// metric reads one series of the server's metrics page.
func (s *abused) metric(series string) float64 {
	s.t.Helper()
	_, page := s.request("GET", s.admin+"/metrics", nil, nil)
	for line := range strings.SplitSeq(string(page), "\n") {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

// crowd is a game with room for hundreds of offenders and a state of some size.
type crowd struct{}

const crowdRows = 64

type (
	crowdInput struct {
		Push int8 `net:"push,min=-100,max=100"`
	}
	crowdRow struct {
		X int32 `net:"x,interp=linear"`
		Y int32 `net:"y,interp=linear"`
	}
)

func (crowd) Spec() game.Spec {
	return game.Spec{
		Name: "crowd", Version: "1", Input: crowdInput{}, Kinds: []any{crowdRow{}},
		TickRate: 20, SnapshotRate: 20, MaxPlayers: 1024, Idle: game.IdleNeutral,
	}
}

func (crowd) New(_ context.Context, m *game.Match) (game.Sim, error) {
	return &crowdSim{}, m.Decode(&struct{}{})
}

type crowdSim struct{ Rows [crowdRows]crowdRow }

func (s *crowdSim) Join(*game.Tick, *game.Player)               {}
func (s *crowdSim) Leave(*game.Tick, *game.Player, game.Reason) {}

func (s *crowdSim) Step(t *game.Tick) {
	for i := range s.Rows {
		s.Rows[i].X += int32(t.Rand().UintN(2000)) - 1000
		s.Rows[i].Y += int32(t.Rand().UintN(2000)) - 1000
	}
}

func (s *crowdSim) Frame(f *game.Frame) {
	for i := range s.Rows {
		f.Put(uint32(i+1), &s.Rows[i])
	}
}
