package api_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"skirmish/server/api"
)

func TestFoundAndCreated(t *testing.T) {
	f := &fake{}
	h := admin(f)
	find := request{method: "POST", target: "/v1/matches:find_or_create", body: `{"game":"arena","metadata":{"region":"eu"},"seats":[{"player_id":"a"}]}`}
	if w := send(t, h, find); w.Code != 201 || !strings.Contains(w.Body.String(), `"created":true`) {
		t.Errorf("created: %d %s", w.Code, w.Body)
	}
	f.finds = true
	if w := send(t, h, find); w.Code != 200 || !strings.Contains(w.Body.String(), `"created":false`) || f.create.Metadata["region"] != "eu" {
		t.Errorf("found: %d %s", w.Code, w.Body)
	}
}

func TestPatch(t *testing.T) {
	f := &fake{}
	h := admin(f)
	w := send(t, h, request{method: "PATCH", target: "/v1/matches/m-1", body: `{"open":false,"metadata":{"a":"b"},"capacity":{"players":3},"max_duration_ms":1000}`})
	want := &api.PatchRequest{Open: new(false), Metadata: map[string]string{"a": "b"}, Capacity: &api.PatchCapacity{Players: new(3)}, MaxDurationMS: new(int64(1000))}
	if w.Code != 200 || f.id != "m-1" || !reflect.DeepEqual(f.patch, want) {
		t.Errorf("%d %s %+v", w.Code, w.Body, f.patch)
	}
	send(t, h, request{method: "PATCH", target: "/v1/matches/m-1", body: `{}`})
	if !reflect.DeepEqual(f.patch, &api.PatchRequest{}) {
		t.Errorf("nothing: %+v", f.patch)
	}
	for body, field := range map[string]string{
		`{"capacity":{"players":0}}`: "capacity.players", `{"capacity":{"spectators":1025}}`: "capacity.spectators", `{"max_duration_ms":1}`: "max_duration_ms",
		`{"state":"ended"}`: "state", `{"metadata":{"":"x"}}`: "metadata", `{"open":1}`: "open",
	} {
		w := send(t, h, request{method: "PATCH", target: "/v1/matches/m-1", body: body})
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Details["field"] != field {
			t.Errorf("%s: %d %+v", body, w.Code, e)
		}
	}
}

func TestSeatsAreReleasedAndTicketsIssuedAgain(t *testing.T) {
	f := &fake{}
	h := admin(f)
	if w := send(t, h, request{method: "DELETE", target: "/v1/matches/m-1/seats/anna%20b?reason=too%20slow"}); w.Code != 204 || f.id != "m-1" || f.player != "anna b" || f.reason != "too slow" {
		t.Errorf("release: %d %s, %q %q", w.Code, w.Body, f.player, f.reason)
	}
	if w := send(t, h, request{method: "DELETE", target: "/v1/matches/m-1/seats/a?why=x"}); w.Code != 400 || readRefusal(t, w).Error.Details["field"] != "why" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(t, h, request{method: "POST", target: "/v1/matches/m-1/seats/a/token", body: `{"ttl_ms":5000}`}); w.Code != 201 || f.ttl != 5*time.Second || !strings.Contains(w.Body.String(), "mt1.again") {
		t.Errorf("token: %d %s", w.Code, w.Body)
	}
	if w := send(t, h, request{method: "POST", target: "/v1/matches/m-1/seats/a/token", body: `{"ttl_ms":5}`}); w.Code != 400 || readRefusal(t, w).Error.Details["field"] != "ttl_ms" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(t, h, request{method: "DELETE", target: "/v1/matches/m-1/seats/" + strings.Repeat("x", 65)}); w.Code != 404 {
		t.Errorf("a name nobody can have: %d", w.Code)
	}
}

func TestSignals(t *testing.T) {
	f := &fake{}
	w := send(t, admin(f), request{method: "POST", target: "/v1/matches/m-1/signal", body: `{"op":"pause","data":{"for":[1,2]}}`})
	if w.Code != 200 || w.Body.String() != `{"data":{"pong":true}}`+"\n" || f.signal.Op != "pause" || string(f.signal.Data) != `{"for":[1,2]}` {
		t.Errorf("%d %s %+v", w.Code, w.Body, f.signal)
	}
	for body, field := range map[string]string{`{}`: "op", `{"op":""}`: "op", `{"op":"x","y":1}`: "y"} {
		w := send(t, admin(f), request{method: "POST", target: "/v1/matches/m-1/signal", body: body})
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Details["field"] != field {
			t.Errorf("%s: %d %+v", body, w.Code, e)
		}
	}
}

func TestStartRulesAndWebhooksAreChecked(t *testing.T) {
	for body, field := range map[string]string{
		`"start":{"when":"soon"}`:                                                             "start.when",
		`"start":{"min_players":0}`:                                                           "start.min_players",
		`"start":{"countdown_ms":600001}`:                                                     "start.countdown_ms",
		`"webhook":{}`:                                                                        "webhook.url",
		`"webhook":{"url":"ftp://x","secret_id":"m"}`:                                         "webhook.url",
		`"webhook":{"url":"file:///etc/passwd","secret_id":"m"}`:                              "webhook.url",
		`"webhook":{"url":"http://u:p@x/","secret_id":"m"}`:                                   "webhook.url",
		`"webhook":{"url":"http://x/` + strings.Repeat("x", 2048) + `","secret_id":"m"}`:      "webhook.url",
		`"webhook":{"url":"http://x/","secret_id":""}`:                                        "webhook.secret_id",
		`"webhook":{"url":"http://x/","secret_id":"m","events":["match.done"]}`:               "webhook.events[0]",
		`"webhook":{"url":"http://x/","secret_id":"m","events":["match.ended","seat.lost*"]}`: "webhook.events[1]",
	} {
		w := send(t, admin(&fake{}), request{method: "POST", target: "/v1/matches", body: `{"game":"arena",` + body + `}`})
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Details["field"] != field {
			t.Errorf("%.60s: %d %+v", body, w.Code, e)
		}
	}
}

// Every POST keeps its first answer.
func TestEveryPostIsIdempotent(t *testing.T) {
	for _, q := range append(endpoints, extras...) {
		if q.method != "POST" {
			continue
		}
		f := &fake{}
		h := admin(f)
		key := keyed("k", q.target, q.body)
		first, again := send(t, h, key), send(t, h, key)
		if first.Code/100 != 2 || again.Code != 200 || again.Body.String() != first.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" || f.calls > 1 {
			t.Errorf("%s: %d, then %d %v, %d calls", q.target, first.Code, again.Code, again.Header(), f.calls)
		}
	}
}

func TestTimesHaveMilliseconds(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_700_000, time.FixedZone("", 3600))
	b, err := json.Marshal(api.Time(at))
	if err != nil || string(b) != `"2026-01-02T02:04:05.006Z"` {
		t.Errorf("%s, %v", b, err)
	}
	var back api.Time
	if err := json.Unmarshal(b, &back); err != nil || !time.Time(back).Equal(at.Truncate(time.Millisecond)) || fmt.Sprint(back) != "2026-01-02T02:04:05.006Z" {
		t.Errorf("%v, %v", back, err)
	}
}
