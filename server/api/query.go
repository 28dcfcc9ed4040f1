package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// parseFilter reads the query of a list. Unknown, doubled and wrong parameters are errors that name them.
func parseFilter(raw string) (*Filter, error) {
	f := &Filter{Limit: DefaultLimit}
	err := eachParam(raw, func(name, value string) (err error) {
		key, isMeta := strings.CutPrefix(name, "metadata.")
		switch {
		case isMeta:
			if key == "" || len(key) > MaxMetadataKeyBytes || len(value) > MaxMetadataValueBytes {
				return FieldError(BadRequest, cut(name, maxShown), "metadata.<key> must have a key of 1 to 64 bytes and a value of at most 256.")
			}
			if f.Metadata == nil {
				f.Metadata = make(map[string]string)
			}
			f.Metadata[key] = value
			if len(f.Metadata) > MaxMetadata {
				return FieldError(BadRequest, "metadata", fmt.Sprintf("At most %d metadata entries can be asked for.", MaxMetadata))
			}
		case name == "game":
			if len(value) > MaxGameBytes {
				return FieldError(BadRequest, name, fmt.Sprintf("game must be at most %d bytes.", MaxGameBytes))
			}
			f.Game = value
		case name == "state":
			f.State, err = parseState(value)
		case name == "min_open":
			f.MinOpen, err = parseInt(name, value, 0, MaxPlayers)
		case name == "limit":
			f.Limit, err = parseInt(name, value, 1, MaxLimit)
		case name == "cursor":
			if len(value) > MaxCursorBytes {
				return FieldError(BadRequest, name, "cursor is none that a list has given.")
			}
			f.Cursor = value
		default:
			return unknownParam(name, "game, state, metadata.<key>, min_open, limit, cursor")
		}
		return err
	})
	return f, err
}

func parseState(value string) (MatchState, error) {
	switch s := MatchState(value); s {
	case MatchCreating, MatchWaiting, MatchRunning, MatchEnded, MatchFailed:
		return s, nil
	}
	return "", FieldError(BadRequest, "state", fmt.Sprintf("state must be %s, %s, %s, %s or %s, not %s.",
		MatchCreating, MatchWaiting, MatchRunning, MatchEnded, MatchFailed, shown(value)))
}

// parseEnd reads the query of DELETE.
func parseEnd(raw string) (mode EndMode, grace time.Duration, err error) {
	mode = ModeGraceful
	err = eachParam(raw, func(name, value string) error {
		switch name {
		case "mode":
			mode = EndMode(value)
			if mode != ModeGraceful && mode != ModeForce {
				return FieldError(BadRequest, name, fmt.Sprintf("mode must be %s or %s, not %s.", ModeGraceful, ModeForce, shown(value)))
			}
		case "grace_ms":
			ms, err := parseInt(name, value, 0, MaxGraceMS)
			grace = milliseconds(int64(ms))
			return err
		default:
			return unknownParam(name, "mode, grace_ms")
		}
		return nil
	})
	return mode, grace, err
}

// parseRelease reads the query of DELETE of a seat.
func parseRelease(raw string) (reason string, err error) {
	reason = "removed from the match"
	err = eachParam(raw, func(name, value string) error {
		if name != "reason" {
			return unknownParam(name, "reason")
		}
		if len(value) > MaxReasonBytes || !printable(value) {
			return FieldError(BadRequest, name, fmt.Sprintf("reason must be at most %d bytes of printable text.", MaxReasonBytes))
		}
		reason = value
		return nil
	})
	return reason, err
}

// parsePage reads the query of a list without filters.
func parsePage(raw string) (cursor string, limit int, err error) {
	limit = DefaultLimit
	err = eachParam(raw, func(name, value string) (err error) {
		switch name {
		case "limit":
			limit, err = parseInt(name, value, 1, MaxLimit)
		case "cursor":
			if len(value) > MaxCursorBytes {
				return FieldError(BadRequest, name, "cursor is none that a list has given.")
			}
			cursor = value
		default:
			return unknownParam(name, "limit, cursor")
		}
		return err
	})
	return cursor, limit, err
}

// noParams refuses every parameter.
func noParams(raw string) error {
	return eachParam(raw, func(name, _ string) error {
		return FieldError(BadRequest, cut(name, maxShown), fmt.Sprintf("Unknown parameter %s; none is known here.", shown(name)))
	})
}

// eachParam calls take for each parameter of a query. One that is there twice is an error.
func eachParam(raw string, take func(name, value string) error) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return NewError(BadRequest, "The query behind the path is not well-formed.")
	}
	for name, list := range values {
		if len(list) > 1 {
			return twice(name)
		}
		if err := take(name, list[0]); err != nil {
			return err
		}
	}
	return nil
}

func unknownParam(name, known string) *Error {
	return FieldError(BadRequest, cut(name, maxShown), fmt.Sprintf("Unknown parameter %s; known here: %s.", shown(name), known))
}

func parseInt(name, value string, lo, hi int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < lo || n > hi {
		return 0, FieldError(BadRequest, name, fmt.Sprintf("%s must be %d to %d, not %s.", name, lo, hi, shown(value)))
	}
	return n, nil
}
