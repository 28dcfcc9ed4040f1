package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
)

// follow opens an event stream and returns what reads the next event of it.
func follow(t *testing.T, url, lastID string) (next func() (id, kind, data string)) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(err, res)
	}
	t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	return func() (id, kind, data string) {
		t.Helper()
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case name == "id":
				id = value
			case name == "event":
				kind = value
			case name == "data":
				data = value
			case lines.Text() == "" && kind != "":
				return id, kind, data
			}
		}
		return "", "end", ""
	}
}

func feedServer(t *testing.T, f *api.Feed) string {
	h := api.NewAdmin(api.AdminConfig{Matches: &fake{}, Events: f, Log: zerolog.Nop()})
	s := httptest.NewUnstartedServer(nil)
	s.Config = api.NewServer(h, nil)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func publish(f *api.Feed, from, to int) {
	for i := from; i <= to; i++ {
		f.Publish("match.ended", json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
	}
}

func TestEventsResumeWithoutAGap(t *testing.T) {
	f := api.NewFeed("e1")
	url := feedServer(t, f)
	publish(f, 1, 3)
	next := follow(t, url, "e1-0")
	for i := 1; i <= 3; i++ {
		if id, kind, data := next(); id != fmt.Sprintf("e1-%d", i) || kind != "match.ended" || data != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("%s %s %s", id, kind, data)
		}
	}
	publish(f, 4, 1000)
	last := ""
	for i := 4; i <= 700; i++ {
		last, _, _ = next()
	}
	if last != "e1-700" {
		t.Fatalf("at %s", last)
	}
	again := follow(t, url, last)
	publish(f, 1001, 1200)
	for i := 701; i <= 1200; i++ {
		if id, _, data := again(); id != fmt.Sprintf("e1-%d", i) || data != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("after the resume %s %s, want %d", id, data, i)
		}
	}
	f.Close()
	if _, kind, _ := again(); kind != "end" {
		t.Errorf("the stream goes on with %s", kind)
	}
}

func TestGapsAreSaid(t *testing.T) {
	f := api.NewFeed("e2")
	url := feedServer(t, f)
	publish(f, 1, api.EventRing+10)
	for lastID, first := range map[string]int{"e2-3": 11, "e1-5": 11, "nonsense": 11, "e2-99999999": 11} {
		next := follow(t, url, lastID)
		if _, kind, _ := next(); kind != "gap" {
			t.Errorf("after %s: %s", lastID, kind)
		}
		if id, kind, _ := next(); id != fmt.Sprintf("e2-%d", first) {
			t.Errorf("after %s goes on with %s %s, want %d", lastID, kind, id, first)
		}
	}
	next := follow(t, url, "")
	time.Sleep(10 * time.Millisecond) // a listener without an id begins with what comes
	publish(f, 1, 1)
	if id, _, _ := next(); id != fmt.Sprintf("e2-%d", api.EventRing+11) {
		t.Errorf("begins with %s", id)
	}
}

func TestListenersAreBounded(t *testing.T) {
	f := api.NewFeed("e3")
	url := feedServer(t, f)
	publish(f, 1, 1)
	for range api.MaxListeners {
		follow(t, url, "e3-0")()
	}
	res, err := http.Get(url + "/v1/events")
	if err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %v %v", res, err)
	}
	res.Body.Close()
}
