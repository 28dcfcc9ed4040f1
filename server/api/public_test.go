package api_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
)

func public(t *testing.T, c api.PublicConfig) http.Handler {
	t.Helper()
	c.Log = zerolog.Nop()
	if c.Files == nil {
		c.Files = fstest.MapFS{
			"index.html":      {Data: []byte("<!doctype html><title>Skirmish</title>")},
			"app/main.js":     {Data: []byte("export {}")},
			"style/main.css":  {Data: []byte("body{}")},
			"docs/index.html": {Data: []byte("docs")},
			"data.bin":        {Data: []byte{0, 1, 2}},
		}
	}
	h, err := api.NewPublic(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func quick(body string) request {
	return request{method: "POST", target: "/v1/quickplay", body: body, host: "play.example.net:7350", remote: "192.0.2.1:5000"}
}

func TestQuickPlay(t *testing.T) {
	f := &fake{}
	w := send(t, public(t, api.PublicConfig{Matches: f, QuickPlay: true}), quick(`{"name":"Anna","role":"spectator","match_id":"m-1"}`))
	if want := `{"match_id":"m","player_id":"p","seat":1,"token":"mt1.x","url":"ws://play.example.net:7350/play"}` + "\n"; w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if *f.quick != (api.QuickPlayRequest{Name: "Anna", Game: "arena", Role: "spectator", MatchID: "m-1"}) {
		t.Errorf("%+v", f.quick)
	}
	send(t, public(t, api.PublicConfig{Matches: f, QuickPlay: true}), quick(`{}`))
	if *f.quick != (api.QuickPlayRequest{Game: "arena", Role: "player"}) {
		t.Errorf("defaults: %+v", f.quick)
	}
	w = send(t, public(t, api.PublicConfig{Matches: f, QuickPlay: true, PublicURL: "wss://edge.example.net/play"}), quick(`{}`))
	if !strings.Contains(w.Body.String(), `"url":"wss://edge.example.net/play"`) {
		t.Errorf("with a public URL: %s", w.Body)
	}
	r := httptest.NewRequest("POST", "https://play.example.net/v1/quickplay", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.TLS = &tls.ConnectionState{}
	rec := httptest.NewRecorder()
	public(t, api.PublicConfig{Matches: f, QuickPlay: true}).ServeHTTP(rec, r)
	if !strings.Contains(rec.Body.String(), `"url":"wss://play.example.net/play"`) {
		t.Errorf("over TLS: %s", rec.Body)
	}
}

func TestQuickPlayRefuses(t *testing.T) {
	f := &fake{}
	off := send(t, public(t, api.PublicConfig{Matches: f}), quick(`{}`))
	if e := readRefusal(t, off).Error; off.Code != 404 || e.Code != "not_found" || !strings.Contains(e.Message, "--dev") {
		t.Errorf("switched off: %d %+v", off.Code, e)
	}
	h := public(t, api.PublicConfig{Matches: f, QuickPlay: true})
	for story, c := range map[string]struct {
		request
		status int
		field  string
	}{
		"read":             {request{method: "GET", target: "/v1/quickplay"}, 405, ""},
		"a form":           {request{method: "POST", target: "/v1/quickplay", body: "name=x", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 415, ""},
		"5 KiB":            {quick(`{"name":"` + strings.Repeat("x", 5<<10) + `"}`), 413, ""},
		"an unknown field": {quick(`{"game":"arena","seed":1}`), 400, "seed"},
		"a long name":      {quick(`{"name":"` + strings.Repeat("x", 33) + `"}`), 400, "name"},
		"a hidden name":    {quick(`{"name":"a\u0000"}`), 400, "name"},
		"a role":           {quick(`{"role":"bot"}`), 400, "role"},
		"a match id":       {quick(`{"match_id":"../x"}`), 400, "match_id"},
		"another path":     {request{method: "POST", target: "/v1/matches", body: `{"game":"arena"}`}, 404, ""},
		"the admin's":      {request{method: "GET", target: "/v1/matches/m"}, 404, ""},
	} {
		w := send(t, h, c.request)
		e := readRefusal(t, w).Error
		if field, _ := e.Details["field"].(string); w.Code != c.status || field != c.field {
			t.Errorf("%s: %d %+v", story, w.Code, e)
		}
	}
	if f.calls != 0 {
		t.Errorf("%d calls", f.calls)
	}
	f.err = &api.Error{Code: api.NoCapacity, Message: "Full.", RetryAfter: time.Second}
	if w := send(t, h, quick(`{}`)); w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("no capacity: %d", w.Code)
	}
}

func TestQuickPlayIsLimitedPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := public(t, api.PublicConfig{Matches: &fake{}, QuickPlay: true})
		from := func(addr string) *httptest.ResponseRecorder {
			q := quick(`{}`)
			q.remote = addr
			return send(t, h, q)
		}
		for i := range api.QuickPlayBurst {
			if w := from("192.0.2.1:5000"); w.Code != 200 {
				t.Fatalf("request %d: %d", i, w.Code)
			}
		}
		w := from("192.0.2.1:6000")
		if e := readRefusal(t, w).Error; w.Code != 429 || e.Code != "rate_limited" || e.RetryAfterMS != 1000/api.QuickPlayPerSecond || w.Header().Get("Retry-After") != "1" {
			t.Errorf("over the burst: %d %+v", w.Code, e)
		}
		if w := from("192.0.2.2:5000"); w.Code != 200 {
			t.Errorf("another address: %d", w.Code)
		}
		time.Sleep(time.Second / api.QuickPlayPerSecond)
		if w := from("192.0.2.1:5000"); w.Code != 200 {
			t.Errorf("after the wait it was told: %d", w.Code)
		}
		for i := range api.QuickPlayBurst + 1 { // one customer's network
			w = from(fmt.Sprintf("[2001:db8::%x]:5000", i+1))
		}
		if w.Code != 429 {
			t.Errorf("hopping through a /64: %d", w.Code)
		}
		// A crowd fills the table; strangers then share a bucket, and the table empties again.
		for i := range api.MaxQuickPlayers + 300 {
			w = from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
		}
		if w.Code != 429 {
			t.Errorf("the last of a crowd: %d", w.Code)
		}
		time.Sleep(time.Minute)
		if w := from("198.51.100.1:1"); w.Code != 200 {
			t.Errorf("a minute after the crowd: %d", w.Code)
		}
	})
}

func TestLoopbackLimitCanBeSwitchedOff(t *testing.T) {
	for off, want := range map[bool]int{true: 200, false: 429} {
		h := public(t, api.PublicConfig{Matches: &fake{}, QuickPlay: true, NoLoopbackLimits: off})
		code := 0
		for range api.QuickPlayBurst + 5 {
			q := quick(`{}`)
			q.remote = loopback
			code = send(t, h, q).Code
		}
		if code != want {
			t.Errorf("switched off %v: %d", off, code)
		}
	}
}

func TestQuickPlayAcrossOrigins(t *testing.T) {
	h := public(t, api.PublicConfig{Matches: &fake{}, QuickPlay: true, AllowOrigins: []string{"https://friend.example"}})
	for _, c := range []struct {
		story, origin, site string
		status              int
		shared              string
	}{
		{"no browser", "", "", 200, ""},
		{"our own page", "http://play.example.net:7350", "same-origin", 200, ""},
		{"our own page, an old browser", "http://play.example.net:7350", "", 200, ""},
		{"a stranger's page", "https://evil.example", "cross-site", 403, ""},
		{"a stranger's page, an old browser", "https://evil.example", "", 403, ""},
		{"a page without an origin", "null", "cross-site", 403, ""},
		{"a friend's page", "https://friend.example", "cross-site", 200, "https://friend.example"},
	} {
		q := quick(`{}`)
		q.header = map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site}
		w := send(t, h, q)
		if w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != c.shared {
			t.Errorf("%s: %d %v", c.story, w.Code, w.Header())
		}
		if w.Code == 403 {
			readRefusal(t, w)
		}
	}
	for origin, status := range map[string]int{"https://friend.example": 204, "https://evil.example": 405} {
		w := send(t, h, request{method: "OPTIONS", target: "/v1/quickplay", header: map[string]string{"Origin": origin, "Access-Control-Request-Method": "POST"}})
		if w.Code != status || (status == 204) != (w.Header().Get("Access-Control-Allow-Methods") == "POST") {
			t.Errorf("preflight of %s: %d %v", origin, w.Code, w.Header())
		}
	}
	if _, err := api.NewPublic(api.PublicConfig{AllowOrigins: []string{"friend.example"}}); err == nil {
		t.Error("an origin without a scheme is accepted")
	}
}

func TestWebClient(t *testing.T) {
	h := public(t, api.PublicConfig{Matches: &fake{}})
	for _, c := range []struct {
		target, kind, body string
	}{
		{"/", "text/html; charset=utf-8", "<!doctype html><title>Skirmish</title>"},
		{"/?match=m-1", "text/html; charset=utf-8", "<!doctype html><title>Skirmish</title>"},
		{"/index.html", "text/html; charset=utf-8", "<!doctype html><title>Skirmish</title>"},
		{"/app/main.js", "text/javascript; charset=utf-8", "export {}"},
		{"/style/main.css", "text/css; charset=utf-8", "body{}"},
		{"/docs/", "text/html; charset=utf-8", "docs"},
		{"/data.bin", "application/octet-stream", "\x00\x01\x02"},
	} {
		w := send(t, h, request{method: "GET", target: c.target})
		head := w.Header()
		if w.Code != 200 || w.Body.String() != c.body || head.Get("Content-Type") != c.kind {
			t.Errorf("%s: %d %q %v", c.target, w.Code, w.Body, head)
		}
		if head.Get("Cache-Control") != "no-cache" || head.Get("X-Content-Type-Options") != "nosniff" || head.Get("ETag") == "" ||
			!strings.Contains(head.Get("Content-Security-Policy"), "connect-src 'self' ws: wss:") {
			t.Errorf("%s: %v", c.target, head)
		}
		if again := send(t, h, request{method: "GET", target: c.target, header: map[string]string{"If-None-Match": head.Get("ETag")}}); again.Code != 304 || again.Body.Len() != 0 {
			t.Errorf("%s again: %d %q", c.target, again.Code, again.Body)
		}
		if w := send(t, h, request{method: "HEAD", target: c.target}); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != fmt.Sprint(len(c.body)) {
			t.Errorf("HEAD %s: %d %v", c.target, w.Code, w.Header())
		}
	}
}

func TestWebClientRefuses(t *testing.T) {
	h := public(t, api.PublicConfig{Matches: &fake{}})
	for _, target := range []string{"/nowhere", "/app/", "/app", "/app/main", "/index.html/", "/..%2f..%2fetc/passwd", "/%2e%2e/x", "/app/%00", "/livez", "/readyz", "/metrics", "/debug/pprof/"} {
		w := send(t, h, request{method: "GET", target: target})
		if w.Code != 404 || !strings.HasPrefix(w.Body.String(), "There is no page at ") || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if w := send(t, h, request{method: "GET", target: "/docs"}); w.Code != 301 || w.Header().Get("Location") != "docs/" {
		t.Errorf("/docs: %d %v", w.Code, w.Header())
	}
	if w := send(t, h, request{method: "POST", target: "/", body: "{}"}); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: %d", w.Code)
	}
	if w := send(t, h, request{method: "GET", target: "/play"}); w.Code != 426 || w.Header().Get("Upgrade") != "websocket" {
		t.Errorf("/play without an upgrade: %d", w.Code)
	}
	bare := public(t, api.PublicConfig{Matches: &fake{}, Files: fstest.MapFS{}})
	if w := send(t, bare, request{method: "GET", target: "/"}); w.Code != 404 || !strings.Contains(w.Body.String(), "/play") {
		t.Errorf("without files: %d %s", w.Code, w.Body)
	}
}
