package api_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"skirmish/server/api"
)

func TestReplays(t *testing.T) {
	w := send(t, admin(&fake{}), request{method: "GET", target: "/v1/matches/m-1/replay"})
	if w.Code != 200 || w.Body.String() != "a recording" || w.Header().Get("Content-Disposition") != `attachment; filename="m-1.replay"` {
		t.Errorf("replay: %d %s %v", w.Code, w.Body, w.Header())
	}
	for _, path := range []string{"replay", "film"} {
		if w := send(t, admin(&fake{gone: true}), request{method: "GET", target: "/v1/matches/m/" + path}); w.Code != 404 || !strings.Contains(w.Body.String(), "no such replay") {
			t.Errorf("%s of none: %d %s", path, w.Code, w.Body)
		}
	}
	open := public(t, api.PublicConfig{Matches: &fake{}, QuickPlay: true})
	if w := send(t, open, request{method: "GET", target: "/v1/quickplay/replays/m"}); w.Code != 200 || w.Body.String() != "a film" {
		t.Errorf("film: %d %s", w.Code, w.Body)
	}
	w = send(t, open, request{method: "GET", target: "/v1/quickplay/replays/m", header: map[string]string{"Accept-Encoding": "gzip, br"}})
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != "a film" || w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("packed film: %q %v %v", b, err, w.Header())
	}
	if w := send(t, open, request{method: "GET", target: "/v1/quickplay/replays"}); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"replays":[{"match_id":"m","game":"arena"`) {
		t.Errorf("list: %d %s", w.Code, w.Body)
	}
	shut := public(t, api.PublicConfig{Matches: &fake{}})
	if w := send(t, shut, request{method: "GET", target: "/v1/films/ft1.x"}); w.Code != 200 || w.Body.String() != "a film" {
		t.Errorf("by a link: %d %s", w.Code, w.Body)
	}
	if w := send(t, shut, request{method: "GET", target: "/v1/films/ft1.y"}); w.Code != 401 {
		t.Errorf("by a link that is not good: %d %s", w.Code, w.Body)
	}
	for _, target := range []string{"/v1/quickplay/replays", "/v1/quickplay/replays/m"} {
		if w := send(t, shut, request{method: "GET", target: target}); w.Code != 404 {
			t.Errorf("%s with quick play off: %d %s", target, w.Code, w.Body)
		}
	}
}
