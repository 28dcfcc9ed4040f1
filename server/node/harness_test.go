package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/game/pong"
	"skirmish/server/api"
	"skirmish/server/api/apitest"
	"skirmish/server/node"
)

// running is a node that serves on free ports of loopback.
type running struct {
	t     testing.TB
	admin string // http://…
	game  string // http://…
	play  string // ws://…/play
	stop  func() // ends it and waits; the test's end does it otherwise
	node  *node.Node
	ended <-chan struct{} // closed when Serve has returned
}

// serve starts a node with the bundled games and more.
func serve(t testing.TB, change func(*node.Config), more ...game.Game) *running {
	t.Helper()
	cfg := node.Default()
	cfg.Addr, cfg.AdminAddr, cfg.DataDir = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	cfg.QuickPlay, cfg.NoLoopbackLimits, cfg.LogLevel = true, true, zerolog.ErrorLevel
	if change != nil {
		change(&cfg)
	}
	n, err := node.Start(cfg, append([]game.Game{arena.New(), pong.Game{}}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, ended := make(chan error, 1), make(chan struct{})
	go func() { done <- n.Serve(ctx); close(ended) }()
	stopped := false
	r := &running{t: t, admin: "http://" + n.AdminAddr().String(), game: "http://" + n.Addr().String(), play: "ws://" + n.Addr().String() + "/play", node: n, ended: ended}
	r.stop = func() {
		cancel()
		if stopped {
			return
		}
		stopped = true
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the node ended with %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the node did not end within a minute")
		}
	}
	t.Cleanup(r.stop)
	return r
}

// of is the same node in a subtest.
func (r *running) of(t testing.TB) *running {
	in := *r
	in.t = t
	return &in
}

// call does one request to the API, which must answer with the status, and decodes the answer; into may be nil.
func (r *running) call(method, url string, body any, want int, into any) {
	r.t.Helper()
	if status, out := r.request(method, url, body, into); status != want {
		r.t.Fatalf("%s %s: %d, want %d: %s", method, url, status, want, out)
	}
}

// refused does one request that is expected to fail and returns its status.
func (r *running) refused(method, url string, body, into any) int {
	r.t.Helper()
	status, _ := r.request(method, url, body, into)
	return status
}

// request does one request and decodes its answer; body and into may be nil.
func (r *running) request(method, url string, body, into any) (status int, out []byte) {
	r.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, url, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if out, err = io.ReadAll(res.Body); err != nil {
		r.t.Fatal(err)
	}
	if strings.HasPrefix(url, r.admin) {
		var sent []byte
		if body != nil {
			sent, _ = json.Marshal(body)
		}
		holdToContract(r.t, &apitest.Exchange{
			Method: method, URI: req.URL.RequestURI(), RequestHeader: req.Header, Header: res.Header, Request: sent, Answer: out, Status: res.StatusCode,
		})
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			r.t.Fatalf("%s %s: %v in %s", method, url, err, out)
		}
	}
	return res.StatusCode, out
}

// create makes a match through the API.
func (r *running) create(body map[string]any) *api.Created {
	r.t.Helper()
	var c api.Created
	r.call("POST", r.admin+"/v1/matches", body, http.StatusCreated, &c)
	return &c
}

// dial joins with a ticket.
func (r *running) dial(token string, o client.Options) *client.Client {
	r.t.Helper()
	o.Token = token
	c, err := client.Dial(r.t.Context(), r.play, o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	return c
}

// contract is openapi.yaml at work. What it has looked at often enough is not looked at again: it takes its time.
var contract = struct {
	load func() (*apitest.Contract, error)
	mu   sync.Mutex
	seen map[string]int
}{load: sync.OnceValues(apitest.Load), seen: map[string]int{}}

// due tells whether another of this kind is to be held against the contract.
func due(kind string) bool {
	contract.mu.Lock()
	defer contract.mu.Unlock()
	contract.seen[kind]++
	return contract.seen[kind] <= 20
}

// holdToContract checks what a node has answered against openapi.yaml.
func holdToContract(t testing.TB, x *apitest.Exchange) {
	t.Helper()
	path, _, _ := strings.Cut(x.URI, "?")
	if !due(fmt.Sprint(x.Method, strings.Count(path, "/"), path[strings.LastIndexByte(path, '/'):][:2], x.Status)) {
		return
	}
	c, err := contract.load()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(x); err != nil {
		t.Error(err)
	}
}

// holdEventToContract checks the body of a webhook.
func holdEventToContract(t testing.TB, kind string, body []byte) {
	t.Helper()
	if !due(kind) {
		return
	}
	c, err := contract.load()
	if err == nil {
		err = c.CheckEvent(body)
	}
	if err != nil {
		t.Error(err)
	}
}

// until waits for something that others bring about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}
