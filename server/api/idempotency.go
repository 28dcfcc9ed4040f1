package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Idempotency-Key: a POST that is repeated with the same key gets the first answer, so that a caller whose
// connection broke may ask again without making a second match. While the first is at work the repeat waits
// for it. Answers that invite another try (400, 429, 5xx) are not kept.
//
// A first answer is on the disk before anybody gets it, and where it can be before its effect is seen: a process that is
// killed leaves no effect that a repeat would not find. What it may leave is an answer without its effect, so an answer of
// an earlier process is given again only as long as what it tells of is there; else the call is done anew.

const idempotencyHeader = "Idempotency-Key"

// answers keeps first answers for IdempotencyAge, within its bounds: the oldest go first. Safe from any
// goroutine.
type answers struct {
	maxEntries, maxBytes int
	archive              *archive
	stands               func(path string, got answer) bool // whether what an answer of an earlier process tells of is there
	log                  zerolog.Logger

	recalling chan struct{} // holds one while somebody reads the archive
	recalled  atomic.Bool   // it has been read

	mu    sync.Mutex
	byKey map[string]*first
	queue []*first // those with an answer, oldest first
	bytes int      // of the queue's bodies
}

// first is the first request of its key. All but the channel is guarded by answers.mu.
type first struct {
	key    string
	path   string
	digest [sha256.Size]byte // of method, path and body
	done   chan struct{}     // closed when there is an answer, or none will come
	got    answer
	at     time.Time
	old    bool // of an earlier process
}

// work does what a request asks for. It calls keep with its answer before others can see the effect, if it can, and undoes
// everything when keep fails; what it has not kept is kept when it returns.
type work func(ctx context.Context, body []byte, keep func(answer) error) (answer, error)

func newAnswers(k Keeper, stands func(string, answer) bool, log zerolog.Logger) *answers {
	return &answers{
		maxEntries: MaxIdempotencyEntries, maxBytes: MaxIdempotencyBytes, archive: newArchive(k), stands: stands, log: log,
		recalling: make(chan struct{}, 1), byKey: make(map[string]*first),
	}
}

// do returns the first answer to r's key, or that of work. A replayed 201 becomes a 200: nothing was made.
func (a *answers) do(r *http.Request, body []byte, w work) (answer, error) {
	key, err := idempotencyKey(r)
	if err != nil {
		return answer{}, err
	}
	if key == "" {
		return w(r.Context(), body, func(answer) error { return nil })
	}
	if err := a.recall(r.Context()); err != nil {
		a.log.Error().Err(err).Msg("the answers to earlier Idempotency-Keys cannot be read")
		return answer{}, errNotKept
	}
	digest := requestDigest(r, body)
	for {
		f, mine := a.claim(key, r.URL.Path, digest)
		if mine {
			return a.run(r.Context(), f, body, w)
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
		switch got, ok := a.answerOf(f); {
		case !ok: // the first one came to nothing that is kept: now it is this one's turn
		case f.old && !a.stands(f.path, got):
			a.forget(f)
		default:
			return got, nil
		}
	}
}

// recall reads what earlier processes have kept, once.
func (a *answers) recall(ctx context.Context) error {
	if a.recalled.Load() {
		return nil
	}
	select {
	case a.recalling <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-a.recalling }()
	if a.recalled.Load() {
		return nil
	}
	var kept []*first // taken when all have come: a reading that breaks off is begun anew
	err := a.archive.read(ctx, func(f *first) { kept = append(kept, f) }, func(err error) { a.log.Error().Err(err).Msg("a kept answer is left alone") })
	if err != nil {
		return err
	}
	for _, f := range kept {
		a.take(f)
	}
	a.recalled.Store(true)
	return nil
}

// take takes in an answer of an earlier process. A later one of the same key has taken the place of an answer whose effect
// was gone.
func (a *answers) take(f *first) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byKey[f.key] = f
	a.push(f)
}

// push adds a first request that has its answer now. The caller holds mu.
func (a *answers) push(f *first) {
	a.queue = append(a.queue, f)
	a.bytes += len(f.got.body)
	a.expire(time.Now())
}

// claim returns the first request of key, and whether it is the caller's own.
func (a *answers) claim(key, path string, digest [sha256.Size]byte) (f *first, mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire(time.Now())
	if f := a.byKey[key]; f != nil {
		return f, false
	}
	f = &first{key: key, path: path, digest: digest, done: make(chan struct{})}
	a.byKey[key] = f
	return f, true
}

// forget frees the key of f.
func (a *answers) forget(f *first) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byKey[f.key] == f {
		delete(a.byKey, f.key)
	}
}

// run does the work of a first request and keeps its answer. It goes on when the caller hangs up, who will
// ask again for what came of it.
func (a *answers) run(ctx context.Context, f *first, body []byte, w work) (got answer, err error) {
	worthKeeping := false
	defer func() { // also when work panics
		a.mu.Lock()
		defer a.mu.Unlock()
		if worthKeeping {
			f.got, f.at = got, time.Now()
			a.push(f)
		} else {
			delete(a.byKey, f.key)
		}
		close(f.done)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), WriteTimeout)
	defer cancel()
	kept := false
	keep := func(got answer) error {
		if err := a.archive.add(ctx, f, got, time.Now()); err != nil {
			a.log.Error().Err(err).Msg("an answer to an Idempotency-Key cannot be kept")
			return errNotKept
		}
		kept = true
		return nil
	}
	got, err = w(ctx, body, keep)
	if refusal, ok := errors.AsType[*Error](err); ok {
		worthKeeping = refusal.Status() < 500 && refusal.Code != RateLimited && refusal.Code != BadRequest
		if worthKeeping {
			got, err = errorAnswer(refusal), nil
		}
	} else {
		worthKeeping = err == nil
	}
	if worthKeeping && !kept {
		keep(got) // what is done is done: without a disk its answer lives as long as the process
	}
	return got, err
}

// errNotKept refuses what could not be repeated safely.
var errNotKept = &Error{
	Code: NoCapacity, RetryAfter: time.Second,
	Message: "The node cannot keep the answer to this " + idempotencyHeader + " for now, so nothing was done; try again in a moment.",
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
		if a.byKey[f.key] == f {
			delete(a.byKey, f.key)
		}
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
