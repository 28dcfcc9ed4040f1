package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rs/zerolog"
)

func TestStoreOfFirstAnswersIsBounded(t *testing.T) {
	for story, c := range map[string]struct {
		entries, bytes int // bounds
		kept           int
	}{
		"by entries": {10, 1 << 20, 10},
		"by bytes":   {1000, 1250, 12},
	} {
		a := newAnswers(nil, nil, zerolog.Nop())
		a.maxEntries, a.maxBytes = c.entries, c.bytes
		made := 0
		ask := func(i int) answer {
			r := httptest.NewRequest("POST", "/v1/matches", nil)
			r.Header.Set(idempotencyHeader, fmt.Sprint("k", i))
			got, err := a.do(r, nil, func(context.Context, []byte, func(answer) error) (answer, error) {
				made++
				return answer{status: http.StatusCreated, body: make([]byte, 100)}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for i := range 100 {
			ask(i)
		}
		if len(a.queue) != c.kept || len(a.byKey) != c.kept || a.bytes != 100*c.kept {
			t.Errorf("%s: %d kept, %d by key, %d bytes", story, len(a.queue), len(a.byKey), a.bytes)
		}
		if got := ask(99); !got.replayed || got.status != http.StatusOK || made != 100 {
			t.Errorf("%s: the newest answer is gone", story)
		}
		if got := ask(100 - c.kept - 1); got.replayed || made != 101 {
			t.Errorf("%s: an answer over the bound is still there", story)
		}
	}
}
