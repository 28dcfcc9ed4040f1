package session

import "time"

// bucket is a token bucket in integer nanoseconds: every event costs 1 s ÷ rate, and credit grows with the clock up to
// a burst. The zero bucket starts full at its first use.
type bucket struct {
	full time.Time // when the bucket will be full again; credit = burst − (full − now)
}

// take takes n events of rate per second with a burst of that many, and tells whether they were there. A refused
// take costs nothing.
func (b *bucket) take(now time.Time, n, rate, burst int) bool {
	cost := time.Duration(n) * time.Second / time.Duration(rate)
	limit := now.Add(time.Duration(burst) * time.Second / time.Duration(rate))
	from := b.full
	if from.Before(now) {
		from = now
	}
	if next := from.Add(cost); !next.After(limit) {
		b.full = next
		return true
	}
	return false
}

// spend takes n events whether they are there or not: for costs known only afterwards, such as bytes read.
func (b *bucket) spend(now time.Time, n, rate int) {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(time.Duration(n) * time.Second / time.Duration(rate))
}

// has tells whether any credit is left of a burst.
func (b *bucket) has(now time.Time, rate, burst int) bool {
	return b.full.Before(now.Add(time.Duration(burst) * time.Second / time.Duration(rate)))
}
