package arena

import (
	"context"
	"encoding/json"

	"skirmish/game"
)

// Arena is the game. Safe from any goroutine.
type Arena struct{}

// New returns the game, to be given to a node.
func New() Arena { return Arena{} }

// Spec describes the arena to the engine.
func (Arena) Spec() game.Spec {
	return game.Spec{
		Name:    "arena",
		Version: "2",
		// A match of version 1 is as it was but for the ids of pickups and of the round.
		Restores: []string{"1"},
		Input:    Input{},
		Kinds: []any{
			KindShip: ShipRow{}, KindBolt: BoltRow{}, KindBeam: BeamRow{},
			KindPickup: PickupRow{}, KindWall: WallRow{}, KindRound: RoundRow{}, KindStanding: StandingRow{},
		},
		Interest:       game.Interest{From: BigMatch, Radius: ViewRange * wireUnit, Hysteresis: ViewEdge * wireUnit},
		Private:        SelfRow{},
		Rewind:         []any{ShipRow{}},
		Events:         []any{KillEvent{}, PickupEvent{}, PhaseEvent{}, HitEvent{}},
		TickRate:       60,
		SnapshotRate:   30,
		MaxPlayers:     MaxPlayers,
		DefaultPlayers: 16,
		Idle:           game.IdleRepeat,
		QuickPlay:      game.QuickPlay{Params: json.RawMessage(`{"rounds":0}`), Bots: 7},
	}
}

// New makes the simulation of one match. Faults of its parameters come back as *game.ParamError.
func (Arena) New(_ context.Context, m *game.Match) (game.Sim, error) {
	p, err := paramsOf(m)
	if err != nil {
		return nil, err
	}
	return newSim(m, p), nil
}

// Bot makes a bot whose skill, reaction and temper follow from seed.
func (Arena) Bot(seed uint64) game.Bot { return NewBot(seed) }
