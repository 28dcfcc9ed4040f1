package gametest

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// epoch is when every match of a test begins.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// match is one engine with what a spectator of it has seen.
type match struct {
	*game.Engine
	sim     game.Sim // behind the engine, to say where two states differ
	fresh   bool     // the last tick captured a frame
	viewer  *game.Viewer
	message []byte // the spectator's last state message
	events  []byte // the spectator's events of the last tick
	state   protocol.State
}

// newMatch makes a match of a new game value. Change may be nil.
func (s *suite) newMatch(seed uint64, change func(*game.Match)) (*match, error) {
	keeper := &keeper{Game: s.newGame()}
	var g game.Game = keeper
	if b, ok := keeper.Game.(game.Botter); ok {
		g = botKeeper{keeper, b}
	}
	d, err := game.Compile(g)
	if err != nil {
		return nil, err
	}
	m := d.NewMatch(fmt.Sprintf("gametest-%d", seed), seed, s.o.Params)
	m.Players = s.o.Players
	if change != nil {
		change(m)
	}
	e, err := game.NewEngine(context.Background(), d, m)
	if err != nil {
		return nil, err
	}
	x := &match{Engine: e, sim: keeper.sim, viewer: e.NewViewer(0)}
	x.state.Reset(d.Plan)
	e.Attach(x)
	return x, nil
}

// keeper holds on to the Sim that New returns.
type keeper struct {
	game.Game
	sim game.Sim
}

func (k *keeper) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	sim, err := k.Game.New(ctx, m)
	k.sim = sim
	return sim, err
}

// botKeeper is a keeper of a game with bots.
type botKeeper struct {
	*keeper
	game.Botter
}

func (x *match) Collect(time.Time) {}

// Deliver reads what a spectator would.
func (x *match) Deliver(_ time.Time, frame bool) {
	x.fresh = frame
	x.message = x.message[:0]
	if frame {
		x.message = x.AppendState(x.message, x.viewer)
	}
	x.events = x.events[:0]
	for {
		msg, ok, err := x.NextEvent(x.viewer)
		if err != nil {
			panic(fmt.Sprintf("tick %d: one tick emitted more events than the ring holds", x.Now()))
		}
		if !ok {
			return
		}
		x.events = append(x.events, msg...)
	}
}

// tick plays one tick and decodes the frame as a client does.
func (x *match) tick() error {
	period := time.Second / time.Duration(x.Match().TickRate)
	x.Tick(epoch.Add(time.Duration(x.Now()+1) * period))
	if !x.fresh {
		return nil
	}
	if err := x.state.Apply(x.message); err != nil {
		return fmt.Errorf("tick %d: a client cannot read the frame: %w", x.Now(), err)
	}
	return nil
}

// compare tells how b, played like a, came out differently. Rows are compared when both captured a frame.
func compare(a, b *match) error {
	at := func(what string) error {
		return fmt.Errorf("seed %d, tick %d: %s", a.Match().Seed, a.Now(), what)
	}
	_, aOver := a.Ended()
	_, bOver := b.Ended()
	if aOver != bOver {
		return at("one match has ended, the other goes on")
	}
	if a.Hash() != b.Hash() {
		where := difference("", reflect.ValueOf(a.sim), reflect.ValueOf(b.sim))
		if where == "" {
			where = "the random source was used differently"
		}
		return at("the states differ: " + where)
	}
	if !bytes.Equal(a.events, b.events) {
		return at("the states are equal, but different events were emitted")
	}
	if a.fresh && b.fresh && !a.state.Rows.Equal(&b.state.Rows) {
		return at("the states are equal, but Frame wrote different rows: " + rowDifference(a, b))
	}
	return nil
}

func rowDifference(a, b *match) string {
	ra, rb := &a.state.Rows, &b.state.Rows
	for i, id := range ra.IDs {
		if i >= rb.Len() || rb.IDs[i] != id || rb.Kinds[i] != ra.Kinds[i] {
			return fmt.Sprintf("row %d is in one of them", id)
		}
		kind := a.Definition().Plan.Kinds[ra.Kinds[i]]
		for f, v := range ra.Row(i) {
			if w := rb.Row(i)[f]; v != w {
				return fmt.Sprintf("%s of %s %d is %d and %d", kind.Fields[f].Name, kind.Name, id, v, w)
			}
		}
	}
	return fmt.Sprintf("%d rows and %d rows", ra.Len(), rb.Len())
}
