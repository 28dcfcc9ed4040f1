package gametest

import (
	"context"
	"time"

	"skirmish/game"
)

// mirror is a second look at a match: an engine of its own, whose Frame and Private are those of the match's sim.
// A game that rewinds has its past frames in its state, so that two of its matches cannot capture at different
// rates; one that is looked at twice must not differ from one that is not.
type mirror struct {
	*game.Engine
	of *match
}

// mirrored is the game of a mirror: the spec of the one behind it, and a sim that only looks.
type mirrored struct {
	game.Game
	of *match
}

// Spec leaves quick play out: its bots are the match's own.
func (g mirrored) Spec() game.Spec {
	s := g.Game.Spec()
	s.QuickPlay = game.QuickPlay{}
	return s
}

func (g mirrored) New(context.Context, *game.Match) (game.Sim, error) { return &looker{of: g.of}, nil }

type looker struct{ of *match }

func (*looker) Join(*game.Tick, *game.Player)               {}
func (*looker) Leave(*game.Tick, *game.Player, game.Reason) {}
func (*looker) Step(*game.Tick)                             {}
func (l *looker) Frame(f *game.Frame)                       { l.of.sim.Frame(f) }

// Private looks at the match's own player of the seat.
func (l *looker) Private(p *game.Player, row any) {
	if own, ok := l.of.sim.(game.Privater); ok {
		own.Private(l.of.Player(p.Seat), row)
	}
}

func (s *suite) newMirror(of *match) (*mirror, error) {
	d, err := game.Compile(mirrored{Game: s.newGame(), of: of})
	if err != nil {
		return nil, err
	}
	m := *of.Match()
	m.SnapshotRate = m.TickRate
	e, err := game.NewEngine(context.Background(), d, &m)
	if err != nil {
		return nil, err
	}
	return &mirror{Engine: e, of: of}, nil
}

// look captures a frame of the match.
func (x *mirror) look() error {
	for i := range x.of.Match().Players {
		seat := game.Seat(i + 1)
		switch p := x.of.Player(seat); {
		case p == nil:
			x.Leave(seat, game.ReasonLeft)
		case x.Player(seat) == nil:
			if err := x.Join(game.PlayerInfo{Seat: seat, ID: p.ID, Name: p.Name, Team: p.Team, Data: p.Data}); err != nil {
				return err
			}
		}
	}
	x.Tick(epoch.Add(time.Duration(x.Now()) * time.Millisecond))
	return nil
}
