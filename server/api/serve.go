package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// endpoint answers one request or returns why not: an *Error, or any other error for an internal one.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// methods are the endpoints of one path.
type methods map[string]endpoint

// serve is the endpoint that picks by method, HEAD going the way of GET. 405 names what there is.
func (m methods) serve(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if e, ok := m[method]; ok {
		return e(w, r)
	}
	allow := slices.Sorted(maps.Keys(m))
	if _, ok := m[http.MethodGet]; ok {
		allow = append(allow, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return NewError(BadRequest, fmt.Sprintf("%s is not possible here; use %s.", cut(r.Method, 16), strings.Join(allow, " or "))).
		withStatus(http.StatusMethodNotAllowed)
}

// answered makes a handler of an endpoint: errors become JSON, panics become internal errors.
func answered(log zerolog.Logger, e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := &tracker{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			log.Error().Str("method", r.Method).Str("path", cut(r.URL.Path, maxShown)).
				Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("request panicked")
			if !t.begun {
				writeError(t, r, errInternal)
			}
		}()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		err := e(t, r)
		if err == nil {
			return
		}
		known, ok := errors.AsType[*Error](err)
		if !ok || known.Status() == http.StatusInternalServerError {
			log.Error().Str("method", r.Method).Str("path", cut(r.URL.Path, maxShown)).Err(err).Msg("request met an internal error")
		}
		if !ok {
			known = errInternal
		}
		writeError(t, r, known)
	})
}

var errInternal = NewError(Internal, "The server met a fault of its own; its log has the details.")

// tracker notes whether an answer has begun: an error cannot follow it.
type tracker struct {
	http.ResponseWriter
	begun bool
}

func (t *tracker) WriteHeader(status int) {
	t.begun = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracker) Write(p []byte) (int, error) {
	t.begun = true
	return t.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (t *tracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// answer is what goes back: a status and a JSON body, nil for none.
type answer struct {
	status   int
	body     []byte
	retry    time.Duration // for the header Retry-After, 0: none
	replayed bool          // the first answer to an Idempotency-Key, again
}

// encode makes an answer of v.
func encode(status int, v any) (answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return answer{}, fmt.Errorf("encode an answer: %w", err)
	}
	return answer{status: status, body: append(body, '\n')}, nil
}

// errorBody is the one shape of an error.
type errorBody struct {
	Error struct {
		Code         Code           `json:"code"`
		Message      string         `json:"message"`
		RetryAfterMS int64          `json:"retry_after_ms"` // 0: not named
		Details      map[string]any `json:"details"`
	} `json:"error"`
}

// errorAnswer makes an answer of e.
func errorAnswer(e *Error) answer {
	var b errorBody
	b.Error.Code, b.Error.Message = e.Code, e.Message
	b.Error.RetryAfterMS = e.RetryAfter.Milliseconds()
	if b.Error.Details = e.Details; e.Details == nil {
		b.Error.Details = map[string]any{}
	}
	a, err := encode(e.Status(), &b)
	if err != nil { // details that JSON cannot hold
		return errorAnswer(errInternal)
	}
	a.retry = e.RetryAfter
	return a
}

func writeError(w http.ResponseWriter, r *http.Request, e *Error) { writeAnswer(w, r, errorAnswer(e)) }

func writeAnswer(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	h.Set("Cache-Control", "no-store") // answers carry tickets
	if a.retry > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((a.retry+time.Second-1)/time.Second), 10))
	}
	if a.replayed {
		h.Set("Idempotency-Replayed", "true")
	}
	if a.body != nil {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		w.Write(a.body) // the peer may be gone, which is its own affair
	}
}

// respond writes v as the answer to a request that changes nothing.
func respond(w http.ResponseWriter, r *http.Request, v any) error {
	a, err := encode(http.StatusOK, v)
	if err == nil {
		writeAnswer(w, r, a)
	}
	return err
}

// readBody returns the JSON body of a request: 415, 413 from Content-Length alone, at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, NewError(BadRequest, "The body must be JSON: send the header Content-Type: application/json.").
			withStatus(http.StatusUnsupportedMediaType)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, NewError(BadRequest, "The body must not be compressed.").withStatus(http.StatusUnsupportedMediaType)
	}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest is not read
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, NewError(BadRequest, "The body ended before it was complete.")
	}
	return body, nil
}

func tooLarge(limit int64) *Error {
	return NewError(BadRequest, fmt.Sprintf("The body is larger than %d bytes.", limit)).withStatus(http.StatusRequestEntityTooLarge)
}

// noSuchPath answers what no endpoint is at.
func noSuchPath(_ http.ResponseWriter, r *http.Request) error {
	return NewError(NotFound, "There is nothing at "+shown(r.URL.Path)+".")
}
