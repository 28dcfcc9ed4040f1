package api

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"
)

// NewAdmin makes the handler of the admin port: the matchmaking API, /livez, /readyz, /metrics and, under
// /debug/pprof/, profiles.
func NewAdmin(c AdminConfig) http.Handler {
	if c.Keys == nil {
		c.Keys = func() []Key { return nil }
	}
	a := &admin{AdminConfig: c, gate: gate{c.Keys}}
	a.first = newAnswers(c.Answers, a.stands, c.Log)
	mux := http.NewServeMux()
	route := func(pattern string, e endpoint) { mux.Handle(pattern, answered(c.Log, e)) }

	route("/v1/matches", a.gate.behind(methods{"POST": a.create, "GET": a.list}.serve))
	route("/v1/matches:find_or_create", a.gate.behind(methods{"POST": a.findOrCreate}.serve))
	route("/v1/matches/{id}", a.gate.behind(methods{"GET": a.get, "PATCH": a.patch, "DELETE": a.end}.serve))
	route("/v1/matches/{id}/seats", a.gate.behind(methods{"POST": a.reserve}.serve))
	route("/v1/matches/{id}/seats/{player_id}", a.gate.behind(methods{"DELETE": a.release}.serve))
	route("/v1/matches/{id}/seats/{player_id}/token", a.gate.behind(methods{"POST": a.token}.serve))
	route("/v1/matches/{id}/signal", a.gate.behind(methods{"POST": a.signal}.serve))
	route("/v1/openapi.yaml", methods{"GET": a.contract}.serve)
	if c.Node != nil {
		route("/v1/node", a.gate.behind(methods{"GET": a.node}.serve))
		route("/v1/node/drain", a.gate.behind(methods{"POST": a.drain}.serve))
		route("/v1/node/upgrade", a.gate.behind(methods{"POST": a.upgrade}.serve))
	}
	if c.Events != nil {
		route("/v1/events", a.gate.behind(methods{"GET": c.Events.serve}.serve))
	}
	if c.Webhooks != nil {
		route("/v1/webhooks/dead", a.gate.behind(methods{"GET": a.deadLetters}.serve))
		route("/v1/webhooks/dead:redeliver", a.gate.behind(methods{"POST": a.redeliver}.serve))
	}
	route("/v1/matches/{id}/result", a.gate.behind(methods{"GET": a.result}.serve))
	route("/v1/matches/{id}/replay", a.gate.behind(methods{"GET": a.replay}.serve))
	route("/v1/matches/{id}/replay/link", a.gate.behind(methods{"POST": a.replayLink}.serve))
	route("/v1/matches/{id}/film", a.gate.behind(methods{"GET": a.film}.serve))
	route("/livez", methods{"GET": a.live}.serve)
	route("/readyz", methods{"GET": a.ready}.serve)
	if c.Metrics != nil {
		route("/metrics", a.gate.orLocal(methods{"GET": plain(c.Metrics)}.serve))
	}
	for name, h := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		route("/debug/pprof/"+name, a.gate.behind(methods{"GET": plain(h), "POST": plain(h)}.serve))
	}
	route("/", a.gate.behind(noSuchPath))

	// A page of another origin in a browser on this machine must not steer the node, key or no key.
	return guardOrigin(c.Log, nil, mux)
}

type admin struct {
	AdminConfig
	gate  gate
	first *answers
}

func (a *admin) create(w http.ResponseWriter, r *http.Request) error {
	return a.make(w, r, a.Matches.Create)
}

func (a *admin) findOrCreate(w http.ResponseWriter, r *http.Request) error {
	return a.make(w, r, a.Matches.FindOrCreate)
}

// make answers a request that wants a match.
func (a *admin) make(w http.ResponseWriter, r *http.Request, how func(context.Context, *CreateRequest, func(*Created) error) error) error {
	return a.change(w, r, func(ctx context.Context, body []byte, keep func(answer) error) (answer, error) {
		req := NewCreateRequest()
		if err := decodeValid(body, req); err != nil {
			return answer{}, err
		}
		var out answer
		err := how(ctx, req, func(c *Created) (err error) {
			if out, err = encodeCreated(c); err != nil {
				return err
			}
			return keep(out)
		})
		return out, err
	})
}

func encodeCreated(c *Created) (answer, error) {
	if c.Seats == nil {
		c.Seats = []Seat{}
	}
	if !c.Created {
		return encode(http.StatusOK, c)
	}
	return encode(http.StatusCreated, c)
}

// patch changes a match. A repeat changes nothing more, so it needs no key.
func (a *admin) patch(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r, MaxBodyBytes)
	if err != nil {
		return err
	}
	var req PatchRequest
	if err := decodeValid(body, &req); err != nil {
		return err
	}
	m, err := a.Matches.Patch(id, &req)
	if err != nil {
		return err
	}
	return respond(w, r, m)
}

func (a *admin) release(w http.ResponseWriter, r *http.Request) error {
	id, player, err := seatPath(r)
	if err != nil {
		return err
	}
	reason, err := parseRelease(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := a.Matches.Release(r.Context(), id, player, reason); err != nil {
		return err
	}
	writeAnswer(w, r, answer{status: http.StatusNoContent})
	return nil
}

func (a *admin) token(w http.ResponseWriter, r *http.Request) error {
	id, player, err := seatPath(r)
	if err != nil {
		return err
	}
	return a.change(w, r, func(_ context.Context, body []byte, _ func(answer) error) (answer, error) {
		var req tokenRequest
		if err := decodeValid(body, &req); err != nil {
			return answer{}, err
		}
		seat, err := a.Matches.Token(id, player, milliseconds(req.TTLMS))
		if err != nil {
			return answer{}, err
		}
		return encode(http.StatusCreated, seat)
	})
}

func (a *admin) signal(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	return a.change(w, r, func(ctx context.Context, body []byte, _ func(answer) error) (answer, error) {
		var req SignalRequest
		if err := decodeValid(body, &req); err != nil {
			return answer{}, err
		}
		got, err := a.Matches.Signal(ctx, id, &req)
		if err != nil {
			return answer{}, err
		}
		return encode(http.StatusOK, got)
	})
}

func (a *admin) node(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, a.Node.Describe())
}

func (a *admin) drain(w http.ResponseWriter, r *http.Request) error {
	return a.change(w, r, func(_ context.Context, body []byte, _ func(answer) error) (answer, error) {
		req := drainRequest{DeadlineMS: DefaultDrainMS}
		if err := decodeValid(body, &req); err != nil {
			return answer{}, err
		}
		return encode(http.StatusOK, a.Node.Drain(milliseconds(req.DeadlineMS)))
	})
}

// upgrade answers before the new process takes over: this one's connections end then.
func (a *admin) upgrade(w http.ResponseWriter, r *http.Request) error {
	control := http.NewResponseController(w)
	control.SetWriteDeadline(time.Now().Add(upgradeTimeout))
	proceed := func() {}
	err := a.change(w, r, func(_ context.Context, body []byte, _ func(answer) error) (answer, error) {
		if err := decode(body, &struct{}{}); err != nil {
			return answer{}, err
		}
		u, takeOver, err := a.Node.Upgrade()
		if err != nil {
			return answer{}, err
		}
		proceed = takeOver
		return encode(http.StatusOK, u)
	})
	if err != nil {
		return err
	}
	control.Flush() //nolint:errcheck // a caller who has left does not stop it
	proceed()
	return nil
}

func (a *admin) deadLetters(w http.ResponseWriter, r *http.Request) error {
	cursor, limit, err := parsePage(r.URL.RawQuery)
	if err != nil {
		return err
	}
	letters, next, err := a.Webhooks.DeadLetters(r.Context(), cursor, limit)
	if err != nil {
		return err
	}
	if letters == nil {
		letters = []DeadLetter{}
	}
	return respond(w, r, struct {
		Letters    []DeadLetter `json:"dead_letters"`
		NextCursor string       `json:"next_cursor"`
	}{letters, next})
}

func (a *admin) redeliver(w http.ResponseWriter, r *http.Request) error {
	return a.change(w, r, func(ctx context.Context, body []byte, _ func(answer) error) (answer, error) {
		var req redeliverRequest
		if err := decode(body, &req); err != nil {
			return answer{}, err
		}
		n, err := a.Webhooks.Redeliver(ctx, req.ID)
		if err != nil {
			return answer{}, err
		}
		return encode(http.StatusOK, struct {
			Redelivered int `json:"redelivered"`
		}{n})
	})
}

// contract serves what this API promises.
func (a *admin) contract(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Content-Length", strconv.Itoa(len(openAPI)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(openAPI)
	}
	return nil
}

// seatPath is the match and the player in the path.
func seatPath(r *http.Request) (id, player string, err error) {
	if id, err = matchID(r); err != nil {
		return "", "", err
	}
	player = r.PathValue("player_id")
	if player == "" || len(player) > MaxPlayerIDBytes || !printable(player) {
		return "", "", NewError(NotFound, "There is no player "+shown(player)+" in this match.")
	}
	return id, player, nil
}

func (a *admin) reserve(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	return a.change(w, r, func(ctx context.Context, body []byte, keep func(answer) error) (answer, error) {
		var req seatsRequest
		if err := decodeValid(body, &req); err != nil {
			return answer{}, err
		}
		var out answer
		err := a.Matches.Reserve(ctx, id, req.Seats, func(seats []Seat) (err error) {
			if out, err = encode(http.StatusCreated, reserved{seats}); err != nil {
				return err
			}
			return keep(out)
		})
		return out, err
	})
}

// reserved is the answer to a reservation.
type reserved struct {
	Seats []Seat `json:"seats"`
}

// change is the way of every POST: the body, the first answer to its Idempotency-Key, the work.
func (a *admin) change(w http.ResponseWriter, r *http.Request, does work) error {
	body, err := readBody(w, r, MaxBodyBytes)
	if err != nil {
		return err
	}
	got, err := a.first.do(r, body, does)
	if err != nil {
		return err
	}
	writeAnswer(w, r, got)
	return nil
}

func (a *admin) list(w http.ResponseWriter, r *http.Request) error {
	f, err := parseFilter(r.URL.RawQuery)
	if err != nil {
		return err
	}
	matches, next, err := a.Matches.List(f)
	if err != nil {
		return err
	}
	if matches == nil {
		matches = []Match{}
	}
	return respond(w, r, struct {
		Matches    []Match `json:"matches"`
		NextCursor string  `json:"next_cursor"`
	}{matches, next})
}

func (a *admin) get(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	m, err := a.Matches.Get(id)
	if err != nil {
		return err
	}
	return respond(w, r, m)
}

func (a *admin) end(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	mode, grace, err := parseEnd(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := a.Matches.End(id, mode, grace); err != nil {
		return err
	}
	writeAnswer(w, r, answer{status: http.StatusNoContent})
	return nil
}

func (a *admin) result(w http.ResponseWriter, r *http.Request) error {
	id, err := matchID(r)
	if err != nil {
		return err
	}
	res, err := a.Matches.Result(id)
	if err != nil {
		return err
	}
	if res.Players == nil {
		shown := *res // the result is the node's, and others may be reading it
		shown.Players = []PlayerResult{}
		res = &shown
	}
	return respond(w, r, res)
}

// live tells that the process serves requests.
func (a *admin) live(w http.ResponseWriter, r *http.Request) error {
	return respond(w, r, status{Status: "ok"})
}

// ready tells whether the node takes new matches.
func (a *admin) ready(w http.ResponseWriter, r *http.Request) error {
	if a.Ready != nil {
		if err := a.Ready(); err != nil {
			out, encErr := encode(http.StatusServiceUnavailable, status{Status: "not ready", Reason: err.Error()})
			if encErr == nil {
				w.Header().Set("Retry-After", notReadyRetry)
				writeAnswer(w, r, out)
			}
			return encErr
		}
	}
	return respond(w, r, status{Status: "ready"})
}

// notReadyRetry is what a probe is asked to wait, in seconds.
const notReadyRetry = "1"

type status struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// plain makes an endpoint of a handler that answers by itself.
func plain(h http.Handler) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

// matchID is the id in the path. One that no match can have is not found, without asking.
func matchID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !validMatchID(id) {
		return "", NewError(NotFound, "There is no match "+shown(id)+".")
	}
	return id, nil
}
