package node

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// Shares and patience of the memory guard.
const (
	memoryShare    = 0.9                    // of what the machine or the container has: the limit that is set when none is told
	memoryHigh     = 0.8                    // of the limit: the live heap at which something must be done
	memoryCulprit  = 1.0 / 16               // of the limit: what a match must hold at least to be ended for it
	memoryLook     = 100 * time.Millisecond // between looks at the heap
	memoryPatience = 500 * time.Millisecond // for the matches to weigh themselves
	memoryCalm     = time.Second            // until the next attempt when nobody was to blame
)

// memoryGuard keeps one match that eats memory from ending the process, and with it all others. Nobody can bound the heap of
// one goroutine in Go; but the heap of the process can be watched, and a match can weigh what it holds. When the live heap
// comes near the limit every match does so at its next tick, and the heaviest is ended as failed, if it is heavy at all. If
// none is, the node is simply full and takes no new matches. A match that eats in a single step, without ever coming to
// its end, cannot be ended by anybody; neither is a stack of 1 GB survived (Go's own bound).
type memoryGuard struct {
	limit int64
	all   func() []*entry
	log   zerolog.Logger
	short atomic.Bool
	heap  []metrics.Sample // scratch
}

// newMemoryGuard sets the runtime's own limit, so that it collects garbage in time, unless GOMEMLIMIT has. A limit of 0 is
// memoryShare of what there is, and no limit if that cannot be told.
func newMemoryGuard(limit int64, all func() []*entry, log zerolog.Logger) *memoryGuard {
	told := debug.SetMemoryLimit(-1) // by GOMEMLIMIT, or by an earlier node of this process
	switch {
	case limit > 0:
		debug.SetMemoryLimit(limit)
	case told < math.MaxInt64:
		limit = told
	default:
		if limit = int64(float64(systemMemory()) * memoryShare); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
	return &memoryGuard{limit: limit, all: all, log: log, heap: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
}

// trouble tells that memory is short, empty when it is not. Safe from any goroutine.
func (g *memoryGuard) trouble() string {
	if g.short.Load() {
		return "its memory is nearly used up (--memory-limit), and no single match is to blame"
	}
	return ""
}

// run watches until ctx is done.
func (g *memoryGuard) run(ctx context.Context) {
	if g.limit <= 0 {
		return
	}
	wait := time.NewTicker(memoryLook)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		wait.Reset(g.look())
	}
}

// look does what must be done and tells when to look again.
func (g *memoryGuard) look() time.Duration {
	if !g.high() {
		g.short.Store(false)
		return memoryLook
	}
	runtime.GC() // only what is still held counts
	if !g.high() {
		g.short.Store(false)
		return memoryLook
	}
	heaviest, bytes := g.weigh()
	if heaviest != nil && float64(bytes) >= float64(g.limit)*memoryCulprit {
		g.log.Error().Str("match", heaviest.room.ID()).Int64("holds_bytes", bytes).Int64("limit_bytes", g.limit).Msg("memory is short: the match that holds most of it is ended")
		heaviest.room.Fail(fmt.Sprintf("it held %d MiB of memory when the node ran short of it", bytes>>20))
		select {
		case <-heaviest.room.Done():
		case <-time.After(memoryPatience):
		}
		return memoryLook
	}
	if !g.short.Swap(true) {
		g.log.Error().Int64("limit_bytes", g.limit).Int64("heaviest_match_bytes", bytes).Msg("memory is short and no single match is to blame: no new matches for now")
	}
	return memoryCalm
}

// high tells whether the heap is near the limit.
func (g *memoryGuard) high() bool {
	metrics.Read(g.heap)
	return float64(g.heap[0].Value.Uint64()) > float64(g.limit)*memoryHigh
}

// weigh has every match weigh itself and returns the heaviest of those that did so in time, nil if none did.
func (g *memoryGuard) weigh() (heaviest *entry, most int64) {
	type weight struct {
		of    *entry
		bytes int64
	}
	all := g.all()
	weights := make(chan weight, len(all))
	for _, e := range all {
		e.room.Weigh(func(bytes int64) { weights <- weight{e, bytes} })
	}
	patience := time.After(memoryPatience)
	for range all {
		select {
		case w := <-weights:
			if heaviest == nil || w.bytes > most {
				heaviest, most = w.of, w.bytes
			}
		case <-patience:
			return heaviest, most
		}
	}
	return heaviest, most
}
