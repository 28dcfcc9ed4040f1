package api

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter is a token bucket for each address. It remembers a bounded number of them: addresses whose bucket
// is full again are forgotten first, and when there is no room left strangers share one bucket. Safe from
// any goroutine.
type limiter struct {
	perSecond rate.Limit
	burst     int
	most      int

	mu      sync.Mutex
	buckets map[netip.Prefix]*rate.Limiter
	rest    *rate.Limiter // of the addresses there is no room for
	swept   time.Time
}

func newLimiter(perSecond float64, burst, most int) *limiter {
	return &limiter{
		perSecond: rate.Limit(perSecond), burst: burst, most: most,
		buckets: make(map[netip.Prefix]*rate.Limiter),
		rest:    rate.NewLimiter(rate.Limit(perSecond)*restFactor, burst*restFactor),
	}
}

// restFactor is how many addresses' worth the shared bucket holds.
const restFactor = 10

// take takes one token of addr's bucket, or tells how long until there is one.
func (l *limiter) take(addr netip.Addr) (wait time.Duration) {
	now := time.Now()
	bucket := l.bucket(network(addr), now)
	if bucket.AllowN(now, 1) {
		return 0
	}
	missing := 1 - bucket.TokensAt(now)
	return max(time.Duration(missing/float64(bucket.Limit())*float64(time.Second)), time.Millisecond)
}

func (l *limiter) bucket(n netip.Prefix, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[n]; b != nil {
		return b
	}
	if len(l.buckets) >= l.most {
		l.sweep(now)
	}
	if len(l.buckets) >= l.most {
		return l.rest
	}
	b := rate.NewLimiter(l.perSecond, l.burst)
	l.buckets[n] = b
	return b
}

// sweep forgets the addresses that have their whole burst again, at most once per second: a crowd of
// strangers must not make every request walk over all of them.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for n, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, n)
		}
	}
}

// network is what counts as one address: an IPv6 customer has 64 bits to choose from.
func network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.WithZone("").Prefix(bits)
	return p
}
