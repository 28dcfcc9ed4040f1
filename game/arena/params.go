package arena

import (
	"errors"
	"fmt"

	"skirmish/game"
)

// Params are a match's own settings, the JSON object `params` of the matchmaker. A field left out has its default.
type Params struct {
	Mode         string `json:"mode"`          // "ffa" (default) or "teams"
	RoundSeconds int    `json:"round_seconds"` // 10 to 3600; 180
	Rounds       int    `json:"rounds"`        // 0 to 100; 1. The match finishes after so many, 0: never
	ScoreLimit   int    `json:"score_limit"`   // 0 to 1000; 0: none. Ends a round early; in teams the team's score
	Map          int    `json:"map"`           // 0 to 2147483647; 0: a new one each round, else always this one
}

// DefaultParams are the settings of a match that names none.
func DefaultParams() Params { return Params{Mode: "ffa", RoundSeconds: 180, Rounds: 1} }

// Validate tells all faults at once, each a *game.ParamError with the field, its value and what is allowed.
func (p *Params) Validate() error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, &game.ParamError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	if p.Mode != "ffa" && p.Mode != "teams" {
		fault("mode", `%q is neither "ffa" nor "teams"`, p.Mode)
	}
	within := func(field string, v, low, high int) {
		if v < low || v > high {
			fault(field, "%d is not in %d to %d", v, low, high)
		}
	}
	within("round_seconds", p.RoundSeconds, MinRoundSeconds, MaxRoundSeconds)
	within("rounds", p.Rounds, 0, MaxRounds)
	within("score_limit", p.ScoreLimit, 0, MaxScoreLimit)
	within("map", p.Map, 0, MaxMap)
	return errors.Join(faults...)
}

// paramsOf reads and checks everything about a match that New may refuse.
func paramsOf(m *game.Match) (Params, error) {
	p := DefaultParams()
	if err := m.Decode(&p); err != nil {
		return p, err
	}
	faults := []error{p.Validate()}
	if m.TickRate < MinTickRate || m.TickRate > MaxTickRate {
		faults = append(faults, fmt.Errorf("tick_rate %d Hz is not in %d to %d", m.TickRate, MinTickRate, MaxTickRate))
	}
	if m.Players < MinPlayers || m.Players > MaxPlayers {
		faults = append(faults, fmt.Errorf("players %d is not in %d to %d", m.Players, MinPlayers, MaxPlayers))
	}
	return p, errors.Join(faults...)
}
