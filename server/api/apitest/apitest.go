// Package apitest holds requests, answers and events against openapi.yaml, for the tests of whatever answers or tells.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"skirmish/server/api"
)

// Contract is openapi.yaml at work. Safe from any goroutine as long as nobody changes Doc.
type Contract struct {
	Doc    *openapi3.T
	router routers.Router
}

// Exchange is a request to the admin port and its answer.
type Exchange struct {
	Method, URI           string
	RequestHeader, Header http.Header
	Request, Answer       []byte
	Status                int
}

var streams = sync.OnceFunc(func() {
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/octet-stream", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
})

// Load reads the contract that the API serves.
func Load() (*Contract, error) {
	streams()
	doc, err := openapi3.NewLoader().LoadFromData(api.Contract())
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background(), openapi3.IsOpenAPI31OrLater()); err != nil {
		return nil, err
	}
	doc.Servers = nil // tests call by several names
	router, err := gorillamux.NewRouter(doc)
	return &Contract{doc, router}, err
}

// Check tells what the contract has against an exchange: an answer must be what the document says, and a request that
// succeeds must be one that it allows.
func (c *Contract) Check(x *Exchange) error {
	if x.Method == http.MethodHead {
		return nil // has no body to look at
	}
	probe, err := http.NewRequest(x.Method, "http://localhost"+x.URI, bytes.NewReader(x.Request))
	if err != nil {
		return nil // no server would have read it
	}
	probe.Header = x.RequestHeader
	succeeds := x.Status < 300
	route, params, err := c.router.FindRoute(probe)
	if err != nil {
		path := probe.URL.Path
		if succeeds && strings.HasPrefix(path, "/v1") && !strings.HasPrefix(path, "/v1/quickplay") && !strings.HasPrefix(path, "/v1/films") {
			return fmt.Errorf("%s %s succeeds and is not in openapi.yaml: %w", x.Method, x.URI, err)
		}
		return nil
	}
	in := &openapi3filter.RequestValidationInput{
		Request: probe, PathParams: params, Route: route, QueryParams: probe.URL.Query(),
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true},
	}
	var faults []error
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && succeeds {
		faults = append(faults, fmt.Errorf("%s %s %s succeeds, openapi.yaml forbids it: %w", x.Method, x.URI, x.Request, err))
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: x.Status, Header: x.Header, Body: io.NopCloser(bytes.NewReader(x.Answer)), Options: in.Options,
	})
	if err != nil {
		faults = append(faults, fmt.Errorf("%s %s is answered %d %s, openapi.yaml says otherwise: %w", x.Method, x.URI, x.Status, x.Answer, err))
	}
	return errors.Join(faults...)
}

// dataOf is the schema of an event's data that is one of the document's own, by the type of the event.
var dataOf = map[string]string{"match.ended": "Result", "match.failed": "Result"}

// partOf is the schema of the one field of an event's data.
var partOf = map[string]struct{ field, schema string }{
	"match.created": {"match", "Match"}, "seat.active": {"seat", "Seat"}, "seat.lost": {"seat", "Seat"}, "seat.resumed": {"seat", "Seat"},
	"seat.left": {"seat", "Seat"}, "seat.expired": {"seat", "Seat"}, "seat.kicked": {"seat", "Seat"},
}

// CheckEvent tells what the contract has against the body of a webhook, or the data of an event of the stream.
func (c *Contract) CheckEvent(body []byte) error {
	var e struct {
		Type string
		Data json.RawMessage
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	faults := []error{c.visit("Event", body)}
	if schema := dataOf[e.Type]; schema != "" {
		faults = append(faults, c.visit(schema, e.Data))
	}
	if part, ok := partOf[e.Type]; ok {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(e.Data, &fields); err != nil || len(fields) != 1 {
			faults = append(faults, fmt.Errorf("%s has the data %s, want {%s}", e.Type, e.Data, part.field))
		}
		faults = append(faults, c.visit(part.schema, fields[part.field]))
	}
	return errors.Join(faults...)
}

// visit holds JSON against one of the document's schemas.
func (c *Contract) visit(schema string, text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("%s: %w", schema, err)
	}
	if err := c.Doc.Components.Schemas[schema].Value.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("%s is no %s of openapi.yaml: %w", text, schema, err)
	}
	return nil
}
