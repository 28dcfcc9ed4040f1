package api

import (
	"errors"
	"strings"
	"testing"
)

// checked is a request body with rules of its own.
type checked interface{ validate() error }

// bodies are the bodies of all requests, as their handlers make them.
func bodies() map[string]checked {
	return map[string]checked{
		"create": NewCreateRequest(), "patch": &PatchRequest{}, "seats": &seatsRequest{}, "token": &tokenRequest{},
		"drain": &drainRequest{}, "link": &linkRequest{}, "signal": &SignalRequest{}, "quick play": &QuickPlayRequest{},
	}
}

// FuzzBodies: no body makes a decoder or its rules panic; what is refused is a 400 that says what is wrong, and names the
// field unless the whole document is.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"game":"arena","match_id":"m","seats":[{"player_id":"a","team":2,"role":"spectator","bot":true,"ttl_ms":1}],"start":{"when":"now","min_players":0}}`,
		`{"game":"arena","webhook":{"url":"http://u:p@h/#x","secret_id":"","events":["match.*","x"]},"timeouts":{"no_show_ms":1},"capacity":{"players":-1}}`,
		`{"game":"arena","tick_rate":60,"snapshot_rate":7,"spectator_delay_ms":99999999,"seed":9007199254740993}`,
		`{"metadata":{"k":"v","":""},"capacity":{"players":0,"spectators":null},"max_duration_ms":1,"open":true}`,
		`{"seats":[{"player_id":"a"},{"player_id":"a"}]}`,
		`{"ttl_ms":0}`, `{"deadline_ms":-1}`, `{"op":"kick","payload":{"a":[1,2]}}`, `{"name":"\u202e","game":"arena","role":"judge"}`,
		`{"":1}`, `[]`, `null`, `{"seats":[null]}`, `{"seats":[[]]}`, "{\"game\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > MaxBodyBytes {
			return
		}
		for name, req := range bodies() {
			err := decode(body, req)
			if err == nil {
				err = req.validate()
			}
			if err == nil {
				continue
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Status() != 400 || e.Message == "" {
				t.Fatalf("%s: %q: %v", name, body, err)
			}
			if _, named := e.Details["field"].(string); !named && !strings.HasPrefix(e.Message, "The body ") {
				t.Fatalf("%s: %q: %q names no field", name, body, e.Message)
			}
		}
	})
}
