package node_test

import (
	"context"

	"skirmish/game"
)

// race is a game for tests: who is the first to push its car ten steps wins.
type race struct{}

type (
	raceInput struct {
		Push int8 `net:"push,min=0,max=2"` // 2: the car explodes and the server with it
	}
	raceCar struct {
		At int32 `net:"at,interp=linear"`
	}
	raceLead struct {
		Seat uint16 `net:"seat"`
		At   int32  `net:"at"`
	}
	raceResult struct {
		Winner string `json:"winner"`
	}
	raceParams struct {
		Length int `json:"length"`
	}
)

func (race) Spec() game.Spec {
	return game.Spec{
		Name: "race", Version: "1", Input: raceInput{}, Kinds: []any{raceCar{}}, Events: []any{raceLead{}},
		TickRate: 50, SnapshotRate: 50, MaxPlayers: 8, Idle: game.IdleNeutral,
	}
}

func (race) New(_ context.Context, m *game.Match) (game.Sim, error) {
	p := raceParams{Length: 10}
	if err := m.Decode(&p); err != nil {
		return nil, err
	}
	if p.Length < 1 {
		return nil, &game.ParamError{Field: "length", Reason: "must be 1 or more"}
	}
	return &raceSim{Length: int32(p.Length)}, nil
}

type raceSim struct {
	Length int32
	Cars   [9]raceCar
}

func (s *raceSim) Join(*game.Tick, *game.Player)               {}
func (s *raceSim) Leave(*game.Tick, *game.Player, game.Reason) {}

func (s *raceSim) Step(t *game.Tick) {
	for _, p := range t.Players() {
		in, _ := game.Input[raceInput](t, p)
		if in.Push == 2 {
			panic("boom")
		}
		car := &s.Cars[p.Seat]
		if car.At += int32(in.Push); in.Push > 0 {
			t.Emit(nil, &raceLead{Seat: uint16(p.Seat), At: car.At})
		}
		if car.At >= s.Length {
			t.Finish(raceResult{Winner: p.ID})
		}
	}
}

func (s *raceSim) Frame(f *game.Frame) {
	for i := 1; i < len(s.Cars); i++ {
		f.Put(uint32(i), &s.Cars[i])
	}
}
