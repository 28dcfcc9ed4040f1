package pong_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/game/gametest"
	"skirmish/game/pong"
	"skirmish/protocol"
)

func TestConformance(t *testing.T) {
	gametest.Run(t, func() game.Game { return pong.Game{} }, gametest.Options{})
}

// TestLogicIsShort: the tutorial promises that a game needs at most 80 lines of logic.
func TestLogicIsShort(t *testing.T) {
	source, err := os.ReadFile("pong.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(source)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			lines++
		}
	}
	if lines > 80 {
		t.Errorf("pong.go has %d lines of logic, 80 are promised", lines)
	}
}

func newMatch(t *testing.T, seed uint64) *game.Engine {
	t.Helper()
	d, err := game.Compile(pong.Game{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := game.NewEngine(t.Context(), d, d.NewMatch("pong", seed, nil))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func join(t *testing.T, e *game.Engine, s game.Seat, bot bool) {
	t.Helper()
	if err := e.Join(game.PlayerInfo{Seat: s, ID: "player" + string('0'+rune(s)), Bot: bot}); err != nil {
		t.Fatal(err)
	}
}

// play ticks until the match is over, at most ten minutes of it, and returns the result.
func play(t *testing.T, e *game.Engine, each func()) (r pong.Result) {
	t.Helper()
	for range 10 * 60 * 60 {
		each()
		e.Tick(time.Unix(0, 0))
		if end, over := e.Ended(); over {
			if end.Reason != game.ReasonFinished {
				t.Errorf("it ended with %q", end.Reason)
			}
			if err := json.Unmarshal(end.Result, &r); err != nil {
				t.Fatal(err)
			}
			return r
		}
	}
	t.Fatal("ten minutes were not enough")
	return r
}

func TestBotsPlayToSeven(t *testing.T) {
	won := map[string]int{}
	for seed := range uint64(10) {
		e := newMatch(t, seed)
		v := e.NewViewer(0)
		join(t, e, 1, true)
		join(t, e, 2, true)
		goals := 0
		r := play(t, e, func() {
			for {
				if _, ok, err := e.NextEvent(v); err != nil || !ok {
					return
				}
				goals++
			}
		})
		if max(r.Scores[0], r.Scores[1]) != 7 || goals+1 != int(r.Scores[0]+r.Scores[1]) { // the last is not read yet
			t.Errorf("seed %d: %+v after %d goals", seed, r, goals)
		}
		won[r.Winner]++
	}
	if won["player1"]+won["player2"] != 10 || won["player1"] == 0 || won["player2"] == 0 {
		t.Errorf("wins %v", won)
	}
}

// TestAPlayerCanPlay: who moves up meets the upper end, who does not move loses to a bot.
func TestAPlayerCanPlay(t *testing.T) {
	e := newMatch(t, 1)
	join(t, e, 1, false)
	e.Tick(time.Unix(0, 0)) // alone: the ball waits
	join(t, e, 2, true)
	seq := uint32(0)
	r := play(t, e, func() {
		seq++
		if _, err := e.Push(1, &protocol.Input{FirstSeq: seq, Count: 1, Values: []int32{-1}}, 0); err != nil {
			t.Fatal(err)
		}
	})
	if r.Winner != "player2" || r.Scores[1] != 7 {
		t.Errorf("%+v", r)
	}
}

func TestWhoStaysWins(t *testing.T) {
	e := newMatch(t, 1)
	join(t, e, 1, false)
	join(t, e, 2, false)
	e.Tick(time.Unix(0, 0))
	e.Leave(1, game.ReasonLeft)
	e.Tick(time.Unix(0, 0))
	if end, over := e.Ended(); !over || string(end.Result) != `{"winner":"player2","scores":[0,0]}` {
		t.Errorf("ended %v: %s", over, end.Result)
	}
}

func TestNothingToSet(t *testing.T) {
	d, _ := game.Compile(pong.Game{})
	_, err := game.NewEngine(t.Context(), d, d.NewMatch("pong", 1, json.RawMessage(`{"goals":3}`)))
	if err == nil || err.Error() != "params.goals: unknown field" {
		t.Errorf("got %v", err)
	}
}
