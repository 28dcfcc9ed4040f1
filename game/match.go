package game

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Match describes one match to its game. It does not change while the match lives.
type Match struct {
	ID           string
	Game         string
	Seed         uint64
	Params       json.RawMessage // the game's own settings, as the matchmaker sent them
	TickRate     int             // Hz
	SnapshotRate int             // Hz, divides TickRate
	Players      int             // seats for players

	SpectatorDelay time.Duration // how old what spectators see is, at most MaxSpectatorDelay
}

// ParamError names the field of Match.Params that is wrong. Games may return it from New.
type ParamError struct {
	Field  string // "" when the whole document is wrong
	Reason string
}

func (e *ParamError) Error() string {
	if e.Field == "" {
		return "params: " + e.Reason
	}
	return "params." + e.Field + ": " + e.Reason
}

// Decode reads Params into v, a pointer to a struct with json tags. No params, or null, leave v untouched, so v
// may hold the defaults. Unknown fields, wrong types and trailing data are refused with a *ParamError.
func (m *Match) Decode(v any) error {
	if len(bytes.TrimSpace(m.Params)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(m.Params))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return paramError(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return &ParamError{Reason: "one JSON object is expected, more follows it"}
	}
	return nil
}

// paramError says in a matchmaker's words what encoding/json found.
func paramError(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &ParamError{Field: e.Field, Reason: fmt.Sprintf("%s does not fit %s", e.Value, e.Type)}
	}
	// The only way encoding/json tells of an unknown field is its text.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &ParamError{Field: strings.Trim(name, `"`), Reason: "unknown field"}
	}
	return &ParamError{Reason: "not valid JSON: " + err.Error()}
}
