package sim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"skirmish/server/webhook"
)

// The secret of the sink, and where it is.
const (
	hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hookURL    = "http://sink.example/hook"
)

// sink is the back end that takes webhooks: down, slow, or wrong at times. Safe from any goroutine.
type sink struct {
	w *World

	mu       sync.Mutex
	tries    map[string]int
	bodies   map[string]string // by id, of every request
	accepted map[string]bool
	newest   map[string]uint64 // seq accepted, by match
	result   map[string]string // data of the event that ended a match
	taken    int               // accepted, the first time
	again    int               // accepted once more
}

func newSink(w *World) *sink {
	return &sink{w: w, tries: map[string]int{}, bodies: map[string]string{}, accepted: map[string]bool{}, newest: map[string]uint64{}, result: map[string]string{}}
}

// transport is the way of one life of the node to the sink (http.RoundTripper).
type transport struct {
	sink *sink
	life *life
}

var errHungUp = errors.New("sim: the sink hung up")

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s, w := t.sink, t.sink.w
	w.giveWay()
	id := r.Header.Get("webhook-id")
	s.mu.Lock()
	s.tries[id]++
	luck := w.luck("sink", id, s.tries[id])
	s.mu.Unlock()
	way, back := time.Duration(luck.IntN(20_000_000)), time.Duration(luck.IntN(20_000_000))
	verdict := http.StatusOK
	if !w.healed.Load() {
		switch mood := w.moodAt(time.Now()); {
		case mood == sinkDown:
			verdict = 0
		case mood == sinkWrong && luck.IntN(2) == 0:
			verdict = []int{500, 404, 302, 0, 503}[luck.IntN(5)]
		case luck.IntN(30) == 0:
			way = 12 * time.Second // longer than the dispatcher waits
		case luck.IntN(30) == 0:
			back = 12 * time.Second // it has it, and the sender does not know
		}
		if verdict != 200 || way > time.Second || back > time.Second {
			w.fault("webhook refused, lost or late")
		}
	}
	if !t.sleep(r, way) {
		return nil, errHungUp
	}
	s.take(r, id, body, verdict == 200)
	if !t.sleep(r, back) || verdict == 0 {
		return nil, errHungUp
	}
	return &http.Response{StatusCode: verdict, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// sleep is false when the request ends meanwhile, or the node's life does.
func (t *transport) sleep(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !t.life.dead.Load()
	case <-r.Context().Done():
	case <-t.life.gone:
	}
	return false
}

// take looks at a request, and accepts it or not.
func (s *sink) take(r *http.Request, id string, body []byte, accept bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.w
	w.audit.checked("webhook signed, unchanged, in order")
	key, _ := base64.StdEncoding.DecodeString(hookSecret[len("whsec_"):])
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, id+"."+r.Header.Get("webhook-timestamp")+"."+string(body))
	var e webhook.Event
	switch err := json.Unmarshal(body, &e); {
	case r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)):
		w.Fail("webhook %s: the signature is wrong", id)
	case err != nil || e.ID != id:
		w.Fail("webhook %s: %v %s", id, err, body)
	}
	if was, known := s.bodies[id]; known && was != string(body) {
		w.Fail("webhook %s was %s and is %s", id, was, body)
	}
	s.bodies[id] = string(body)
	w.trace.add("sink "+e.MatchID, id, accept)
	if !accept {
		return
	}
	switch {
	case s.accepted[id]:
		s.again++
	case e.Seq < s.newest[e.MatchID]:
		w.Fail("webhook %s of %s is number %d and comes behind %d", id, e.MatchID, e.Seq, s.newest[e.MatchID])
	default:
		s.taken++
	}
	s.accepted[id] = true
	s.newest[e.MatchID] = max(s.newest[e.MatchID], e.Seq)
	if e.Type == "match.ended" || e.Type == "match.failed" {
		if was, known := s.result[e.MatchID]; known && was != string(e.Data) {
			w.Fail("%s has the results %s and %s", e.MatchID, was, e.Data)
		}
		s.result[e.MatchID] = string(e.Data)
	}
}
