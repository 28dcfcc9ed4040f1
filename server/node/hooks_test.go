package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/node"
	"skirmish/server/webhook"
)

// hooked serves with the secret "main" and quick repeats.
func hooked(t *testing.T, change func(*node.Config)) *running {
	return serve(t, func(c *node.Config) {
		c.WebhookSecrets, _ = webhook.ParseSecrets("main:" + hookSecret)
		c.Webhooks.First, c.Webhooks.Most = 10*time.Millisecond, 50*time.Millisecond
		if change != nil {
			change(c)
		}
	}, race{})
}

// The whole story of a match arrives at its sink, in order, signed; the node's own target hears of it too.
func TestWebhooksTellTheWholeStory(t *testing.T) {
	t.Parallel()
	s, all := newSink(t), newSink(t)
	r := hooked(t, func(c *node.Config) {
		c.WebhookURL, c.WebhookSecretID, c.WebhookEvents = all.URL, "main", []string{"node.*", "match.ended"}
	})
	made := r.create(map[string]any{
		"match_id": "story.1", "game": "race", "params": map[string]any{"length": 6}, "metadata": map[string]string{"cup": "gold"},
		"seats":    []map[string]any{{"player_id": "ann", "team": 2}, {"player_id": "bob"}, {"player_id": "cy", "ttl_ms": 1000}},
		"timeouts": map[string]any{"reconnect_ms": 10000},
		"webhook":  map[string]any{"url": s.URL + "/hook", "secret_id": "main"},
	})
	ann := r.dial(made.Seats[0].Token, client.Options{})
	bob := r.dial(made.Seats[1].Token, client.Options{})
	resume := bob.Resumption()
	bob.Close()
	until(t, "bob is lost", func() bool { return slices.Contains(s.types("story.1"), "seat.lost") })
	back, err := client.Dial(t.Context(), r.play, client.Options{Resume: resume})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	until(t, "bob is back", func() bool { return slices.Contains(s.types("story.1"), "seat.resumed") })
	until(t, "cy never came", func() bool { return slices.Contains(s.types("story.1"), "backfill.wanted") })
	for range 6 {
		ann.SendFields(map[string]float64{"push": 1})
	}
	until(t, "the end", func() bool { return slices.Contains(s.types("story.1"), "match.ended") })
	want := "match.created seat.active match.started seat.active seat.lost seat.resumed seat.expired backfill.wanted match.ended"
	got := s.types("story.1")
	// The two first connections and the start may come in any order that the match saw them in.
	if slices.Sort(got[1:4]); strings.Join(got[:1], "") != "match.created" || strings.Join(got[1:4], " ") != "match.started seat.active seat.active" ||
		strings.Join(got[4:], " ") != "seat.lost seat.resumed seat.expired backfill.wanted match.ended" {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for i, e := range s.events() {
		if e.Seq != uint64(i+1) || e.NodeID == "" || !strings.HasSuffix(e.Timestamp, "Z") {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	events := s.events()
	var result api.Result
	if err := json.Unmarshal(events[len(events)-1].Data, &result); err != nil {
		t.Fatal(err)
	}
	var read api.Result
	r.call("GET", r.admin+"/v1/matches/story.1/result", nil, http.StatusOK, &read)
	a, _ := json.Marshal(result)
	b, _ := json.Marshal(read)
	if string(a) != string(b) {
		t.Errorf("the webhook and GET differ:\n%s\n%s", a, b)
	}
	if result.Reason != "finished" || result.State != "ended" || result.Ticks == 0 || result.Metadata["cup"] != "gold" || string(result.Result) != `{"winner":"ann"}` || result.Net.TickP99MS <= 0 || len(result.Players) != 3 {
		t.Errorf("%s", a)
	}
	for _, p := range result.Players {
		switch {
		case p.PlayerID == "ann" && p.ConnectedMS > 0 && p.Disconnects == 0 && p.Team == 2 && p.State == "active":
		case p.PlayerID == "bob" && p.ConnectedMS > 0 && p.Disconnects == 1:
		case p.PlayerID == "cy" && p.ConnectedMS == 0 && p.State == "expired":
		default:
			t.Errorf("player %+v", p)
		}
	}
	until(t, "the node's own target", func() bool { return len(all.events()) == 2 })
	if e := all.events(); fmt.Sprint(all.types("")) != "[node.ready]" || fmt.Sprint(all.types("story.1")) != "[match.ended]" || e[1].ID != events[len(events)-1].ID {
		t.Errorf("the node's own target: %+v", e)
	}
}

// What players did stands in the result of the bundled game, by the convention of players[].
func TestResultTakesThePlayersOfTheGame(t *testing.T) {
	t.Parallel()
	r := hooked(t, nil)
	made := r.create(map[string]any{"game": "arena", "params": map[string]any{"round_seconds": 10}, "seats": []map[string]any{{"player_id": "ann"}, {"player_id": "b1", "bot": true}}})
	c := r.dial(made.Seats[0].Token, client.Options{})
	var s protocol.State
	until(t, "it plays", func() bool { return c.State(&s) && s.Head.Tick > 30 })
	r.call("DELETE", r.admin+"/v1/matches/"+made.Match.MatchID+"?mode=force", nil, http.StatusNoContent, nil)
	c.Wait(t.Context())
	var result api.Result
	r.call("GET", r.admin+"/v1/matches/"+made.Match.MatchID+"/result", nil, http.StatusOK, &result)
	if len(result.Players) != 2 || result.Reason != "force" {
		t.Fatalf("%+v", result)
	}
	for _, p := range result.Players {
		var stats struct{ Kills, Deaths *int }
		if err := json.Unmarshal(p.Stats, &stats); err != nil || stats.Kills == nil || p.Rank == 0 || p.Score == nil || p.Outcome == "" || p.Bot != (p.PlayerID == "b1") {
			t.Errorf("%+v %s", p, p.Stats)
		}
	}
}

func TestUnknownSecretIsNamed(t *testing.T) {
	r := hooked(t, nil)
	var e struct {
		Error struct {
			Code    string
			Details map[string]string
		}
	}
	status := r.refused("POST", r.admin+"/v1/matches", map[string]any{"game": "race", "webhook": map[string]any{"url": "http://127.0.0.1:1/", "secret_id": "other"}}, &e)
	if status != 400 || e.Error.Details["field"] != "webhook.secret_id" {
		t.Errorf("%d %+v", status, e)
	}
}

// Webhooks that were given up can be seen and sent again.
func TestDeadLettersOverTheAPI(t *testing.T) {
	s := newSink(t)
	s.verdict = func() int { return http.StatusGone }
	r := hooked(t, nil)
	made := r.create(map[string]any{"game": "race", "webhook": map[string]any{"url": s.URL, "secret_id": "main", "events": []string{"match.ended"}}})
	r.call("DELETE", r.admin+"/v1/matches/"+made.Match.MatchID+"?mode=force", nil, http.StatusNoContent, nil)
	var page struct {
		Letters []api.DeadLetter `json:"dead_letters"`
	}
	until(t, "a dead letter", func() bool {
		r.call("GET", r.admin+"/v1/webhooks/dead", nil, http.StatusOK, &page)
		return len(page.Letters) == 1
	})
	if l := page.Letters[0]; l.MatchID != made.Match.MatchID || l.Type != "match.ended" || l.Tries != 1 || !strings.Contains(l.Error, "410") {
		t.Errorf("%+v", l)
	}
	s.mu.Lock()
	s.verdict = nil
	s.mu.Unlock()
	var n struct{ Redelivered int }
	r.call("POST", r.admin+"/v1/webhooks/dead:redeliver", map[string]string{"id": page.Letters[0].ID}, http.StatusOK, &n)
	until(t, "it arrives", func() bool { return len(s.events()) == 1 })
	if n.Redelivered != 1 || s.events()[0].ID != page.Letters[0].ID {
		t.Errorf("%d, %+v", n.Redelivered, s.events())
	}
	if status := r.refused("POST", r.admin+"/v1/webhooks/dead:redeliver", map[string]string{"id": "nobody"}, nil); status != 404 {
		t.Errorf("%d", status)
	}
}

// A result outlives the process, and so does its id.
func TestResultOutlivesTheNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	same := func(c *node.Config) { c.DataDir = dir }
	r := hooked(t, same)
	r.create(map[string]any{"match_id": "kept", "game": "race"})
	r.call("DELETE", r.admin+"/v1/matches/kept?mode=force", nil, http.StatusNoContent, nil)
	var before, after api.Result
	r.call("GET", r.admin+"/v1/matches/kept/result", nil, http.StatusOK, &before)
	r.stop()
	r = hooked(t, same)
	r.call("GET", r.admin+"/v1/matches/kept/result", nil, http.StatusOK, &after)
	a, _ := json.Marshal(before)
	b, _ := json.Marshal(after)
	if string(a) != string(b) {
		t.Errorf("before %s\nafter  %s", a, b)
	}
	if status := r.refused("POST", r.admin+"/v1/matches", map[string]any{"match_id": "kept", "game": "race"}, nil); status != 409 {
		t.Errorf("its id again: %d", status)
	}
	if status := r.refused("POST", r.admin+"/v1/matches/kept/seats", map[string]any{"seats": []map[string]any{{"player_id": "x"}}}, nil); status != 409 {
		t.Errorf("a seat in it: %d, want 409 match_ended", status)
	}
	if status := r.refused("GET", r.admin+"/v1/matches/other/result", nil, nil); status != 404 {
		t.Errorf("a match that never was: %d", status)
	}
}

// A store without room takes nothing, says so, and takes things again once there is room; no result is lost meanwhile.
func TestFullStoreIsFreedAgain(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	hold := make(chan struct{})
	s.verdict = func() int {
		select {
		case <-hold:
			return 200
		default:
			return 503
		}
	}
	r := hooked(t, func(c *node.Config) { c.StoreBytes = node.MinStoreBytes })
	fat := map[string]string{}
	for i := range 32 {
		fat[fmt.Sprint("key", i)] = strings.Repeat("x", 256)
	}
	// A 503 says that something did not fit; something smaller may fit a moment later, and the node is ready again. So it is
	// filled until /readyz says so too.
	made, full := 0, false
	for tries := 0; !full && tries < 5000; tries++ {
		made++
		body := map[string]any{"match_id": fmt.Sprint("fat-", made), "game": "race", "metadata": fat, "webhook": map[string]any{"url": s.URL, "secret_id": "main"}}
		status, out := r.request("POST", r.admin+"/v1/matches", body, nil)
		switch status {
		case 201:
			r.call("DELETE", r.admin+"/v1/matches/"+fmt.Sprint("fat-", made)+"?mode=force", nil, http.StatusNoContent, nil)
		case 503:
			full = r.refused("GET", r.admin+"/readyz", nil, nil) == 503
			if !strings.Contains(string(out), "no_capacity") {
				t.Errorf("%s", out)
			}
			made--
		default:
			t.Fatalf("%d %s", status, out)
		}
	}
	var info api.NodeInfo
	r.call("GET", r.admin+"/v1/node", nil, http.StatusOK, &info)
	if !full {
		t.Fatal("a full store did not make the node say that it is not ready")
	}
	close(hold) // the sink takes things: the queue shrinks
	until(t, "the node is ready again", func() bool { return r.refused("GET", r.admin+"/readyz", nil, nil) == 200 })
	ended := func() map[string]bool {
		ids := map[string]bool{}
		for _, e := range s.events() {
			if e.Type == "match.ended" {
				ids[e.MatchID] = true
			}
		}
		return ids
	}
	until(t, "every match is told", func() bool { return len(ended()) == made })
	t.Logf("%d matches, %d of them ended while the store was full and were told all the same, %d requests", made, info.Results.Unsaved, len(s.events()))
}
