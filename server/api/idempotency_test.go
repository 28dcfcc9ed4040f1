package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"skirmish/server/api"
)

func keyed(key, target, body string) request {
	return request{method: "POST", target: target, body: body, header: map[string]string{"Idempotency-Key": key}}
}

func TestRepeatGetsTheFirstAnswer(t *testing.T) {
	f := &fake{}
	h := admin(f)
	first := send(t, h, keyed("k1", "/v1/matches", `{"game":"arena"}`))
	again := send(t, h, keyed("k1", "/v1/matches", `{"game":"arena"}`))
	if first.Code != 201 || again.Code != 200 || first.Body.String() != again.Body.String() || f.calls != 1 {
		t.Errorf("%d %s\n%d %s\n%d calls", first.Code, first.Body, again.Code, again.Body, f.calls)
	}
	if first.Header().Get("Idempotency-Replayed") != "" || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("heads: %v, %v", first.Header(), again.Header())
	}
	if other := send(t, h, keyed("k2", "/v1/matches", `{"game":"arena"}`)); other.Code != 201 || f.calls != 2 {
		t.Errorf("another key: %d, %d calls", other.Code, f.calls)
	}
	if w := send(t, h, request{method: "POST", target: "/v1/matches", body: `{"game":"arena"}`}); w.Code != 201 || f.calls != 3 {
		t.Errorf("no key: %d, %d calls", w.Code, f.calls)
	}
}

func TestOneKeyIsForOneRequest(t *testing.T) {
	f := &fake{}
	h := admin(f)
	send(t, h, keyed("k1", "/v1/matches", `{"game":"arena"}`))
	for story, q := range map[string]request{
		"another body": keyed("k1", "/v1/matches", `{"game":"pong"}`),
		"another path": keyed("k1", "/v1/matches/m/seats", `{"game":"arena"}`),
	} {
		w := send(t, h, q)
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Code != "bad_request" || e.Details["field"] != "Idempotency-Key" {
			t.Errorf("%s: %d %+v", story, w.Code, e)
		}
	}
	for story, key := range map[string]string{"long": strings.Repeat("k", 256), "a space": "a b", "no ASCII": "é"} {
		w := send(t, h, keyed(key, "/v1/matches", `{"game":"arena"}`))
		if e := readRefusal(t, w).Error; w.Code != 400 || e.Details["field"] != "Idempotency-Key" {
			t.Errorf("%s: %d %+v", story, w.Code, e)
		}
	}
	if f.calls != 1 {
		t.Errorf("%d calls", f.calls)
	}
}

func TestRefusalsAreRepeatedFaultsAreNot(t *testing.T) {
	for code, kept := range map[api.Code]bool{
		api.IDTaken: true, api.BadParams: true, api.UnknownGame: true, api.MatchFull: true,
		api.NoCapacity: false, api.Draining: false, api.Internal: false, api.RateLimited: false,
	} {
		f := &fake{err: &api.Error{Code: code, Message: "No.", RetryAfter: time.Second}}
		h := admin(f)
		first := send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`))
		f.err = nil
		again := send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`))
		if kept && (again.Code != first.Code || again.Body.String() != first.Body.String() || f.calls != 1 || again.Header().Get("Retry-After") != "1") {
			t.Errorf("%s is not repeated: %d %s", code, again.Code, again.Body)
		}
		if !kept && again.Code != 201 {
			t.Errorf("%s sticks: %d %s", code, again.Code, again.Body)
		}
	}
	f := &fake{panics: true}
	h := admin(f)
	if w := send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`)); w.Code != 500 {
		t.Fatalf("%d", w.Code)
	}
	f.panics = false
	if w := send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`)); w.Code != 201 {
		t.Errorf("a panic sticks: %d", w.Code)
	}
	// A body that is wrong in itself does not use the key up for the right one.
	if w := send(t, h, keyed("k9", "/v1/matches", `{"gamme":"arena"}`)); w.Code != 400 {
		t.Errorf("%d", w.Code)
	}
	if w := send(t, h, keyed("k9", "/v1/matches", `{"game":"arena"}`)); w.Code != 201 {
		t.Errorf("a typing error sticks: %d %s", w.Code, w.Body)
	}
}

func TestFirstAnswersLastADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		h := admin(f)
		send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`))
		time.Sleep(api.IdempotencyAge)
		if w := send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`)); w.Code != 200 {
			t.Errorf("after 24 h: %d", w.Code)
		}
		time.Sleep(time.Second)
		if w := send(t, h, keyed("k", "/v1/matches", `{"game":"pong"}`)); w.Code != 201 || f.calls != 2 {
			t.Errorf("after 24 h and a second: %d", w.Code)
		}
	})
}

func TestRepeatWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{block: make(chan struct{}), entered: make(chan struct{}, 16)}
		h := admin(f)
		var wg sync.WaitGroup
		answers := make([]*httptest.ResponseRecorder, 8)
		for i := range answers {
			wg.Go(func() { answers[i] = send(t, h, keyed("k", "/v1/matches", `{"game":"arena"}`)) })
		}
		synctest.Wait()
		if len(f.entered) != 1 {
			t.Errorf("%d are at work", len(f.entered))
		}
		close(f.block)
		wg.Wait()
		made := 0
		for _, w := range answers {
			if w.Code == http.StatusCreated {
				made++
			}
			if w.Body.String() != answers[0].Body.String() {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		if made != 1 || f.calls != 1 {
			t.Errorf("%d made, %d calls", made, f.calls)
		}
	})
}
