package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/rs/zerolog"
)

// quickPlayPath is where quick play is.
const quickPlayPath = "/v1/quickplay"

// NewPublic makes the handler of plain HTTP on the game port: the web client, and quick play if it is on.
// It fails if a file cannot be read or an origin is none.
func NewPublic(c PublicConfig) (http.Handler, error) {
	p := &public{PublicConfig: c, limit: newLimiter(QuickPlayPerSecond, QuickPlayBurst, MaxQuickPlayers)}
	site, err := newSite(c.Files)
	if err != nil {
		return nil, err
	}
	protection := http.NewCrossOriginProtection()
	for _, origin := range c.AllowOrigins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("api: allowed origin: %w", err)
		}
	}
	mux := http.NewServeMux()
	route := func(pattern string, e endpoint) { mux.Handle(pattern, answered(c.Log, e)) }
	route(quickPlayPath, p.shared(methods{"POST": p.quickPlay}))
	route(quickPlayPath+"/replays", methods{"GET": p.replays}.serve)
	route(quickPlayPath+"/replays/{id}", methods{"GET": p.film}.serve)
	route("/v1/films/{token}", methods{"GET": p.linkedFilm}.serve)
	route("/v1/", noSuchPath)
	route("/play", upgradeHere)
	mux.Handle("/", site)
	return guardOrigin(c.Log, protection, mux), nil
}

type public struct {
	PublicConfig
	limit *limiter
}

// quickPlay gives anybody a seat.
func (p *public) quickPlay(w http.ResponseWriter, r *http.Request) error {
	if err := p.quick(r); err != nil {
		return err
	}
	body, err := readBody(w, r, MaxPublicBytes)
	if err != nil {
		return err
	}
	var req QuickPlayRequest
	if err := decodeValid(body, &req); err != nil {
		return err
	}
	got, err := p.Matches.QuickPlay(r.Context(), &req)
	if err != nil {
		return err
	}
	given := *got
	if given.URL == "" {
		given.URL = p.playURL(r)
	}
	return respond(w, r, &given)
}

// quick tells why this caller gets nothing without a matchmaker.
func (p *public) quick(r *http.Request) error {
	if !p.QuickPlay {
		return NewError(NotFound, "Quick play is off on this server: start it with --dev, or create a match through the admin port and open its link.")
	}
	return p.throttle(r)
}

// throttle tells whether this caller asks too often.
func (p *public) throttle(r *http.Request) error {
	if from := remote(r); !p.NoLoopbackLimits || !from.IsLoopback() {
		if wait := p.limit.take(from); wait > 0 {
			e := NewError(RateLimited, "Too many requests from this address; wait a moment.")
			e.RetryAfter = wait
			return e
		}
	}
	return nil
}

// playURL is where the caller connects: the way it came, unless the node knows better.
func (p *public) playURL(r *http.Request) string {
	switch {
	case p.PublicURL != "":
		return p.PublicURL
	case r.TLS != nil || p.TLS:
		return "wss://" + r.Host + "/play"
	}
	return "ws://" + r.Host + "/play"
}

// shared lets pages of the allowed origins read the answers (CORS). Nothing here depends on cookies.
func (p *public) shared(m methods) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" || !slices.Contains(p.AllowOrigins, origin) {
			return m.serve(w, r)
		}
		h.Set("Access-Control-Allow-Origin", origin)
		if r.Method != http.MethodOptions {
			return m.serve(w, r)
		}
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// upgradeHere answers a request without an upgrade at the path of the WebSocket.
func upgradeHere(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	return NewError(BadRequest, "This is where players connect by WebSocket; open / in a browser to play.").withStatus(http.StatusUpgradeRequired)
}

// guardOrigin refuses what a browser sends on behalf of a page from elsewhere.
func guardOrigin(log zerolog.Logger, protection *http.CrossOriginProtection, next http.Handler) http.Handler {
	if protection == nil {
		protection = http.NewCrossOriginProtection()
	}
	protection.SetDenyHandler(answered(log, func(http.ResponseWriter, *http.Request) error {
		return NewError(Unauthorized, "A page of another origin may not do this; allow it with --allow-origin.").withStatus(http.StatusForbidden)
	}))
	return protection.Handler(next)
}
