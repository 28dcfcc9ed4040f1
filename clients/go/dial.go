package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"time"

	"skirmish/protocol"
)

// Options of a Client. Exactly one of Token and Resume.Token is set. The callbacks run one at a time on the
// client's goroutine: they may call any method of the Client but Wait, Close, Leave and Request, and must not
// block; a nil one is left out. What they are given is valid until they return.
type Options struct {
	Token  string // join ticket from the matchmaker
	Resume Resume // instead of Token: into a seat held from before, see Client.Resumption

	OnWelcome func(w *protocol.Welcome)          // joined, or resumed: see AutoResume
	OnState   func(s *protocol.State)            // each snapshot, decoded
	OnEvent   func(e *protocol.Event)            // each reliable event, in order, once
	OnRoster  func(seats []protocol.RosterEntry) // all seats, after each change
	OnNotice  func(n *protocol.Notice)
	OnLost    func(err error) // the connection broke and is being resumed

	// AutoResume comes back into the seat when the connection breaks in a way that is worth it (Retryable),
	// for as long as the server holds the seat.
	AutoResume bool

	PingEvery time.Duration // default 2 s; negative: never, which leaves Age and RTT unknown
	Origin    string        // Origin header, none when empty
	SDK       string        // name and version of what is built on this package
	TLS       *tls.Config   // for wss
	// Dial opens the socket, default that of Dialer. The address is host:port.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (o *Options) validate() error {
	switch {
	case o.Token == "" && o.Resume.Token == "":
		return fmt.Errorf("client: no ticket: set Options.Token")
	case o.Token != "" && o.Resume.Token != "":
		return fmt.Errorf("client: both a ticket and a resume token are set")
	case len(o.Token) > protocol.MaxTokenBytes || len(o.Resume.Token) > protocol.MaxTokenBytes:
		return fmt.Errorf("client: the token is longer than %d bytes", protocol.MaxTokenBytes)
	case len(o.SDK) > protocol.MaxSDKBytes:
		return fmt.Errorf("client: Options.SDK is longer than %d bytes", protocol.MaxSDKBytes)
	}
	return nil
}

// target is a parsed URL of a server.
type target struct {
	host, path, addr string
	secure           bool
}

// parseURL takes ws, wss, http and https URLs; an empty path is /play.
func parseURL(raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("client: %w", err)
	}
	t := target{host: u.Host, path: u.RequestURI()}
	port := "80"
	switch u.Scheme {
	case "ws", "http":
	case "wss", "https":
		t.secure, port = true, "443"
	default:
		return target{}, fmt.Errorf("client: %q is not a ws:// or wss:// URL", raw)
	}
	if u.Hostname() == "" {
		return target{}, fmt.Errorf("client: %q names no host", raw)
	}
	if u.Path == "" {
		t.path = "/play"
	}
	if p := u.Port(); p != "" {
		port = p
	}
	t.addr = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

// Dialer is what a Client dials with when Options.Dial is nil: with TCP_NODELAY, and on Linux with TCP Fast Open, so that
// the handshake, and the hello in it, travel with the SYN.
func Dialer() *net.Dialer { return &net.Dialer{Control: fastOpen} }

// connect opens the socket and, for wss, TLS on it.
func (o *Options) connect(ctx context.Context, t target) (net.Conn, error) {
	dial := o.Dial
	if dial == nil {
		dial = Dialer().DialContext
	}
	conn, err := dial(ctx, "tcp", t.addr)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if !t.secure {
		return conn, nil
	}
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(t.addr)
	}
	config.NextProtos = []string{"http/1.1"}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("client: TLS with %s: %w", t.addr, err)
	}
	return secure, nil
}
