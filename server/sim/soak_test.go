package sim_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"skirmish/server/webhook"
)

var (
	soak     = flag.Duration("soak", 0, "how long TestSoak plays, 1m and up; 0: not at all")
	soakBots = flag.Int("soak-bots", 200, "its bots")
)

// soakScenario is played for the length of the soak: everything at once.
const soakScenario = `
match_size: 16
arrivals: {pattern: poisson}
sessions: {length: lognormal, mean: 60s, pause: 1s, vanish: 10%%}
churn: {share: 5%%, every: 20s, pause: 500ms}
stages:
  - {ramp: 15s, bots: %d}
  - {hold: %s}
  - {down: 10s, bots: 0}
behaviours:
  idle: 3%%
  slow: {share: 2%%, rate: 3kB}
  malformed: {share: 1%%, after: 10s}
thresholds: [errors<=0, missed_ticks<=0, delivery>=99%%]
`

// soakSecret signs the webhooks of the soak.
const soakSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// told are the results that the sink of the soak has taken, which it does not do every time.
type told struct {
	mu      sync.Mutex
	results map[string]int // deliveries, by match
	calls   int
}

func (s *told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var e webhook.Event
	if json.Unmarshal(body, &e) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls++; s.calls%7 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if e.Type == "match.ended" || e.Type == "match.failed" {
		s.results[e.MatchID]++
	}
}

// sample is what the server says of itself at a moment.
type sample map[string]float64

const (
	sampleRSS        = "process_resident_memory_bytes"
	sampleFDs        = "process_open_fds"
	sampleGoroutines = "go_goroutines"
)

func look(admin string) (sample, error) {
	res, err := http.Get(admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	s := sample{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			s[name] = v
		}
	}
	return s, nil
}

// TestSoak plays a real server with a real swarm and looks whether anything grows, a tick is missed or a result is not told.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("make soak plays it")
	}
	dir := t.TempDir()
	for _, name := range []string{"server", "loadtest"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), "skirmish/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	sink := &told{results: map[string]int{}}
	hooks := httptest.NewServer(sink)
	defer hooks.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(filepath.Join(dir, "server"), "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"),
		"--log-level", "info", "--drain-timeout", "0s", "--no-loopback-limits", "--webhook-url", hooks.URL, "--webhook-secret-id", "main", "--webhook-event", "match.*")
	server.Env = append(os.Environ(), "SKIRMISH_WEBHOOK_SECRETS=main:"+soakSecret)
	server.Stderr = log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	admin := soakAdmin(t, log.Name())
	base, err := look(admin)
	if err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(dir, "soak.yaml")
	hold := max(*soak-25*time.Second, 20*time.Second)
	if err := os.WriteFile(file, fmt.Appendf(nil, soakScenario, *soakBots, hold), 0o600); err != nil {
		t.Fatal(err)
	}
	swarm := exec.Command(filepath.Join(dir, "loadtest"), file, "--server", admin, "--no-color")
	var report bytes.Buffer
	swarm.Stdout, swarm.Stderr = &report, &report
	if err := swarm.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var short sync.WaitGroup
	short.Go(func() { shortMatches(ctx, t, admin) })
	ended := make(chan error, 1)
	go func() { ended <- swarm.Wait() }()

	var samples []sample
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for playing := true; playing; {
		select {
		case err := <-ended:
			if playing = false; err != nil {
				t.Errorf("the swarm: %v\n%s", err, report.String())
			}
		case <-every.C:
			s, err := look(admin)
			if err != nil {
				t.Fatalf("the server does not answer: %v", err)
			}
			samples = append(samples, s)
		}
	}
	stop()
	short.Wait()
	steady := samples[min(20, len(samples)/3):max(len(samples)-12, 2*len(samples)/3)]
	flat(t, "resident memory, bytes", steady, sampleRSS, 0.10, 16<<20)
	flat(t, "descriptors", steady, sampleFDs, 0.10, 30)
	flat(t, "goroutines", steady, sampleGoroutines, 0.10, 30)

	var last sample
	soakUntil(t, "all matches end, all results are told", func() bool {
		if last, err = look(admin); err != nil {
			t.Fatal(err)
		}
		sink.mu.Lock()
		defer sink.mu.Unlock()
		return last[`skirmish_matches{state="running"}`]+last[`skirmish_matches{state="waiting"}`] == 0 &&
			float64(len(sink.results)) == last["skirmish_results_total"] && last[sampleFDs] <= base[sampleFDs]+20
	})
	sink.mu.Lock()
	defer sink.mu.Unlock()
	t.Logf("ticks: %.0f taken, %.0f missed", last["skirmish_ticks_total"], last["skirmish_ticks_missed_total"])
	t.Logf("results: %.0f kept, %d told, %d requests to a sink that refuses every seventh", last["skirmish_results_total"], len(sink.results), sink.calls)
	t.Logf("after the end: descriptors %.0f (%.0f at the start), goroutines %.0f (%.0f)", last[sampleFDs], base[sampleFDs], last[sampleGoroutines], base[sampleGoroutines])
	for _, line := range strings.Split(report.String(), "\n") {
		if strings.TrimSpace(line) != "" && !strings.Contains(line, " | bots ") {
			t.Log("swarm: " + line)
		}
	}
	server.Process.Signal(syscall.SIGTERM)
}

// shortMatches makes a match every second and ends it.
func shortMatches(ctx context.Context, t *testing.T, admin string) {
	for every := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		res, err := http.Post(admin+"/v1/matches", "application/json", strings.NewReader(`{"game":"arena","start":{"when":"now"},"seats":[{"player_id":"b","bot":true}]}`))
		if err != nil {
			t.Errorf("a match is not made: %v", err)
			return
		}
		var made struct {
			Match struct {
				ID string `json:"match_id"`
			} `json:"match"`
		}
		err = json.NewDecoder(res.Body).Decode(&made)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusCreated {
			t.Errorf("a match is not made: %d, %v", res.StatusCode, err)
			return
		}
		req, _ := http.NewRequest(http.MethodDelete, admin+"/v1/matches/"+made.Match.ID+"?mode=force", nil)
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
		}
	}
}

// flat compares the first third of a figure with its last third.
func flat(t *testing.T, what string, samples []sample, name string, share, slack float64) {
	median := func(part []sample) float64 {
		var all []float64
		for _, s := range part {
			all = append(all, s[name])
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	third := max(1, len(samples)/3)
	before, after := median(samples[:third]), median(samples[len(samples)-third:])
	verdict := "flat"
	if after > before*(1+share)+slack {
		verdict = "GROWS"
		t.Errorf("%s: %.0f at first, %.0f at last", what, before, after)
	}
	t.Logf("%s: %.0f in the first third, %.0f in the last: %s", what, before, after, verdict)
}

// soakAdmin waits for the server to say where its API is.
func soakAdmin(t *testing.T, log string) (admin string) {
	soakUntil(t, "the server serves", func() bool {
		b, _ := os.ReadFile(log)
		for line := range strings.Lines(string(b)) {
			var said struct{ Admin, Message string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Admin != "" && said.Message == "serving" {
				admin = "http://" + said.Admin
			}
		}
		return admin != ""
	})
	return admin
}

func soakUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
