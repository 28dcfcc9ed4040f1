// Package api is the HTTP side of a node: the matchmaking API with its probes and metrics on the admin port,
// the web client and quick play on the game port. It knows requests, never sessions: a Matches does the work.
package api

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Matches is what the API needs of the node. All methods are safe from any goroutine. Requests are checked
// for shape and ranges before they get here. Errors are *Error; any other one is answered as internal, its
// text in the log alone.
type Matches interface {
	// Create makes a match and reserves its seats, all or nothing. It calls commit with what it has made before anybody else
	// can see that: when commit fails, nothing is made and its error is Create's.
	// unknown_game, id_taken, bad_params, match_full, no_capacity, draining.
	Create(ctx context.Context, r *CreateRequest, commit func(*Created) error) error
	// FindOrCreate reserves the seats in the open match of that game whose metadata has all of the request's, the one
	// with the most players that has room for all of them, or creates the match. As Create.
	FindOrCreate(ctx context.Context, r *CreateRequest, commit func(*Created) error) error
	// Patch changes what is set in r. not_found, match_ended, bad_params.
	Patch(id string, r *PatchRequest) (*Match, error)
	// Release gives up a player's seat: a reserved one is free at once, a player who sits there is kicked and told
	// reason. not_found, match_ended.
	Release(ctx context.Context, id, playerID, reason string) error
	// Token issues another ticket for a player's seat. A reservation waits ttl from now on. not_found, match_ended.
	Token(id, playerID string, ttl time.Duration) (*Seat, error)
	// Signal passes a call to the game. not_found, match_ended, bad_params with the game's own words, rate_limited.
	Signal(ctx context.Context, id string, r *SignalRequest) (*SignalAnswer, error)
	// Get returns a match. not_found.
	Get(id string) (*Match, error)
	// List returns up to f.Limit matches that f lets through, and the cursor of the next page: empty after
	// the last one. bad_request for a cursor that is not its own.
	List(f *Filter) (matches []Match, next string, err error)
	// Reserve adds seats to a match, all or nothing, and calls commit with them: when that fails they are free again and its
	// error is Reserve's. not_found, match_full, seat_taken, match_ended, draining.
	Reserve(ctx context.Context, id string, seats []SeatRequest, commit func([]Seat) error) error
	// End ends a match: ModeForce at once, ModeGraceful by telling the game, which has grace to finish. It
	// does not wait. not_found, match_ended.
	End(id string, mode EndMode, grace time.Duration) error
	// Result returns what became of an ended match. not_found, also while it runs.
	Result(id string) (*Result, error)
	// Replay opens the recording of an ended match. not_found, also when it was not recorded.
	Replay(id string) (*Download, error)
	// Film writes what a spectator of a recorded match has seen (package replay). not_found, rate_limited, internal.
	Film(ctx context.Context, id string, w io.Writer) error
	// ReplayLink makes a link with which anybody may watch a recorded match for so long. not_found.
	ReplayLink(id string, ttl time.Duration) (*ReplayLink, error)
	// ReplayOf returns the match that a link is to, by its token. unauthorized.
	ReplayOf(token string) (id string, err error)
	// Replays tells of the newest recordings, at most MaxReplayList, newest first.
	Replays() []ReplayInfo
	// QuickPlay finds an open match or makes one, and reserves a seat in it. A URL left empty is filled in
	// from the request. unknown_game, not_found, match_full, no_capacity, draining.
	QuickPlay(ctx context.Context, r *QuickPlayRequest) (*QuickPlay, error)
}

// CreateRequest asks for a match. NewCreateRequest has the defaults.
type CreateRequest struct {
	MatchID          string            `json:"match_id"` // chosen by the caller; empty: by the node
	Game             string            `json:"game"`
	Params           json.RawMessage   `json:"params"`        // the game's own settings, checked by the game
	Metadata         map[string]string `json:"metadata"`      // for search alone
	Seed             *uint64           `json:"seed"`          // 0 to MaxSeed; nil: random
	TickRate         int               `json:"tick_rate"`     // Hz, 1 to MaxTickRate; 0: the game's
	SnapshotRate     int               `json:"snapshot_rate"` // Hz, divides TickRate; 0: the game's
	Capacity         Capacity          `json:"capacity"`
	SpectatorDelayMS int64             `json:"spectator_delay_ms"` // 0 to MaxSpectatorDelayMS: spectators see the match as it was that long ago
	Open             bool              `json:"open"`               // quick play and find_or_create may join; default true
	Record           bool              `json:"record"`             // a replay is kept when the match ends
	Seats            []SeatRequest     `json:"seats"`
	Timeouts         Timeouts          `json:"timeouts"`
	Start            Start             `json:"start"`
	Webhook          *Webhook          `json:"webhook"` // besides the node's own; nil: none
}

// Start says when a match begins to tick.
type Start struct {
	When        string `json:"when"`         // StartMinPlayers (default), StartAllSeated or StartNow
	MinPlayers  int    `json:"min_players"`  // who play, bots included, one of them connected; default 1
	CountdownMS int64  `json:"countdown_ms"` // from then on
}

// Values of Start.When.
const (
	StartMinPlayers = "min_players" // when that many play
	StartAllSeated  = "all_seated"  // when no seat is reserved any more as well: each player has come or is expired
	StartNow        = "now"         // at once, with nobody there
)

func (s Start) Countdown() time.Duration { return milliseconds(s.CountdownMS) }

// Webhook is where the events of a match go.
type Webhook struct {
	URL      string   `json:"url"`
	SecretID string   `json:"secret_id"` // one that the node knows
	Events   []string `json:"events"`    // types, or all of a kind such as seat.*; none: all
}

// PatchRequest changes a match. nil leaves things as they are.
type PatchRequest struct {
	Open          *bool             `json:"open"`
	Metadata      map[string]string `json:"metadata"` // the whole of it
	Capacity      *PatchCapacity    `json:"capacity"` // at most what the match was made with
	MaxDurationMS *int64            `json:"max_duration_ms"`
}

// PatchCapacity changes a capacity. Nobody who has a seat has to go.
type PatchCapacity struct {
	Players    *int `json:"players"`
	Spectators *int `json:"spectators"`
}

// SignalRequest is a call of the back end to the game.
type SignalRequest struct {
	Op   string          `json:"op"`
	Data json.RawMessage `json:"data"` // what the game wants; null: nothing
}

// SignalAnswer is what the game says to it.
type SignalAnswer struct {
	Data json.RawMessage `json:"data"`
}

// NewCreateRequest returns the request that an empty JSON object stands for.
func NewCreateRequest() *CreateRequest {
	return &CreateRequest{Open: true, Timeouts: DefaultTimeouts(), Start: Start{When: StartMinPlayers, MinPlayers: 1}}
}

// Capacity is how many a match takes.
type Capacity struct {
	Players    int `json:"players"`    // 1 to MaxPlayers, bots included; 0: the game's default
	Spectators int `json:"spectators"` // 0 to MaxSpectators; the default is none
}

// Timeouts are a match's patience, in milliseconds.
type Timeouts struct {
	NoShowMS      int64 `json:"no_show_ms"`      // for the first player
	EmptyMS       int64 `json:"empty_ms"`        // without any player
	ReconnectMS   int64 `json:"reconnect_ms"`    // for a lost player
	MaxDurationMS int64 `json:"max_duration_ms"` // for the whole match
}

// DefaultTimeouts returns the timeouts of a match that names none.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		NoShowMS:      DefaultNoShowMS,
		EmptyMS:       DefaultEmptyMS,
		ReconnectMS:   DefaultReconnectMS,
		MaxDurationMS: DefaultDurationMS,
	}
}

func (t Timeouts) NoShow() time.Duration      { return milliseconds(t.NoShowMS) }
func (t Timeouts) Empty() time.Duration       { return milliseconds(t.EmptyMS) }
func (t Timeouts) Reconnect() time.Duration   { return milliseconds(t.ReconnectMS) }
func (t Timeouts) MaxDuration() time.Duration { return milliseconds(t.MaxDurationMS) }

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// SeatRequest asks for one seat.
type SeatRequest struct {
	PlayerID string          `json:"player_id"`
	Name     string          `json:"name"` // shown to the others; empty: the player id, cut to MaxNameBytes
	Team     int             `json:"team"` // 0 to MaxTeam, what it means is the game's
	Role     string          `json:"role"` // RolePlayer (default) or RoleSpectator
	Data     json.RawMessage `json:"data"` // for the game, at most MaxDataBytes
	TTLMS    int64           `json:"ttl_ms"`
	Bot      bool            `json:"bot"` // played by the server: active at once, no ticket
}

// TTL is how long the seat and its ticket wait for the player.
func (s *SeatRequest) TTL() time.Duration { return milliseconds(s.TTLMS) }

// Roles of a seat.
const (
	RolePlayer    = "player"
	RoleSpectator = "spectator"
)

// Created is the answer to Create.
type Created struct {
	Match   Match  `json:"match"`
	Seats   []Seat `json:"seats"`   // in the order of the request
	Created bool   `json:"created"` // false: FindOrCreate has found it
}

// Time is a time of day as the API writes it: RFC 3339 in UTC with milliseconds.
type Time time.Time

// TimeFormat is the layout of a Time.
const TimeFormat = "2006-01-02T15:04:05.000Z"

func (t Time) String() string { return time.Time(t).UTC().Format(TimeFormat) }

// MarshalJSON writes a Time (json.Marshaler).
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON reads a Time (json.Unmarshaler).
func (t *Time) UnmarshalJSON(b []byte) error {
	return (*time.Time)(t).UnmarshalJSON(b)
}

// MatchState is the life of a match: creating → waiting → running → ended | failed.
type MatchState string

const (
	MatchCreating MatchState = "creating"
	MatchWaiting  MatchState = "waiting" // for its first player
	MatchRunning  MatchState = "running"
	MatchEnded    MatchState = "ended"
	MatchFailed   MatchState = "failed" // the game panicked
)

// Match is one match as the API shows it.
type Match struct {
	MatchID      string            `json:"match_id"`
	Game         string            `json:"game"`
	State        MatchState        `json:"state"`
	Tick         uint32            `json:"tick"`
	TickRate     int               `json:"tick_rate"`
	SnapshotRate int               `json:"snapshot_rate"`
	NodeID       string            `json:"node_id"`
	Capacity     Capacity          `json:"capacity"`
	Open         bool              `json:"open"`
	Players      int               `json:"players"`    // seats active or lost, bots included
	Reserved     int               `json:"reserved"`   // seats whose player has not come yet
	OpenSeats    int               `json:"open_seats"` // what Reserve may still give to players
	Spectators   int               `json:"spectators"`
	CreatedAt    Time              `json:"created_at"`
	Metadata     map[string]string `json:"metadata"`
	URL          string            `json:"url"`             // where players connect
	Seats        []Seat            `json:"seats,omitempty"` // GET of one match, without tokens
}

// SeatState is the life of a seat: reserved → active ⇄ lost → left | expired | kicked.
type SeatState string

const (
	SeatReserved SeatState = "reserved"
	SeatActive   SeatState = "active"
	SeatLost     SeatState = "lost"
	SeatLeft     SeatState = "left"
	SeatExpired  SeatState = "expired"
	SeatKicked   SeatState = "kicked"
)

// Seat is one seat as the API shows it. Token, ExpiresAt and URL are for the player and only there where
// the seat was reserved.
type Seat struct {
	PlayerID  string    `json:"player_id"`
	Seat      uint16    `json:"seat"`
	Team      int       `json:"team"`
	Role      string    `json:"role"`
	State     SeatState `json:"state"`
	Token     string    `json:"token,omitempty"`
	ExpiresAt *Time     `json:"expires_at,omitempty"`
	URL       string    `json:"url,omitempty"`
}

// Filter chooses matches for a list. Zero fields let everything through.
type Filter struct {
	Game     string
	State    MatchState
	Metadata map[string]string // all of them must be there and equal
	MinOpen  int               // open seats
	Limit    int               // 1 to MaxLimit
	Cursor   string            // what the last page gave, empty: from the start
}

// EndMode is how a match is ended.
type EndMode string

const (
	ModeGraceful EndMode = "graceful"
	ModeForce    EndMode = "force"
)

// Result is what became of a match.
type Result struct {
	MatchID   string            `json:"match_id"`
	Game      string            `json:"game"`
	NodeID    string            `json:"node_id"`
	State     MatchState        `json:"state"` // ended or failed
	Metadata  map[string]string `json:"metadata"`
	Reason    string            `json:"reason"`            // finished, aborted, timeout, empty, no_show, force
	Failure   string            `json:"failure,omitempty"` // why a match failed that could not go on after the node was killed
	CreatedAt Time              `json:"created_at"`
	StartedAt *Time             `json:"started_at"` // null: it never did
	EndedAt   Time              `json:"ended_at"`
	Ticks     uint32            `json:"ticks"`
	Players   []PlayerResult    `json:"players"`
	Result    json.RawMessage   `json:"result"` // the game's own, null when it gave none
	Net       *NetResult        `json:"net,omitempty"`
	Replay    *ReplayFile       `json:"replay,omitempty"` // of a recorded match
}

// ReplayFile is where the recording of a match is.
type ReplayFile struct {
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
	URL    string `json:"url"` // on the admin port, a path
}

// ReplayLink leads to a replay.
type ReplayLink struct {
	URL       string `json:"url"`   // of the page that plays it
	Token     string `json:"token"` // in it, for an own page: GET /v1/films/{token} of the game port
	ExpiresAt Time   `json:"expires_at"`
}

// Download is a file on its way to a caller, who closes it.
type Download struct {
	io.ReadSeekCloser
	Name string
	Time time.Time // of its last change
}

// PlayerResult is one player of a Result. Outcome, rank, score and stats are the game's to give.
type PlayerResult struct {
	PlayerID    string          `json:"player_id"`
	Seat        uint16          `json:"seat"`
	Team        int             `json:"team"`
	State       SeatState       `json:"state"` // at the end
	Bot         bool            `json:"bot"`
	Outcome     string          `json:"outcome,omitempty"`
	Rank        int             `json:"rank,omitempty"`
	Score       *int64          `json:"score,omitempty"`
	Stats       json.RawMessage `json:"stats,omitempty"`
	ConnectedMS int64           `json:"connected_ms"`
	Disconnects int             `json:"disconnects"`
	RTTMSP50    float64         `json:"rtt_ms_p50,omitempty"`
	LateInputs  int64           `json:"late_inputs"`
}

// ReplayInfo tells of a recording.
type ReplayInfo struct {
	MatchID string `json:"match_id"`
	Game    string `json:"game"`
	EndedAt Time   `json:"ended_at"`
	Seconds int64  `json:"seconds"` // that it plays
}

// NetResult is how well a match was served.
type NetResult struct {
	TickP99MS float64 `json:"tick_p99_ms"`
	Overruns  int64   `json:"overruns"` // steps dropped
}

// QuickPlayRequest asks for any seat, without a matchmaker.
type QuickPlayRequest struct {
	Name    string `json:"name"`
	Game    string `json:"game"`     // default DefaultGame
	Role    string `json:"role"`     // RolePlayer (default) or RoleSpectator
	MatchID string `json:"match_id"` // this match and no other
}

// DefaultGame is what quick play plays unless asked for another game.
const DefaultGame = "arena"

// QuickPlay is the answer: connect to URL and show Token.
type QuickPlay struct {
	MatchID  string `json:"match_id"`
	PlayerID string `json:"player_id"`
	Seat     uint16 `json:"seat"`
	Token    string `json:"token"`
	URL      string `json:"url"`
}
