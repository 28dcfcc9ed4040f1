package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
)

// shelf is a Keeper that forgets nothing.
type shelf struct {
	mu      sync.Mutex
	batches [][]byte
	err     error         // of every call
	block   chan struct{} // Keep waits for it; nil: it does not
}

func (s *shelf) Keep(_ context.Context, batch []byte) error {
	if s.block != nil {
		<-s.block
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.batches = append(s.batches, batch)
	}
	return s.err
}

func (s *shelf) Kept(_ context.Context, take func([]byte)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		take(b)
	}
	return s.err
}

// life is one process on a shelf.
func life(f *fake, s *shelf) http.Handler {
	return api.NewAdmin(api.AdminConfig{Matches: f, Node: f, Webhooks: f, Answers: s, Log: zerolog.Nop()})
}

var keyedCalls = []request{
	keyed("k1", "/v1/matches", `{"game":"arena","seats":[{"player_id":"ann"}]}`),
	keyed("k2", "/v1/matches:find_or_create", `{"game":"arena"}`),
	keyed("k3", "/v1/matches/m/seats", `{"seats":[{"player_id":"bob"}]}`),
	keyed("k4", "/v1/matches/m/seats/bob/token", `{}`),
	keyed("k5", "/v1/matches/m/signal", `{"op":"ping"}`),
	keyed("k6", "/v1/webhooks/dead:redeliver", `{}`),
}

func TestFirstAnswersOutliveTheProcess(t *testing.T) {
	s := &shelf{}
	first := life(&fake{}, s)
	var bodies []string
	for _, q := range keyedCalls {
		bodies = append(bodies, send(t, first, q).Body.String())
	}
	f := &fake{err: &api.Error{Code: api.IDTaken, Message: "No."}}
	refused := send(t, life(f, s), keyed("k7", "/v1/matches", `{"game":"arena","match_id":"x"}`))

	f = &fake{}
	second := life(f, s)
	for i, q := range keyedCalls {
		w := send(t, second, q)
		if w.Code != 200 || w.Body.String() != bodies[i] || w.Header().Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s: %d %s, first %s", q.target, w.Code, w.Body, bodies[i])
		}
	}
	if w := send(t, second, keyed("k7", "/v1/matches", `{"game":"arena","match_id":"x"}`)); w.Code != 409 || w.Body.String() != refused.Body.String() {
		t.Errorf("a refusal: %d %s", w.Code, w.Body)
	}
	if w := send(t, second, keyed("k1", "/v1/matches", `{"game":"pong"}`)); w.Code != 400 || readRefusal(t, w).Error.Details["field"] != "Idempotency-Key" {
		t.Errorf("another request with an old key: %d %s", w.Code, w.Body)
	}
	if f.create != nil || f.seats != nil || f.signal != nil {
		t.Errorf("something was done again: %+v", f)
	}
}

// What a killed process has answered and not done is done anew, once.
func TestAnswersWithoutTheirEffectAreVoid(t *testing.T) {
	expires := api.Time(time.Now().Add(time.Minute))
	s := &shelf{}
	first := life(&fake{expires: &expires}, s)
	for _, q := range keyedCalls {
		send(t, first, q)
	}
	send(t, first, keyed("k8", "/v1/node/drain", `{}`))

	f := &fake{gone: true}
	second := life(f, s)
	for _, q := range keyedCalls[:2] {
		if w := send(t, second, q); w.Code != 201 || w.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("%s of a match that is gone: %d %s", q.target, w.Code, w.Body)
		}
	}
	if w := send(t, second, keyed("k8", "/v1/node/drain", `{}`)); w.Header().Get("Idempotency-Replayed") != "" || f.ttl == 0 {
		t.Errorf("a node that was started anew is said to be draining: %s", w.Body)
	}
	calls := f.calls
	if w := send(t, second, keyedCalls[0]); w.Code != 200 || f.calls != calls {
		t.Errorf("once more: %d, %d calls", w.Code, f.calls-calls)
	}

	// The third process finds the answer of the second, and not that of the first.
	f = &fake{}
	third := life(f, s)
	if w := send(t, third, keyedCalls[0]); w.Code != 200 || f.create != nil {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// A reservation was undone with its match still there, or somebody else has the seat; then that of its player stands.
	for i, sit := range [][]api.Seat{nil, {{PlayerID: "eve", Seat: 1}}, {{PlayerID: "bob", Seat: 1, Role: api.RolePlayer, State: api.SeatActive}}} {
		f := &fake{sit: sit}
		again := send(t, life(f, &shelf{batches: s.batches}), keyedCalls[2])
		if stands := i == 2; (again.Code == 200) != stands || (f.seats == nil) != stands {
			t.Errorf("seats %+v: %d %s", sit, again.Code, again.Body)
		}
	}
}

func TestWhatCannotBeKeptIsNotDone(t *testing.T) {
	s := &shelf{}
	f := &fake{}
	h := life(f, s)
	send(t, h, keyed("k0", "/v1/matches", `{"game":"arena"}`))
	s.err = errors.New("the disk is full")
	for _, q := range keyedCalls[:3] {
		w := send(t, h, q)
		if e := readRefusal(t, w).Error; w.Code != 503 || e.Code != "no_capacity" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", q.target, w.Code, w.Body)
		}
	}
	if w := send(t, h, request{method: "POST", target: "/v1/matches", body: `{"game":"arena"}`}); w.Code != 201 {
		t.Errorf("without a key: %d", w.Code)
	}
	if w := send(t, life(f, s), keyed("k0", "/v1/matches", `{"game":"arena"}`)); w.Code != 503 {
		t.Errorf("a key that may be known, while nobody can tell: %d", w.Code)
	}
	s.err = nil
	if w := send(t, h, keyedCalls[0]); w.Code != 201 {
		t.Errorf("with a disk again: %d %s", w.Code, w.Body)
	}
}

// While one batch is on its way to the disk, all that come meanwhile wait for one more write.
func TestAnswersGoToTheDiskTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{block: make(chan struct{})}
		h := life(&fake{}, s)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() { send(t, h, keyed(fmt.Sprint("k", i), "/v1/matches", `{"game":"arena"}`)) })
			synctest.Wait()
		}
		close(s.block)
		wg.Wait()
		if len(s.batches) != 2 {
			t.Errorf("%d writes", len(s.batches))
		}
		f := &fake{}
		for i := range 100 {
			if w := send(t, life(f, s), keyed(fmt.Sprint("k", i), "/v1/matches", `{"game":"arena"}`)); w.Code != 200 {
				t.Errorf("k%d: %d", i, w.Code)
			}
		}
	})
}

func TestKeptAnswersLastADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		send(t, life(&fake{}, s), keyed("k", "/v1/matches", `{"game":"arena"}`))
		time.Sleep(api.IdempotencyAge)
		if w := send(t, life(&fake{}, s), keyed("k", "/v1/matches", `{"game":"arena"}`)); w.Code != 200 {
			t.Errorf("after 24 h: %d", w.Code)
		}
		time.Sleep(time.Second)
		if w := send(t, life(&fake{}, s), keyed("k", "/v1/matches", `{"game":"arena"}`)); w.Code != 201 {
			t.Errorf("after 24 h and a second: %d", w.Code)
		}
	})
}

// A record that cannot be read costs its own answers alone.
func TestSpoiltAnswersAreLeftAlone(t *testing.T) {
	s := &shelf{}
	send(t, life(&fake{}, s), keyedCalls[0])
	s.batches = append([][]byte{[]byte("{"), []byte(`[{"key":"k1","digest":"AA=="}]`)}, s.batches...)
	if w := send(t, life(&fake{}, s), keyedCalls[0]); w.Code != 200 || !strings.Contains(w.Body.String(), "ann") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
