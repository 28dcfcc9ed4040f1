package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Idempotency-Key: a POST that is repeated with the same key gets the first answer, so that a caller whose
// connection broke may ask again without making a second match. While the first is at work the repeat waits
// for it. Answers that invite another try (400, 429, 5xx) are not kept.

const idempotencyHeader = "Idempotency-Key"

// answers keeps first answers for IdempotencyAge, within its bounds: the oldest go first. Safe from any
// goroutine.
type answers struct {
	maxEntries, maxBytes int

	mu    sync.Mutex
	byKey map[string]*first
	queue []*first // those with an answer, oldest first
	bytes int      // of the queue's bodies
}

// first is the first request of its key. All but the channel is guarded by answers.mu.
type first struct {
	key    string
	digest [sha256.Size]byte // of method, path and body
	done   chan struct{}     // closed when there is an answer, or none will come
	got    answer
	at     time.Time
}

func newAnswers() *answers {
	return &answers{maxEntries: MaxIdempotencyEntries, maxBytes: MaxIdempotencyBytes, byKey: make(map[string]*first)}
}

// do returns the first answer to r's key, or that of work. A replayed 201 becomes a 200: nothing was made.
func (a *answers) do(r *http.Request, body []byte, work func(ctx context.Context, body []byte) (answer, error)) (answer, error) {
	key, err := idempotencyKey(r)
	if err != nil {
		return answer{}, err
	}
	if key == "" {
		return work(r.Context(), body)
	}
	digest := requestDigest(r, body)
	for {
		f, mine := a.claim(key, digest)
		if mine {
			return a.run(r.Context(), f, body, work)
		}
		if f.digest != digest {
			return answer{}, FieldError(BadRequest, idempotencyHeader,
				"This "+idempotencyHeader+" was used for another request; choose a new one for each new request.")
		}
		select {
		case <-f.done:
		case <-r.Context().Done():
			return answer{}, context.Cause(r.Context())
		}
		if got, ok := a.answerOf(f); ok {
			return got, nil
		}
		// The first one came to nothing that is kept: now it is this one's turn.
	}
}

// claim returns the first request of key, and whether it is the caller's own.
func (a *answers) claim(key string, digest [sha256.Size]byte) (f *first, mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire(time.Now())
	if f := a.byKey[key]; f != nil {
		return f, false
	}
	f = &first{key: key, digest: digest, done: make(chan struct{})}
	a.byKey[key] = f
	return f, true
}

// run does the work of a first request and keeps its answer. It goes on when the caller hangs up, who will
// ask again for what came of it.
func (a *answers) run(ctx context.Context, f *first, body []byte, work func(ctx context.Context, body []byte) (answer, error)) (got answer, err error) {
	kept := false
	defer func() { // also when work panics
		a.mu.Lock()
		defer a.mu.Unlock()
		if kept {
			f.got, f.at = got, time.Now()
			a.queue = append(a.queue, f)
			a.bytes += len(got.body)
			a.expire(f.at)
		} else {
			delete(a.byKey, f.key)
		}
		close(f.done)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), WriteTimeout)
	defer cancel()
	got, err = work(ctx, body)
	if refusal, ok := errors.AsType[*Error](err); ok {
		kept = refusal.Status() < 500 && refusal.Code != RateLimited && refusal.Code != BadRequest
		if kept {
			got, err = errorAnswer(refusal), nil
		}
		return got, err
	}
	kept = err == nil
	return got, err
}

func (a *answers) answerOf(f *first) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.at.IsZero() {
		return answer{}, false
	}
	got := f.got
	got.replayed = true
	if got.status == http.StatusCreated {
		got.status = http.StatusOK
	}
	return got, true
}

// expire drops what is too old or too much. The caller holds mu.
func (a *answers) expire(now time.Time) {
	n := 0
	for n < len(a.queue) {
		f := a.queue[n]
		if now.Sub(f.at) <= IdempotencyAge && len(a.queue)-n <= a.maxEntries && a.bytes <= a.maxBytes {
			break
		}
		a.bytes -= len(f.got.body)
		delete(a.byKey, f.key)
		a.queue[n] = nil
		n++
	}
	a.queue = a.queue[n:]
}

// idempotencyKey is the header's value, empty if there is none.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(idempotencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	ok := len(values) == 1 && key != "" && len(key) <= MaxIdempotencyKeyBytes
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] > ' ' && key[i] < 0x7f
	}
	if !ok {
		return "", FieldError(BadRequest, idempotencyHeader, "The header "+idempotencyHeader+" must be there once, with 1 to 255 printable ASCII characters.")
	}
	return key, nil
}

func requestDigest(r *http.Request, body []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(r.Method + " " + r.URL.Path + "\n"))
	h.Write(body)
	h.Sum(sum[:0])
	return sum
}
