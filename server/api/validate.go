package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// validate fills in what stands for an empty field and checks every range. Errors are *Error and name the field.
func (r *CreateRequest) validate() error {
	var c checker
	if r.MatchID != "" {
		c.id("match_id", r.MatchID)
	}
	c.game("game", r.Game)
	c.metadata("metadata", r.Metadata)
	if r.Seed != nil && *r.Seed > MaxSeed {
		c.fault("seed", "must be 0 to %d", uint64(MaxSeed))
	}
	c.between("tick_rate", int64(r.TickRate), 0, MaxTickRate)
	c.between("snapshot_rate", int64(r.SnapshotRate), 0, MaxTickRate)
	if r.TickRate > 0 && r.SnapshotRate > 0 && r.TickRate%r.SnapshotRate != 0 {
		c.fault("snapshot_rate", "must divide tick_rate")
	}
	c.between("capacity.players", int64(r.Capacity.Players), 0, MaxPlayers)
	c.between("capacity.spectators", int64(r.Capacity.Spectators), 0, MaxSpectators)
	c.seats(r.Seats, &r.Capacity)
	t := &r.Timeouts
	c.between("spectator_delay_ms", r.SpectatorDelayMS, 0, MaxSpectatorDelayMS)
	c.between("timeouts.no_show_ms", t.NoShowMS, MinNoShowMS, MaxNoShowMS)
	c.between("timeouts.empty_ms", t.EmptyMS, 0, MaxEmptyMS)
	c.between("timeouts.reconnect_ms", t.ReconnectMS, 0, MaxReconnectMS)
	c.between("timeouts.max_duration_ms", t.MaxDurationMS, MinDurationMS, MaxDurationMS)
	c.start("start", &r.Start)
	c.webhook("webhook", r.Webhook)
	return c.result()
}

// start checks a start rule.
func (c *checker) start(at string, s *Start) {
	switch s.When {
	case StartMinPlayers, StartAllSeated, StartNow:
	default:
		c.fault(at+".when", "must be %s, %s or %s", StartMinPlayers, StartAllSeated, StartNow)
	}
	c.between(at+".min_players", int64(s.MinPlayers), 1, MaxPlayers)
	c.between(at+".countdown_ms", s.CountdownMS, 0, MaxCountdownMS)
}

// webhook checks a target; whether the node has the secret is the node's to say.
func (c *checker) webhook(at string, w *Webhook) {
	if w == nil {
		return
	}
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		c.fault(at+".url", "must be an http:// or https:// URL")
	case len(w.URL) > MaxURLBytes:
		c.fault(at+".url", "must be at most %d bytes", MaxURLBytes)
	case u.User != nil || u.Fragment != "":
		c.fault(at+".url", "must have neither a user name nor a fragment")
	}
	if w.SecretID == "" || len(w.SecretID) > MaxSecretID || !printable(w.SecretID) {
		c.fault(at+".secret_id", "must be 1 to %d bytes of printable text", MaxSecretID)
	}
	if len(w.Events) > MaxEventTypes {
		c.fault(at+".events", "must have at most %d types", MaxEventTypes)
	}
	for i, kind := range w.Events {
		if !validEventType(kind) {
			c.fault(fmt.Sprintf("%s.events[%d]", at, i), "must be a type of event such as match.ended, or all of a kind such as seat.*")
		}
	}
}

// validEventType tells whether text names a type of event, or all of a kind.
func validEventType(text string) bool {
	if text == "*" || slices.Contains(EventTypes, text) {
		return true
	}
	kind, ok := strings.CutSuffix(text, ".*")
	return ok && slices.ContainsFunc(EventTypes, func(t string) bool { return strings.HasPrefix(t, kind+".") })
}

func (r *PatchRequest) validate() error {
	var c checker
	c.metadata("metadata", r.Metadata)
	if p := r.Capacity; p != nil {
		if p.Players != nil {
			c.between("capacity.players", int64(*p.Players), 1, MaxPlayers)
		}
		if p.Spectators != nil {
			c.between("capacity.spectators", int64(*p.Spectators), 0, MaxSpectators)
		}
	}
	if r.MaxDurationMS != nil {
		c.between("max_duration_ms", *r.MaxDurationMS, MinDurationMS, MaxDurationMS)
	}
	return c.result()
}

func (r *SignalRequest) validate() error {
	var c checker
	if r.Op == "" || len(r.Op) > MaxOpBytes || !printable(r.Op) {
		c.fault("op", "must be 1 to %d bytes of printable text", MaxOpBytes)
	}
	return c.result()
}

// tokenRequest is the body of POST token.
type tokenRequest struct {
	TTLMS int64 `json:"ttl_ms"`
}

func (r *tokenRequest) validate() error {
	var c checker
	c.ttl("ttl_ms", &r.TTLMS, DefaultTTLMS, MinTTLMS, MaxTTLMS)
	return c.result()
}

// linkRequest is the body of POST replay/link.
type linkRequest struct {
	TTLMS int64 `json:"ttl_ms"`
}

func (r *linkRequest) validate() error {
	var c checker
	c.ttl("ttl_ms", &r.TTLMS, DefaultLinkMS, MinLinkMS, MaxLinkMS)
	return c.result()
}

// drainRequest is the body of POST drain.
type drainRequest struct {
	DeadlineMS int64 `json:"deadline_ms"`
}

func (r *drainRequest) validate() error {
	var c checker
	c.between("deadline_ms", r.DeadlineMS, MinDrainMS, MaxDrainMS)
	return c.result()
}

// redeliverRequest is the body of POST redeliver.
type redeliverRequest struct {
	ID string `json:"id"` // empty: all
}

// seatsRequest is the body of POST seats.
type seatsRequest struct {
	Seats []SeatRequest `json:"seats"`
}

func (r *seatsRequest) validate() error {
	var c checker
	if len(r.Seats) == 0 {
		c.fault("seats", "must have at least one seat")
	}
	c.seats(r.Seats, nil)
	return c.result()
}

func (r *QuickPlayRequest) validate() error {
	var c checker
	c.name("name", r.Name)
	if r.Game == "" {
		r.Game = DefaultGame
	}
	c.game("game", r.Game)
	c.role("role", &r.Role)
	if r.MatchID != "" {
		c.id("match_id", r.MatchID)
	}
	return c.result()
}

// checker keeps the first fault.
type checker struct{ first *Error }

func (c *checker) result() error {
	if c.first == nil {
		return nil
	}
	return c.first
}

func (c *checker) fault(field, format string, args ...any) {
	if c.first == nil {
		c.first = FieldError(BadRequest, cut(field, maxShown), cut(field, maxShown)+" "+fmt.Sprintf(format, args...)+".")
	}
}

func (c *checker) between(field string, v, lo, hi int64) {
	if v < lo || v > hi {
		c.fault(field, "must be %d to %d, not %d", lo, hi, v)
	}
}

// ttl fills in a time to live that is left out, 0, and checks it.
func (c *checker) ttl(field string, ms *int64, missing, lo, hi int64) {
	if *ms == 0 {
		*ms = missing
	}
	c.between(field, *ms, lo, hi)
}

// id checks an id that stands in URLs.
func (c *checker) id(field, s string) {
	if !validMatchID(s) {
		c.fault(field, "must be 1 to %d letters, digits, '-', '_' or '.', a letter or digit first", MaxMatchIDBytes)
	}
}

func validMatchID(s string) bool {
	if s == "" || len(s) > MaxMatchIDBytes || strings.IndexByte("-_.", s[0]) >= 0 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	return true
}

func (c *checker) game(field, s string) {
	switch {
	case s == "":
		c.fault(field, "must name the game")
	case len(s) > MaxGameBytes || !printable(s):
		c.fault(field, "must be at most %d printable bytes", MaxGameBytes)
	}
}

func (c *checker) name(field, s string) {
	if len(s) > MaxNameBytes || !printable(s) {
		c.fault(field, "must be at most %d bytes of printable text", MaxNameBytes)
	}
}

func (c *checker) role(field string, s *string) {
	switch *s {
	case "":
		*s = RolePlayer
	case RolePlayer, RoleSpectator:
	default:
		c.fault(field, "must be %s or %s", RolePlayer, RoleSpectator)
	}
}

func (c *checker) metadata(field string, m map[string]string) {
	if len(m) > MaxMetadata {
		c.fault(field, "must have at most %d entries", MaxMetadata)
	}
	for k, v := range m {
		switch {
		case k == "" || len(k) > MaxMetadataKeyBytes || !printable(k):
			c.fault(field, "must have keys of 1 to %d printable bytes", MaxMetadataKeyBytes)
		case len(v) > MaxMetadataValueBytes:
			c.fault(field+"."+k, "must be at most %d bytes", MaxMetadataValueBytes)
		}
	}
}

// seats checks a list of seats, against capacity as far as that is known.
func (c *checker) seats(seats []SeatRequest, capacity *Capacity) {
	ids := make(map[string]bool, len(seats))
	players, spectators := 0, 0
	for i := range seats {
		s, at := &seats[i], fmt.Sprintf("seats[%d]", i)
		c.seat(at, s)
		if ids[s.PlayerID] {
			c.fault(at+".player_id", "is in the list twice")
		}
		ids[s.PlayerID] = true
		if s.Role == RoleSpectator {
			spectators++
		} else {
			players++
		}
	}
	most := Capacity{MaxPlayers, MaxSpectators}
	if capacity != nil {
		most.Spectators = capacity.Spectators
		if capacity.Players > 0 {
			most.Players = capacity.Players
		}
	}
	if players > most.Players {
		c.fault("seats", "has %d players, over the capacity of %d", players, most.Players)
	}
	if spectators > most.Spectators {
		c.fault("seats", "has %d spectators, over the capacity of %d", spectators, most.Spectators)
	}
}

func (c *checker) seat(at string, s *SeatRequest) {
	if s.PlayerID == "" || len(s.PlayerID) > MaxPlayerIDBytes || !printable(s.PlayerID) {
		c.fault(at+".player_id", "must be 1 to %d bytes of printable text", MaxPlayerIDBytes)
	}
	if s.Name == "" {
		s.Name = clip(s.PlayerID, MaxNameBytes)
	}
	c.name(at+".name", s.Name)
	c.between(at+".team", int64(s.Team), 0, MaxTeam)
	c.role(at+".role", &s.Role)
	if s.Bot && s.Role == RoleSpectator {
		c.fault(at+".role", "must be %s for a bot", RolePlayer)
	}
	if len(s.Data) > MaxDataBytes {
		c.fault(at+".data", "must be at most %d bytes of JSON", MaxDataBytes)
	}
	c.ttl(at+".ttl_ms", &s.TTLMS, DefaultTTLMS, MinTTLMS, MaxTTLMS)
}

// printable is true for text that can be shown on one line: no control characters, none that turn the
// direction of writing or hide. The joiners that emoji are made of may stay.
func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsGraphic(r) && r != '\u200d' && r != '\u200c' || r == '\u2028' || r == '\u2029' {
			return false
		}
	}
	return utf8.ValidString(s)
}

// clip shortens s to at most n bytes, at the border of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
