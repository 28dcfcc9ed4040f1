package node_test

import (
	"sync/atomic"
	"testing"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// Spectators of a match with a delay see it as it was: their newest tick stays behind the players' by that much.
func TestSpectatorsSeeLate(t *testing.T) {
	t.Parallel()
	r := serve(t, nil, race{})
	const delayTicks = 50 // one second at 50 Hz
	made := r.create(map[string]any{
		"game": "race", "params": map[string]any{"length": 100000}, "spectator_delay_ms": 1000,
		"capacity": map[string]any{"players": 2, "spectators": 4},
		"seats":    []map[string]any{{"player_id": "ann"}, {"player_id": "eyes", "role": "spectator"}},
	})
	var now atomic.Uint32
	ann := r.dial(made.Seats[0].Token, client.Options{OnState: func(s *protocol.State) { now.Store(s.Head.Tick) }})
	eyes := r.dial(made.Seats[1].Token, client.Options{})
	until(t, "two seconds of the match", func() bool { return now.Load() > 2*delayTicks })
	var s protocol.State
	until(t, "a late picture", func() bool { return eyes.State(&s) })
	if behind := int(now.Load()) - int(s.Head.Tick); behind < delayTicks-5 {
		t.Fatalf("the spectator is %d ticks behind the player, want about %d", behind, delayTicks)
	}
	if w := eyes.Welcome(); w.Role != protocol.RoleSpectator {
		t.Fatalf("role %d", w.Role)
	}
	ann.Close()
}
