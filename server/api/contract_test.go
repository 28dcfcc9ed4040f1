package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// contract is openapi.yaml at work.
var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background(), openapi3.IsOpenAPI31OrLater()); err != nil {
		return nil, err
	}
	doc.Servers = nil // tests call by several names
	return gorillamux.NewRouter(doc)
})

func init() {
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/octet-stream", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
}

// holdToContract checks a request and its answer against openapi.yaml: what was answered must be what the document says, and
// a request that succeeded must be one that it allows.
func holdToContract(t *testing.T, q request, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	method := r.Method
	if method == http.MethodHead {
		return // has no body to look at
	}
	if w.Header().Get("Content-Security-Policy") != "" {
		return // the web client on the other port
	}
	probe, err := http.NewRequest(method, "http://localhost"+r.URL.RequestURI(), strings.NewReader(q.body))
	if err != nil {
		return
	}
	probe.Header = r.Header
	route, params, err := router.FindRoute(probe)
	if err != nil {
		known := strings.HasPrefix(r.URL.Path, "/debug/") || strings.HasPrefix(r.URL.Path, "/v1/quickplay")
		if w.Code < 300 && !known && strings.HasPrefix(r.URL.Path, "/v1") {
			t.Errorf("%s %s succeeds and is not in openapi.yaml: %v", r.Method, r.URL, err)
		}
		return
	}
	in := &openapi3filter.RequestValidationInput{
		Request: probe, PathParams: params, Route: route, QueryParams: probe.URL.Query(),
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true},
	}
	if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil && w.Code < 300 {
		t.Errorf("%s %s %s succeeds, openapi.yaml forbids it: %v", r.Method, r.URL, q.body, err)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())), Options: in.Options,
	})
	if err != nil {
		var e *openapi3filter.ResponseError
		errors.As(err, &e)
		t.Errorf("%s %s is answered %d %s, openapi.yaml says otherwise: %v", r.Method, r.URL, w.Code, w.Body, err)
	}
}

// Every operation of the document is answered, and nothing but the document's fields comes back.
func TestEveryOperationIsThere(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
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
	for path, item := range doc.Paths.Map() {
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
	{request{method: "GET", target: "/v1/openapi.yaml"}, ""},
	{request{method: "GET", target: "/v1/matches/m/replay"}, ""},
	{request{method: "GET", target: "/v1/matches/m/film"}, ""},
	{request{method: "GET", target: "/livez"}, ""},
	{request{method: "GET", target: "/readyz"}, ""},
}
