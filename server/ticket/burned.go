package ticket

import (
	"sync"
	"time"
)

// Burned remembers the tickets that were used, until they are expired anyway: memory is bounded by the
// tickets of MaxLifetime. The zero value is ready. Safe from any goroutine.
type Burned struct {
	mu      sync.Mutex
	buckets map[int64]map[string]struct{} // ids by the second of their expiry
	swept   int64                         // the Unix second of the last sweep
}

// Burn marks the ticket id as used and tells whether this is its first use. A ticket that is past its
// expiry and ClockSkew counts as used: its mark may be gone.
func (b *Burned) Burn(id string, expires, now time.Time) bool {
	at, until := now.Unix(), expires.Unix()
	if expired(until, at) {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.swept != at {
		b.sweep(at)
	}
	bucket := b.buckets[until]
	if _, used := bucket[id]; used {
		return false
	}
	if bucket == nil {
		if b.buckets == nil {
			b.buckets = make(map[int64]map[string]struct{})
		}
		bucket = make(map[string]struct{})
		b.buckets[until] = bucket
	}
	bucket[id] = struct{}{}
	return true
}

// All are the tickets that are marked, with the Unix second of their expiry.
func (b *Burned) All() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]int64{}
	for until, bucket := range b.buckets {
		for id := range bucket {
			out[id] = until
		}
	}
	return out
}

// Len is the number of marks that are kept.
func (b *Burned) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, bucket := range b.buckets {
		n += len(bucket)
	}
	return n
}

// sweep drops the buckets of tickets that Verify refuses as expired. There are at most as many buckets as
// MaxLifetime and ClockSkew have seconds, and it runs once per second at the most.
func (b *Burned) sweep(at int64) {
	b.swept = at
	for until := range b.buckets {
		if expired(until, at) {
			delete(b.buckets, until)
		}
	}
}

func expired(until, at int64) bool { return at > until+int64(ClockSkew/time.Second) }
