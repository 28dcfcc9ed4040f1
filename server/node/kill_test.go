package node_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/server/api"
	"skirmish/server/node"
	"skirmish/server/webhook"
)

// kills is how often the kill test kills its server: go test ./server/node -run Kill -kills 1000.
var kills = flag.Int("kills", 30, "how often TestKillsLoseNoResult kills the server")

// childEnv makes this test binary the server that the kill test starts and kills; optionEnv is what is special about it.
const (
	childEnv  = "SKIRMISH_TEST_CHILD"
	optionEnv = "SKIRMISH_TEST_OPTION"
)

// buildDir is where a test has built the server, if one has.
var buildDir string

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := serveVictim(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv(operatorEnv) != "" {
		node.Main(race{}, flash{})
	}
	if dir := os.Getenv(natsEnv); dir != "" {
		serveNATS(dir)
	}
	code := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// serveVictim serves on free ports and says where.
func serveVictim(dir string) error {
	cfg := node.Default()
	cfg.Addr, cfg.AdminAddr, cfg.DataDir, cfg.LogLevel = "127.0.0.1:0", "127.0.0.1:0", dir, zerolog.ErrorLevel
	cfg.WebhookSecrets, _ = webhook.ParseSecrets("main:" + hookSecret)
	cfg.Webhooks.First, cfg.Webhooks.Most, cfg.Webhooks.Timeout = 10*time.Millisecond, 100*time.Millisecond, 2*time.Second
	games := []game.Game{flash{}, race{}, bomb{}, beacon{}}
	switch option := os.Getenv(optionEnv); option {
	case "off":
		cfg.Durability = node.DurabilityOff
	case "no race":
		games = games[:1]
	case "": // nothing
	default:
		games[1] = newerRace{option}
	}
	n, err := node.Start(cfg, games...)
	if err != nil {
		return err
	}
	fmt.Println("http://"+n.AdminAddr().String(), "ws://"+n.Addr().String()+node.PlayPath)
	return n.Serve(context.Background())
}

// newerRace is a later version of the race. The name says whether it goes on with matches of the first one, and whether it takes
// its time to make them.
type newerRace struct{ version string }

func (r newerRace) Spec() game.Spec {
	s := race{}.Spec()
	s.Version = r.version
	if strings.Contains(r.version, " ") { // "2 restores", "2 slow"
		s.Restores = []string{race{}.Spec().Version}
	}
	return s
}

func (r newerRace) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	if strings.HasSuffix(r.version, " slow") {
		time.Sleep(30 * time.Millisecond)
	}
	return race{}.New(ctx, m)
}

// flash is a game that plays itself: it ends after some ticks.
type flash struct{}

type (
	flashRow    struct{ At int32 }
	flashSim    struct{ Left int32 }
	flashResult struct {
		Sum uint64 `json:"sum"` // of the seed, so that every match has a result of its own
	}
)

func (flash) Spec() game.Spec {
	return game.Spec{Name: "flash", Version: "1", Input: raceInput{}, Kinds: []any{flashRow{}}, TickRate: 50, SnapshotRate: 50, MaxPlayers: 2}
}

func (flash) New(_ context.Context, m *game.Match) (game.Sim, error) {
	p := struct {
		Ticks int32 `json:"ticks"`
	}{3}
	if err := m.Decode(&p); err != nil {
		return nil, err
	}
	return &flashSim{Left: p.Ticks}, nil
}

func (s *flashSim) Join(*game.Tick, *game.Player)               {}
func (s *flashSim) Leave(*game.Tick, *game.Player, game.Reason) {}
func (s *flashSim) Frame(*game.Frame)                           {}
func (s *flashSim) Step(t *game.Tick) {
	if s.Left--; s.Left <= 0 {
		t.Finish(flashResult{Sum: t.Match().Seed})
	}
}

// victim is one life of the server.
type victim struct {
	cmd   *exec.Cmd
	admin string
	play  string
}

func start(t *testing.T, dir string) *victim {
	t.Helper()
	return startAs(t, dir, "")
}

// victimCommand is the server as a process.
func victimCommand(t *testing.T, dir, option string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+dir, optionEnv+"="+option)
	cmd.Stderr = os.Stderr
	return cmd
}

func startAs(t *testing.T, dir, option string) *victim {
	t.Helper()
	v := &victim{cmd: victimCommand(t, dir, option)}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.kill)
	late := time.AfterFunc(time.Minute, func() { v.cmd.Process.Kill() })
	defer late.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server does not start on what is left: %v", err)
	}
	v.admin, v.play, _ = strings.Cut(strings.TrimSpace(line), " ")
	return v
}

// kill is kill -9.
func (v *victim) kill() {
	v.cmd.Process.Kill()
	v.cmd.Wait()
}

// ask does one request, a POST with the key if there is one; ok is false when the server is dead.
func (v *victim) ask(ctx context.Context, method, path, key string, body any) (status int, out []byte, ok bool) {
	var in io.Reader
	if body != nil {
		b, _ := json.Marshal(body)
		in = bytes.NewReader(b)
	}
	req, _ := http.NewRequestWithContext(ctx, method, v.admin+path, in)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, false
	}
	defer res.Body.Close()
	out, err = io.ReadAll(res.Body)
	return res.StatusCode, out, err == nil
}

// answered is a call to make a match and its first answer.
type answered struct {
	id     string // of the match, and the call's key
	body   map[string]any
	answer string
}

// must does one request that is answered with this status, and decodes the answer; into may be nil.
func (v *victim) must(t *testing.T, method, path string, body any, want int, into any) {
	t.Helper()
	status, out, ok := v.ask(t.Context(), method, path, "", body)
	if !ok || status != want {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, out)
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, out)
		}
	}
}

// However often the server is killed at whatever moment: every match that was made goes on and ends, and its end is told to its
// sink. A result that the API has given out does not change, and what is told twice has the same id.
func TestKillsLoseNoResult(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 9))
	var rndMu sync.Mutex
	chance := func(n int) int {
		rndMu.Lock()
		defer rndMu.Unlock()
		return rnd.IntN(n)
	}
	s := newSink(t)
	mood := 0
	s.verdict = func() int { // called with the sink's lock held
		switch mood {
		case 1: // down
			return 0
		case 2: // slow
			time.Sleep(time.Duration(chance(20)) * time.Millisecond)
			return 200
		case 3:
			return 500
		case 9:
			return 200
		}
		return []int{200, 200, 200, 500, 404, 302, 0}[chance(7)] // wrong at random
	}
	dir := t.TempDir()
	var mu sync.Mutex
	made := map[string]bool{}
	ended := map[string]string{} // results as the API gave them out, by match
	var newest answered          // the last match that was said to be made before the kill
	began := time.Now()
	again, anew := 0, 0 // repeats of that call that got the first answer, and that made it anew
	for life := range *kills {
		s.mu.Lock()
		mood = chance(5)
		s.mu.Unlock()
		v := start(t, dir)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if newest.id != "" {
			switch status, out, ok := v.ask(ctx, "POST", "/v1/matches", newest.id, newest.body); {
			case ok && status == http.StatusOK && string(out) == newest.answer:
				again++
			case ok && status == http.StatusCreated && ended[newest.id] == "": // the kill has undone it
				anew++
				newest.answer = string(out)
			default:
				t.Errorf("a repeat after the kill: %d %s, first %s", status, out, newest.answer)
			}
		}
		var load sync.WaitGroup
		for w := range 4 {
			load.Go(func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("m-%d-%d-%d", life, w, i)
					body := map[string]any{
						"match_id": id, "game": "flash", "params": map[string]any{"ticks": 1 + chance(4)}, "start": map[string]any{"when": "now"},
						"webhook": map[string]any{"url": s.URL, "secret_id": "main", "events": []string{"match.*"}},
					}
					status, out, ok := v.ask(ctx, "POST", "/v1/matches", id, body)
					if !ok {
						return
					}
					if status != http.StatusCreated {
						t.Errorf("create: %d %s", status, out)
						return
					}
					mu.Lock()
					made[id] = true
					newest = answered{id, body, string(out)}
					mu.Unlock()
					for {
						status, out, ok := v.ask(ctx, "GET", "/v1/matches/"+id+"/result", "", nil)
						if !ok {
							return
						}
						if status == http.StatusOK {
							mu.Lock()
							ended[id] = strings.TrimSpace(string(out))
							mu.Unlock()
							break
						}
						time.Sleep(3 * time.Millisecond)
					}
				}
			})
		}
		time.Sleep(time.Duration(20+chance(350)) * time.Millisecond)
		v.kill()
		cancel()
		load.Wait()
		if done := life + 1; done%50 == 0 {
			t.Logf("%d kills: made %d, read before the kill %d, events told %d, %.0f s", done, len(made), len(ended), len(s.events()), time.Since(began).Seconds())
		}
	}
	s.mu.Lock()
	mood = 9
	s.mu.Unlock()
	v := start(t, dir)
	told := func() (map[string]string, int) {
		out, repeated, ids := map[string]string{}, 0, map[string]bool{}
		for _, e := range s.events() {
			if ids[e.ID] {
				repeated++
			}
			ids[e.ID] = true
			if e.Type == "match.ended" {
				out[e.MatchID] = string(e.Data)
			}
		}
		return out, repeated
	}
	deadline := time.Now().Add(3*time.Minute + time.Duration(*kills)*time.Second)
	begin := time.Now()
	for {
		var info api.NodeInfo
		_, out, _ := v.ask(t.Context(), "GET", "/v1/node", "", nil)
		json.Unmarshal(out, &info)
		got, _ := told()
		missing := 0
		for id := range made {
			if got[id] == "" {
				missing++
			}
		}
		if missing == 0 && info.Webhooks.Pending == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("what was left is told in %.1f s", time.Since(begin).Seconds())
	got, repeated := told()
	lost, changed, gone := 0, 0, 0
	for id := range made {
		if got[id] == "" && ended[id] == "" {
			gone++
			t.Errorf("%s was made and nobody hears of its end", id)
		}
	}
	for id, want := range ended {
		switch {
		case got[id] == "":
			lost++
		case got[id] != want:
			changed++
			t.Errorf("%s was %s and is told as %s", id, want, got[id])
		}
		status, out, _ := v.ask(t.Context(), "GET", "/v1/matches/"+id+"/result", "", nil)
		if status != http.StatusOK || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s was %s and is read as %d %s", id, want, status, out)
		}
	}
	t.Logf("kills %d: matches made %d, results read before the kill %d, went on after it %d, delivered %d, events repeated %d, changed %d, results lost %d, matches lost %d",
		*kills, len(made), len(ended), len(made)-len(ended)-gone, len(got), repeated, changed, lost, gone)
	t.Logf("calls repeated with their Idempotency-Key after a kill: %d got the first answer, %d were undone and done anew", again, anew)
	if lost > 0 || changed > 0 || len(ended) < *kills {
		t.Errorf("lost %d, changed %d, of %d", lost, changed, len(ended))
	}
}
