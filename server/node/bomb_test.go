package node_test

import (
	"context"
	"os"

	"skirmish/game"
)

// bomb is a game that takes the process along: by an input, or in a tick that its parameters name.
type bomb struct{}

type (
	bombInput struct {
		Fuse int8 `net:"fuse,min=0,max=1"`
	}
	bombRow struct {
		N int32 `net:"n"`
	}
	bombSim struct{ At uint32 }
)

func (bomb) Spec() game.Spec {
	return game.Spec{Name: "bomb", Version: "1", Input: bombInput{}, Kinds: []any{bombRow{}}, TickRate: 50, SnapshotRate: 50, MaxPlayers: 2, Idle: game.IdleNeutral}
}

func (bomb) New(_ context.Context, m *game.Match) (game.Sim, error) {
	p := struct {
		At uint32 `json:"at"`
	}{}
	if err := m.Decode(&p); err != nil {
		return nil, err
	}
	return &bombSim{p.At}, nil
}

func (*bombSim) Join(*game.Tick, *game.Player)               {}
func (*bombSim) Leave(*game.Tick, *game.Player, game.Reason) {}
func (*bombSim) Frame(*game.Frame)                           {}
func (s *bombSim) Step(t *game.Tick) {
	lit := t.Now() == s.At
	for _, p := range t.Players() {
		in, _ := game.Input[bombInput](t, p)
		lit = lit || in.Fuse > 0
	}
	if lit {
		os.Exit(7)
	}
}
