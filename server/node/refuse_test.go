package node_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/node"
)

// handshake dials with headers of the test's choice and returns the answer's status and body.
func handshake(t *testing.T, url string, change func(*websocket.Dialer, http.Header)) (int, string) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{protocol.Subprotocol}, HandshakeTimeout: 5 * time.Second}
	h := http.Header{}
	if change != nil {
		change(&d, h)
	}
	conn, res, err := d.DialContext(t.Context(), url, h)
	if err == nil {
		conn.Close()
	}
	if res == nil {
		t.Fatalf("no answer: %v", err)
	}
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func TestBadHandshakes(t *testing.T) {
	r := serve(t, func(c *node.Config) { c.AllowOrigins = []string{"https://game.example"} })
	for _, story := range []struct {
		name   string
		url    string
		change func(*websocket.Dialer, http.Header)
		status int
		says   string
	}{
		{"fine", r.play, nil, 101, ""},
		{"wrong path", strings.Replace(r.play, "/play", "/other", 1), nil, 404, "/play"},
		{"no sub-protocol", r.play, func(d *websocket.Dialer, _ http.Header) { d.Subprotocols = nil }, 400, "skirmish.v1"},
		{"unknown sub-protocol", r.play, func(d *websocket.Dialer, _ http.Header) { d.Subprotocols = []string{"skirmish.v9"} }, 400, "skirmish.v1"},
		{"a page from elsewhere", r.play, func(_ *websocket.Dialer, h http.Header) { h.Set("Origin", "https://evil.example") }, 403, "origin"},
		{"a page that is allowed", r.play, func(_ *websocket.Dialer, h http.Header) { h.Set("Origin", "https://game.example") }, 101, ""},
		{"our own page", r.play, func(_ *websocket.Dialer, h http.Header) { h.Set("Origin", r.game) }, 101, ""},
	} {
		t.Run(story.name, func(t *testing.T) {
			status, body := handshake(t, story.url, story.change)
			if status != story.status || !strings.Contains(body, story.says) {
				t.Fatalf("%d %q, want %d …%s…", status, body, story.status, story.says)
			}
		})
	}
}

// hello sends one first message and returns how the server closed.
func hello(t *testing.T, r *running, messages ...[]byte) (int, string) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{protocol.Subprotocol}}
	conn, _, err := d.DialContext(t.Context(), r.play, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, m := range messages {
		if err := conn.WriteMessage(websocket.BinaryMessage, m); err != nil {
			t.Fatal(err)
		}
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		_, _, err := conn.ReadMessage()
		if ce, ok := errors.AsType[*websocket.CloseError](err); ok {
			return ce.Code, ce.Text
		}
		if err != nil {
			t.Fatalf("no Close frame came: %v", err)
		}
	}
}

func TestBadHellos(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{"game": "race", "params": map[string]any{"length": 100000},
		"seats": []map[string]any{{"player_id": "calm"}, {"player_id": "used"}, {"player_id": "left-over"}}})
	calm := r.dial(made.Seats[0].Token, client.Options{})
	used := r.dial(made.Seats[1].Token, client.Options{})
	good := made.Seats[2].Token
	ticket := func(token string) []byte {
		return protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: token})
	}
	forged := good[:len(good)-4] + "AAAA"
	for _, story := range []struct {
		name  string
		first []byte
		code  protocol.CloseCode
		says  string
	}{
		{"a ticket that was used", ticket(made.Seats[1].Token), 4401, "ticket"},
		{"a forged ticket", ticket(forged), 4401, "ticket"},
		{"no ticket at all", ticket("nonsense"), 4401, "ticket"},
		{"a resume token that never was", protocol.AppendHello(nil, &protocol.Hello{Version: 1, Resume: "rt1.x.y.z"}), 4401, "resume"},
		{"another version", protocol.AppendHello(nil, &protocol.Hello{Version: 7, Token: good}), 4410, "version 1"},
		{"not a hello", protocol.AppendPing(nil, &protocol.Ping{ID: 1}), 4400, "hello"},
		{"not msgpack", []byte{0xC1, 0xFF}, 4400, ""},
		{"a map", []byte{0x81, 0x01, 0x02}, 4400, ""},
		{"a hello over 2 KiB", ticket(strings.Repeat("x", 3000)), 1009, "2048"},
		{"a message over 4 KiB", make([]byte, 5000), 1009, ""},
	} {
		t.Run(story.name, func(t *testing.T) {
			code, reason := hello(t, r, story.first)
			if code != int(story.code) || !strings.Contains(reason, story.says) {
				t.Fatalf("closed with %d %q, want %d …%s…", code, reason, story.code, story.says)
			}
		})
	}
	t.Run("the ticket for a match that has ended", func(t *testing.T) {
		other := r.create(map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "late"}}})
		r.call("DELETE", r.admin+"/v1/matches/"+other.Match.MatchID+"?mode=force", nil, http.StatusNoContent, nil)
		until(t, "the match has ended", func() bool {
			var m api.Match
			r.call("GET", r.admin+"/v1/matches/"+other.Match.MatchID, nil, http.StatusOK, &m)
			return m.State == api.MatchEnded
		})
		if code, _ := hello(t, r, ticket(other.Seats[0].Token)); code != 4404 {
			t.Fatalf("closed with %d, want 4404", code)
		}
	})
	t.Run("nobody in the match noticed", func(t *testing.T) {
		var s protocol.State
		for _, c := range []*client.Client{calm, used} {
			if !c.State(&s) {
				t.Fatal("no state")
			}
			at := s.Head.Tick
			until(t, "ten more ticks", func() bool { c.State(&s); return s.Head.Tick >= at+10 })
			select {
			case <-c.Done():
				t.Fatal("a bystander was disconnected")
			default:
			}
		}
	})
}

func TestBadRequests(t *testing.T) {
	r := serve(t, nil, race{})
	r.create(map[string]any{"match_id": "taken", "game": "race", "capacity": map[string]any{"players": 2}, "seats": []map[string]any{{"player_id": "a"}}})
	for _, story := range []struct {
		name   string
		body   map[string]any
		status int
		code   api.Code
		field  string
	}{
		{"unknown game", map[string]any{"game": "chess"}, 422, api.UnknownGame, "game"},
		{"params that the game refuses", map[string]any{"game": "race", "params": map[string]any{"length": -1}}, 422, api.BadParams, "params.length"},
		{"params that the game does not know", map[string]any{"game": "race", "params": map[string]any{"speed": 1}}, 422, api.BadParams, "params.speed"},
		{"arena params out of range", map[string]any{"game": "arena", "params": map[string]any{"round_seconds": 1}}, 422, api.BadParams, "params.round_seconds"},
		{"an id that is taken", map[string]any{"match_id": "taken", "game": "race"}, 409, api.IDTaken, "match_id"},
		{"bots for a game that has none", map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "x", "bot": true}}}, 422, api.BadParams, "seats[0].bot"},
		{"more players than the game takes", map[string]any{"game": "pong", "capacity": map[string]any{"players": 3}}, 422, api.BadParams, "capacity.players"},
		{"rates that do not divide", map[string]any{"game": "race", "tick_rate": 50, "snapshot_rate": 20}, 0, "", "snapshot_rate"},
		{"an unknown field", map[string]any{"game": "race", "tickrate": 20}, 400, api.BadRequest, "tickrate"},
	} {
		t.Run(story.name, func(t *testing.T) {
			var answer struct {
				Error struct {
					Code    api.Code
					Message string
					Details map[string]any
				}
			}
			status := r.refused("POST", r.admin+"/v1/matches", story.body, &answer)
			if story.status != 0 && (status != story.status || answer.Error.Code != story.code) || status < 400 {
				t.Fatalf("%d %+v, want %d %s", status, answer.Error, story.status, story.code)
			}
			if answer.Error.Details["field"] != story.field || answer.Error.Message == "" {
				t.Fatalf("details %v, message %q; want field %s", answer.Error.Details, answer.Error.Message, story.field)
			}
		})
	}
	t.Run("more seats than are open", func(t *testing.T) {
		status := r.refused("POST", r.admin+"/v1/matches/taken/seats", map[string]any{"seats": []map[string]any{{"player_id": "b"}, {"player_id": "c"}}}, nil)
		var m api.Match
		r.call("GET", r.admin+"/v1/matches/taken", nil, http.StatusOK, &m)
		if status != http.StatusConflict || m.Reserved != 1 {
			t.Fatalf("%d, %d reserved; want 409 and 1: all or nothing", status, m.Reserved)
		}
	})
	t.Run("a result before the end", func(t *testing.T) {
		if status := r.refused("GET", r.admin+"/v1/matches/taken/result", nil, nil); status != http.StatusNotFound {
			t.Fatalf("%d, want 404", status)
		}
	})
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, flag := range []string{"--addr", "--admin-addr"} {
		cfg := node.Default()
		cfg.Addr, cfg.AdminAddr, cfg.DataDir = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
		if flag == "--addr" {
			cfg.Addr = l.Addr().String()
		} else {
			cfg.AdminAddr = l.Addr().String()
		}
		_, err := node.Start(cfg, race{})
		if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), "in use") {
			t.Fatalf("%s: %v", flag, err)
		}
	}
}

// Requests that are no WebSocket are served on the very same port.
func TestPageAndProbes(t *testing.T) {
	r := serve(t, nil)
	for url, want := range map[string]string{
		r.game + "/": "<!doctype html>", r.game + "/js/index.js": "export", r.admin + "/livez": "", r.admin + "/readyz": "",
		r.admin + "/metrics": "skirmish_ticks_total",
	} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Fatalf("%s: %d %.80s", url, res.StatusCode, body)
		}
	}
	res, err := http.Get(r.game + "/v1/matches")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Fatalf("the matchmaking API answers on the game port: %d", res.StatusCode)
	}
}
