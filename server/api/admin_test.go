package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
)

const createWithEveryField = `{
		"match_id": "my-match.1", "game": "arena", "params": {"mode": "teams"}, "metadata": {"region": "eu"}, "seed": 9007199254740991,
		"tick_rate": 60, "snapshot_rate": 30, "capacity": {"players": 4, "spectators": 1}, "spectator_delay_ms": 2000, "record": true, "open": false,
		"seats": [{"player_id": "anna", "name": "Anna ✈", "team": 1, "data": {"skin": 7}, "ttl_ms": 1000},
			{"player_id": "b1", "bot": true}, {"player_id": "eve", "role": "spectator"}],
		"timeouts": {"no_show_ms": 1000, "empty_ms": 0, "reconnect_ms": 0, "max_duration_ms": 60000},
		"start": {"when": "all_seated", "min_players": 2, "countdown_ms": 500},
		"webhook": {"url": "https://hooks.example.net/x", "secret_id": "main", "events": ["match.ended", "seat.*"]}}`

func TestCreateWithEveryField(t *testing.T) {
	f := &fake{}
	w := send(t, admin(f), request{method: "POST", target: "/v1/matches", body: createWithEveryField})
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	seed := uint64(api.MaxSeed)
	want := &api.CreateRequest{
		MatchID: "my-match.1", Game: "arena", Params: json.RawMessage(`{"mode": "teams"}`), Metadata: map[string]string{"region": "eu"}, Seed: &seed,
		TickRate: 60, SnapshotRate: 30, Capacity: api.Capacity{Players: 4, Spectators: 1}, SpectatorDelayMS: 2000, Record: true, Open: false,
		Seats: []api.SeatRequest{
			{PlayerID: "anna", Name: "Anna ✈", Team: 1, Role: "player", Data: json.RawMessage(`{"skin": 7}`), TTLMS: 1000},
			{PlayerID: "b1", Name: "b1", Role: "player", TTLMS: 30000, Bot: true},
			{PlayerID: "eve", Name: "eve", Role: "spectator", TTLMS: 30000},
		},
		Timeouts: api.Timeouts{NoShowMS: 1000, MaxDurationMS: 60000},
		Start:    api.Start{When: api.StartAllSeated, MinPlayers: 2, CountdownMS: 500},
		Webhook:  &api.Webhook{URL: "https://hooks.example.net/x", SecretID: "main", Events: []string{"match.ended", "seat.*"}},
	}
	if !reflect.DeepEqual(f.create, want) {
		t.Errorf("got  %+v\nwant %+v", f.create, want)
	}
	var got struct {
		Match struct {
			MatchID   string `json:"match_id"`
			State     string `json:"state"`
			CreatedAt string `json:"created_at"`
		} `json:"match"`
		Seats []struct {
			PlayerID, State, Token string
			ExpiresAt              string `json:"expires_at"`
		} `json:"seats"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Match.MatchID != "m-1" || got.Match.State != "waiting" || got.Match.CreatedAt != "2026-11-22T12:00:00.000Z" || len(got.Seats) != 3 || got.Seats[0].Token != "mt1.secret" {
		t.Errorf("answer: %s", w.Body)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("head: %v", w.Header())
	}
}

func TestCreateWithTheLeast(t *testing.T) {
	f := &fake{}
	w := send(t, admin(f), request{method: "POST", target: "/v1/matches", body: `{"game":"arena","params":null,"seed":null}`})
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	want := api.NewCreateRequest()
	want.Game = "arena"
	if !reflect.DeepEqual(f.create, want) {
		t.Errorf("got  %+v\nwant %+v", f.create, want)
	}
	if !f.create.Open || f.create.Timeouts.Reconnect() != 20*time.Second || !strings.Contains(w.Body.String(), `"seats":[]`) {
		t.Errorf("defaults: %+v, %s", f.create, w.Body)
	}
}

// seat is a create request with this seat.
func seat(fields string) string { return `{"game":"arena","seats":[` + fields + `]}` }

func TestBadBodiesNameTheField(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	many := func(n int, f func(i int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = f(i)
		}
		return strings.Join(parts, ",")
	}
	for _, c := range []struct {
		story, body, field, says string
	}{
		{"nothing", ` `, "", "ends too early"},
		{"not JSON", `game=arena`, "", "not valid JSON near byte"},
		{"cut", `{"game":"ar`, "", "ends too early"},
		{"cut in a list", `{"game":"arena","seats":[`, "", "ends too early"},
		{"a missing comma", `{"game":"arena" "open":true}`, "", "not valid JSON"},
		{"a trailing comma", `{"game":"arena",}`, "", "not valid JSON"},
		{"a list", `[]`, "", "must be an object, not a list"},
		{"null", `null`, "", "must be an object, not null"},
		{"a second document", `{"game":"arena"}{}`, "", "one JSON document"},
		{"text behind", `{"game":"arena"} x`, "", "one JSON document"},
		{"no UTF-8", "{\"game\":\"\xff\"}", "", "UTF-8"},
		{"an unknown field", `{"game":"arena","gamme":1}`, "gamme", `Unknown field "gamme"; known here: match_id, game,`},
		{"another case", `{"Game":"arena"}`, "Game", "Unknown field"},
		{"deep", seat(`{"player_id":"a"},{"player_id":"b","color":1}`), "seats[1].color", "known here: player_id, name"},
		{"twice", `{"game":"arena","game":"pong"}`, "game", "twice"},
		{"metadata twice", `{"game":"arena","metadata":{"a":"1","a":"2"}}`, "metadata.a", "twice"},
		{"a number for a string", `{"game":7}`, "game", `"game" must be a string, not 7`},
		{"null for a string", `{"game":null}`, "game", "not null"},
		{"a string for a number", `{"game":"arena","tick_rate":"60"}`, "tick_rate", `must be an integer, not a string`},
		{"a fraction", `{"game":"arena","tick_rate":60.0}`, "tick_rate", "not 60.0"},
		{"an exponent", `{"game":"arena","tick_rate":6e1}`, "tick_rate", "not 6e1"},
		{"beyond 64 bits", `{"game":"arena","tick_rate":99999999999999999999}`, "tick_rate", "not too large"},
		{"a bool for an object", `{"game":"arena","capacity":true}`, "capacity", "an object, not true"},
		{"an object for a list", `{"game":"arena","seats":{}}`, "seats", "a list, not an object"},
		{"a number in metadata", `{"game":"arena","metadata":{"a":1}}`, "metadata.a", "a string, not 1"},
		{"a string for a bool", `{"game":"arena","open":"yes"}`, "open", "true or false"},
		{"a negative seed", `{"game":"arena","seed":-1}`, "seed", "from 0 up"},

		{"no game", `{}`, "game", "name the game"},
		{"a long game", `{"game":"` + long(65) + `"}`, "game", "64"},
		{"an id with a slash", `{"game":"arena","match_id":"a/b"}`, "match_id", "letters, digits"},
		{"an id of dots", `{"game":"arena","match_id":".."}`, "match_id", "letters, digits"},
		{"a long id", `{"game":"arena","match_id":"` + long(65) + `"}`, "match_id", "1 to 64"},
		{"a seed beyond 2^53", `{"game":"arena","seed":9007199254740992}`, "seed", "9007199254740991"},
		{"241 Hz", `{"game":"arena","tick_rate":241}`, "tick_rate", "0 to 240, not 241"},
		{"−1 Hz", `{"game":"arena","tick_rate":-1}`, "tick_rate", "not -1"},
		{"25 of 60 Hz", `{"game":"arena","tick_rate":60,"snapshot_rate":25}`, "snapshot_rate", "divide"},
		{"1,025 players", `{"game":"arena","capacity":{"players":1025}}`, "capacity.players", "0 to 1024"},
		{"1,025 spectators", `{"game":"arena","capacity":{"spectators":1025}}`, "capacity.spectators", "0 to 1024"},
		{"33 entries", `{"game":"arena","metadata":{` + many(33, func(i int) string { return fmt.Sprintf(`"k%d":""`, i) }) + `}}`, "metadata", "at most 32"},
		{"a long key", `{"game":"arena","metadata":{"` + long(65) + `":""}}`, "metadata", "1 to 64"},
		{"a long value", `{"game":"arena","metadata":{"k":"` + long(257) + `"}}`, "metadata.k", "256"},
		{"no player_id", seat(`{}`), "seats[0].player_id", "1 to 64"},
		{"a long player_id", seat(`{"player_id":"` + long(65) + `"}`), "seats[0].player_id", "1 to 64"},
		{"a control character", seat(`{"player_id":"a\n"}`), "seats[0].player_id", "printable"},
		{"one player twice", seat(`{"player_id":"a"},{"player_id":"a"}`), "seats[1].player_id", "twice"},
		{"a long name", seat(`{"player_id":"a","name":"` + long(33) + `"}`), "seats[0].name", "32"},
		{"a name that turns the text", seat(`{"player_id":"a","name":"\u202eevil"}`), "seats[0].name", "printable"},
		{"team 256", seat(`{"player_id":"a","team":256}`), "seats[0].team", "0 to 255"},
		{"a role", seat(`{"player_id":"a","role":"god"}`), "seats[0].role", "player or spectator"},
		{"a bot that watches", seat(`{"player_id":"a","role":"spectator","bot":true}`), "seats[0].role", "bot"},
		{"data over 2 KiB", seat(`{"player_id":"a","data":"` + long(2047) + `"}`), "seats[0].data", "2048"},
		{"a short ttl", seat(`{"player_id":"a","ttl_ms":999}`), "seats[0].ttl_ms", "1000 to 120000, not 999"},
		{"a long ttl", seat(`{"player_id":"a","ttl_ms":120001}`), "seats[0].ttl_ms", "1000 to 120000"},
		{"more seats than players", `{"game":"arena","capacity":{"players":1},"seats":[{"player_id":"a"},{"player_id":"b"}]}`, "seats", "2 players, over the capacity of 1"},
		{"a spectator where there is none", seat(`{"player_id":"a","role":"spectator"}`), "seats", "1 spectators, over the capacity of 0"},
		{"3,000 seats", seat(many(3000, func(int) string { return `{}` })), "seats", "more than 2048"},
		{"no_show_ms", `{"game":"arena","timeouts":{"no_show_ms":0}}`, "timeouts.no_show_ms", "1000 to 600000"},
		{"empty_ms", `{"game":"arena","timeouts":{"empty_ms":-1}}`, "timeouts.empty_ms", "0 to 3600000"},
		{"reconnect_ms", `{"game":"arena","timeouts":{"reconnect_ms":600001}}`, "timeouts.reconnect_ms", "0 to 600000"},
		{"max_duration_ms", `{"game":"arena","timeouts":{"max_duration_ms":999}}`, "timeouts.max_duration_ms", "1000 to 86400000"},
	} {
		f := &fake{}
		w := send(t, admin(f), request{method: "POST", target: "/v1/matches", body: c.body})
		if w.Code != http.StatusBadRequest || f.calls != 0 {
			t.Errorf("%s: %d, %d calls", c.story, w.Code, f.calls)
			continue
		}
		e := readRefusal(t, w).Error
		field, _ := e.Details["field"].(string)
		if e.Code != "bad_request" || field != c.field || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: field %q, %q; want %q, %q", c.story, field, e.Message, c.field, c.says)
		}
	}
}

func TestReserve(t *testing.T) {
	f := &fake{}
	w := send(t, admin(f), request{method: "POST", target: "/v1/matches/m-1/seats", body: `{"seats":[{"player_id":"anna","role":"spectator"}]}`})
	if w.Code != http.StatusCreated || f.id != "m-1" || len(f.seats) != 1 || f.seats[0].TTL() != 30*time.Second || !strings.Contains(w.Body.String(), `{"seats":[{"player_id":"anna"`) {
		t.Errorf("%d %s %+v", w.Code, w.Body, f)
	}
	for body, field := range map[string]string{`{}`: "seats", `{"seats":[]}`: "seats", `{"seats":[{}]}`: "seats[0].player_id", `{"game":"x"}`: "game"} {
		w := send(t, admin(f), request{method: "POST", target: "/v1/matches/m-1/seats", body: body})
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Details["field"] != field {
			t.Errorf("%s: %d %+v", body, w.Code, e)
		}
	}
}

func TestReadsAndEnds(t *testing.T) {
	f := &fake{}
	h := admin(f)
	if w := send(t, h, request{method: "GET", target: "/v1/matches/m-1"}); w.Code != 200 || f.id != "m-1" || !strings.Contains(w.Body.String(), `"match_id":"m-1"`) {
		t.Errorf("get: %d %s", w.Code, w.Body)
	}
	if w := send(t, h, request{method: "HEAD", target: "/v1/matches/m-1"}); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("head: %d %q", w.Code, w.Body)
	}
	if w := send(t, h, request{method: "GET", target: "/v1/matches/m-2/result"}); w.Code != 200 || f.id != "m-2" ||
		!strings.Contains(w.Body.String(), `"reason":"finished","created_at":"2026-11-22T12:00:00.000Z","started_at":null,"ended_at":"2026-11-22T12:00:00.000Z","ticks":0,"players":[],"result":null`) {
		t.Errorf("result: %d %s", w.Code, w.Body)
	}
	for query, want := range map[string]struct {
		mode  api.EndMode
		grace time.Duration
	}{
		"": {api.ModeGraceful, 0}, "?mode=force": {api.ModeForce, 0}, "?mode=graceful&grace_ms=1500": {api.ModeGraceful, 1500 * time.Millisecond},
	} {
		w := send(t, h, request{method: "DELETE", target: "/v1/matches/m-3" + query})
		if w.Code != 204 || w.Body.Len() != 0 || f.id != "m-3" || f.mode != want.mode || f.grace != want.grace {
			t.Errorf("delete %s: %d %s %v %v", query, w.Code, w.Body, f.mode, f.grace)
		}
	}
	for query, field := range map[string]string{"?mode=hard": "mode", "?grace_ms=-1": "grace_ms", "?grace_ms=600001": "grace_ms", "?force=1": "force", "?mode=force&mode=force": "mode", "?%zz": ""} {
		w := send(t, h, request{method: "DELETE", target: "/v1/matches/m-3" + query})
		if e := readRefusal(t, w).Error; w.Code != 400 || field != "" && e.Details["field"] != field {
			t.Errorf("delete %s: %d %+v", query, w.Code, e)
		}
	}
}

func TestList(t *testing.T) {
	f := &fake{}
	h := admin(f)
	w := send(t, h, request{method: "GET", target: "/v1/matches?game=arena&state=running&metadata.region=eu&metadata.a.b=&min_open=2&limit=100&cursor=c1"})
	want := &api.Filter{Game: "arena", State: api.MatchRunning, Metadata: map[string]string{"region": "eu", "a.b": ""}, MinOpen: 2, Limit: 100, Cursor: "c1"}
	if w.Code != 200 || !reflect.DeepEqual(f.filter, want) || w.Body.String() != `{"matches":[],"next_cursor":""}`+"\n" {
		t.Errorf("%d %s %+v", w.Code, w.Body, f.filter)
	}
	send(t, h, request{method: "GET", target: "/v1/matches"})
	if want := (&api.Filter{Limit: 50}); !reflect.DeepEqual(f.filter, want) {
		t.Errorf("without a query: %+v", f.filter)
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "min_open=-1": "min_open", "state=dead": "state", "games=arena": "games",
		"game=a&game=b": "game", "metadata.=x": "metadata.", "cursor=" + strings.Repeat("c", 257): "cursor", "game=" + strings.Repeat("g", 65): "game",
	} {
		w := send(t, h, request{method: "GET", target: "/v1/matches?" + query})
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Code != "bad_request" || e.Details["field"] != field {
			t.Errorf("%s: %d %+v", query, w.Code, e)
		}
	}
}

// endpoints are all of them, with a request that is in order.
var endpoints = []struct {
	request
	allow string
}{
	{request{method: "POST", target: "/v1/matches", body: `{"game":"arena"}`}, "GET, POST, HEAD"},
	{request{method: "GET", target: "/v1/matches"}, "GET, POST, HEAD"},
	{request{method: "POST", target: "/v1/matches:find_or_create", body: `{"game":"arena"}`}, "POST"},
	{request{method: "GET", target: "/v1/matches/m"}, "DELETE, GET, PATCH, HEAD"},
	{request{method: "PATCH", target: "/v1/matches/m", body: `{"open":false}`}, "DELETE, GET, PATCH, HEAD"},
	{request{method: "DELETE", target: "/v1/matches/m"}, "DELETE, GET, PATCH, HEAD"},
	{request{method: "DELETE", target: "/v1/matches/m/seats/a"}, "DELETE"},
	{request{method: "POST", target: "/v1/matches/m/seats/a/token", body: `{}`}, "POST"},
	{request{method: "POST", target: "/v1/matches/m/replay/link", body: `{}`}, "POST"},
	{request{method: "POST", target: "/v1/matches/m/signal", body: `{"op":"ping"}`}, "POST"},
	{request{method: "GET", target: "/v1/webhooks/dead"}, "GET, HEAD"},
	{request{method: "POST", target: "/v1/webhooks/dead:redeliver", body: `{}`}, "POST"},
	{request{method: "POST", target: "/v1/matches/m/seats", body: `{"seats":[{"player_id":"a"}]}`}, "POST"},
	{request{method: "GET", target: "/v1/matches/m/result"}, "GET, HEAD"},
}

func TestErrorsOfTheNodeBecomeStatuses(t *testing.T) {
	for code, status := range map[api.Code]int{
		api.BadRequest: 400, api.UnknownGame: 422, api.BadParams: 422, api.IDTaken: 409, api.NotFound: 404, api.MatchFull: 409,
		api.SeatTaken: 409, api.MatchOver: 409, api.Draining: 503, api.NoCapacity: 503, api.RateLimited: 429, api.Internal: 500,
	} {
		f := &fake{err: fmt.Errorf("wrapped: %w", &api.Error{Code: code, Message: "Do something else.", RetryAfter: 1500 * time.Millisecond, Details: map[string]any{"field": "params.mode"}})}
		for _, q := range endpoints {
			w := send(t, admin(f), q.request)
			e := readRefusal(t, w).Error
			if w.Code != status || e.Code != string(code) || e.Message != "Do something else." || e.RetryAfterMS != 1500 || e.Details["field"] != "params.mode" {
				t.Errorf("%s %s with %s: %d %+v", q.method, q.target, code, w.Code, e)
			}
			if got := w.Header().Get("Retry-After"); got != "2" {
				t.Errorf("%s %s with %s: Retry-After %q", q.method, q.target, code, got)
			}
		}
	}
}

func TestErrorBodyIsExactlyThis(t *testing.T) {
	w := send(t, admin(&fake{err: api.NewError(api.NotFound, "There is no match \"m\".")}), request{method: "GET", target: "/v1/matches/m"})
	if want := `{"error":{"code":"not_found","message":"There is no match \"m\".","retry_after_ms":0,"details":{}}}` + "\n"; w.Body.String() != want {
		t.Errorf("got %s", w.Body)
	}
}

func TestFaultsOfOurOwnTellNothing(t *testing.T) {
	for story, f := range map[string]*fake{"an error": {err: errors.New("the fake's secret")}, "a panic": {panics: true}} {
		for _, q := range endpoints {
			var log bytes.Buffer
			h := api.NewAdmin(api.AdminConfig{Matches: f, Node: f, Webhooks: f, Log: zerolog.New(&log)})
			w := send(t, h, q.request)
			if e := readRefusal(t, w).Error; w.Code != 500 || e.Code != "internal" || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%s at %s %s: %d %s", story, q.method, q.target, w.Code, w.Body)
			}
			if !strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), q.method) {
				t.Errorf("%s at %s %s: the log says %s", story, q.method, q.target, &log)
			}
		}
	}
}

func TestMethodsAndPaths(t *testing.T) {
	f := &fake{}
	h := admin(f)
	for _, q := range endpoints {
		for _, method := range []string{"PUT", "TRACE", "OPTIONS", "BREW"} {
			w := send(t, h, request{method: method, target: q.target})
			if e := readRefusal(t, w).Error; w.Code != 405 || w.Header().Get("Allow") != q.allow || e.Code != "bad_request" {
				t.Errorf("%s %s: %d, Allow %q", method, q.target, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	for _, target := range []string{"/", "/v1", "/v1/", "/v1/matches/", "/v1/matches/m/", "/v1/matches/m/seats/a/b", "/v2/matches", "/v1/matches:find", "/debug", "/v1/matches/m/replays", "/v1/matches/.hidden"} {
		w := send(t, h, request{method: "GET", target: target})
		if e := readRefusal(t, w).Error; w.Code != 404 || e.Code != "not_found" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if f.calls != 0 {
		t.Errorf("%d calls", f.calls)
	}
}

func TestBodiesMustBeJSONAndSmall(t *testing.T) {
	for _, target := range []string{"/v1/matches", "/v1/matches/m/seats", "/v1/matches:find_or_create", "/v1/matches/m/signal", "/v1/matches/m/seats/a/token", "/v1/node/drain", "/v1/webhooks/dead:redeliver"} {
		f := &fake{}
		h := admin(f)
		for kind, status := range map[string]int{
			"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=latin1": 415, "application/": 415,
			"application/json": 400, "application/json; charset=UTF-8": 400, "Application/JSON": 400,
		} {
			w := send(t, h, request{method: "POST", target: target, body: `{"x":1}`, header: map[string]string{"Content-Type": kind}})
			if e := readRefusal(t, w).Error; w.Code != status || e.Code != "bad_request" {
				t.Errorf("%s with %q: %d", target, kind, w.Code)
			}
		}
		w := send(t, h, request{method: "POST", target: target, body: "{}", header: map[string]string{"Content-Encoding": "gzip"}})
		if readRefusal(t, w); w.Code != 415 {
			t.Errorf("%s with gzip: %d", target, w.Code)
		}
		fits := `{"x":"` + strings.Repeat(" ", api.MaxBodyBytes-8) + `"}`
		for story, q := range map[string]struct {
			body   string
			status int
		}{"64 KiB": {fits, 400}, "a byte more": {fits + " ", 413}} {
			if w := send(t, h, request{method: "POST", target: target, body: q.body}); w.Code != q.status {
				t.Errorf("%s with %s: %d", target, story, w.Code)
			}
		}
		if f.calls != 0 {
			t.Errorf("%d calls", f.calls)
		}
	}
}

// untouched fails the test when a body is read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestBodyIsNotReadInVain(t *testing.T) {
	for story, c := range map[string]struct {
		key    string
		length int64
		status int
	}{
		"no key":                         {"", 10, 401},
		"a wrong key":                    {"wrong", 10, 401},
		"413 from Content-Length alone":  {"right", api.MaxBodyBytes + 1, 413},
		"401 goes before 413":            {"", api.MaxBodyBytes + 1, 401},
		"401 goes before a wrong method": {"", 0, 401},
	} {
		method := "POST"
		if c.length == 0 {
			method = "PUT"
		}
		r, err := http.NewRequest(method, "/v1/matches", untouched{t})
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.ContentLength = loopback, c.length
		r.Header.Set("Content-Type", "application/json")
		if c.key != "" {
			r.Header.Set("Authorization", "Bearer "+c.key)
		}
		w := &recorder{header: http.Header{}}
		admin(&fake{}, "right").ServeHTTP(w, r)
		if w.status != c.status {
			t.Errorf("%s: %d", story, w.status)
		}
	}
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }

func TestChunkedBodyOverTheLimit(t *testing.T) {
	r, err := http.NewRequest("POST", "/v1/matches", io.LimitReader(zeros{}, api.MaxBodyBytes+1))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr, r.Host, r.ContentLength = loopback, "localhost", -1
	r.Header.Set("Content-Type", "application/json")
	w := &recorder{header: http.Header{}}
	admin(&fake{}).ServeHTTP(w, r)
	if w.status != 413 {
		t.Errorf("%d", w.status)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
