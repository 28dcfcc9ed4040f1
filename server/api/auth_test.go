package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"skirmish/server/api"
)

func TestKeysOpenTheAdminPort(t *testing.T) {
	h := admin(&fake{}, "old-key", "new-key")
	for header, ok := range map[string]bool{
		"":                               false,
		"old-key":                        false,
		"Bearer old-key":                 true,
		"bearer new-key":                 true,
		"Bearer  new-key":                true,
		"Bearer":                         false,
		"Bearer ":                        false,
		"Bearer old-ke":                  false,
		"Bearer old-keyy":                false,
		"Bearer OLD-KEY":                 false,
		"Basic old-key":                  false,
		"Bearer old-key, Bearer new-key": false,
	} {
		for _, q := range endpoints {
			q.header = map[string]string{"Authorization": header}
			q.remote = "192.0.2.1:5000"
			w := send(t, h, q.request)
			if (w.Code < 300) != ok {
				t.Errorf("%q at %s %s: %d", header, q.method, q.target, w.Code)
			}
			if ok {
				continue
			}
			if e := readRefusal(t, w).Error; w.Code != 401 || e.Code != "unauthorized" || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%q at %s %s: %d %+v", header, q.method, q.target, w.Code, e)
			}
		}
	}
}

func TestWithoutAKeyOnlyThisMachineGetsIn(t *testing.T) {
	h := admin(&fake{})
	for _, c := range []struct {
		remote, host string
		status       int
	}{
		{"127.0.0.1:1", "localhost:7351", 200},
		{"127.9.9.9:1", "127.0.0.1:7351", 200},
		{"[::1]:1", "[::1]:7351", 200},
		{"[::1]:1", "[::1]", 200},
		{"[::ffff:127.0.0.1]:1", "localhost", 200},
		{"192.0.2.1:1", "localhost:7351", 401},
		{"[2001:db8::1]:1", "localhost:7351", 401},
		{"", "localhost:7351", 200}, // send fills in loopback
		{"127.0.0.1:1", "rebound.example.net:7351", 403},
		{"127.0.0.1:1", "10.0.0.1:7351", 403},
	} {
		w := send(t, h, request{method: "GET", target: "/v1/matches", remote: c.remote, host: c.host})
		if w.Code != c.status {
			t.Errorf("from %s to %s: %d", c.remote, c.host, w.Code)
		}
		if c.status != 200 {
			readRefusal(t, w)
		}
	}
}

func TestPagesOfOtherOriginsSteerNothing(t *testing.T) {
	f := &fake{}
	for _, keys := range [][]string{nil, {"key"}} {
		h := admin(f, keys...)
		for _, q := range endpoints {
			if q.method == "GET" {
				continue
			}
			q.header = map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer key"}
			if w := send(t, h, q.request); w.Code != 403 || readRefusal(t, w).Error.Code != "unauthorized" {
				t.Errorf("%s %s: %d %s", q.method, q.target, w.Code, w.Body)
			}
		}
	}
	if f.calls != 0 {
		t.Errorf("%d calls", f.calls)
	}
}

func TestProbesNeedNoKey(t *testing.T) {
	state := errors.New("draining")
	h := api.NewAdmin(api.AdminConfig{Matches: &fake{}, Keys: func() []api.Key { return []api.Key{api.NewKey("k")} }, Ready: func() error { return state }, Log: zerolog.Nop()})
	from := request{method: "GET", remote: "192.0.2.1:1", host: "node.example.net"}
	get := func(path string) (int, string) {
		from.target = path
		w := send(t, h, from)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	if code, body := get("/livez"); code != 200 || body != `{"status":"ok"}` {
		t.Errorf("livez: %d %s", code, body)
	}
	if code, body := get("/readyz"); code != 503 || body != `{"status":"not ready","reason":"draining"}` {
		t.Errorf("readyz while draining: %d %s", code, body)
	}
	state = nil
	if code, body := get("/readyz"); code != 200 || body != `{"status":"ready"}` {
		t.Errorf("readyz: %d %s", code, body)
	}
	if code, _ := get("/metrics"); code != 404 && code != 401 {
		t.Errorf("metrics without any: %d", code)
	}
}

func TestMetricsAndProfiles(t *testing.T) {
	const far = "192.0.2.1:1"
	key := map[string]string{"Authorization": "Bearer k"}
	for _, c := range []struct {
		story string
		keys  []string
		request
		status int
	}{
		{"metrics, no key, loopback", nil, request{method: "GET", target: "/metrics"}, 200},
		{"metrics, no key, from afar", nil, request{method: "GET", target: "/metrics", remote: far}, 401},
		{"metrics, a scraper beside the node", []string{"k"}, request{method: "GET", target: "/metrics"}, 200},
		{"metrics, keyless from afar", []string{"k"}, request{method: "GET", target: "/metrics", remote: far}, 401},
		{"metrics, with the key from afar", []string{"k"}, request{method: "GET", target: "/metrics", remote: far, header: key}, 200},
		{"metrics, posted", nil, request{method: "POST", target: "/metrics"}, 405},
		{"profiles, loopback", nil, request{method: "GET", target: "/debug/pprof/"}, 200},
		{"profiles, one", nil, request{method: "GET", target: "/debug/pprof/goroutine?debug=1"}, 200},
		{"profiles, keyless", []string{"k"}, request{method: "GET", target: "/debug/pprof/"}, 401},
		{"profiles, with the key", []string{"k"}, request{method: "GET", target: "/debug/pprof/cmdline", remote: far, header: key}, 200},
	} {
		if w := send(t, admin(&fake{}, c.keys...), c.request); w.Code != c.status {
			t.Errorf("%s: %d %s", c.story, w.Code, w.Body)
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	type holder struct{ hidden []api.Key }
	keys := api.ParseKeys(" topsecret-one, ,topsecret-two,")
	if len(keys) != 2 || keys[0].Len() != len("topsecret-one") {
		t.Fatalf("%d keys", len(keys))
	}
	for _, v := range []any{keys, keys[0], &keys[0], holder{keys}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "topsecret") || strings.Contains(text, "746f70736563726574") {
				t.Errorf("%s of %T shows the key: %s", verb, v, text)
			}
		}
	}
}
