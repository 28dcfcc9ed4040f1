package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
)

// fake is a Matches that notes what it is asked and answers what it is told.
type fake struct {
	mu        sync.Mutex
	err       error // for every call
	panics    bool
	calls     int
	create    *api.CreateRequest
	id        string
	seats     []api.SeatRequest
	filter    *api.Filter
	mode      api.EndMode
	grace     time.Duration
	quick     *api.QuickPlayRequest
	finds     bool
	full      bool       // every field that an answer may have is there
	gone      bool       // there is no match and no result
	sit       []api.Seat // of every match
	expires   *api.Time  // of every reservation
	patch     *api.PatchRequest
	player    string
	reason    string
	ttl       time.Duration
	proceeded bool
	signal    *api.SignalRequest
	block     chan struct{} // Create waits for it
	entered   chan struct{} // Create has begun
}

var created = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (f *fake) begin() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.panics {
		panic("the fake's secret")
	}
	return f.err
}

func (f *fake) Create(ctx context.Context, r *api.CreateRequest, commit func(*api.Created) error) error {
	c, err := f.made(r)
	if err != nil {
		return err
	}
	return errors.Join(commit(c), ctx.Err())
}

func (f *fake) made(r *api.CreateRequest) (*api.Created, error) {
	if f.entered != nil {
		f.entered <- struct{}{}
		<-f.block
	}
	if err := f.begin(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.create = r
	c := &api.Created{Created: true, Match: shownMatch(fmt.Sprintf("m-%d", f.calls))}
	c.Match.Game = r.Game
	for i, s := range r.Seats {
		c.Seats = append(c.Seats, api.Seat{
			PlayerID: s.PlayerID, Seat: uint16(i + 1), Role: s.Role, State: api.SeatReserved, Token: "mt1.secret", ExpiresAt: new(api.Time(created)), URL: "ws://x/play",
		})
	}
	return c, nil
}

func (f *fake) Get(id string) (*api.Match, error) {
	f.id = id
	m := shownMatch(id)
	if m.Seats = f.sit; f.full {
		m.Seats = []api.Seat{{PlayerID: "a", Seat: 1, Role: api.RolePlayer, State: api.SeatActive}}
	}
	if f.gone {
		return nil, api.NewError(api.NotFound, "There is no such match.")
	}
	return &m, f.begin()
}

// shownMatch is a match with everything that one has.
func shownMatch(id string) api.Match {
	return api.Match{MatchID: id, Game: "arena", State: api.MatchWaiting, CreatedAt: api.Time(created), Metadata: map[string]string{}}
}

func (f *fake) FindOrCreate(ctx context.Context, r *api.CreateRequest, commit func(*api.Created) error) error {
	return f.Create(ctx, r, func(c *api.Created) error {
		c.Created = !f.finds
		return commit(c)
	})
}

func (f *fake) Patch(id string, r *api.PatchRequest) (*api.Match, error) {
	f.id, f.patch = id, r
	return f.Get(id)
}

func (f *fake) Release(_ context.Context, id, player, reason string) error {
	f.id, f.player, f.reason = id, player, reason
	return f.begin()
}

func (f *fake) Token(id, player string, ttl time.Duration) (*api.Seat, error) {
	f.id, f.player, f.ttl = id, player, ttl
	return &api.Seat{PlayerID: player, Seat: 1, Role: api.RolePlayer, State: api.SeatReserved, Token: "mt1.again", ExpiresAt: new(api.Time(created))}, f.begin()
}

func (f *fake) Signal(_ context.Context, id string, r *api.SignalRequest) (*api.SignalAnswer, error) {
	f.id, f.signal = id, r
	return &api.SignalAnswer{Data: json.RawMessage(`{"pong":true}`)}, f.begin()
}

func (f *fake) Describe() *api.NodeInfo {
	return &api.NodeInfo{NodeID: "n-1", Version: "skirmish", StartedAt: api.Time(created), State: "ready", Games: []api.GameInfo{{Name: "arena", Version: "1", MaxPlayers: 64}},
		Matches: map[string]int{}, Seats: map[string]int{}, Webhooks: api.WebhookInfo{Secrets: []string{"main"}}}
}

func (f *fake) Drain(deadline time.Duration) *api.NodeInfo {
	f.ttl = deadline
	n := f.Describe()
	n.State, n.Reason, n.DrainedBy = "draining", "draining", new(api.Time(created))
	return n
}

func (f *fake) Upgrade() (*api.Upgrade, func(), error) {
	return &api.Upgrade{PID: 7}, func() { f.proceeded = true }, f.begin()
}

func (f *fake) DeadLetters(_ context.Context, cursor string, limit int) ([]api.DeadLetter, string, error) {
	return []api.DeadLetter{{ID: "e_1", Type: "match.ended", MatchID: "m", URL: "https://x", SecretID: "main", QueuedAt: api.Time(created), DeadAt: api.Time(created), Tries: 3, Error: "no"}}, "7", f.begin()
}

func (f *fake) Redeliver(_ context.Context, id string) (int, error) {
	f.id = id
	return 1, f.begin()
}

func (f *fake) List(filter *api.Filter) ([]api.Match, string, error) {
	f.filter = filter
	return nil, "", f.begin()
}

func (f *fake) Reserve(_ context.Context, id string, seats []api.SeatRequest, commit func([]api.Seat) error) error {
	f.id, f.seats = id, seats
	if err := f.begin(); err != nil {
		return err
	}
	return commit([]api.Seat{{PlayerID: seats[0].PlayerID, Seat: 1, Role: api.RolePlayer, State: api.SeatReserved, ExpiresAt: f.expires}})
}

func (f *fake) End(id string, mode api.EndMode, grace time.Duration) error {
	f.id, f.mode, f.grace = id, mode, grace
	return f.begin()
}

func (f *fake) Result(id string) (*api.Result, error) {
	f.id = id
	if f.gone {
		return nil, api.NewError(api.NotFound, "There is no such match.")
	}
	r := &api.Result{
		MatchID: id, Game: "arena", NodeID: "n-1", State: api.MatchEnded, Metadata: map[string]string{}, Reason: "finished", CreatedAt: api.Time(created), EndedAt: api.Time(created),
	}
	if f.full {
		r.Failure = "Its log has a gap."
		r.Replay = &api.ReplayFile{Size: 5, SHA256: strings.Repeat("a", 64), URL: "/v1/matches/" + id + "/replay"}
		r.StartedAt, r.Result, r.Net = new(api.Time(created)), json.RawMessage(`{}`), &api.NetResult{}
		r.Failure, r.Replay = "the game refused its state", &api.ReplayFile{Size: 1, SHA256: strings.Repeat("0", 64), URL: "/v1/matches/m/replay"}
		r.Players = []api.PlayerResult{{
			PlayerID: "a", Seat: 1, State: api.SeatActive, Outcome: "win", Rank: 1, Score: new(int64(3)), Stats: json.RawMessage(`{"kills":3}`), RTTMSP50: 1.5,
		}}
	}
	return r, f.begin()
}

func (f *fake) Replay(id string) (*api.Download, error) {
	f.id = id
	if f.gone {
		return nil, api.NewError(api.NotFound, "There is no such replay.")
	}
	return &api.Download{ReadSeekCloser: recorded{strings.NewReader("a recording")}, Name: id + ".replay", Time: created}, f.begin()
}

type recorded struct{ *strings.Reader }

func (recorded) Close() error { return nil }

func (f *fake) Film(_ context.Context, id string, w io.Writer) error {
	f.id = id
	if f.gone {
		return api.NewError(api.NotFound, "There is no such replay.")
	}
	_, err := io.WriteString(w, "a film")
	return err
}

func (f *fake) ReplayLink(id string, ttl time.Duration) (*api.ReplayLink, error) {
	f.id, f.ttl = id, ttl
	return &api.ReplayLink{URL: "https://play.example.net/#replay=ft1.x", Token: "ft1.x", ExpiresAt: api.Time(created)}, f.begin()
}

func (f *fake) ReplayOf(token string) (string, error) {
	if token != "ft1.x" {
		return "", api.NewError(api.Unauthorized, "The link is not good any more.")
	}
	return "m", nil
}

func (f *fake) Replays() []api.ReplayInfo {
	return []api.ReplayInfo{{MatchID: "m", Game: "arena", EndedAt: api.Time(created), Seconds: 60}}
}

func (f *fake) QuickPlay(_ context.Context, r *api.QuickPlayRequest) (*api.QuickPlay, error) {
	f.quick = r
	return &api.QuickPlay{MatchID: "m", PlayerID: "p", Seat: 1, Token: "mt1.x"}, f.begin()
}

// request is one request to a handler, from loopback unless remote says otherwise.
type request struct {
	method, target, body string
	header               map[string]string
	remote, host         string
}

const loopback = "127.0.0.1:40000"

func send(t *testing.T, h http.Handler, q request) *httptest.ResponseRecorder {
	t.Helper()
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r := httptest.NewRequest(q.method, q.target, body)
	r.RemoteAddr, r.Host = loopback, "localhost:7351"
	if q.remote != "" {
		r.RemoteAddr = q.remote
	}
	if q.host != "" {
		r.Host = q.host
	}
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.header {
		if v == "" {
			r.Header.Del(k)
			continue
		}
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	holdToContract(t, q, r, w)
	return w
}

// refusal is an error body.
type refusal struct {
	Error struct {
		Code         string         `json:"code"`
		Message      string         `json:"message"`
		RetryAfterMS int64          `json:"retry_after_ms"`
		Details      map[string]any `json:"details"`
	} `json:"error"`
}

func readRefusal(t *testing.T, w *httptest.ResponseRecorder) refusal {
	t.Helper()
	var e refusal
	d := json.NewDecoder(strings.NewReader(w.Body.String()))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || e.Error.Code == "" || e.Error.Message == "" || e.Error.Details == nil {
		t.Errorf("no error of ours: %d %s", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("an error of type %q", got)
	}
	return e
}

func admin(m api.Matches, keys ...string) http.Handler {
	c := api.AdminConfig{Matches: m, Log: zerolog.Nop(), Events: api.NewFeed("e1"), Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "skirmish_ticks_total 1\n")
	})}
	if f, ok := m.(*fake); ok {
		c.Node, c.Webhooks = f, f
	}
	c.Keys = func() (all []api.Key) {
		for _, k := range keys {
			all = append(all, api.NewKey(k))
		}
		return all
	}
	return api.NewAdmin(c)
}
