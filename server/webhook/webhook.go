// Package webhook delivers what happened to the back ends that want to know: signed as Standard Webhooks says, at least
// once, in order for each match, from a durable queue.
package webhook

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Limits of a delivery.
const (
	MaxURLBytes      = 2 << 10
	MaxResponseBytes = 4 << 10  // read of a sink's answer, the rest is not
	MaxHeaderBytes   = 16 << 10 // of a sink's answer
	maxErrorBytes    = 256      // kept of what went wrong
)

// Types are the events there are.
var Types = []string{
	"match.created", "match.started", "match.ended", "match.failed",
	"seat.active", "seat.lost", "seat.resumed", "seat.left", "seat.expired", "seat.kicked",
	"backfill.wanted", "node.ready", "node.draining",
}

// Target is where events go.
type Target struct {
	URL      string   `json:"url"`
	SecretID string   `json:"secret_id"`
	Events   []string `json:"events"` // types, or a prefix such as "seat.*"; none: all of them
}

// Wants tells whether the target is told of an event of that type.
func (t *Target) Wants(kind string) bool {
	if t == nil || t.URL == "" {
		return false
	}
	if len(t.Events) == 0 {
		return true
	}
	for _, want := range t.Events {
		if want == kind || want == "*" {
			return true
		}
		if prefix, ok := strings.CutSuffix(want, "*"); ok && strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// ValidType tells whether text may stand in Target.Events.
func ValidType(text string) bool {
	if text == "*" || slices.Contains(Types, text) {
		return true
	}
	prefix, ok := strings.CutSuffix(text, ".*")
	return ok && slices.ContainsFunc(Types, func(t string) bool { return strings.HasPrefix(t, prefix+".") })
}

// CheckURL tells what is wrong with the URL of a sink.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must be an http:// or https:// URL")
	case len(text) > MaxURLBytes:
		return errors.New("must have at most 2048 bytes")
	case u.User != nil:
		return errors.New("must not have a user name or password in it: requests are signed")
	case u.Fragment != "":
		return errors.New("must not have a fragment")
	}
	return nil
}

// Event is the body of a request.
type Event struct {
	ID        string          `json:"id"` // the same at every delivery of the event; the header webhook-id as well
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"` // when it happened, RFC 3339
	NodeID    string          `json:"node_id"`
	MatchID   string          `json:"match_id,omitempty"` // not of node.…
	Seq       uint64          `json:"seq"`                // 1 and up within the match, or the node
	Data      json.RawMessage `json:"data"`
}

// Delivery is an event on its way to one target. It is what the queue holds, as JSON.
type Delivery struct {
	ID       string          `json:"id"`   // of the event
	Type     string          `json:"type"` // of the event
	Lane     string          `json:"lane"` // deliveries of one lane go one after the other
	MatchID  string          `json:"match_id,omitempty"`
	URL      string          `json:"url"`
	SecretID string          `json:"secret_id"`
	Queued   time.Time       `json:"queued"`
	Body     json.RawMessage `json:"body"` // the Event, byte for byte

	Dead  time.Time `json:"dead,omitzero"` // when it was given up
	Tries int       `json:"tries,omitempty"`
	Error string    `json:"error,omitempty"`
}

// origin is what counts as one sink: scheme, host and port.
func origin(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	return u.Scheme + "://" + u.Host
}
