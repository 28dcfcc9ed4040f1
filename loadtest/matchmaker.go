package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
)

// matchmaker is the client of the server's matchmaking API. Safe from any goroutine.
type matchmaker struct {
	base string
	key  string
	http http.Client
}

// newMatchmaker speaks to the API at base; insecure takes any certificate.
func newMatchmaker(base, key string, insecure bool) *matchmaker {
	m := &matchmaker{base: base, key: key, http: http.Client{Timeout: apiLimit}}
	if insecure {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		m.http.Transport = transport
	}
	return m
}

type seatRequest struct {
	PlayerID string `json:"player_id"`
	Name     string `json:"name"`
	Role     string `json:"role,omitempty"` // player unless told
}

type createRequest struct {
	Game         string         `json:"game"`
	Params       map[string]any `json:"params"`
	Seed         uint64         `json:"seed"`
	TickRate     int            `json:"tick_rate"`
	SnapshotRate int            `json:"snapshot_rate"`
	Capacity     map[string]int `json:"capacity"`
	Open         bool           `json:"open"`
	Seats        []seatRequest  `json:"seats"`
}

// seat is a reserved seat of the answer.
type seat struct {
	PlayerID string `json:"player_id"`
	Token    string `json:"token"`
	URL      string `json:"url"`
}

// create makes a match with its first seats.
func (m *matchmaker) create(ctx context.Context, r *createRequest) (id string, seats []seat, err error) {
	var answer struct {
		Match struct {
			ID  string `json:"match_id"`
			URL string `json:"url"`
		} `json:"match"`
		Seats []seat `json:"seats"`
	}
	if err := m.call(ctx, http.MethodPost, "/v1/matches", r, &answer); err != nil {
		return "", nil, err
	}
	for i := range answer.Seats {
		if answer.Seats[i].URL == "" {
			answer.Seats[i].URL = answer.Match.URL
		}
	}
	return answer.Match.ID, answer.Seats, complete(answer.Seats, len(r.Seats))
}

// reserve adds seats to a match.
func (m *matchmaker) reserve(ctx context.Context, id string, seats []seatRequest) ([]seat, error) {
	var answer struct {
		Seats []seat `json:"seats"`
	}
	body := map[string]any{"seats": seats}
	if err := m.call(ctx, http.MethodPost, "/v1/matches/"+id+"/seats", body, &answer); err != nil {
		return nil, err
	}
	return answer.Seats, complete(answer.Seats, len(seats))
}

func complete(seats []seat, want int) error {
	if len(seats) != want {
		return fmt.Errorf("the server answered with %d seats instead of %d", len(seats), want)
	}
	for _, s := range seats {
		if s.Token == "" || s.URL == "" {
			return errors.New("the server gave a seat without token or url")
		}
	}
	return nil
}

// remove ends a match at once.
func (m *matchmaker) remove(ctx context.Context, id string) error {
	return m.call(ctx, http.MethodDelete, "/v1/matches/"+id+"?mode=force", nil, nil)
}

// call makes one request. Its errors are whole sentences.
func (m *matchmaker) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	answer, err := m.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s%s: the answer is not what the API promises: %w", method, m.base, path, err)
	}
	return nil
}

// unreached says why no server answered. What Go says names the request as well, and is long.
func (m *matchmaker) unreached(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok && !errors.Is(err, context.Canceled) {
		err = e.Err
	}
	lookup, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server answers at %s: start one with \"go run ./server\" or name another with --server", m.base)
	case unknown:
		return fmt.Errorf("no server at %s: there is no host %q; name another with --server", m.base, lookup.Name)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server at %s does not answer within %v", m.base, apiLimit)
	}
	return fmt.Errorf("no answer from the server at %s: %w", m.base, err)
}

func (m *matchmaker) do(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, m.base+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if m.key != "" {
		r.Header.Set("Authorization", "Bearer "+m.key)
	}
	resp, err := m.http.Do(r)
	if err != nil {
		return nil, m.unreached(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s %s%s: %w", method, m.base, path, err)
	}
	if resp.StatusCode < 300 {
		return answer, nil
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, fmt.Errorf("the server at %s declines the admin key: set SKIRMISH_ADMIN_KEY to the server's", m.base)
	}
	var e struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if json.Unmarshal(answer, &e) == nil && e.Error.Code != "" {
		return nil, fmt.Errorf("%s %s: HTTP %d %s: %s", method, path, resp.StatusCode, e.Error.Code, e.Error.Message)
	}
	return nil, fmt.Errorf("%s %s%s: HTTP %d: is this a Skirmish server's admin port?", method, m.base, path, resp.StatusCode)
}
