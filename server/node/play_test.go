package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
)

// A matchmaker makes a match with one call, two players play it to the end, the result is there to be read.
func TestFromMatchmakerToResult(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{
		"match_id": "final-1", "game": "race", "params": map[string]any{"length": 5}, "metadata": map[string]string{"cup": "gold"},
		"seats": []map[string]any{{"player_id": "ann", "name": "Ann"}, {"player_id": "bob", "name": "Bob", "team": 1}},
	})
	if made.Match.State != api.MatchWaiting || made.Match.Reserved != 2 || len(made.Seats) != 2 || made.Seats[0].Token == "" {
		t.Fatalf("created %+v", made)
	}
	var leads atomic.Int32
	ann := r.dial(made.Seats[0].Token, client.Options{OnEvent: func(*protocol.Event) { leads.Add(1) }})
	bob := r.dial(made.Seats[1].Token, client.Options{})
	if w := bob.Welcome(); w.MatchID != "final-1" || w.Game != "race" || w.PlayerID != "bob" {
		t.Fatalf("welcome %+v", w)
	}
	var running api.Match
	r.call("GET", r.admin+"/v1/matches/final-1", nil, http.StatusOK, &running)
	if running.State != api.MatchRunning || running.Metadata["cup"] != "gold" {
		t.Fatalf("GET %+v", running)
	}
	for range 5 {
		if _, err := ann.SendFields(map[string]float64{"push": 1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*client.Client{ann, bob} {
		if err := c.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		res, ok := c.Result()
		if !ok || res.Reason != "finished" || string(res.Payload) != `{"winner":"ann"}` {
			t.Fatalf("result %v %s", ok, res.Payload)
		}
	}
	if leads.Load() != 5 {
		t.Fatalf("%d events of 5", leads.Load())
	}
	var result api.Result
	r.call("GET", r.admin+"/v1/matches/final-1/result", nil, http.StatusOK, &result)
	if result.Reason != "finished" || len(result.Players) != 2 || result.StartedAt == nil {
		t.Fatalf("result %+v", result)
	}
	var own struct{ Winner string }
	if err := json.Unmarshal(result.Result, &own); err != nil || own.Winner != "ann" {
		t.Fatalf("the game's result is %s", result.Result)
	}
}

// A bot and a human in the bundled arena: the human's ship moves where it is steered.
func TestArenaByQuickPlay(t *testing.T) {
	r := serve(t, nil)
	var seat api.QuickPlay
	r.call("POST", r.game+"/v1/quickplay", map[string]string{"name": "Zoe"}, http.StatusOK, &seat)
	c, err := client.Dial(t.Context(), seat.URL, client.Options{Token: seat.Token})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ship, _ := client.KindIndex(c.Plan(), "ship")
	x, _ := client.FieldIndex(&c.Plan().Kinds[ship], "x")
	var s protocol.State
	own := func() ([]int32, bool) {
		if !c.State(&s) {
			return nil, false
		}
		i, ok := s.Rows.Find(uint32(seat.Seat))
		if !ok {
			return nil, false
		}
		return s.Rows.Row(i), true
	}
	until(t, "an own ship among seven bots", func() bool {
		_, ok := own()
		ships := 0
		for _, k := range s.Rows.Kinds {
			if k == ship {
				ships++
			}
		}
		return ok && ships == 8
	})
	row, _ := own()
	from := row[x]
	push := 127.0
	if kind := &c.Plan().Kinds[ship]; from > (kind.Fields[x].Max+kind.Fields[x].Min)/2 {
		push = -push
	}
	until(t, "the ship has moved a good way", func() bool {
		c.SendFields(map[string]float64{"ax": push})
		row, ok := own()
		d := row[x] - from
		return ok && s.Head.Ack > 10 && (d > 100 || d < -100)
	})
	until(t, "names of all in the roster", func() bool {
		named := 0
		for _, e := range c.Roster() {
			if e.Name != "" && e.State == protocol.SeatActive {
				named++
			}
		}
		return named == 8
	})

	var second api.QuickPlay
	r.call("POST", r.game+"/v1/quickplay", map[string]string{"name": "Max"}, http.StatusOK, &second)
	if second.MatchID != seat.MatchID {
		t.Fatal("two newcomers did not meet in the same match")
	}
	var watch api.QuickPlay
	r.call("POST", r.game+"/v1/quickplay", map[string]string{"role": "spectator", "match_id": seat.MatchID}, http.StatusOK, &watch)
	eyes := r.dial(watch.Token, client.Options{})
	until(t, "a spectator sees the match", func() bool { return eyes.State(&s) && !s.HasPrivate && s.Rows.Len() > 8 })
}

// A lost socket keeps its seat, and the resume token brings it back with the events it missed.
func TestResumeOverRealSockets(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{"game": "race", "params": map[string]any{"length": 1000},
		"seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}}})
	var seen []int32
	events := make(chan int32, 1000)
	onEvent := func(e *protocol.Event) { events <- e.Values[1].Int }
	a := r.dial(made.Seats[0].Token, client.Options{OnEvent: onEvent})
	b := r.dial(made.Seats[1].Token, client.Options{})
	pushed := 0
	push := func(n int) {
		for range n {
			if _, err := b.SendFields(map[string]float64{"push": 1}); err != nil {
				t.Fatal(err)
			}
			pushed++
			want := int32(pushed)
			until(t, "a step of b", func() bool {
				var s protocol.State
				b.State(&s)
				i, ok := s.Rows.Find(uint32(made.Seats[1].Seat))
				return ok && s.Rows.Row(i)[0] == want
			})
		}
	}
	push(3)
	until(t, "three events", func() bool { return len(events) == 3 })
	resume := a.Resumption()
	a.Close()
	push(4)
	back, err := client.Dial(t.Context(), r.play, client.Options{Resume: resume, OnEvent: onEvent})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	push(2)
	until(t, "all nine events", func() bool { return len(events) >= 9 })
	for len(events) > 0 {
		seen = append(seen, <-events)
	}
	for i, at := range seen {
		if at != int32(i+1) {
			t.Fatalf("events %v: each once and in order wanted", seen)
		}
	}
	if _, err := client.Dial(t.Context(), r.play, client.Options{Resume: resume}); closeCode(err) != protocol.CloseBadTicket {
		t.Fatalf("the used resume token: %v", err)
	}
}

// closeCode is the close code behind an error of a client; 0 if it is none.
func closeCode(err error) protocol.CloseCode {
	if ce, ok := errors.AsType[*client.CloseError](err); ok {
		return ce.Code
	}
	return 0
}

// A match whose game panics ends alone, with 4500 and a result; the one beside it goes on.
func TestPanicEndsOneMatchOnly(t *testing.T) {
	r := serve(t, nil, race{})
	broken := r.create(map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "a"}}})
	sound := r.create(map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "b"}}})
	a, b := r.dial(broken.Seats[0].Token, client.Options{}), r.dial(sound.Seats[0].Token, client.Options{})
	a.SendFields(map[string]float64{"push": 2})
	if err := a.Wait(t.Context()); closeCode(err) != protocol.CloseMatchFailed {
		t.Fatalf("the player of the broken match: %v", err)
	}
	var res api.Result
	r.call("GET", r.admin+"/v1/matches/"+broken.Match.MatchID+"/result", nil, http.StatusOK, &res)
	if res.Reason != "aborted" {
		t.Fatalf("reason %q, want aborted", res.Reason)
	}
	var s protocol.State
	b.State(&s)
	at := s.Head.Tick
	until(t, "the other match ticks on", func() bool { b.State(&s); return s.Head.Tick > at+10 })
}

// SIGTERM, as Run sees it: every player is told, Serve returns without an error, nothing listens any more.
func TestShutdownTellsEverybody(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}}})
	a := r.dial(made.Seats[0].Token, client.Options{})
	r.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := a.Wait(ctx); closeCode(err) != protocol.CloseGoingAway {
		t.Fatalf("the player saw %v, want close 1001", err)
	}
	if _, err := http.Get(r.admin + "/livez"); err == nil {
		t.Fatal("the admin port still answers")
	}
}
