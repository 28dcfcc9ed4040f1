package node

import (
	"cmp"
	"context"
	"slices"

	"skirmish/server/api"
	"skirmish/server/session"
)

// FindOrCreate reserves seats in an open match, or makes one (api.Matches).
func (m *matches) FindOrCreate(ctx context.Context, r *api.CreateRequest, commit func(*api.Created) error) error {
	if _, err := m.configure(r); err != nil {
		return err
	}
	if m.draining() {
		return errDraining()
	}
	found := m.search(r.Game)
	e, reserved := m.reserveOpen(r)
	if e == nil {
		defer found()
		return m.Create(ctx, r, commit)
	}
	found()
	return m.confirm(ctx, e, reserved, func(seats []api.Seat) error {
		return commit(&api.Created{Match: m.describe(e), Seats: seats})
	})
}

// search begins a search for an open match of a game, of which there is one at a time, so that two newcomers find the same one. It
// ends with found, once what was not there has been made: a game that hangs then holds up its own newcomers alone.
func (m *matches) search(game string) (found func()) {
	l := m.finding[game]
	if l == nil {
		return func() {} // there is no such game
	}
	l.Lock()
	return l.Unlock
}

// reserveOpen reserves the seats of r in the open match that suits it best; nil when there is none.
func (m *matches) reserveOpen(r *api.CreateRequest) (*entry, []session.Seat) {
	players := 0
	for i := range r.Seats {
		if r.Seats[i].Role != api.RoleSpectator {
			players++
		}
	}
	seats := seatRequests(r.Seats)
	for _, e := range m.openMatches(r.Game, r.Metadata, players) {
		if reserved, err := e.room.Reserve(seats); err == nil {
			return e, reserved
		}
		// It is full by now, has no place to watch, or one of the players is in it.
	}
	return nil, nil
}

// openMatches are the matches that anybody may join, with room for so many players, the fullest first, then the oldest.
func (m *matches) openMatches(game string, metadata map[string]string, players int) []*entry {
	type candidate struct {
		*entry
		sit int
	}
	var found []candidate
	for _, e := range m.all() {
		about, open := e.about()
		if !open || e.room.Match().Game != game || e.room.Outcome() != nil || !has(about, metadata) {
			continue
		}
		if _, c := e.room.Seats(); c.Open >= max(1, players) {
			found = append(found, candidate{e, c.Players + c.Reserved})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Or(cmp.Compare(b.sit, a.sit), cmp.Compare(a.seq, b.seq)) })
	out := make([]*entry, len(found))
	for i, c := range found {
		out[i] = c.entry
	}
	return out
}

// has tells whether all of want is in metadata.
func has(metadata, want map[string]string) bool {
	for k, v := range want {
		if got, ok := metadata[k]; !ok || got != v {
			return false
		}
	}
	return true
}
