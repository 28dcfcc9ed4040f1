package sim

import (
	"fmt"
	"hash"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"
)

// Trace is what happened: of each thing by itself, since what two of them do at one moment has no order. Safe from any
// goroutine.
type Trace struct {
	mu    sync.Mutex
	began time.Time
	parts map[string]*tracePart
}

// tracePart is one thing: a match, a player, a key on the disk, a path of the API.
type tracePart struct {
	sum    hash.Hash64
	events []traceEvent
}

// traceEvent is one thing that happened, with the digest of all up to it.
type traceEvent struct {
	at  time.Duration // since the beginning
	sum uint64
}

func newTrace(began time.Time) *Trace { return &Trace{began: began, parts: map[string]*tracePart{}} }

// add notes something about a part, at this moment.
func (t *Trace) add(part string, what ...any) {
	at := time.Since(t.began)
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.parts[part]
	if p == nil {
		p = &tracePart{sum: fnv.New64a()}
		t.parts[part] = p
	}
	for _, w := range append(what, at) {
		if b, ok := w.([]byte); ok {
			p.sum.Write(b)
			continue
		}
		fmt.Fprint(p.sum, w, "\n")
	}
	p.events = append(p.events, traceEvent{at, p.sum.Sum64()})
}

// Sum is the digest of everything.
func (t *Trace) Sum() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := fnv.New64a()
	for _, part := range slices.Sorted(maps.Keys(t.parts)) {
		fmt.Fprintf(all, "%s %016x\n", part, t.parts[part].sum.Sum64())
	}
	return all.Sum64()
}

// Differs tells the first event that another trace does not have as well; empty: they are equal.
func (t *Trace) Differs(other *Trace) (where string) {
	first := time.Duration(-1)
	for part := range merged(t.parts, other.parts) {
		a, b := t.eventsOf(part), other.eventsOf(part)
		for i := range max(len(a), len(b)) {
			if i < len(a) && i < len(b) && a[i] == b[i] {
				continue
			}
			at := func(events []traceEvent) (time.Duration, string) {
				if i >= len(events) {
					return 1 << 62, "never"
				}
				return events[i].at, fmt.Sprintf("at %v, %016x", events[i].at, events[i].sum)
			}
			here, one := at(a)
			there, two := at(b)
			if sooner := min(here, there); first < 0 || sooner < first {
				first, where = sooner, fmt.Sprintf("event %d of %q: %s; and %s", i+1, part, one, two)
			}
			break
		}
	}
	return where
}

func (t *Trace) eventsOf(part string) []traceEvent {
	if p := t.parts[part]; p != nil {
		return p.events
	}
	return nil
}

// merged has the keys of both.
func merged(a, b map[string]*tracePart) map[string]*tracePart {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
