package node

import (
	"context"
	"fmt"

	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/session"
)

// quickPlaySpectators are the seats for watching in a match that quick play makes.
const quickPlaySpectators = 32

// QuickPlay finds an open match of the game or makes one with bots, and reserves a seat in it (api.Matches).
func (m *matches) QuickPlay(ctx context.Context, r *api.QuickPlayRequest) (*api.QuickPlay, error) {
	if m.draining() {
		return nil, errDraining()
	}
	defer m.search(r.Game)()
	playerID := "guest-" + newID()[:10]
	role := protocol.RolePlayer
	if r.Role == api.RoleSpectator {
		role = protocol.RoleSpectator
	}
	e, err := m.quickMatch(ctx, r, role)
	if err != nil {
		return nil, err
	}
	name := r.Name
	if name == "" {
		name = "Guest"
	}
	seats, err := e.room.Reserve([]session.SeatRequest{{PlayerID: playerID, Name: name, Role: role, TTL: quickPlayTTL}})
	if err != nil {
		return nil, refusal(err)
	}
	seat, err := m.ticketed(e.room, &seats[0])
	if err != nil {
		return nil, err
	}
	return &api.QuickPlay{MatchID: e.room.ID(), PlayerID: playerID, Seat: seat.Seat, Token: seat.Token}, nil
}

// quickMatch is the match that the request names, else the open one with the most players, else a new one.
func (m *matches) quickMatch(ctx context.Context, r *api.QuickPlayRequest, role protocol.Role) (*entry, error) {
	if r.MatchID != "" {
		if e := m.find(r.MatchID); e != nil {
			return e, nil
		}
		return nil, m.notHere(r.MatchID)
	}
	if found := m.openMatches(r.Game, nil, 1); len(found) > 0 {
		return found[0], nil
	}
	def, ok := m.registry.Lookup(r.Game)
	if !ok {
		_, err := m.configure(&api.CreateRequest{Game: r.Game})
		return nil, err
	}
	create := api.NewCreateRequest()
	create.Game = r.Game
	create.Params = def.Spec.QuickPlay.Params
	create.Capacity.Spectators = quickPlaySpectators
	create.Record = true // for whoever wants to see it again
	for i := range def.Spec.QuickPlay.Bots {
		create.Seats = append(create.Seats, api.SeatRequest{
			PlayerID: fmt.Sprintf("bot-%d", i+1), Name: botNames[i%len(botNames)], Bot: true,
		})
	}
	id := ""
	if err := m.Create(ctx, create, func(made *api.Created) error { id = made.Match.MatchID; return nil }); err != nil {
		return nil, err
	}
	return m.find(id), nil
}

// botNames are what bots of quick play are called.
var botNames = [...]string{
	"Vega", "Rigel", "Mira", "Altair", "Deneb", "Antares", "Sirius", "Bellatrix",
	"Castor", "Pollux", "Spica", "Regulus", "Canopus", "Achernar", "Hadar", "Polaris",
}
