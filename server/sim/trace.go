package sim

import (
	"fmt"
	"hash"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
)

// trace is what happened, as a digest: of each thing by itself, since what two of them do at one moment has no order. Safe
// from any goroutine.
type trace struct {
	mu    sync.Mutex
	parts map[string]hash.Hash64
	lines func(string) // nil: nobody
}

// add notes something about a part.
func (t *trace) add(part string, what ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.parts[part]
	if h == nil {
		h = fnv.New64a()
		t.parts[part] = h
	}
	for _, w := range what {
		switch w := w.(type) {
		case []byte:
			h.Write(w)
		case int64:
			var b [8]byte
			for i := range b {
				b[i] = byte(w >> (8 * i))
			}
			h.Write(b[:])
		default:
			fmt.Fprint(h, w)
		}
	}
	if t.lines != nil {
		t.lines(fmt.Sprintf("%s %016x", part, h.Sum64()))
	}
}

// sum is the digest of everything.
func (t *trace) sum() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := fnv.New64a()
	for _, part := range slices.Sorted(maps.Keys(t.parts)) {
		fmt.Fprintf(all, "%s %016x\n", part, t.parts[part].Sum64())
	}
	return all.Sum64()
}
