package arena_test

import (
	"encoding/json"
	"testing"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/game/gametest"
)

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		name    string
		options gametest.Options
	}{
		{"defaults", gametest.Options{Ticks: 400}},
		{"two, short rounds, a new map each", gametest.Options{Seed: 2, Players: 2,
			Params: json.RawMessage(`{"rounds":0,"round_seconds":10}`), Ticks: 1500}},
		{"teams to the limit", gametest.Options{Seed: 3, Players: 8,
			Params: json.RawMessage(`{"mode":"teams","rounds":2,"score_limit":1,"round_seconds":10}`), Ticks: 600}},
		{"two hundred, of whom each sees some", gametest.Options{Seed: 4, Players: arena.MaxPlayers, Ticks: 40}},
	} {
		t.Run(c.name, func(t *testing.T) {
			gametest.Run(t, func() game.Game { return arena.New() }, c.options)
		})
	}
}
