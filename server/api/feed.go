package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// EventTypes are the types of events there are, for webhooks and the event stream alike.
var EventTypes = []string{
	"match.created", "match.started", "match.ended", "match.failed",
	"seat.active", "seat.lost", "seat.resumed", "seat.left", "seat.expired", "seat.kicked",
	"backfill.wanted", "node.ready", "node.draining",
}

// Feed is the stream behind GET /v1/events: the newest EventRing events. Safe from any goroutine.
type Feed struct {
	epoch string // of this start; ids of another one are not ours

	mu        sync.Mutex
	ring      []feedEvent   // by number modulo its length
	last      uint64        // number of the newest event, 0: none yet
	grown     chan struct{} // closed and replaced by Publish
	listeners int
	closed    bool
}

type feedEvent struct {
	kind string
	data []byte
}

// NewFeed makes a feed. The epoch is unlike that of any other start of a node.
func NewFeed(epoch string) *Feed {
	return &Feed{epoch: epoch, ring: make([]feedEvent, EventRing), grown: make(chan struct{})}
}

// Publish adds an event. Data is one line of JSON and stays as it is. It never blocks.
func (f *Feed) Publish(kind string, data json.RawMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	f.ring[f.last%EventRing] = feedEvent{kind, data}
	close(f.grown)
	f.grown = make(chan struct{})
}

// Close ends every stream: the node goes down.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.grown)
		f.grown = make(chan struct{})
	}
}

// read appends the events after number at to out, at most a batch, as server-sent events. lost tells that some of them are
// not there any more; then it goes on with the oldest there is.
func (f *Feed) read(out []byte, at uint64) (_ []byte, next uint64, lost, closed bool, grown <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	const batch = 256
	if oldest := f.last - min(f.last, EventRing); at < oldest {
		at, lost = oldest, true
	}
	if lost {
		out = fmt.Appendf(out, "event: gap\ndata: {}\n\n")
	}
	for n := 0; at < f.last && n < batch; n++ {
		at++
		e := &f.ring[at%EventRing]
		out = fmt.Appendf(out, "id: %s-%d\nevent: %s\ndata: %s\n\n", f.epoch, at, e.kind, e.data)
	}
	return out, at, lost, f.closed, f.grown
}

// from is the number of the event behind which a listener goes on, and whether it is known.
func (f *Feed) from(lastID string) (at uint64, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if lastID == "" {
		return f.last, true
	}
	epoch, number, _ := strings.Cut(lastID, "-")
	at, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != f.epoch || at > f.last {
		return f.last - min(f.last, EventRing), false
	}
	return at, true
}

// enter counts a listener in.
func (f *Feed) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listeners >= MaxListeners {
		return false
	}
	f.listeners++
	return true
}

func (f *Feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners--
}

// serve streams events until the caller goes away.
func (f *Feed) serve(w http.ResponseWriter, r *http.Request) error {
	lastID := r.Header.Get("Last-Event-ID")
	err := eachParam(r.URL.RawQuery, func(name, value string) error {
		if name != "last_event_id" {
			return unknownParam(name, "last_event_id")
		}
		lastID = value
		return nil
	})
	if err != nil {
		return err
	}
	if !f.enter() {
		e := NewError(NoCapacity, fmt.Sprintf("There are %d event streams already, the most this node serves.", MaxListeners))
		e.RetryAfter = time.Second
		return e
	}
	defer f.leave()
	at, known := f.from(lastID)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	out := []byte(": events\n\n")
	if !known {
		out = append(out, "event: gap\ndata: {}\n\n"...)
	}
	c := http.NewResponseController(w)
	c.SetReadDeadline(time.Time{})
	alive := time.NewTicker(EventKeepAlive)
	defer alive.Stop()
	for {
		var grown <-chan struct{}
		var closed bool
		before := at
		out, at, _, closed, grown = f.read(out, at)
		if len(out) > 0 {
			c.SetWriteDeadline(time.Now().Add(EventWrite))
			if _, err := w.Write(out); err != nil {
				return nil // gone, or too slow: it may resume
			}
			if err := c.Flush(); err != nil {
				return nil
			}
			out = out[:0]
		}
		if closed && at == before {
			return nil
		}
		if at != before {
			continue
		}
		select {
		case <-grown:
		case <-alive.C:
			out = append(out, ": still here\n\n"...)
		case <-r.Context().Done():
			return nil
		}
	}
}
