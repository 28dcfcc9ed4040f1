package node

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/session"
	"skirmish/server/webhook"
)

// maxQueued bounds the events of one match that wait for the disk. What comes beyond them is dropped and counted, but
// never how a match ended.
const maxQueued = 1024

// eventLog numbers the events of one match, or of the node, and holds those that are not on the disk yet.
type eventLog struct {
	uid     string // unlike any other's, also of a match of the same id: part of the events' ids
	matchID string // empty: the node's
	targets []lane

	mu     sync.Mutex
	seq    uint64
	queue  []*webhook.Delivery
	moving bool // somebody moves the queue to the disk
	sealed bool // it has ended; nothing happens any more
}

// lane is a target and the order that it gets things in.
type lane struct {
	Name   string         `json:"name"`
	Target webhook.Target `json:"target"`
}

func newEventLog(uid, matchID string, targets ...*webhook.Target) *eventLog {
	l := &eventLog{uid: uid, matchID: matchID}
	for i, t := range targets {
		if t != nil && t.URL != "" {
			l.targets = append(l.targets, lane{fmt.Sprintf("%s-%d", uid, i), *t})
		}
	}
	return l
}

// targetOf is the target that a matchmaker names, nil without one.
func targetOf(w *api.Webhook) *webhook.Target {
	if w == nil {
		return nil
	}
	return &webhook.Target{URL: w.URL, SecretID: w.SecretID, Events: w.Events}
}

// next makes the next event. Called with the lock held.
func (l *eventLog) next(nodeID, kind string, at time.Time, data any) (event *webhook.Event, body []byte, err error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, nil, fmt.Errorf("encode an event: %w", err)
	}
	l.seq++
	event = &webhook.Event{
		ID: fmt.Sprintf("%s_%d", l.uid, l.seq), Type: kind, Timestamp: api.Time(at).String(),
		NodeID: nodeID, MatchID: l.matchID, Seq: l.seq, Data: raw,
	}
	body, err = json.Marshal(event)
	return event, body, err
}

// delivery is an event on its way to one target.
func (l *lane) delivery(e *webhook.Event, body []byte, at time.Time) *webhook.Delivery {
	return &webhook.Delivery{
		ID: e.ID, Type: e.Type, Lane: l.Name, MatchID: e.MatchID, URL: l.Target.URL, SecretID: l.Target.SecretID, Queued: at.UTC(), Body: body,
	}
}

// happened passes on what a match tells.
func (m *matches) happened(e *entry, ev session.Event) {
	if ev.Kind == session.MatchStarted {
		m.store.emit(e.events, string(ev.Kind), ev.Time, struct{}{})
		return
	}
	m.store.emit(e.events, string(ev.Kind), ev.Time, struct {
		Seat api.Seat `json:"seat"`
	}{seatOf(&ev.Seat)})
	switch ev.Kind {
	case session.SeatLeft, session.SeatExpired, session.SeatKicked:
	default:
		return
	}
	if _, open := e.about(); open && ev.Seat.Role == protocol.RolePlayer && !m.draining() {
		m.store.emit(e.events, "backfill.wanted", ev.Time, struct {
			OpenSeats int `json:"open_seats"`
		}{ev.Open})
	}
}

// seal ends it: nothing that happens is told any more.
func (l *eventLog) seal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sealed = true
}
