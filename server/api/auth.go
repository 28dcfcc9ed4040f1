package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// gate lets requests to the admin port in by their bearer key, before anything else of them is read. Without
// any key only loopback gets in.
type gate struct{ keys func() []Key }

func (g gate) admit(w http.ResponseWriter, r *http.Request) error {
	keys := g.keys()
	if len(keys) == 0 {
		return g.admitLoopback(r)
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && anyMatches(keys, strings.TrimSpace(key)) {
		return nil
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="skirmish"`)
	w.Header().Set("Connection", "close") // a body that was not read must not be waited for
	if r.Header.Get("Authorization") == "" {
		return NewError(Unauthorized, "This needs the admin key: send the header Authorization: Bearer <key>.")
	}
	return NewError(Unauthorized, "The admin key in the header Authorization is not right.")
}

// admitLoopback also looks at the Host header: a page that has its own name resolve to 127.0.0.1 runs in a
// browser on this machine and comes from loopback as well.
func (g gate) admitLoopback(r *http.Request) error {
	if !fromLoopback(r) {
		return NewError(Unauthorized, "This node has no admin key and answers to its own machine alone: start it with SKIRMISH_ADMIN_KEY set.")
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if ip, err := netip.ParseAddr(host); (err != nil || !ip.IsLoopback()) && !strings.EqualFold(host, "localhost") {
		return NewError(Unauthorized, fmt.Sprintf("This node has no admin key and answers to the host localhost alone, not to %s.", shown(r.Host))).
			withStatus(http.StatusForbidden)
	}
	return nil
}

// behind puts an endpoint behind the gate.
func (g gate) behind(e endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := g.admit(w, r); err != nil {
			return err
		}
		return e(w, r)
	}
}

// orLocal puts an endpoint behind the gate for everybody but this machine: a scraper beside the node needs
// no key.
func (g gate) orLocal(e endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		if len(g.keys()) > 0 && fromLoopback(r) {
			return e(w, r)
		}
		return g.behind(e)(w, r)
	}
}

func fromLoopback(r *http.Request) bool { return remote(r).IsLoopback() }

// remote is the address of the peer, the zero Addr if there is none.
func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
