package game_test

import (
	"encoding/json"
	"testing"

	"skirmish/game"
)

func TestMatchDecode(t *testing.T) {
	type params struct {
		Mode   string `json:"mode"`
		Rounds uint8  `json:"rounds"`
		Map    struct {
			Seed int `json:"seed"`
		} `json:"map"`
	}
	for _, c := range []struct{ name, in, want string }{
		{"none", ``, ""},
		{"null", ` null `, ""},
		{"an empty object", `{}`, ""},
		{"all of them", `{"mode":"teams","rounds":3,"map":{"seed":7}}`, ""},
		{"an unknown field", `{"colour":1}`, "params.colour: unknown field"},
		{"a wrong type", `{"mode":5}`, "params.mode: number does not fit string"},
		{"a wrong type within", `{"map":{"seed":"x"}}`, "params.map.seed: string does not fit int"},
		{"out of range", `{"rounds":300}`, "params.rounds: number 300 does not fit uint8"},
		{"a list", `[1]`, "params: array does not fit game_test.params"},
		{"two documents", `{} {}`, "params: one JSON object is expected, more follows it"},
		{"half a document", `{"mode":`, "params: not valid JSON: unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := game.Match{Params: json.RawMessage(c.in)}
			p := params{Mode: "default"}
			err := m.Decode(&p)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.name == "null" && p.Mode != "default" {
				t.Error("a default was lost")
			}
		})
	}
}
