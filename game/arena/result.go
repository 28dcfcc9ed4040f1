package arena

import (
	"cmp"
	"encoding/json"
	"slices"

	"skirmish/game"
)

// Result is what a match is about, told to every client and to the matchmaker.
type Result struct {
	Mode    string         `json:"mode"`
	Winner  string         `json:"winner"`  // a player_id, "red" or "blue"; "" is a draw
	Rounds  []RoundRecord  `json:"rounds"`  // the newest MaxRounds
	Players []PlayerResult `json:"players"` // best first
}

// RoundRecord is how one round ended.
type RoundRecord struct {
	Number int32  `json:"number"`
	Winner string `json:"winner"` // as in Result
	Red    int32  `json:"red"`    // team scores, 0 in ffa
	Blue   int32  `json:"blue"`
}

// PlayerResult is one player's part, all rounds together.
type PlayerResult struct {
	PlayerID string `json:"player_id"`
	Team     string `json:"team"` // "red", "blue" or ""
	Score    int32  `json:"score"`
	Kills    int32  `json:"kills"`
	Deaths   int32  `json:"deaths"`
	Wins     int32  `json:"wins"`    // rounds won
	Rank     int    `json:"rank"`    // 1 is best; equal players share a rank; those that left come after those that stayed
	Outcome  string `json:"outcome"` // "win", "loss", "draw" or "left"
}

// Record is what is kept of a player that left.
type Record struct {
	ID    string
	Team  uint8
	Total Tally
}

// compare orders tallies, the better one first: by score, kills, fewer deaths.
func (a Tally) compare(b Tally) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Kills, a.Kills), cmp.Compare(a.Deaths, b.Deaths))
}

// record keeps a leaving player's totals. In the middle of a round this round counts, after it it is in them.
func (s *Sim) record(p *Ship) {
	total := p.Total
	if s.Phase == PhasePlaying {
		total = p.sum()
	}
	if len(s.Records) == MaxRecords {
		s.Records = slices.Delete(s.Records, 0, 1)
	}
	s.Records = append(s.Records, Record{ID: p.ID, Team: p.Team, Total: total})
}

// recall takes a returning player's totals out of the records.
func (s *Sim) recall(id string) Tally {
	for i, r := range s.Records {
		if r.ID == id {
			s.Records = slices.Delete(s.Records, i, i+1)
			return r.Total
		}
	}
	return Tally{}
}

// Stop gives the result so far when the match is ended from outside.
func (s *Sim) Stop(t *game.Tick, _ game.Reason) {
	if s.Phase == PhasePlaying {
		s.close()
		s.Phase = PhaseIntermission
	}
	t.Finish(s.result())
}

// result is the match in JSON. Players that left make room if it grows beyond what the engine takes.
func (s *Sim) result() json.RawMessage {
	records := s.Records
	for {
		out, err := json.Marshal(s.sumUp(records))
		if err != nil {
			panic(err) // strings and integers always encode
		}
		if len(out) <= game.MaxResultBytes || len(records) == 0 {
			return out
		}
		records = records[(len(records)+1)/2:]
	}
}

func (s *Sim) sumUp(records []Record) *Result {
	r := &Result{Mode: s.params.Mode, Rounds: s.Rounds, Players: []PlayerResult{}}
	standing := []Record{}
	for i := range s.Ships {
		if p := &s.Ships[i]; p.Seat != 0 {
			standing = append(standing, Record{p.ID, p.Team, p.Total})
		}
	}
	better := func(a, b Record) int { return a.Total.compare(b.Total) }
	slices.SortStableFunc(standing, better)
	gone := slices.Clone(records)
	slices.SortStableFunc(gone, better)

	winners := s.winners(standing)
	if len(winners) == 1 {
		r.Winner = winners[0]
	}
	for i, p := range append(standing, gone...) {
		here := i < len(standing)
		row := PlayerResult{PlayerID: p.ID, Team: teamNames[p.Team], Rank: i + 1, Score: p.Total.Score,
			Kills: p.Total.Kills, Deaths: p.Total.Deaths, Wins: p.Total.Wins, Outcome: "loss"}
		if i > 0 && i != len(standing) {
			if last := r.Players[i-1]; last.Score == row.Score && last.Kills == row.Kills && last.Deaths == row.Deaths {
				row.Rank = last.Rank
			}
		}
		side := p.ID
		if s.teams() {
			side = row.Team
		}
		switch {
		case !here:
			row.Outcome = "left"
		case slices.Contains(winners, side) && len(winners) == 1:
			row.Outcome = "win"
		case slices.Contains(winners, side):
			row.Outcome = "draw"
		}
		r.Players = append(r.Players, row)
	}
	return r
}

var teamNames = [...]string{TeamNone: "", TeamRed: "red", TeamBlue: "blue"}

// winners are the sides that share the first place: player ids, or teams by rounds won, then by score.
func (s *Sim) winners(standing []Record) (sides []string) {
	if !s.teams() {
		for _, p := range standing {
			if p.Total.compare(standing[0].Total) == 0 {
				sides = append(sides, p.ID)
			}
		}
		return sides
	}
	var wins, score [3]int32
	for _, r := range s.Rounds {
		switch r.Winner {
		case "red":
			wins[TeamRed]++
		case "blue":
			wins[TeamBlue]++
		}
		score[TeamRed] += r.Red
		score[TeamBlue] += r.Blue
	}
	switch order := cmp.Or(cmp.Compare(wins[TeamRed], wins[TeamBlue]), cmp.Compare(score[TeamRed], score[TeamBlue])); {
	case order > 0:
		return []string{"red"}
	case order < 0:
		return []string{"blue"}
	}
	return []string{"red", "blue"}
}
