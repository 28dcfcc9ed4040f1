package node

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game/pong"
	"skirmish/server/api"
)

// shell runs command lines against a node.
type shell struct {
	t     *testing.T
	admin string
}

func (s shell) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	_, code, stdout, stderr = typed(s.t, nil, append(args, "--api", s.admin)...)
	return code, stdout, stderr
}

func (s shell) json(into any, args ...string) {
	s.t.Helper()
	code, out, errs := s.run(append(args, "--json")...)
	if code != 0 || json.Unmarshal([]byte(out), into) != nil {
		s.t.Fatalf("%v: %d %s %s", args, code, out, errs)
	}
}

func TestCommandsAboutARunningNode(t *testing.T) {
	key := strings.Repeat("k", 32)
	t.Setenv("SKIRMISH_ADMIN_KEY", key)
	cfg := Default()
	cfg.Addr, cfg.AdminAddr, cfg.DataDir, cfg.LogLevel = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), zerolog.ErrorLevel
	cfg.AdminKeys = api.ParseKeys(key)
	n, err := Start(cfg, pong.Game{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Serve(ctx) }()
	defer func() { cancel(); <-done }()
	s := shell{t, "http://" + n.AdminAddr().String()}
	for _, id := range []string{"one", "two"} {
		if err := (&remote{base: s.admin}).ask(t.Context(), http.MethodPost, "/v1/matches", map[string]any{"match_id": id, "game": "pong", "seats": []map[string]any{{"player_id": "ann"}}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var list []api.Match
	s.json(&list, "matches", "ls", "--game", "pong")
	if len(list) != 2 || list[0].MatchID != "one" {
		t.Errorf("%+v", list)
	}
	if code, out, _ := s.run("matches", "ls"); code != 0 || !strings.HasPrefix(out, "MATCH") || strings.Count(out, "\n") != 3 {
		t.Errorf("%d %s", code, out)
	}
	if code, out, errs := s.run("matches", "end", "one", "--force"); code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	var shown struct {
		Match  *api.Match
		Result *api.Result
	}
	for deadline := time.Now().Add(5 * time.Second); shown.Result == nil && time.Now().Before(deadline); {
		s.json(&shown, "matches", "inspect", "one")
	}
	if shown.Result == nil || shown.Result.Reason != "force" || shown.Match.Seats[0].PlayerID != "ann" {
		t.Errorf("%+v", shown)
	}
	if code, _, errs := s.run("matches", "inspect", "nobody"); code != 1 || errs != "server: There is no match \"nobody\" on this node.\n" {
		t.Errorf("%d %q", code, errs)
	}
	var letters []api.DeadLetter
	s.json(&letters, "webhooks", "ls")
	if code, out, _ := s.run("webhooks", "redeliver", "--all"); code != 0 || out != "0 underway again\n" || len(letters) != 0 {
		t.Errorf("%d %s", code, out)
	}
	if code, _, errs := s.run("webhooks", "redeliver", "nobody"); code != 1 || !strings.Contains(errs, "no dead letter") {
		t.Errorf("%d %s", code, errs)
	}
	var info api.NodeInfo
	s.json(&info, "node", "drain", "--deadline", "1h")
	if info.State != "draining" || info.Matches["waiting"] != 1 {
		t.Errorf("%+v", info)
	}
	if code, out, _ := s.run("node"); code != 0 || !strings.Contains(out, "draining") {
		t.Errorf("%d %s", code, out)
	}
	t.Setenv("SKIRMISH_ADMIN_KEY", "wrong")
	if code, _, errs := s.run("node"); code != 1 || strings.Contains(errs, key) || !strings.Contains(errs, "not right") {
		t.Errorf("%d %s", code, errs)
	}
	if code, _, errs := (shell{t, "http://127.0.0.1:1"}).run("node"); code != 1 || !strings.Contains(errs, "no node answers at http://127.0.0.1:1") || strings.Count(errs, "\n") != 1 {
		t.Errorf("%d %s", code, errs)
	}
}

func TestConfigurationOfFileEnvironmentAndFlags(t *testing.T) {
	file := t.TempDir() + "/skirmish.yaml"
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("addr: :1111\nadmin-addr: 127.0.0.1:2222\ndata-dir: from-file\nallow-origin: [https://a.example, https://b.example]\nmax-connections: 5\ndev: true\n")
	t.Setenv("SKIRMISH_DATA_DIR", "from-env")
	t.Setenv("SKIRMISH_ADMIN_ADDR", "127.0.0.1:3333")
	t.Setenv("SKIRMISH_ADMIN_KEY", strings.Repeat("topsecret", 4))
	got, code, _, errs := typed(t, nil, "--config", file, "--admin-addr", "127.0.0.1:4444")
	if code != 0 {
		t.Fatal(errs)
	}
	if c := got.serve; c.Addr != ":1111" || c.AdminAddr != "127.0.0.1:4444" || c.DataDir != "from-env" || c.MaxConnections != 5 || len(c.AllowOrigins) != 2 || !c.Dev || !c.QuickPlay {
		t.Errorf("%+v", c)
	}
	_, code, out, errs := typed(t, nil, "config", "print", "--config", file, "--admin-addr", "127.0.0.1:4444", "--json")
	var lines []struct{ Name, Value, Source string }
	if code != 0 || json.Unmarshal([]byte(out), &lines) != nil || strings.Contains(out, "topsecret") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	shown := map[string]string{}
	for _, l := range lines {
		shown[l.Name] = l.Value + " · " + l.Source
	}
	for name, want := range map[string]string{
		"addr": ":1111 · file " + file, "data-dir": "from-env · environment SKIRMISH_DATA_DIR", "admin-addr": "127.0.0.1:4444 · flag --admin-addr",
		"driver": " · default", "SKIRMISH_ADMIN_KEY": "(secret) · environment SKIRMISH_ADMIN_KEY", "SKIRMISH_TICKET_KEY": " · default",
	} {
		if shown[name] != want {
			t.Errorf("%s: %q, want %q", name, shown[name], want)
		}
	}
	if _, code, out, _ := typed(t, nil, "config", "check", "--config", file); code != 0 || out != "the configuration is in order\n" {
		t.Errorf("%d %s", code, out)
	}
	for text, says := range map[string]string{
		"adr: :1": `line 1: unknown key "adr"`, "addr: :1\nconfig: x": `line 2: unknown key "config"`, "max-connections: many": `max-connections: "many" is not a whole number`,
		"addr: :1\naddr: :2": "addr is there twice", "- addr": "want lines of", "addr: [a, b]": "want one value", "addr: {a: b}": "want one value",
		"driver: kqueue": "--driver", "addr: \":1": "--config",
	} {
		write(text)
		if _, code, _, errs := typed(t, nil, "config", "check", "--config", file); code != 2 || !strings.Contains(errs, says) {
			t.Errorf("%q: %d %s", text, code, errs)
		}
	}
	if _, code, _, errs := typed(t, nil, "--config", file+".not"); code != 2 || !strings.Contains(errs, "--config") {
		t.Errorf("%d %s", code, errs)
	}
}

func TestTicketsOnTheCommandLine(t *testing.T) {
	if _, code, _, errs := typed(t, nil, "ticket", "mint", "--match", "m", "--player", "ann"); code != 2 || !strings.Contains(errs, "there is no key") {
		t.Errorf("%d %s", code, errs)
	}
	t.Setenv("SKIRMISH_TICKET_KEY", "k1:"+strings.Repeat("ab", 32))
	_, code, token, errs := typed(t, nil, "ticket", "mint", "--match", "m", "--player", "ann", "--seat", "3", "--role", "spectator")
	if code != 0 || !strings.HasPrefix(token, "mt1.k1.") {
		t.Fatalf("%d %s %s", code, token, errs)
	}
	_, code, out, errs := typed(t, nil, "ticket", "check", strings.TrimSpace(token), "--json")
	var c struct {
		Match, Player string
		Seat, Role    int
	}
	if code != 0 || json.Unmarshal([]byte(out), &c) != nil || c.Match != "m" || c.Player != "ann" || c.Seat != 3 || c.Role == 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if _, code, out, _ := typed(t, nil, "ticket", "check", strings.TrimSpace(token)); code != 0 || !strings.Contains(out, "ann") {
		t.Errorf("%d %s", code, out)
	}
	if _, code, _, errs := typed(t, nil, "ticket", "check", strings.TrimSpace(token)+"x"); code != 1 || !strings.Contains(errs, "ticket: ") {
		t.Errorf("%d %s", code, errs)
	}
	for _, args := range [][]string{{"mint", "--match", "m"}, {"mint", "--match", "m", "--player", "a", "--role", "bot"}, {"mint", "--match", "m", "--player", "a", "--ttl", "3m"}, {"check"}, {}} {
		if _, code, _, errs := typed(t, nil, append([]string{"ticket"}, args...)...); code != 2 {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, sh := range []string{"bash", "zsh", "fish", "powershell"} {
		if _, code, out, errs := typed(t, nil, "completion", sh); code != 0 || len(out) < 500 {
			t.Errorf("%s: %d %d bytes %s", sh, code, len(out), errs)
		}
	}
	if _, _, out, _ := typed(t, nil, "__complete", "ma"); !strings.Contains(fmt.Sprint(out), "matches") {
		t.Errorf("%s", out)
	}
}
