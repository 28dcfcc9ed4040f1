package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Keeper is where first answers outlive the process. Safe from any goroutine.
type Keeper interface {
	// Keep makes a batch durable and returns then. Batches go away by themselves after IdempotencyAge; when there are too
	// many, the oldest go first.
	Keep(ctx context.Context, batch []byte) error
	// Kept gives every batch there is to take, oldest first.
	Kept(ctx context.Context, take func(batch []byte)) error
}

// archive writes first answers to a Keeper. A disk takes one write after the other, so answers that come while one is
// underway go out with the next, together. Safe from any goroutine.
type archive struct {
	keeper  Keeper        // nil: answers live as long as the process
	writing chan struct{} // holds one while a batch is on its way

	mu   sync.Mutex
	next *batch // that is still filling; nil: none
}

// batch is some answers and how it went with them.
type batch struct {
	records []keptAnswer
	bytes   int
	done    chan struct{} // closed when err is known
	err     error
}

// keptAnswer is a first answer as the archive holds it.
type keptAnswer struct {
	Key     string          `json:"key"`
	Path    string          `json:"path"`
	Digest  []byte          `json:"digest"`
	Status  int             `json:"status"`
	RetryMS int64           `json:"retry_ms,omitempty"`
	Body    json.RawMessage `json:"body"`
	At      time.Time       `json:"at"`
}

func newArchive(k Keeper) *archive { return &archive{keeper: k, writing: make(chan struct{}, 1)} }

// add returns when the answer is on the disk.
func (a *archive) add(ctx context.Context, f *first, got answer, at time.Time) error {
	if a.keeper == nil {
		return nil
	}
	b, leads := a.join(keptAnswer{
		Key: f.key, Path: f.path, Digest: f.digest[:], Status: got.status, RetryMS: got.retry.Milliseconds(), Body: got.body, At: at.UTC(),
	})
	if leads {
		a.write(ctx, b)
	}
	<-b.done // its leader gives up when its own time is over
	return b.err
}

// join puts an answer into the batch that is filling. Who begins one leads it: the others wait for its leader.
func (a *archive) join(r keptAnswer) (b *batch, leads bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if leads = a.next == nil; leads {
		a.next = &batch{done: make(chan struct{})}
	}
	b = a.next
	b.records = append(b.records, r)
	if b.bytes += len(r.Body); b.bytes > maxBatchBytes {
		a.next = nil
	}
	return b, leads
}

// write brings a batch to the disk as soon as the one before it is there.
func (a *archive) write(ctx context.Context, b *batch) {
	defer close(b.done)
	select {
	case a.writing <- struct{}{}:
		defer func() { <-a.writing }()
	case <-ctx.Done():
		b.err = context.Cause(ctx)
	}
	a.mu.Lock()
	if a.next == b {
		a.next = nil
	}
	a.mu.Unlock()
	if b.err != nil {
		return
	}
	text, err := json.Marshal(b.records)
	if err == nil {
		err = a.keeper.Keep(ctx, text)
	}
	b.err = err
}

// read gives every answer that was kept to take, oldest first, and what cannot be read to spoilt.
func (a *archive) read(ctx context.Context, take func(*first), spoilt func(error)) error {
	if a.keeper == nil {
		return nil
	}
	done := make(chan struct{})
	close(done)
	return a.keeper.Kept(ctx, func(text []byte) {
		var records []keptAnswer
		if err := json.Unmarshal(text, &records); err != nil {
			spoilt(fmt.Errorf("decode kept answers: %w", err))
			return
		}
		for _, r := range records {
			if len(r.Digest) != sha256.Size {
				spoilt(fmt.Errorf("decode kept answers: a digest of %d bytes", len(r.Digest)))
				continue
			}
			take(&first{
				key: r.Key, path: r.Path, digest: [sha256.Size]byte(r.Digest), done: done, at: r.At, old: true,
				got: answer{status: r.Status, retry: time.Duration(r.RetryMS) * time.Millisecond, body: append(bytes.Clone(r.Body), '\n')},
			})
		}
	})
}
