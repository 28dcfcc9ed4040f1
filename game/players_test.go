package game_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"skirmish/game"
	"skirmish/protocol"
)

// log notes the calls that a sim gets, in their order.
func logged(g *toy) *[]string {
	var log []string
	note := func(what string, t *game.Tick, p *game.Player) {
		var seats []game.Seat
		for _, q := range t.Players() {
			seats = append(seats, q.Seat)
		}
		log = append(log, fmt.Sprintf("%s %d %v", what, p.Seat, seats))
	}
	g.hooks.admit = func(t *game.Tick, p *game.Player) error { note("admit", t, p); return nil }
	g.hooks.join = func(t *game.Tick, p *game.Player) { note("join", t, p) }
	g.hooks.leave = func(t *game.Tick, p *game.Player, why game.Reason) { note("leave", t, p) }
	return &log
}

func TestJoinAndLeave(t *testing.T) {
	g := &toy{}
	log := logged(g)
	e := newToy(t, g, func(m *game.Match) { m.Players = 3 })
	for _, s := range []game.Seat{3, 1, 2} {
		join(t, e, s)
	}
	e.Leave(2, game.ReasonLeft) // before the sim knew it: neither join nor leave
	e.Leave(9, game.ReasonLeft) // nobody
	tick(e, 1)
	e.Leave(1, game.ReasonExpired)
	join(t, e, 1) // the seat's next player, in the same tick
	join(t, e, 2)
	if err := e.Join(game.PlayerInfo{Seat: 4}); !errors.Is(err, game.ErrFull) {
		t.Errorf("a fourth of three: %v", err)
	}
	tick(e, 1)
	want := []string{"admit 3 []", "admit 1 []", "admit 2 []", "join 3 [3]", "join 1 [1 3]",
		"admit 1 [1 3]", "admit 2 [1 3]", "leave 1 [3]", "join 1 [1 3]", "join 2 [1 2 3]"}
	if !reflect.DeepEqual(*log, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(*log, "\n"), strings.Join(want, "\n"))
	}
}

func TestJoinRefuses(t *testing.T) {
	g := &toy{}
	e := newToy(t, g, nil)
	join(t, e, 1)
	if err := e.Join(game.PlayerInfo{}); !errors.Is(err, game.ErrSeat) {
		t.Errorf("seat 0: %v", err)
	}
	if err := e.Join(game.PlayerInfo{Seat: 1}); !errors.Is(err, game.ErrSeatTaken) {
		t.Errorf("seat 1 twice: %v", err)
	}
	full := errors.New("no red players any more")
	g.hooks.admit = func(*game.Tick, *game.Player) error { return full }
	err := e.Join(game.PlayerInfo{Seat: 2})
	if refused, ok := errors.AsType[*game.RefusedError](err); !ok || refused.Err != full {
		t.Errorf("the game's no: %v", err)
	}
	g.hooks.admit = nil
	join(t, e, 2) // a refused join has left nothing behind
	e.Stop(game.ReasonForce)
	if err := e.Join(game.PlayerInfo{Seat: 3}); !errors.Is(err, game.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

func TestRequest(t *testing.T) {
	g := &toy{}
	e := newToy(t, g, nil)
	join(t, e, 1)
	ask := func(s game.Seat) string {
		status, out := e.Request(s, 7, []byte("hi"))
		return fmt.Sprintf("%d %s", status, out)
	}
	if got := ask(1); got != "2 not in the match" {
		t.Errorf("before its join: %s", got)
	}
	tick(e, 1)
	if got := ask(1); got != "0 hi" {
		t.Errorf("an answer: %s", got)
	}
	g.hooks.request = func(_ *game.Tick, _ *game.Player, op uint16, in []byte) ([]byte, error) {
		return nil, fmt.Errorf("op %d is unknown", op)
	}
	if got := ask(1); got != "2 op 7 is unknown" {
		t.Errorf("an error: %s", got)
	}
	g.hooks.request = func(*game.Tick, *game.Player, uint16, []byte) ([]byte, error) {
		return make([]byte, protocol.MaxReplyBytes+1), nil
	}
	if got := ask(1); got != "2 the reply is too long" {
		t.Errorf("too long: %s", got)
	}
	if got := ask(2); got != "2 not in the match" {
		t.Errorf("nobody: %s", got)
	}
}

func TestKick(t *testing.T) {
	g := &toy{}
	g.hooks.step = func(t *game.Tick) {
		if p := t.Player(1); p != nil {
			t.Kick(p, strings.Repeat("ö", 100))
		}
	}
	e := newToy(t, g, nil)
	join(t, e, 1)
	tick(e, 3)
	kicks := e.Kicks()
	if len(kicks) != 1 || kicks[0].Seat != 1 || kicks[0].Text != strings.Repeat("ö", 61) {
		t.Errorf("kicked %+v", kicks)
	}
	e.Leave(1, game.ReasonKicked)
	tick(e, 1)
	if kicks := e.Kicks(); len(kicks) != 0 {
		t.Errorf("kicked again %+v", kicks)
	}
}

func TestEndedMatchStandsStill(t *testing.T) {
	g := &toy{}
	log := logged(g)
	e := newToy(t, g, nil)
	join(t, e, 1)
	tick(e, 2)
	e.Leave(1, game.ReasonLeft)
	e.Stop(game.ReasonForce)
	e.Stop(game.ReasonTimeout) // does nothing
	calls := len(*log)
	tick(e, 3)
	if end, over := e.Ended(); !over || end.Reason != game.ReasonForce || e.Now() != 2 || len(*log) != calls {
		t.Errorf("ended %v %+v at %d, calls %v", over, end, e.Now(), *log)
	}
}
