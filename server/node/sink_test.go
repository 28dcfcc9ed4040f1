package node_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"skirmish/server/webhook"
)

// hookSecret is the secret of the tests' sinks; sinks check by their own means, not by the package's.
const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// sink is a back end that takes webhooks and notes them.
type sink struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	verdict  func() int // status of the next answer, 0: hang up; nil: 200
	accepted []webhook.Event
	signed   int               // signatures of the newest request
	bodies   map[string]string // by id, of every request, whatever the answer
}

func newSink(t *testing.T) *sink {
	s := &sink{t: t, bodies: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.take))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server was killed in the middle
	}
	id := r.Header.Get("webhook-id")
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, id+"."+r.Header.Get("webhook-timestamp")+"."+string(body))
	var e webhook.Event
	switch err := json.Unmarshal(body, &e); {
	case !slices.Contains(strings.Split(r.Header.Get("webhook-signature"), " "), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))):
		s.t.Errorf("a wrong signature: %v", r.Header)
	case err != nil || e.ID != id || r.Method != http.MethodPost:
		s.t.Errorf("a wrong request: %v %s", err, body)
	}
	holdEventToContract(s.t, e.Type, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, known := s.bodies[id]; known && was != string(body) {
		s.t.Errorf("%s came twice and not the same:\n%s\n%s", id, was, body)
	}
	s.bodies[id] = string(body)
	s.signed = strings.Count(r.Header.Get("webhook-signature"), "v1,")
	status := http.StatusOK
	if s.verdict != nil {
		status = s.verdict()
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	if status/100 == 2 {
		s.accepted = append(s.accepted, e)
	}
	w.WriteHeader(status)
}

// events are those that the sink has accepted, in their order.
func (s *sink) events() []webhook.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]webhook.Event(nil), s.accepted...)
}

// signatures is how many the newest request had.
func (s *sink) signatures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signed
}

// types are the types of a match's events, in their order.
func (s *sink) types(matchID string) (types []string) {
	for _, e := range s.events() {
		if e.MatchID == matchID {
			types = append(types, e.Type)
		}
	}
	return types
}
