package api

import (
	"net/http"
	"time"
)

// Code is the machine's half of an error. The list is closed.
type Code string

const (
	BadRequest   Code = "bad_request"  // 400: the request itself is wrong, its details name the field
	Unauthorized Code = "unauthorized" // 401
	UnknownGame  Code = "unknown_game" // 422
	BadParams    Code = "bad_params"   // 422: the game refuses them
	IDTaken      Code = "id_taken"     // 409
	NotFound     Code = "not_found"    // 404
	MatchFull    Code = "match_full"   // 409
	SeatTaken    Code = "seat_taken"   // 409: the player has a seat in this match
	MatchOver    Code = "match_ended"  // 409
	Draining     Code = "draining"     // 503
	NoCapacity   Code = "no_capacity"  // 503
	RateLimited  Code = "rate_limited" // 429
	Internal     Code = "internal"     // 500
)

// statuses maps every code to its HTTP status.
var statuses = map[Code]int{
	BadRequest:   http.StatusBadRequest,
	Unauthorized: http.StatusUnauthorized,
	UnknownGame:  http.StatusUnprocessableEntity,
	BadParams:    http.StatusUnprocessableEntity,
	IDTaken:      http.StatusConflict,
	NotFound:     http.StatusNotFound,
	MatchFull:    http.StatusConflict,
	SeatTaken:    http.StatusConflict,
	MatchOver:    http.StatusConflict,
	Draining:     http.StatusServiceUnavailable,
	NoCapacity:   http.StatusServiceUnavailable,
	RateLimited:  http.StatusTooManyRequests,
	Internal:     http.StatusInternalServerError,
}

// Error is a refusal as the caller sees it.
type Error struct {
	Code       Code
	Message    string         // one sentence that says what to do, nothing internal in it
	RetryAfter time.Duration  // 0: do not retry, or whenever
	Details    map[string]any // JSON-encodable, such as {"field": "seats[2].team"}

	status int // 0: the code's own
}

// Error gives code and message, for logs.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Status is the HTTP status of e.
func (e *Error) Status() int {
	if e.status != 0 {
		return e.status
	}
	if s, ok := statuses[e.Code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// NewError makes an error without details.
func NewError(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// FieldError makes an error about one field.
func FieldError(code Code, field, message string) *Error {
	return &Error{Code: code, Message: message, Details: map[string]any{"field": field}}
}

// withStatus gives e a status other than its code's.
func (e *Error) withStatus(status int) *Error {
	e.status = status
	return e
}
