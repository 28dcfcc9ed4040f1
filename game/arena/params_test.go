package arena

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"skirmish/game"
)

func TestParams(t *testing.T) {
	for _, c := range []struct {
		name, params string
		players      int
		rate         int
		want         []string // parts of the error; none: it is accepted
	}{
		{"none", ``, 16, 60, nil},
		{"all", `{"mode":"teams","round_seconds":10,"rounds":100,"score_limit":1000,"map":2147483647}`, 2, 120, nil},
		{"zeroes", `{"rounds":0,"score_limit":0,"map":0}`, 64, 10, nil},
		{"a mode that is none", `{"mode":"duel"}`, 16, 60, []string{"params.mode", `"duel"`, "ffa", "teams"}},
		{"a round too short", `{"round_seconds":9}`, 16, 60, []string{"params.round_seconds", "9", "10 to 3600"}},
		{"a round too long", `{"round_seconds":3601}`, 16, 60, []string{"params.round_seconds", "10 to 3600"}},
		{"too many rounds", `{"rounds":101}`, 16, 60, []string{"params.rounds", "0 to 100"}},
		{"a negative score limit", `{"score_limit":-1}`, 16, 60, []string{"params.score_limit", "0 to 1000"}},
		{"a negative map", `{"map":-1}`, 16, 60, []string{"params.map", "0 to 2147483647"}},
		{"several faults at once", `{"rounds":-1,"map":-1,"mode":""}`, 16, 60, []string{"params.rounds", "params.map", "params.mode"}},
		{"an unknown field", `{"bots":3}`, 16, 60, []string{"bots", "unknown"}},
		{"a wrong type", `{"rounds":"two"}`, 16, 60, []string{"rounds"}},
		{"no object", `[1]`, 16, 60, []string{"params"}},
		{"one player", ``, 1, 60, []string{"players", "2 to 200"}},
		{"too slow a rate", ``, 16, 5, []string{"tick_rate", "10 to 120"}},
		{"too fast a rate", ``, 16, 240, []string{"tick_rate", "10 to 120"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &game.Match{ID: "m", Game: "arena", Params: json.RawMessage(c.params), Players: c.players,
				TickRate: c.rate, SnapshotRate: c.rate}
			_, err := New().New(context.Background(), m)
			if (err == nil) != (c.want == nil) {
				t.Fatalf("error %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if c.want != nil && strings.HasPrefix(c.want[0], "params.") {
				if _, ok := errors.AsType[*game.ParamError](err); !ok {
					t.Errorf("%T is no ParamError", err)
				}
			}
		})
	}
}
