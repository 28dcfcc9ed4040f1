package api

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// stands tells whether what an answer of an earlier process tells of is there: a killed process may have answered and not
// done it, and what it did since its last write to the disk is undone. Whoever repeats such a call has it done anew.
func (a *admin) stands(path string, got answer) bool {
	if got.status >= 300 {
		return true // a refusal tells of nothing
	}
	var body struct {
		Match Match  `json:"match"`
		Seats []Seat `json:"seats"`
	}
	if json.Unmarshal(got.body, &body) != nil {
		return false
	}
	rest, ofOne := strings.CutPrefix(path, "/v1/matches/")
	id, _, _ := strings.Cut(rest, "/")
	switch {
	case ofOne: // seats, token, signal
		return a.seated(id, body.Seats)
	case strings.HasPrefix(path, "/v1/matches"): // create, find_or_create
		return a.seated(body.Match.MatchID, body.Seats)
	}
	return path != "/v1/node/drain" // this process drains nothing yet
}

// seated tells whether players have the seats that an answer gave them, or had them: a reservation that is over proves nothing.
func (a *admin) seated(id string, seats []Seat) bool {
	m, err := a.Matches.Get(id)
	if err != nil { // over long ago, or it never was
		_, err = a.Matches.Result(id)
		return err == nil
	}
	for i := range seats {
		want := &seats[i]
		waits := want.ExpiresAt != nil && time.Now().Before(time.Time(*want.ExpiresAt))
		if waits && !slices.ContainsFunc(m.Seats, func(s Seat) bool { return s.Seat == want.Seat && s.PlayerID == want.PlayerID }) {
			return false
		}
	}
	return true
}
