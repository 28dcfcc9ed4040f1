package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"skirmish/game/arena"
	"skirmish/server/api"
	"skirmish/server/node"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == workerCommand { // the test binary is its own worker process
		os.Exit(work(context.Background(), os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

// serve starts a real node and returns its admin URL.
func serve(t *testing.T, change func(*node.Config)) string {
	t.Helper()
	return "http://" + start(t, change).AdminAddr().String()
}

// starting has nodes start one after the other: that is where they need the processor.
var starting sync.Mutex

func start(t *testing.T, change func(*node.Config)) *node.Node {
	t.Helper()
	c := node.Default()
	c.Addr, c.AdminAddr, c.DataDir, c.LogLevel = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), zerolog.ErrorLevel
	if change != nil {
		change(&c)
	}
	starting.Lock()
	n, err := node.Start(c, arena.New())
	starting.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return n
}

// small is a run of 20 bots that measures for one second.
func small(server string) *Config {
	c := DefaultConfig()
	c.Server, c.Bots, c.MatchSize = server, 20, 8
	c.Ramp, c.Warmup, c.Duration = 200*time.Millisecond, 600*time.Millisecond, time.Second
	return &c
}

func play(t *testing.T, ctx context.Context, c *Config) *Report {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	var status bytes.Buffer
	r, err := runSwarm(ctx, c, &status, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASwarmPlaysOnARealNode(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"one loop":        func(*Config) {},
		"two loops, 60Hz": func(c *Config) { c.Loops, c.Rate = 2, 60 },
		"io_uring":        func(c *Config) { c.IO = pollRing },
		"scouts, 60Hz":    func(c *Config) { c.Scouts, c.Rate = true, 60 },
		"epoll":           func(c *Config) { c.IO = pollEpoll },
		"portable poller": func(c *Config) { c.IO = pollPortable },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := small(serve(t, nil))
			change(c)
			r := play(t, t.Context(), c)
			if r.Joined != 20 || r.Matches != 3 || r.Errors.Total != 0 || !r.Pass {
				t.Errorf("%d joined in %d matches, errors %v", r.Joined, r.Matches, r.Errors)
			}
			if r.Closes["4001"] != 20 {
				t.Errorf("all bots leave by bye: %v", r.Closes)
			}
			for _, metric := range []string{"join", "connect", "welcome", "ack", "interval", "interval_error", "age", "lag"} {
				if d := r.Times[metric]; d.Count == 0 || d.Max > 60_000 {
					t.Errorf("%s: %+v", metric, d)
				}
			}
			if d := r.Delivery; d.Ratio < 0.5 || d.Ratio > 1.5 {
				t.Errorf("delivery %+v", d)
			}
			if r.Bytes.Down < 100 || r.Bytes.Up < 100 || r.Bytes.PerSnapshot < 10 || r.Counts.Inputs == 0 {
				t.Errorf("bytes %+v, counts %+v", r.Bytes, r.Counts)
			}
			if r.Server == nil || r.Server.Ticks == 0 || r.Server.Inputs["on_time"] == 0 {
				t.Errorf("server %+v, %s", r.Server, r.ServerNote)
			}
			for deadline := time.Now().Add(5 * time.Second); matches(t, c.Server) != 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) { // the API ends a match without waiting for it
					t.Fatal("matches are left behind")
				}
			}
		})
	}
}

// matches counts what still runs.
func matches(t *testing.T, server string) (n int) {
	t.Helper()
	resp, err := http.Get(server + "/v1/matches")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct {
		Matches []struct{ State string } `json:"matches"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, m := range list.Matches {
		if m.State == "running" || m.State == "waiting" {
			n++
		}
	}
	return n
}

func TestMatchesThatEndDuringTheRunAreNoErrors(t *testing.T) {
	t.Parallel()
	c := small(serve(t, nil))
	c.Bots, c.Duration = 8, 20*time.Second
	m := newMatchmaker(c.Server, "", false)
	go func() {
		defer m.http.CloseIdleConnections()
		for {
			time.Sleep(20 * time.Millisecond)
			p, err := m.scrape(context.Background())
			if err != nil || p[`skirmish_connections{state="playing"}`] < 8 {
				continue
			}
			body, _ := m.do(context.Background(), "GET", "/v1/matches", nil)
			var list struct {
				Matches []struct {
					ID string `json:"match_id"`
				} `json:"matches"`
			}
			json.Unmarshal(body, &list)
			time.Sleep(700 * time.Millisecond) // into the window
			m.remove(context.Background(), list.Matches[0].ID)
			return
		}
	}()
	r := play(t, t.Context(), c)
	if r.EndedEarly == "" || r.Closes["4000"] != 8 || r.Errors.Total != 0 || r.Counts.Over != 8 {
		t.Errorf("early %q, closes %v, errors %v, %d saw the end", r.EndedEarly, r.Closes, r.Errors, r.Counts.Over)
	}
}

func TestAnInterruptedRunStillReports(t *testing.T) {
	t.Parallel()
	c := small(serve(t, nil))
	c.Duration = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	r := play(t, ctx, c)
	if r.EndedEarly != "interrupted" || r.Window > 30 || r.Window < 0.2 || r.Delivery.Received == 0 || r.Closes["4001"] != 20 {
		t.Errorf("early %q after %v s, %+v, %v", r.EndedEarly, r.Window, r.Delivery, r.Closes)
	}
}

func TestAKeyIsSentAndDeclined(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	server := serve(t, func(c *node.Config) { c.AdminKeys = []api.Key{api.NewKey(key)} })
	c := small(server)
	c.AdminKey = key
	if r := play(t, t.Context(), c); r.Errors.Total != 0 || r.Server == nil {
		t.Errorf("%v %s", r.Errors, r.ServerNote)
	}
	c.AdminKey = "wrong"
	if _, err := runSwarm(t.Context(), c, new(bytes.Buffer), false); err == nil || !strings.Contains(err.Error(), "SKIRMISH_ADMIN_KEY") {
		t.Errorf("wrong key: %v", err)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	server := serve(t, nil)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	quick := []string{"--server", server, "--bots", "4", "--match-size", "4", "--ramp", "0s", "--warmup", "300ms", "--duration", "1s"}
	dir := t.TempDir()
	sheet, page, table := filepath.Join(dir, "r.json"), filepath.Join(dir, "r.html"), filepath.Join(dir, "r.csv")
	story, bad := filepath.Join(dir, "story.yaml"), filepath.Join(dir, "bad.yaml")
	os.WriteFile(story, []byte("stages:\n - {name: up, ramp: 300ms, bots: 6}\n - {name: held, hold: 1s, thresholds: ['ack.p50<1us']}\nwarmup: 300ms\n"), 0o600)
	os.WriteFile(bad, []byte("bots: 5\nramps: 5s\n"), 0o600)
	t.Run("all", func(t *testing.T) { // ends when they have
		for _, c := range []struct {
			name string
			args []string
			code int
			want string // in what it says
		}{
			{"pass", append(quick, "--json", sheet, "--html", page, "--csv", table), exitPass, "pass  errors<=0"},
			{"a stage's threshold missed", []string{story, "--server", server}, exitMissed, "MISS  held: ack.p50<1us"},
			{"a bad scenario", []string{bad}, exitUsage, `bad.yaml:2: unknown key "ramps"`},
			{"no such scenario", []string{bad + "x"}, exitUsage, "no such file"},
			{"two scenarios", []string{story, story}, exitUsage, "one scenario at a time"},
			{"a bad page", []string{"--html", dir}, exitUsage, "--html"},
			{"a bad sheet", []string{"--csv", filepath.Join(sheet, "x")}, exitUsage, "--csv"},
			{"too many workers", []string{"--workers", "1000"}, exitUsage, "--workers 1000"},
			{"threshold missed", append(quick, "--threshold", "ack.p50<1us"), exitMissed, "MISS  ack.p50<1us"},
			{"JSON on stdout", append(quick, "--json", "-"), exitPass, `"schema": 2`},
			{"help", []string{"--help"}, exitPass, "Exit codes"},
			{"unknown flag", []string{"--bot", "4"}, exitUsage, "--bot"},
			{"unknown argument", []string{"run"}, exitUsage, "the scenario: open run"},
			{"bad number", []string{"--bots", "many"}, exitUsage, "--bots"},
			{"bad threshold", []string{"--threshold", "ack<1ms"}, exitUsage, "needs a statistic"},
			{"several faults", []string{"--bots", "0", "--rate", "1000"}, exitUsage, "--rate 1000"},
			{"bad server", []string{"--server", "localhost:7351"}, exitUsage, "--server"},
			{"bad file", []string{"--json", filepath.Join(sheet, "no", "such")}, exitUsage, "--json"},
			{"no server", []string{"--server", "http://127.0.0.1:1"}, exitFailed, "no server answers at http://127.0.0.1:1"},
			{"no host", []string{"--server", "http://nowhere.invalid:7351"}, exitFailed, `there is no host "nowhere.invalid"`},
			{"another server", []string{"--server", other.URL}, exitFailed, "admin port"},
			{"wrong game URL", append(quick, "--game-url", "ws://127.0.0.1:1/play"), exitMissed, "connection refused"},
			{"too many bots for loopback", append(quick, "--bots", "17000", "--ramp", "60s"), exitFailed, "on loopback"},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				var out, status bytes.Buffer
				code := run(t.Context(), c.args, &out, &status)
				said := out.String() + status.String()
				if code != c.code || !strings.Contains(said, c.want) {
					t.Errorf("exit %d, want %d, saying %q:\n%s", code, c.code, c.want, said)
				}
			})
		}
	})
	b, err := os.ReadFile(sheet)
	if err != nil || !bytes.Contains(b, []byte(`"times_ms"`)) {
		t.Errorf("the JSON report: %v %s", err, b)
	}
}

func TestOpenFilesAreCheckedBefore(t *testing.T) {
	if err := checkFiles(7, 1<<40); err == nil || !strings.Contains(err.Error(), "ulimit -n") || !strings.HasPrefix(err.Error(), "7 bots") {
		t.Errorf("%v", err)
	}
}
