package node_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/node"
	"skirmish/server/ticket"
)

// match reads one match.
func (r *running) match(id string) *api.Match {
	r.t.Helper()
	var m api.Match
	r.call("GET", r.admin+"/v1/matches/"+id, nil, http.StatusOK, &m)
	return &m
}

// state waits for a match to be in a state.
func (r *running) state(id string, want api.MatchState) {
	r.t.Helper()
	until(r.t, id+" is "+string(want), func() bool { return r.match(id).State == want })
}

func ticks(c *client.Client) uint32 {
	var s protocol.State
	c.State(&s)
	return s.Head.Tick
}

func TestStartRules(t *testing.T) {
	t.Parallel()
	all := serve(t, nil, race{}, flash{})
	story := func(name string, f func(t *testing.T, r *running)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, all.of(t))
		})
	}
	story("all seated, with a countdown", func(t *testing.T, r *running) {
		made := r.create(map[string]any{"match_id": "s1", "game": "race", "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}},
			"start": map[string]any{"when": "all_seated", "min_players": 2, "countdown_ms": 300}})
		a := r.dial(made.Seats[0].Token, client.Options{})
		if w := a.Welcome(); w.Tick != 0 || r.match("s1").State != "waiting" {
			t.Errorf("one of two: %+v", r.match("s1"))
		}
		until(t, "the roster shows who is there", func() bool { return len(a.Roster()) == 2 })
		begin := time.Now()
		r.dial(made.Seats[1].Token, client.Options{})
		r.state("s1", "running")
		if took := time.Since(begin); took < 250*time.Millisecond {
			t.Errorf("the countdown took %v", took)
		}
		until(t, "it ticks", func() bool { return ticks(a) > 3 })
	})
	story("who does not come is not waited for any longer than its seat lasts", func(t *testing.T, r *running) {
		made := r.create(map[string]any{"match_id": "s2", "game": "race", "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b", "ttl_ms": 1000}},
			"start": map[string]any{"when": "all_seated"}})
		r.dial(made.Seats[0].Token, client.Options{})
		r.state("s2", "running")
	})
	story("min_players", func(t *testing.T, r *running) {
		made := r.create(map[string]any{"match_id": "s3", "game": "race", "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}, {"player_id": "c"}},
			"start": map[string]any{"when": "min_players", "min_players": 2}})
		r.dial(made.Seats[0].Token, client.Options{})
		until(t, "the first is there", func() bool { return r.match("s3").Players == 1 })
		if s := r.match("s3").State; s != "waiting" {
			t.Errorf("with one of two: %s", s)
		}
		r.dial(made.Seats[2].Token, client.Options{})
		r.state("s3", "running")
	})
	story("not enough come in time", func(t *testing.T, r *running) {
		made := r.create(map[string]any{"match_id": "s4", "game": "race", "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}},
			"start": map[string]any{"min_players": 2}, "timeouts": map[string]any{"no_show_ms": 1000}})
		a := r.dial(made.Seats[0].Token, client.Options{})
		if err := a.Wait(t.Context()); err != nil {
			t.Errorf("the player was told %v", err)
		}
		var res api.Result
		r.call("GET", r.admin+"/v1/matches/s4/result", nil, http.StatusOK, &res)
		if res.Reason != "no_show" || res.StartedAt != nil || res.Players[0].ConnectedMS == 0 {
			t.Errorf("%+v", res)
		}
	})
	story("now", func(t *testing.T, r *running) {
		r.create(map[string]any{"match_id": "s5", "game": "flash", "start": map[string]any{"when": "now"}})
		r.state("s5", "ended")
	})
	story("nobody comes", func(t *testing.T, r *running) {
		r.create(map[string]any{"match_id": "s6", "game": "race", "timeouts": map[string]any{"no_show_ms": 1000}})
		r.state("s6", "ended")
	})
	story("everybody is gone", func(t *testing.T, r *running) {
		made := r.create(map[string]any{"match_id": "s7", "game": "race", "seats": []map[string]any{{"player_id": "a"}}, "timeouts": map[string]any{"empty_ms": 300}})
		r.dial(made.Seats[0].Token, client.Options{}).Leave(t.Context())
		r.state("s7", "ended")
		var res api.Result
		r.call("GET", r.admin+"/v1/matches/s7/result", nil, http.StatusOK, &res)
		if res.Reason != "empty" || res.Players[0].State != "left" {
			t.Errorf("%+v", res)
		}
	})
	story("its time is over", func(t *testing.T, r *running) {
		made := r.create(map[string]any{"match_id": "s8", "game": "race", "seats": []map[string]any{{"player_id": "a"}}, "params": map[string]any{"length": 999}})
		c := r.dial(made.Seats[0].Token, client.Options{})
		r.call("PATCH", r.admin+"/v1/matches/s8", map[string]any{"max_duration_ms": 1000}, http.StatusOK, nil)
		c.Wait(t.Context())
		var res api.Result
		r.call("GET", r.admin+"/v1/matches/s8/result", nil, http.StatusOK, &res)
		if res.Reason != "timeout" {
			t.Errorf("%+v", res)
		}
	})
}

func TestSeatsAreTakenAway(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{"match_id": "k", "game": "race", "capacity": map[string]any{"players": 2, "spectators": 1}, "params": map[string]any{"length": 999},
		"seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}}})
	if status := r.refused("POST", r.admin+"/v1/matches/k/seats", map[string]any{"seats": []map[string]any{{"player_id": "c"}}}, nil); status != 409 {
		t.Errorf("a third player: %d", status)
	}
	r.call("DELETE", r.admin+"/v1/matches/k/seats/b", nil, http.StatusNoContent, nil)
	if _, err := client.Dial(t.Context(), r.play, client.Options{Token: made.Seats[1].Token}); closeCode(err) != protocol.CloseForbidden {
		t.Errorf("the ticket of a seat that was released: %v", err)
	}
	var more struct{ Seats []api.Seat }
	r.call("POST", r.admin+"/v1/matches/k/seats", map[string]any{"seats": []map[string]any{{"player_id": "c"}, {"player_id": "eye", "role": "spectator"}}}, http.StatusCreated, &more)
	a, c, eye := r.dial(made.Seats[0].Token, client.Options{}), r.dial(more.Seats[0].Token, client.Options{}), r.dial(more.Seats[1].Token, client.Options{})
	for who, conn := range map[string]*client.Client{"c": c, "eye": eye} {
		r.call("DELETE", r.admin+"/v1/matches/k/seats/"+who+"?reason=too%20slow", nil, http.StatusNoContent, nil)
		err := conn.Wait(t.Context())
		if e, ok := errors.AsType[*client.CloseError](err); !ok || e.Code != protocol.CloseKicked || e.Reason != "too slow" {
			t.Errorf("%s was told %v", who, err)
		}
	}
	if status := r.refused("DELETE", r.admin+"/v1/matches/k/seats/nobody", nil, nil); status != 404 {
		t.Errorf("nobody: %d", status)
	}
	at := ticks(a)
	until(t, "the others go on", func() bool { return ticks(a) > at+5 })
	if m := r.match("k"); m.OpenSeats != 1 || m.Players != 1 || m.Spectators != 0 {
		t.Errorf("%+v", m)
	}
	// Another ticket: for a seat that is taken, and for one that waits.
	var again api.Seat
	r.call("POST", r.admin+"/v1/matches/k/seats/a/token", map[string]any{}, http.StatusCreated, &again)
	r.dial(again.Token, client.Options{})
	if err := a.Wait(t.Context()); closeCode(err) != protocol.CloseReplaced {
		t.Errorf("the older connection: %v", err)
	}
	if status := r.refused("POST", r.admin+"/v1/matches/k/seats/c/token", map[string]any{}, nil); status != 404 {
		t.Errorf("a ticket for who was kicked: %d", status)
	}
	// Capacity, metadata and openness.
	var m api.Match
	r.call("PATCH", r.admin+"/v1/matches/k", map[string]any{"open": false, "metadata": map[string]string{"x": "y"}, "capacity": map[string]any{"players": 1}}, http.StatusOK, &m)
	if m.Open || m.Metadata["x"] != "y" || m.Capacity.Players != 1 || m.OpenSeats != 0 {
		t.Errorf("%+v", m)
	}
	if status := r.refused("POST", r.admin+"/v1/matches/k/seats", map[string]any{"seats": []map[string]any{{"player_id": "d"}}}, nil); status != 409 {
		t.Errorf("a player over the new capacity: %d", status)
	}
	if status := r.refused("PATCH", r.admin+"/v1/matches/k", map[string]any{"capacity": map[string]any{"players": 3}}, nil); status != 422 {
		t.Errorf("more than it was made for: %d", status)
	}
}

func TestFindOrCreate(t *testing.T) {
	r := serve(t, nil, race{})
	find := func(player, region string) *api.Created {
		var c api.Created
		status, out := r.request("POST", r.admin+"/v1/matches:find_or_create", map[string]any{"game": "race", "capacity": map[string]any{"players": 2},
			"metadata": map[string]string{"region": region}, "seats": []map[string]any{{"player_id": player}}}, &c)
		if c.Created != (status == 201) || status > 201 {
			t.Fatalf("%d %s", status, out)
		}
		return &c
	}
	one, two, three, other := find("a", "eu"), find("b", "eu"), find("c", "eu"), find("d", "us")
	if !one.Created || two.Created || two.Match.MatchID != one.Match.MatchID || !three.Created || !other.Created {
		t.Errorf("%+v\n%+v\n%+v\n%+v", one, two, three, other)
	}
	if again := find("c", "eu"); !again.Created || again.Match.MatchID == three.Match.MatchID {
		t.Error("a player got two seats in one match")
	}
	r.call("PATCH", r.admin+"/v1/matches/"+other.Match.MatchID, map[string]any{"open": false}, http.StatusOK, nil)
	if closed := find("e", "us"); !closed.Created {
		t.Error("a closed match was joined")
	}
	var page struct {
		Matches    []api.Match
		NextCursor string `json:"next_cursor"`
	}
	seen, cursor := []string{}, ""
	for {
		r.call("GET", r.admin+"/v1/matches?metadata.region=eu&limit=1&cursor="+cursor, nil, http.StatusOK, &page)
		for _, m := range page.Matches {
			seen = append(seen, m.MatchID)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(seen) != 3 || seen[0] != one.Match.MatchID {
		t.Errorf("listed %v", seen)
	}
	r.call("GET", r.admin+"/v1/matches?min_open=2&game=race&state=waiting", nil, http.StatusOK, &page)
	if len(page.Matches) != 0 {
		t.Errorf("with two open seats: %+v", page.Matches)
	}
}

// stuck is a game that makes a match when it is told to.
type stuck struct {
	race
	begun, goOn chan struct{}
}

func (stuck) Spec() game.Spec {
	s := race{}.Spec()
	s.Name = "stuck"
	return s
}

func (g stuck) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	close(g.begun)
	select {
	case <-g.goOn:
	case <-ctx.Done():
	}
	return g.race.New(ctx, m)
}

// A game that takes its time to make a match holds up nobody who looks for one of another game.
func TestFindOrCreateBesideAGameThatHangs(t *testing.T) {
	g := stuck{begun: make(chan struct{}), goOn: make(chan struct{})}
	r := serve(t, nil, race{}, g)
	find := func(name string) {
		status, _, out, err := post(t.Context(), http.DefaultClient, r.admin+"/v1/matches:find_or_create", "", map[string]any{"game": name, "seats": []map[string]any{{"player_id": "a"}}}, nil)
		if err != nil || status != http.StatusCreated {
			t.Errorf("%s: %d %s %v", name, status, out, err)
		}
	}
	made := make(chan struct{})
	go func() {
		defer close(made)
		find("stuck")
	}()
	<-g.begun
	find("race")
	select {
	case <-made:
		t.Error("the race waited for the other game")
	default:
	}
	close(g.goOn)
	<-made
}

// talker is a game that answers the back end.
type talker struct{ race }

func (talker) Spec() game.Spec {
	s := race{}.Spec()
	s.Name = "talker"
	return s
}

func (talker) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	return &talkerSim{raceSim: raceSim{Length: 100}}, nil
}

type talkerSim struct {
	raceSim
	Seen []string
}

func (s *talkerSim) Signal(t *game.Tick, op string, in json.RawMessage) (any, error) {
	if op == "fail" {
		return nil, errors.New("this cannot be")
	}
	s.Seen = append(s.Seen, op+string(in))
	return map[string]any{"seen": s.Seen, "players": len(t.Players())}, nil
}

func TestSignalsReachTheGame(t *testing.T) {
	r := serve(t, nil, race{}, talker{})
	made := r.create(map[string]any{"match_id": "talk", "game": "talker", "seats": []map[string]any{{"player_id": "a"}}})
	r.create(map[string]any{"match_id": "mute", "game": "race"})
	url := r.admin + "/v1/matches/talk/signal"
	var answer struct {
		Data struct {
			Seen    []string
			Players int
		}
	}
	r.call("POST", url, map[string]any{"op": "early"}, http.StatusOK, &answer)
	c := r.dial(made.Seats[0].Token, client.Options{})
	until(t, "it plays", func() bool { return ticks(c) > 2 })
	r.call("POST", url, map[string]any{"op": "late", "data": []int{1}}, http.StatusOK, &answer)
	if !slices.Equal(answer.Data.Seen, []string{"early", "late[1]"}) || answer.Data.Players != 1 {
		t.Errorf("%+v", answer)
	}
	var e struct {
		Error struct{ Code, Message string }
	}
	if status := r.refused("POST", url, map[string]any{"op": "fail"}, &e); status != 422 || e.Error.Message != "This cannot be." {
		t.Errorf("%d %+v", status, e)
	}
	if status := r.refused("POST", r.admin+"/v1/matches/mute/signal", map[string]any{"op": "x"}, &e); status != 422 || e.Error.Code != "bad_params" {
		t.Errorf("%d %+v", status, e)
	}
	r.call("DELETE", r.admin+"/v1/matches/talk?mode=force", nil, http.StatusNoContent, nil)
	r.state("talk", "ended")
	if status := r.refused("POST", url, map[string]any{"op": "x"}, &e); status != 409 || e.Error.Code != "match_ended" {
		t.Errorf("%d %+v", status, e)
	}
}

func TestDrainedNode(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{"match_id": "d", "game": "race", "params": map[string]any{"length": 999}, "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}}})
	a := r.dial(made.Seats[0].Token, client.Options{})
	var info api.NodeInfo
	r.call("POST", r.admin+"/v1/node/drain", map[string]any{"deadline_ms": 60000}, http.StatusOK, &info)
	if info.State != "draining" || info.DrainedBy == nil || info.Matches["running"] != 1 || info.Seats["active"] != 1 {
		t.Errorf("%+v", info)
	}
	for what, status := range map[string]int{
		"ready":      r.refused("GET", r.admin+"/readyz", nil, nil),
		"a match":    r.refused("POST", r.admin+"/v1/matches", map[string]any{"game": "race"}, nil),
		"a seat":     r.refused("POST", r.admin+"/v1/matches/d/seats", map[string]any{"seats": []map[string]any{{"player_id": "x"}}}, nil),
		"any match":  r.refused("POST", r.admin+"/v1/matches:find_or_create", map[string]any{"game": "race"}, nil),
		"quick play": r.refused("POST", r.game+"/v1/quickplay", map[string]any{"game": "race"}, nil),
	} {
		if status != 503 {
			t.Errorf("%s while draining: %d", what, status)
		}
	}
	at := ticks(a)
	until(t, "the match goes on", func() bool { return ticks(a) > at+5 })
	r.call("POST", r.admin+"/v1/node/drain", map[string]any{"deadline_ms": 100}, http.StatusOK, nil)
	r.state("d", "ended")
}

func TestEventStreamOfANode(t *testing.T) {
	r := serve(t, nil, race{}, flash{})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", r.admin+"/v1/events", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Scan() // the stream has begun
	r.create(map[string]any{"match_id": "seen", "game": "flash", "start": map[string]any{"when": "now"}})
	var types []string
	for lines.Scan() && len(types) < 3 {
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok && kind != "node.ready" {
			types = append(types, kind)
		}
	}
	if fmt.Sprint(types) != "[match.created match.started match.ended]" {
		t.Errorf("%v", types)
	}
}

// A matchmaker mints its own tickets: for a seat that it knows by its player alone, with keys that change without a restart.
func TestMintedTicketsAndKeysThatChange(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/keys"
	key := func(id string) string { return id + ":" + strings.Repeat(id, 32) }
	if err := os.WriteFile(file, []byte("# the matchmaker's\n"+key("aa")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := serve(t, func(c *node.Config) { c.TicketKeysFile = file }, race{})
	r.create(map[string]any{"match_id": "m", "game": "race", "seats": []map[string]any{{"player_id": "ann"}, {"player_id": "bob"}}})
	mint := func(id, player string) string {
		keys, err := ticket.ParseKeys(key(id))
		if err != nil {
			t.Fatal(err)
		}
		ring, err := ticket.NewKeyring(keys...)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().Unix()
		token, err := ring.Sign(&ticket.Claims{Match: "m", Player: player, IssuedAt: now, Expires: now + 60, ID: fmt.Sprint(id, player, time.Now().UnixNano())})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	if w := r.dial(mint("aa", "ann"), client.Options{}).Welcome(); w.PlayerID != "ann" || w.Seat != 1 {
		t.Errorf("%+v", w)
	}
	if _, err := client.Dial(t.Context(), r.play, client.Options{Token: mint("aa", "eve")}); closeCode(err) != protocol.CloseForbidden {
		t.Errorf("a player without a seat: %v", err)
	}
	if _, err := client.Dial(t.Context(), r.play, client.Options{Token: mint("bb", "bob")}); closeCode(err) != protocol.CloseBadTicket {
		t.Errorf("an unknown key: %v", err)
	}
	if err := os.WriteFile(file, []byte(key("bb")+"\n"+key("aa")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the new key is known", func() bool {
		c, err := client.Dial(t.Context(), r.play, client.Options{Token: mint("bb", "bob")})
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Ten tickets that are not good within a minute bar their address, whatever it shows next.
func TestBadTicketsBarAnAddress(t *testing.T) {
	r := serve(t, func(c *node.Config) { c.NoLoopbackLimits = false }, race{})
	made := r.create(map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "a"}}})
	bad := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: "mt1.x.y.z"})
	for range 10 {
		if code, _ := hello(t, r, bad); code != 4401 {
			t.Fatalf("a bad ticket: %d", code)
		}
	}
	if status, body := handshake(t, r.play, nil); status != http.StatusTooManyRequests || !strings.Contains(body, "tickets") {
		t.Errorf("the eleventh: %d %s", status, body)
	}
	if _, err := client.Dial(t.Context(), r.play, client.Options{Token: made.Seats[0].Token}); err == nil {
		t.Error("a good ticket of a barred address opens the door")
	}
}
