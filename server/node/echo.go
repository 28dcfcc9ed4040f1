package node

import (
	"context"
	"os"

	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/session"
	"skirmish/server/wsconn"
)

// echoUnsent is what a client of the echo may leave unread, in messages of the largest size.
const echoUnsent = 4

// RunEcho serves an echo of text and binary messages on the very same socket and frame layers as the game port, until ctx
// is done. Limits per address do not apply to loopback.
func RunEcho(ctx context.Context, cfg EchoConfig) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	log := newLogger(os.Stderr, cfg.LogLevel, true)
	driver, err := netpoll.Open(cfg.ChooseDriver())
	if err != nil {
		return err
	}
	listener, err := driver.Listen(cfg.Addr, nil)
	if err != nil {
		return listenError("--addr", cfg.Addr, err)
	}
	defer listener.Close()
	lobby, err := session.NewLobby(session.LobbyConfig{
		Origins: []string{"*"}, MaxConnections: maxConnections(DefaultMaxConnections), ExemptLoopback: true,
		Frames:    wsconn.ReaderLimits{MessageBytes: cfg.MaxMessage, Fragments: -1, Text: true},
		MaxUnsent: int(cfg.MaxMessage)*echoUnsent + 1<<20,
	}, driver, listener, &session.Echo{}, nil, metrics.New(), log)
	if err != nil {
		return err
	}
	log.Info().Str("url", "ws://"+listener.Addr().String()+"/").Str("driver", driver.Name()).Int64("max_message", cfg.MaxMessage).Msg("echo listens")
	return lobby.Run(ctx)
}
