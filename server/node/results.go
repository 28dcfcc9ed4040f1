package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/journal"
	"skirmish/server/session"
)

// Result returns what became of a match, once it is on the disk (api.Matches).
func (m *matches) Result(id string) (*api.Result, error) {
	if e := m.find(id); e != nil {
		if e.room.Outcome() != nil { // over: its result is on its way to the disk
			select {
			case <-e.saved:
			case <-time.After(askTimeout):
			}
		}
		if r := e.result.Load(); r != nil {
			return r, nil
		}
		return nil, api.NewError(api.NotFound, "The match has no result yet: it has not ended.")
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	saved, err := m.store.result(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, notFound(id)
	}
	if err != nil {
		return nil, fmt.Errorf("read a result: %w", err)
	}
	var r api.Result
	if err := json.Unmarshal(saved.data(), &r); err != nil {
		return nil, fmt.Errorf("decode a result: %w", err)
	}
	return &r, nil
}

// finish sees the result of a match that is over onto the disk, however long that takes, and then tells everybody.
func (m *matches) finish(e *entry) {
	result := m.resultOf(e)
	if e.tape != nil {
		result.Replay = m.replays.finish(result.MatchID, e.tape)
	}
	kind := "match.ended"
	if result.State == api.MatchFailed {
		kind = "match.failed"
	}
	if !m.store.finish(e.events, kind, result) {
		m.log.Error().Str("match", result.MatchID).Msg("the node stops and the result of a match could not be stored")
		return
	}
	e.result.Store(result)
	close(e.saved)
	m.parted(e)
}

// resultOf is what became of a match that is over.
func (m *matches) resultOf(e *entry) *api.Result {
	o, match := e.room.Outcome(), e.room.Match()
	metadata, _ := e.about()
	r := &api.Result{
		MatchID: match.ID, Game: match.Game, NodeID: m.nodeID, State: api.MatchState(o.State), Metadata: metadata, Reason: string(o.Reason),
		CreatedAt: api.Time(o.Created), EndedAt: api.Time(o.Ended), Ticks: o.Ticks, Result: o.Result, Players: []api.PlayerResult{},
		Net: &api.NetResult{TickP99MS: milliseconds(o.TickP99), Overruns: int64(o.Overruns)},
	}
	if !o.Started.IsZero() {
		r.StartedAt = new(api.Time(o.Started))
	}
	place := map[string]int{} // of a player in r.Players
	for _, seats := range [][]session.Seat{o.Gone, o.Seats} {
		for i := range seats {
			if s := &seats[i]; s.Role != protocol.RoleSpectator {
				addPlayer(r, place, s)
			}
		}
	}
	takeOwn(r, place)
	return r
}

// addPlayer adds a seat to the players, one entry for each player however often it has come.
func addPlayer(r *api.Result, place map[string]int, s *session.Seat) {
	i, known := place[s.PlayerID]
	if !known {
		i = len(r.Players)
		place[s.PlayerID] = i
		r.Players = append(r.Players, api.PlayerResult{PlayerID: s.PlayerID})
	}
	p := &r.Players[i]
	p.Seat, p.Team, p.State, p.Bot = s.Number, s.Team, seatState(s.State), s.Role == protocol.RoleBot
	p.ConnectedMS += s.Connected.Milliseconds()
	p.Disconnects += s.Disconnects
	p.LateInputs += int64(s.Late)
	if s.RTT > 0 {
		p.RTTMSP50 = milliseconds(s.RTT)
	}
}

// takeOwn takes outcome, rank, score and stats of the players from players[] of the game's own result, where it has such
// a list with their player_id.
func takeOwn(r *api.Result, place map[string]int) {
	var own struct {
		Players []map[string]json.RawMessage `json:"players"`
	}
	if len(r.Result) == 0 || json.Unmarshal(r.Result, &own) != nil {
		return
	}
	for _, fields := range own.Players {
		var id string
		if json.Unmarshal(fields["player_id"], &id) != nil {
			continue
		}
		i, ok := place[id]
		if !ok {
			continue
		}
		p := &r.Players[i]
		var outcome string
		if json.Unmarshal(fields["outcome"], &outcome) == nil {
			p.Outcome = outcome
		}
		var rank int
		if json.Unmarshal(fields["rank"], &rank) == nil && fields["rank"] != nil {
			p.Rank = rank
		}
		var score int64
		if json.Unmarshal(fields["score"], &score) == nil && fields["score"] != nil {
			p.Score = &score
		}
		if stats := bytes.TrimSpace(fields["stats"]); len(stats) > 0 && stats[0] == '{' {
			p.Stats = json.RawMessage(stats)
			continue
		}
		for _, name := range []string{"player_id", "outcome", "rank", "score", "team", "stats"} {
			delete(fields, name)
		}
		if len(fields) > 0 {
			p.Stats, _ = json.Marshal(fields)
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
