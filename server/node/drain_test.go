package node_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// SIGTERM, as Main passes it on: who plays goes on and may come back, nobody new comes in, and when the last match is over
// Serve returns.
func TestShutdownWaitsForItsMatches(t *testing.T) {
	r := serve(t, nil, race{})
	made := r.create(map[string]any{"match_id": "last", "game": "race", "params": map[string]any{"length": 6},
		"seats": []map[string]any{{"player_id": "ann"}, {"player_id": "bob"}, {"player_id": "late"}}})
	notices := make(chan protocol.Notice, 8)
	ann := r.dial(made.Seats[0].Token, client.Options{OnNotice: func(n *protocol.Notice) { notices <- *n }})
	bob := r.dial(made.Seats[1].Token, client.Options{})
	until(t, "both play", func() bool { return ticks(ann) > 0 && ticks(bob) > 0 })
	r.node.Shutdown(time.Minute)
	until(t, "the node is not ready", func() bool { return r.refused("GET", r.admin+"/readyz", nil, nil) == http.StatusServiceUnavailable })
	if n := <-notices; n.Kind != protocol.NoticeDraining || n.DeadlineMS == 0 || n.DeadlineMS > 60_000 {
		t.Errorf("the notice is %+v", n)
	}
	resume := bob.Resumption()
	bob.Close()
	back, err := client.Dial(t.Context(), r.play, client.Options{Resume: resume})
	if err != nil {
		t.Fatalf("a resume while draining: %v", err)
	}
	defer back.Close()
	if _, err := client.Dial(t.Context(), r.play, client.Options{Token: made.Seats[2].Token}); closeCode(err) != protocol.CloseUnavailable {
		t.Errorf("a new player while draining: %v, want 4503", err)
	}
	for range 6 {
		ann.SendFields(map[string]float64{"push": 1})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := ann.Wait(ctx); err != nil {
		t.Errorf("a match that ended by itself: %v", err)
	}
	<-r.ended
	r.stop()
}

// What still runs at the deadline ends, and its players are told to look for another server.
func TestShutdownDeadline(t *testing.T) {
	r := serve(t, nil, race{})
	a := r.dial(r.create(map[string]any{"match_id": "slow", "game": "race", "params": map[string]any{"length": 999}, "seats": []map[string]any{{"player_id": "a"}}}).Seats[0].Token, client.Options{})
	until(t, "it plays", func() bool { return ticks(a) > 0 })
	r.node.Shutdown(100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := a.Wait(ctx); closeCode(err) != protocol.CloseRestart {
		t.Errorf("the player saw %v, want 1012", err)
	}
	<-r.ended
}

// The second signal ends what the first one waits for.
func TestShutdownCutShort(t *testing.T) {
	r := serve(t, nil, race{})
	a := r.dial(r.create(map[string]any{"match_id": "slow", "game": "race", "params": map[string]any{"length": 999}, "seats": []map[string]any{{"player_id": "a"}}}).Seats[0].Token, client.Options{})
	until(t, "it plays", func() bool { return ticks(a) > 0 })
	r.node.Shutdown(time.Hour)
	until(t, "it drains", func() bool { return r.refused("GET", r.admin+"/readyz", nil, nil) == http.StatusServiceUnavailable })
	r.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := a.Wait(ctx); closeCode(err) != protocol.CloseGoingAway {
		t.Errorf("the player saw %v, want 1001", err)
	}
}
