//go:build !linux

package node

import (
	"context"

	"skirmish/game"
)

// heir is what a process has that takes over: on Linux alone.
type heir struct{}

func (*heir) take() error { return nil }
func (*heir) serving()    {}

// serveOn is Run for the command line.
func serveOn(ctx context.Context, cfg Config, run func(context.Context, *Node) error, games ...game.Game) error {
	n, err := Start(cfg, games...)
	if err != nil {
		return err
	}
	return run(ctx, n)
}
