package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/session"
	"skirmish/server/ticket"
)

// Reserve adds seats to a match (api.Matches).
func (m *matches) Reserve(ctx context.Context, id string, reqs []api.SeatRequest, commit func([]api.Seat) error) error {
	e := m.find(id)
	if e == nil {
		return m.notHere(id)
	}
	if m.draining() {
		return errDraining()
	}
	def, _ := m.registry.Lookup(e.room.Match().Game)
	if _, bots := def.Game.(game.Botter); !bots {
		for i := range reqs {
			if reqs[i].Bot {
				return api.FieldError(api.BadParams, fmt.Sprintf("seats[%d].bot", i), fmt.Sprintf("The game %s has no bots.", def.Spec.Name))
			}
		}
	}
	reserved, err := e.room.Reserve(seatRequests(reqs))
	if err != nil {
		return refusal(err)
	}
	return m.confirm(ctx, e, reserved, commit)
}

// confirm commits seats that are reserved, with their tickets. When that fails they are given up again.
func (m *matches) confirm(ctx context.Context, e *entry, reserved []session.Seat, commit func([]api.Seat) error) error {
	seats, err := m.ticketAll(e.room, reserved)
	if err == nil {
		err = commit(seats)
	}
	if err != nil {
		for _, s := range reserved {
			e.room.Remove(context.WithoutCancel(ctx), s.PlayerID, "the reservation could not be kept")
		}
	}
	return err
}

// Release takes a player's seat away (api.Matches).
func (m *matches) Release(ctx context.Context, id, player, reason string) error {
	e := m.find(id)
	if e == nil {
		return m.notHere(id)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return refusal(e.room.Remove(ctx, player, reason))
}

// Token issues another ticket for a player's seat (api.Matches).
func (m *matches) Token(id, player string, ttl time.Duration) (*api.Seat, error) {
	e := m.find(id)
	if e == nil {
		return nil, m.notHere(id)
	}
	seat, err := e.room.Renew(player, ttl)
	if err != nil {
		return nil, refusal(err)
	}
	out, err := m.ticketed(e.room, &seat)
	return &out, err
}

// Signal passes a call to the game (api.Matches).
func (m *matches) Signal(ctx context.Context, id string, r *api.SignalRequest) (*api.SignalAnswer, error) {
	e := m.find(id)
	if e == nil {
		return nil, m.notHere(id)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out, err := e.room.Signal(ctx, r.Op, r.Data)
	if err != nil {
		return nil, refusal(err)
	}
	return &api.SignalAnswer{Data: out}, nil
}

// Patch changes a match (api.Matches).
func (m *matches) Patch(id string, r *api.PatchRequest) (*api.Match, error) {
	e := m.find(id)
	if e == nil {
		return nil, m.notHere(id)
	}
	if e.room.Outcome() != nil {
		return nil, refusal(session.ErrEnded)
	}
	if c := r.Capacity; c != nil {
		players, spectators := e.room.Capacity()
		if c.Players != nil {
			players = *c.Players
		}
		if c.Spectators != nil {
			spectators = *c.Spectators
		}
		if err := e.room.Limit(players, spectators); err != nil {
			return nil, api.FieldError(api.BadParams, "capacity", fmt.Sprintf("The match was made for %d players and %d spectators; it cannot take more.",
				e.room.Match().Players, e.room.Spectators()))
		}
	}
	if r.MaxDurationMS != nil {
		e.room.SetMaxLength(time.Duration(*r.MaxDurationMS) * time.Millisecond)
	}
	e.mu.Lock()
	if r.Open != nil {
		e.open = *r.Open
	}
	if r.Metadata != nil {
		e.metadata = maps.Clone(r.Metadata)
	}
	e.revision.Add(1)
	e.mu.Unlock()
	d := m.describe(e)
	return &d, nil
}

// End ends a match (api.Matches).
func (m *matches) End(id string, mode api.EndMode, grace time.Duration) error {
	e := m.find(id)
	if e == nil {
		return m.notHere(id)
	}
	if e.room.Outcome() != nil {
		return refusal(session.ErrEnded)
	}
	if mode == api.ModeForce {
		grace = 0
	}
	e.room.Stop(game.ReasonForce, grace)
	return nil
}

// notHere says that a match is not in the directory: it has ended long ago, or never was.
func (m *matches) notHere(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	if _, err := m.store.result(ctx, id); err == nil {
		return refusal(session.ErrEnded)
	}
	return notFound(id)
}

// ticketAll are reserved seats with what their players need.
func (m *matches) ticketAll(room *session.Room, reserved []session.Seat) ([]api.Seat, error) {
	out := make([]api.Seat, len(reserved))
	for i := range reserved {
		var err error
		if out[i], err = m.ticketed(room, &reserved[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ticketed is a reserved seat with what its player needs to come in. A bot needs nothing.
func (m *matches) ticketed(room *session.Room, s *session.Seat) (api.Seat, error) {
	out := seatOf(s)
	if s.Role == protocol.RoleBot {
		return out, nil
	}
	token, err := m.keys().Sign(&ticket.Claims{
		Match: room.ID(), Player: s.PlayerID, Seat: s.Number, Role: uint8(s.Role), Team: uint8(s.Team),
		IssuedAt: time.Now().Unix(), Expires: s.Expires.Unix(), ID: newID(), Node: m.nodeID,
	})
	if err != nil {
		return api.Seat{}, fmt.Errorf("sign a ticket: %w", err)
	}
	out.Token, out.ExpiresAt, out.URL = token, new(api.Time(s.Expires)), m.url
	return out, nil
}

// seatRequests reads the seat requests of the API.
func seatRequests(reqs []api.SeatRequest) []session.SeatRequest {
	out := make([]session.SeatRequest, len(reqs))
	for i := range reqs {
		out[i] = seatRequest(&reqs[i])
	}
	return out
}

func seatRequest(r *api.SeatRequest) session.SeatRequest {
	role := protocol.RolePlayer
	switch {
	case r.Bot:
		role = protocol.RoleBot
	case r.Role == api.RoleSpectator:
		role = protocol.RoleSpectator
	}
	return session.SeatRequest{PlayerID: r.PlayerID, Name: r.Name, Team: r.Team, Data: r.Data, Role: role, TTL: r.TTL()}
}

// seatOf shows a seat as the API does, without secrets.
func seatOf(s *session.Seat) api.Seat {
	role := api.RolePlayer
	if s.Role == protocol.RoleSpectator {
		role = api.RoleSpectator
	}
	return api.Seat{PlayerID: s.PlayerID, Seat: s.Number, Team: s.Team, Role: role, State: seatState(s.State)}
}

// seatState names a state as the API does.
func seatState(s protocol.SeatState) api.SeatState {
	return [...]api.SeatState{api.SeatReserved, api.SeatActive, api.SeatLost, api.SeatLeft, api.SeatExpired, api.SeatKicked}[s]
}

// refusal says in the API's words why a match refuses something.
func refusal(err error) error {
	if signal, ok := errors.AsType[*game.SignalError](err); ok {
		return api.FieldError(api.BadParams, "data", sentence(signal.Error()))
	}
	switch {
	case errors.Is(err, session.ErrFull):
		return api.NewError(api.MatchFull, "The match has not enough open seats.")
	case errors.Is(err, session.ErrSeatTaken):
		return api.NewError(api.SeatTaken, "One player cannot have two seats: "+strings.TrimPrefix(err.Error(), "session: ")+".")
	case errors.Is(err, session.ErrEnded), errors.Is(err, game.ErrEnded):
		return api.NewError(api.MatchOver, "The match has ended.")
	case errors.Is(err, session.ErrNoSeat):
		return api.NewError(api.NotFound, "The player has no seat in this match.")
	case errors.Is(err, session.ErrBusy):
		return &api.Error{Code: api.RateLimited, Message: "Too many calls wait for this match; try again in a moment.", RetryAfter: time.Second}
	case errors.Is(err, game.ErrNoSignals):
		return api.FieldError(api.BadParams, "op", "This game takes no signals.")
	}
	return err
}
