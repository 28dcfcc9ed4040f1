package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
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

// broken is a Keeper whose first reading breaks off behind its answer.
type broken struct{ reads int }

func (*broken) Keep(context.Context, []byte) error { return nil }

func (b *broken) Kept(_ context.Context, take func([]byte)) error {
	take(fmt.Appendf(nil, `[{"key":"k","path":"/v1/matches","digest":"%s=","status":201,"body":{},"at":"2999-01-01T00:00:00Z"}]`, strings.Repeat("A", 43)))
	if b.reads++; b.reads == 1 {
		return errors.New("the disk is away")
	}
	return nil
}

// A reading of the kept answers that breaks off leaves nothing behind that would be counted twice.
func TestKeptAnswersAreTakenOnce(t *testing.T) {
	a := newAnswers(&broken{}, nil, zerolog.Nop())
	if a.recall(t.Context()) == nil {
		t.Fatal("it has not broken off")
	}
	if err := a.recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(a.queue) != 1 || len(a.byKey) != 1 || a.bytes != len("{}\n") {
		t.Errorf("%d kept, %d by key, %d bytes", len(a.queue), len(a.byKey), a.bytes)
	}
}
