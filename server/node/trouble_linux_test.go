package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"skirmish/game"
)

// trouble is a game that does what no game should, where its parameters say so.
type trouble struct{ troubleParams }

// troubleParams: What happens Where. For bots both are the game's own, because bots are made before anybody knows the match.
type troubleParams struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// troubles are the games: "trouble", and those whose bots are.
func troubles() []game.Game {
	return []game.Game{trouble{}, trouble{troubleParams{"bot", "panic"}}, trouble{troubleParams{"bot", "hang"}}, trouble{troubleParams{"think", "panic"}}, trouble{troubleParams{"think", "hang"}}}
}

// troubled is the player that it is about, where it is about one.
const troubled = "troubled"

// do is what happens at a place if it is the one.
func (p *troubleParams) do(where string) {
	if p.Where != where {
		return
	}
	switch p.What {
	case "panic":
		panic("trouble in " + where)
	case "spin":
		spinForEver()
	case "hang":
		hangForEver()
	case "sleep":
		p.Where = ""
		time.Sleep(2 * time.Second)
	}
}

// spinForEver and hangForEver are where the stack of a hung tick must point.
//
//go:noinline
func spinForEver() {
	for n := uint64(0); ; n++ {
		if n == 1<<63 {
			return
		}
	}
}

//go:noinline
func hangForEver() { <-make(chan struct{}) }

type troubleInput struct {
	Do int8 `net:"do,min=0,max=9"`
}

type troubleSecret struct {
	N int32 `net:"n"`
}

func (g trouble) Spec() game.Spec {
	name := "trouble"
	if g.Where != "" {
		name += "-" + g.Where + "-" + g.What
	}
	return game.Spec{
		Name: name, Version: "1", Input: troubleInput{}, Kinds: []any{crowdRow{}}, Private: troubleSecret{},
		TickRate: 50, SnapshotRate: 50, MaxPlayers: 8, Idle: game.IdleNeutral,
	}
}

func (g trouble) New(_ context.Context, m *game.Match) (game.Sim, error) {
	s := &troubleSim{}
	if err := m.Decode(&s.troubleParams); err != nil {
		return nil, err
	}
	s.do("new")
	return s, nil
}

func (g trouble) Bot(uint64) game.Bot {
	g.do("bot")
	return troubleBot{g}
}

type troubleBot struct{ trouble }

func (b troubleBot) Think(*game.View, any) { b.do("think") }

type troubleSim struct {
	troubleParams
	Row   crowdRow
	both  bool // are there
	eaten [][]byte
}

// about does what is about one player.
func (s *troubleSim) about(p *game.Player, where string) {
	if p.ID == troubled {
		s.do(where)
	}
}

func (s *troubleSim) Admit(_ *game.Tick, p *game.Player) error {
	s.about(p, "admit")
	return nil
}

func (s *troubleSim) Join(_ *game.Tick, p *game.Player)                 { s.about(p, "join") }
func (s *troubleSim) Leave(_ *game.Tick, p *game.Player, _ game.Reason) { s.about(p, "leave") }

func (s *troubleSim) Step(t *game.Tick) {
	if s.both = len(t.Players()) == 2; !s.both {
		return
	}
	s.do("step")
	if s.Where == "step" && s.What == "eat" {
		for range 16 { // 4 MiB a tick, 200 MiB a second
			s.eaten = append(s.eaten, bytes.Repeat([]byte{1}, 256<<10))
		}
	}
}

func (s *troubleSim) Frame(f *game.Frame) {
	f.Put(1, &s.Row)
	if s.both {
		s.do("frame")
	}
}

func (s *troubleSim) Private(p *game.Player, _ any)        { s.about(p, "private") }
func (s *troubleSim) View(p *game.Player, _ *game.ViewSet) { s.about(p, "view") }
func (s *troubleSim) Stop(*game.Tick, game.Reason)         { s.do("stop") }
func (s *troubleSim) Signal(*game.Tick, string, json.RawMessage) (any, error) {
	s.do("signal")
	return "ok", nil
}

func (s *troubleSim) Request(_ *game.Tick, p *game.Player, _ uint16, _ []byte) ([]byte, error) {
	s.about(p, "request")
	return nil, nil
}
