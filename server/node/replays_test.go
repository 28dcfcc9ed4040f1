package node_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/game/arena"
	"skirmish/server/api"
	"skirmish/server/node"
)

// fetch reads what lies at a URL.
func fetch(t *testing.T, url string, want int) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Fatalf("GET %s: %d %s", url, res.StatusCode, b)
	}
	return b
}

// A recorded match leaves a replay: it is told of in the result, served, verified, described and exported.
func TestReplayOfAMatch(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	create := func(id string, record bool) string {
		made := r.create(map[string]any{"match_id": id, "game": "arena", "record": record, "seats": []map[string]any{
			{"player_id": "ann", "name": "Ann"}, {"player_id": "bot", "name": "Bot", "bot": true}, {"player_id": "bob", "name": "Bob", "bot": true}}})
		return made.Seats[0].Token
	}
	ann := r.dial(create("taped", true), client.Options{})
	other := r.dial(create("untaped", false), client.Options{})
	until := time.Now().Add(10 * time.Second)
	var m api.Match
	for m.Tick < 60 {
		r.call("GET", r.admin+"/v1/matches/taped", nil, http.StatusOK, &m)
		if _, err := ann.SendFields(map[string]float64{"ax": 127}); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(until) {
			t.Fatal("the match does not go on")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if text := string(fetch(t, r.admin+"/v1/matches/taped/replay", http.StatusNotFound)); !strings.Contains(text, "still being recorded") {
		t.Errorf("of a running match: %s", text)
	}
	for _, id := range []string{"taped", "untaped"} {
		r.call("DELETE", r.admin+"/v1/matches/"+id+"?mode=force", nil, http.StatusNoContent, nil)
	}
	for _, c := range []*client.Client{ann, other} {
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var result api.Result
	r.call("GET", r.admin+"/v1/matches/taped/result", nil, http.StatusOK, &result)
	if result.Replay == nil || result.Replay.URL != "/v1/matches/taped/replay" {
		t.Fatalf("the result tells of %+v", result.Replay)
	}
	b := fetch(t, r.admin+result.Replay.URL, http.StatusOK)
	if sum := sha256.Sum256(b); int64(len(b)) != result.Replay.Size || hex.EncodeToString(sum[:]) != result.Replay.SHA256 {
		t.Errorf("%d bytes of another sum came, the result says %+v", len(b), result.Replay)
	}
	if text := string(fetch(t, r.admin+"/v1/matches/untaped/replay", http.StatusNotFound)); !strings.Contains(text, "was not recorded") {
		t.Errorf("of a match without: %s", text)
	}
	fetch(t, r.admin+"/v1/matches/..%2fnode/replay", http.StatusNotFound)
	film := fetch(t, r.admin+"/v1/matches/taped/film", http.StatusOK)
	if !bytes.HasPrefix(film, []byte("SKRFILM1")) {
		t.Errorf("the film begins with %q", film[:min(8, len(film))])
	}
	var link api.ReplayLink
	r.call("POST", r.admin+"/v1/matches/taped/replay/link", map[string]any{}, http.StatusCreated, &link)
	page, token, _ := strings.Cut(link.URL, "#replay=")
	if left := time.Until(time.Time(link.ExpiresAt)); token != link.Token || left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("a link: %+v", link)
	}
	if linked := fetch(t, page+"v1/films/"+token, http.StatusOK); !bytes.Equal(linked, film) {
		t.Errorf("the link leads to %d bytes, not to the film's %d", len(linked), len(film))
	}
	fetch(t, page+"v1/films/"+token[:len(token)-4]+"AAAA", http.StatusUnauthorized)
	r.call("POST", r.admin+"/v1/matches/untaped/replay/link", map[string]any{}, http.StatusNotFound, nil)

	dir := t.TempDir()
	file := filepath.Join(dir, "a.replay")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(want string, args ...string) string {
		t.Helper()
		var out, faults bytes.Buffer
		cmd := node.Command(arena.Arena{})
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		cmd.SetErr(&faults)
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			out.WriteString(err.Error())
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%v: %s, want %q", args, &out, want)
		}
		return out.String()
	}
	t.Log(command("digests of ticks", "replay", "verify", "taped", "--api", r.admin))
	t.Log(command("players      3", "replay", "info", file))
	var v struct {
		OK    bool
		Ticks uint32
	}
	if err := json.Unmarshal([]byte(command(`"ok": true`, "replay", "verify", file, "--json")), &v); err != nil || !v.OK || v.Ticks != result.Ticks {
		t.Errorf("verified %+v, the match had %d ticks; %v", v, result.Ticks, err)
	}
	command("drop it on the web client's page", "replay", "export", file, "-o", filepath.Join(dir, "a.film"))
	if exported, err := os.ReadFile(filepath.Join(dir, "a.film")); err != nil || !bytes.Equal(exported, film) {
		t.Errorf("the exported film is another: %v", err)
	}
	os.WriteFile(file, b[:len(b)/2], 0o600)
	command("breaks off", "replay", "verify", file)
	os.WriteFile(file, []byte("no recording"), 0o600)
	command("not a recording", "replay", "info", file)
	os.WriteFile(file, []byte("H\x0a\x73kirmish\x02x\x00\x00\x00\x00"), 0o600)
	command("not a recording", "replay", "info", file)
	command("There is no replay of a match", "replay", "info", "nowhere", "--api", r.admin)
	command("takes one file", "replay", "info")
}
