package node_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/game/arena"
	recording "skirmish/game/replay"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/node"
)

// program is the server as it is shipped, running; what it and its successors log is read line by line.
type program struct {
	t       *testing.T
	args    []string
	cmd     *exec.Cmd
	lines   chan logLine
	manager *net.UnixConn  // of services, which is told how the program is; nil: none
	written io.WriteCloser // their log
	admin   string
	play    string
}

type logLine struct {
	Message string `json:"message"`
	PID     int    `json:"pid"`
	Game    string `json:"game"`
	Admin   string `json:"admin"`
}

// build makes the server once for all tests of the file.
var build = sync.OnceValues(func() (string, error) {
	var err error
	if buildDir, err = os.MkdirTemp("", "skirmish-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(buildDir, "server")
	out, err := exec.Command("go", "build", "-o", path, "skirmish/server").CombinedOutput()
	return path + string(out), err
})

func launch(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, args: append([]string{"--data-dir", t.TempDir(), "--no-loopback-limits"}, args...), lines: make(chan logLine, 1000)}
	var err error
	if p.manager, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@skirmish-" + rand.Text(), Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.manager.Close() })
	var logged io.ReadCloser
	logged, p.written = io.Pipe()
	var mu sync.Mutex
	var pids []int
	go func() {
		for lines := bufio.NewScanner(logged); lines.Scan(); {
			var l logLine
			if json.Unmarshal(lines.Bytes(), &l) == nil {
				if l.PID != 0 {
					mu.Lock()
					pids = append(pids, l.PID)
					mu.Unlock()
				}
				p.lines <- l
			}
		}
	}()
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		p.cmd.Wait()
	})
	p.start("127.0.0.1:0", "127.0.0.1:0")
	l := p.await("serving")
	p.admin, p.play = "http://"+l.Admin, "ws://"+l.Game+"/play"
	return p
}

// told is the next thing that the manager of services hears.
func (p *program) told() string {
	p.t.Helper()
	p.manager.SetReadDeadline(time.Now().Add(30 * time.Second))
	var buf [256]byte
	n, err := p.manager.Read(buf[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return string(buf[:n])
}

// wantTold fails the test when the manager hears something else.
func (p *program) wantTold(prefix string) {
	p.t.Helper()
	if got := p.told(); !strings.HasPrefix(got, prefix) {
		p.t.Errorf("the manager of services was told %q, not %q", got, prefix)
	}
}

// start runs the program at these addresses.
func (p *program) start(game, admin string) {
	p.t.Helper()
	binary, err := build()
	if err != nil {
		p.t.Fatalf("%v: %s", err, binary)
	}
	p.cmd = exec.Command(binary, append([]string{"--addr", game, "--admin-addr", admin}, p.args...)...)
	p.cmd.Stderr = p.written
	if p.manager != nil {
		p.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+p.manager.LocalAddr().String())
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// crash kills the process that serves, and starts the program again where it was.
func (p *program) crash(pid int) logLine {
	p.t.Helper()
	syscall.Kill(pid, syscall.SIGKILL)
	until(p.t, "it is dead", func() bool { // as a zombie it has given up the ports and the folder
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	})
	return p.again()
}

// again starts the program where it was.
func (p *program) again() logLine {
	p.t.Helper()
	p.start(strings.TrimSuffix(strings.TrimPrefix(p.play, "ws://"), "/play"), strings.TrimPrefix(p.admin, "http://"))
	return p.await("serving")
}

// await waits for a line of the log.
func (p *program) await(message string) logLine {
	p.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case l := <-p.lines:
			if strings.HasPrefix(l.Message, message) {
				return l
			}
		case <-deadline:
			p.t.Fatalf("the log never says %q", message)
		}
	}
}

// audience joins players who resume by themselves, and keeps the longest time that one saw nothing new.
type audience struct {
	clients []*client.Client
	matches []string
	mu      sync.Mutex
	last    []time.Time
	gap     time.Duration
	ticks   []uint32
	back    uint32 // the most ticks that one went back
}

func (p *program) join(n int) *audience {
	p.t.Helper()
	c := &audience{last: make([]time.Time, n), ticks: make([]uint32, n)}
	r := &running{t: p.t, admin: p.admin}
	for i := 0; i < n; i += 8 {
		var seats []map[string]any
		for j := i; j < min(n, i+8); j++ {
			seats = append(seats, map[string]any{"player_id": "p" + string(rune('a'+j%8))})
		}
		seats = append(seats, map[string]any{"player_id": "bot", "bot": true})
		made := r.create(map[string]any{"game": "arena", "record": true, "params": map[string]any{"round_seconds": 600}, "seats": seats})
		c.matches = append(c.matches, made.Match.MatchID)
		for j, seat := range made.Seats[:len(seats)-1] {
			k := i + j
			joined, err := client.Dial(p.t.Context(), p.play, client.Options{Token: seat.Token, AutoResume: true, OnState: func(s *protocol.State) { c.saw(k, s.Head.Tick) }})
			if err != nil {
				p.t.Fatal(err)
			}
			p.t.Cleanup(func() { joined.Close() })
			c.clients = append(c.clients, joined)
		}
	}
	return c
}

func (c *audience) saw(i int, tick uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.last[i].IsZero() {
		c.gap = max(c.gap, now.Sub(c.last[i]))
		if tick < c.ticks[i] {
			c.back = max(c.back, c.ticks[i]-tick)
		}
	}
	c.last[i], c.ticks[i] = now, tick
}

// pause is the longest that anybody has waited since the last call, and how many ticks were undone.
func (c *audience) pause() (gap time.Duration, back uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gap, back = c.gap, c.back
	c.gap, c.back = 0, 0
	return gap, back
}

// seen is the least tick that everybody has seen.
func (c *audience) seen() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	least := c.ticks[0]
	for _, t := range c.ticks {
		least = min(least, t)
	}
	return least
}

// A new process takes over under players, who see a short pause and nothing undone; the old one ends with 0. Then that process
// is killed, and the next one goes on where it was. In the end there is a replay of everything.
func TestUpgradeAndCrash(t *testing.T) {
	const players = 48
	p := launch(t)
	c := p.join(players)
	until(t, "everybody plays", func() bool { return c.seen() > 20 })
	at := c.seen()
	p.wantTold(fmt.Sprintf("READY=1\nMAINPID=%d", p.cmd.Process.Pid))
	if out := runCommand(t, "node", "upgrade", "--api", p.admin); !strings.Contains(out, "6 matches running") {
		t.Errorf("node upgrade: %s", out)
	}
	next := p.await("serving")
	p.wantTold("RELOADING=1\nMONOTONIC_USEC=")
	p.wantTold(fmt.Sprintf("READY=1\nMAINPID=%d", next.PID))
	if "http://"+next.Admin != p.admin || next.PID == p.cmd.Process.Pid {
		t.Errorf("serving is %+v, was %s", next, p.admin)
	}
	if state, err := p.cmd.Process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("the old process: %v, %v", state, err)
	}
	until(t, "everybody plays on", func() bool { return c.seen() > at+40 })
	gap, back := c.pause()
	t.Logf("an upgrade: the longest pause of %d players was %v, ticks gone back %d", players, gap.Round(time.Millisecond), back)
	if back > 0 {
		t.Errorf("%d ticks were undone", back)
	}

	at = c.seen()
	p.crash(next.PID)
	until(t, "everybody plays on", func() bool { return c.seen() > at+40 })
	gap, back = c.pause()
	t.Logf("a kill: the longest pause of %d players was %v, ticks gone back %d", players, gap.Round(time.Millisecond), back)

	r := &running{t: t, admin: p.admin}
	d := arenaDefinition(t)
	for _, id := range c.matches {
		var m api.Match
		r.call("GET", p.admin+"/v1/matches/"+id, nil, http.StatusOK, &m)
		if m.State != "running" || m.Players != 8+1 {
			t.Errorf("%+v", m)
		}
		r.call("DELETE", p.admin+"/v1/matches/"+id+"?mode=force", nil, http.StatusNoContent, nil)
		var result api.Result
		until(t, "there is a result", func() bool {
			status, _ := r.request("GET", p.admin+"/v1/matches/"+id+"/result", nil, &result)
			return status == http.StatusOK
		})
		if result.Replay == nil {
			t.Fatal("there is no replay")
		}
		rec, err := recording.Read(fetch(t, p.admin+result.Replay.URL, http.StatusOK))
		if err != nil {
			t.Fatal(err)
		}
		player, err := rec.Play(t.Context(), d)
		for err == nil {
			err = player.Step()
		}
		if checked := player.Checks(); err != io.EOF || checked.Digests != int(result.Ticks) || checked.Hashes < checked.Digests/d.Spec.TickRate {
			t.Errorf("%v after %+v of %d ticks", err, checked, result.Ticks)
		}
	}
}

func arenaDefinition(t *testing.T) *game.Definition {
	t.Helper()
	registry, err := game.NewRegistry(arena.Arena{})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := registry.Lookup("arena")
	return d
}

// A new program that does not start changes nothing.
func TestUpgradeToAProgramThatFails(t *testing.T) {
	p := launch(t, "--upgrade-binary", "/bin/false")
	c := p.join(2)
	until(t, "everybody plays", func() bool { return c.seen() > 10 })
	p.cmd.Process.Signal(syscall.SIGUSR2)
	p.await("the upgrade has failed before it began")
	if out := runCommand(t, "node", "upgrade", "--api", p.admin); !strings.Contains(out, "has ended before it was ready") {
		t.Errorf("node upgrade: %s", out)
	}
	for _, said := range []string{"READY=1\nMAINPID=", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1"} {
		p.wantTold(said)
	}
	at := c.seen()
	until(t, "everybody plays on", func() bool { return c.seen() > at+20 })
}

// The second SIGTERM ends what the first one waits for, at once: with 0, and the results are on the disk.
func TestSecondSignal(t *testing.T) {
	p := launch(t)
	c := p.join(2)
	until(t, "everybody plays", func() bool { return c.seen() > 0 })
	p.wantTold("READY=1")
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.await("draining")
	p.wantTold("STOPPING=1")
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.await("stopped")
	if state, err := p.cmd.Process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("the process: %v, %v", state, err)
	}
	p.again()
	var result api.Result
	r := &running{t: t, admin: p.admin}
	r.call("GET", p.admin+"/v1/matches/"+c.matches[0]+"/result", nil, http.StatusOK, &result)
	if result.State != api.MatchEnded || result.Reason != "force" || len(result.Players) != 3 {
		t.Errorf("%+v", result)
	}
}

// A new program that dies when the store is its own gives it back.
func TestUpgradeToAProgramThatDiesLate(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "dies")
	write(t, script, []byte("#!/bin/sh\necho ready >&5\nread word <&6\nexit 3\n"))
	if err := exec.Command("chmod", "+x", script).Run(); err != nil {
		t.Fatal(err)
	}
	p := launch(t, "--upgrade-binary", script)
	c := p.join(4)
	until(t, "everybody plays", func() bool { return c.seen() > 10 })
	at := c.seen()
	failed := make(chan string)
	go func() { failed <- runCommand(t, "node", "upgrade", "--api", p.admin) }()
	p.await("the new process does not serve")
	if l := p.await("serving"); l.PID != p.cmd.Process.Pid {
		t.Errorf("process %d serves, not %d", l.PID, p.cmd.Process.Pid)
	}
	if out := <-failed; !strings.Contains(out, "the old one goes on") {
		t.Errorf("node upgrade: %s", out)
	}
	until(t, "everybody plays on", func() bool { return c.seen() > at+40 })
}

// runCommand is what a command of the command line prints, or what it has against it.
func runCommand(t *testing.T, args ...string) string {
	var out bytes.Buffer
	cmd := node.Command(arena.Arena{})
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		out.WriteString(err.Error())
	}
	return out.String()
}
