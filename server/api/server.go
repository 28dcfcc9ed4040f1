package api

import (
	"io/fs"
	"log"
	"net/http"

	"github.com/rs/zerolog"
)

// AdminConfig is what the admin port needs.
type AdminConfig struct {
	Matches Matches
	// Node tells of the node and drains it. nil: 404.
	Node Node
	// Events are what GET /v1/events shows. nil: 404.
	Events *Feed
	// Webhooks are the dead letters. nil: 404.
	Webhooks Webhooks
	// Keys are the bearer keys of the moment, several while they rotate. Without any the port answers to loopback alone.
	// Safe from any goroutine. nil: none.
	Keys func() []Key
	// Answers is where the first answers to Idempotency-Keys outlive the process. nil: nowhere.
	Answers Keeper
	// Ready tells why the node takes no new matches (starting, draining), nil when it does. Safe from any
	// goroutine. nil: always ready.
	Ready func() error
	// Metrics serves /metrics. nil: 404.
	Metrics http.Handler
	Log     zerolog.Logger
}

// PublicConfig is what plain HTTP on the game port needs.
type PublicConfig struct {
	Matches Matches
	// QuickPlay lets anybody who reaches the port create and join matches.
	QuickPlay bool
	// Files are the web client, with index.html at the root. They are read once, by NewPublic. nil: none.
	Files fs.FS
	// PublicURL is where players connect, such as wss://play.example.net/play. Empty: the Host of the request.
	PublicURL string
	// TLS tells that the port speaks TLS, where the requests themselves do not show it.
	TLS bool
	// AllowOrigins are further origins whose pages may call quick play, such as https://example.net.
	AllowOrigins []string
	// NoLoopbackLimits takes loopback addresses out of the rate limit.
	NoLoopbackLimits bool
	Log              zerolog.Logger
}

// NewServer makes an HTTP server with this package's timeouts, HTTP/1.1 only. The caller gives it a listener.
func NewServer(h http.Handler, errorLog *log.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: ReadHeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeadBytes - headSlop,
		Protocols:         protocols,
		ErrorLog:          errorLog,
	}
}

// headSlop is what net/http reads beyond MaxHeaderBytes.
const headSlop = 4 << 10
