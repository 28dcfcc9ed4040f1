package api_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"skirmish/server/api"
	"skirmish/server/api/apitest"
)

var contract = sync.OnceValues(apitest.Load)

// exchange is what went back and forth.
func exchange(q request, r *http.Request, w *httptest.ResponseRecorder) *apitest.Exchange {
	return &apitest.Exchange{
		Method: r.Method, URI: r.URL.RequestURI(), RequestHeader: r.Header, Header: w.Header(), Request: []byte(q.body), Answer: w.Body.Bytes(), Status: w.Code,
	}
}

// holdToContract checks a request and its answer against openapi.yaml.
func holdToContract(t *testing.T, q request, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	c, err := contract()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	if w.Header().Get("Content-Security-Policy") != "" {
		return // the web client on the other port
	}
	if err := c.Check(exchange(q, r, w)); err != nil {
		t.Error(err)
	}
}

// Every operation of the document is answered, and nothing but the document's fields comes back.
func TestEveryOperationIsThere(t *testing.T) {
	c, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, q := range append(endpoints, extras...) {
		send(t, admin(&fake{}), q.request)
		path, _, _ := strings.Cut(q.target, "?")
		path = strings.NewReplacer("/v1/matches/m", "/v1/matches/{match_id}", "/seats/a", "/seats/{player_id}").Replace(path)
		tried[q.method+" "+path] = true
	}
	for path, item := range c.Doc.Paths.Map() {
		for method := range item.Operations() {
			if path != "/v1/events" && path != "/metrics" && !tried[method+" "+path] {
				t.Errorf("%s %s is not tried", method, path)
			}
		}
	}
	w := send(t, admin(&fake{}, "key"), request{method: "GET", target: "/v1/openapi.yaml"})
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "openapi: 3.1") || w.Header().Get("Content-Type") != "application/yaml" {
		t.Errorf("the contract: %d %.40s", w.Code, w.Body)
	}
}

// extras are requests that differ from the others in what can go wrong.
var extras = []struct {
	request
	allow string
}{
	{request{method: "GET", target: "/v1/node"}, ""},
	{request{method: "POST", target: "/v1/node/drain", body: `{"deadline_ms":1000}`}, ""},
	{request{method: "POST", target: "/v1/node/upgrade", body: `{}`}, ""},
	{request{method: "GET", target: "/v1/openapi.yaml"}, ""},
	{request{method: "GET", target: "/v1/matches/m/replay"}, ""},
	{request{method: "GET", target: "/v1/matches/m/film"}, ""},
	{request{method: "GET", target: "/livez"}, ""},
	{request{method: "GET", target: "/readyz"}, ""},
}

// fields are the requests with every field that there is.
var fields = []request{
	{method: "POST", target: "/v1/matches", body: createWithEveryField},
	{method: "PATCH", target: "/v1/matches/m", body: `{"open":true,"metadata":{"a":"b"},"capacity":{"players":1,"spectators":1},"max_duration_ms":1000}`},
	{method: "POST", target: "/v1/matches/m/signal", body: `{"op":"x","data":1}`},
	{method: "POST", target: "/v1/matches/m/seats/a/token", body: `{"ttl_ms":1000}`},
	{method: "POST", target: "/v1/matches/m/replay/link", body: `{"ttl_ms":1000}`},
	{method: "POST", target: "/v1/webhooks/dead:redeliver", body: `{"id":"x"}`},
}

// The document is what the answers are held to: whichever field or code of an error is taken out of it, something that the
// API takes or gives is against it from then on. A field that nothing shows would be a field that no test holds to anything.
func TestEveryFieldOfTheContractIsHeldTo(t *testing.T) {
	c, err := apitest.Load() // one that can be spoilt
	if err != nil {
		t.Fatal(err)
	}
	var seen []*apitest.Exchange
	ask := func(h http.Handler, q request) {
		w := send(t, h, q)
		r := httptest.NewRequest(q.method, q.target, strings.NewReader(q.body))
		r.Header.Set("Content-Type", "application/json")
		seen = append(seen, exchange(q, r, w))
	}
	full := admin(&fake{full: true})
	for _, q := range slices.Concat(endpoints, extras) {
		ask(full, q.request)
	}
	for _, q := range fields {
		ask(full, q)
	}
	ask(api.NewAdmin(api.AdminConfig{Matches: &fake{}, Ready: func() error { return fmt.Errorf("full") }}), request{method: "GET", target: "/readyz"})
	codes := c.Doc.Components.Schemas["Error"].Value.Properties["error"].Value.Properties["code"].Value
	for _, code := range codes.Enum {
		ask(admin(&fake{err: api.NewError(api.Code(code.(string)), "No.")}), request{method: "GET", target: "/v1/matches/m"})
	}
	against := func(word string) bool { // something that has the word in it
		word = strconv.Quote(word)
		return slices.ContainsFunc(seen, func(x *apitest.Exchange) bool {
			return (bytes.Contains(x.Request, []byte(word)) || bytes.Contains(x.Answer, []byte(word))) && c.Check(x) != nil
		}) || slices.ContainsFunc(events, func(e string) bool { return strings.Contains(e, word) && c.CheckEvent([]byte(e)) != nil })
	}
	if slices.ContainsFunc(seen, func(x *apitest.Exchange) bool { return c.Check(x) != nil }) {
		t.Fatal("the document is against its own API")
	}
	spoilt := 0
	for name, s := range schemas(c.Doc) {
		for field, was := range maps.Clone(s.Properties) {
			delete(s.Properties, field)
			if spoilt++; !against(field) {
				t.Errorf("nothing is held to %s.%s", name, field)
			}
			s.Properties[field] = was
		}
	}
	all := codes.Enum
	for i, code := range all {
		codes.Enum = slices.Delete(slices.Clone(all), i, i+1)
		if spoilt++; !against(code.(string)) {
			t.Errorf("nothing is held to the code %s", code)
		}
	}
	codes.Enum = all
	t.Logf("%d fields and codes, %d exchanges", spoilt, len(seen))
}

// events are some, for the part of the document that is about them.
var events = []string{
	`{"id":"e_1","type":"match.created","timestamp":"2026-11-22T12:00:00.000Z","node_id":"n","match_id":"m","seq":1,"data":{"match":` + matchJSON + `}}`,
	`{"id":"e_2","type":"node.ready","timestamp":"2026-11-22T12:00:00.000Z","node_id":"n","seq":1,"data":{}}`,
}

const matchJSON = `{"match_id":"m","game":"arena","state":"waiting","tick":0,"tick_rate":20,"snapshot_rate":20,"node_id":"n","capacity":{"players":1,"spectators":0},` +
	`"open":true,"players":0,"reserved":0,"open_seats":1,"spectators":0,"created_at":"2026-11-22T12:00:00.000Z","metadata":{},"url":"ws://x/play"}`

// schemas are all objects of the document that have fields, by where they are.
func schemas(doc *openapi3.T) map[string]*openapi3.Schema {
	out := map[string]*openapi3.Schema{}
	known := map[*openapi3.Schema]bool{}
	var walk func(name string, r *openapi3.SchemaRef)
	walk = func(name string, r *openapi3.SchemaRef) {
		if r == nil || r.Value == nil || known[r.Value] {
			return
		}
		s := r.Value
		known[s] = true
		if len(s.Properties) > 0 {
			out[name] = s
		}
		for field, p := range s.Properties {
			walk(name+"."+field, p)
		}
		walk(name+"[]", s.Items)
		for _, p := range s.AnyOf {
			walk(name, p)
		}
	}
	content := func(name string, c openapi3.Content) {
		for _, m := range c {
			walk(name, m.Schema)
		}
	}
	for name, r := range doc.Components.Schemas {
		walk(name, r)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody != nil {
				content(method+" "+path, op.RequestBody.Value.Content)
			}
			for status, r := range op.Responses.Map() {
				content(method+" "+path+" "+status, r.Value.Content)
			}
		}
	}
	return out
}
