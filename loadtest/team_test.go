package main

import (
	"testing"

	"skirmish/game"
	"skirmish/game/arena"
)

// TestABrainThatFirstSeesItselfDead: what it learns of the ground then has to last.
func TestABrainThatFirstSeesItselfDead(t *testing.T) {
	r := newRig(t, 8)
	for range 200 {
		r.tick() // the fight has begun
	}
	s := &r.bot.session.State
	brain := arena.NewBot(7)
	view := game.View{Definition: r.loop.definition}
	walks := 0
	for i := range 100 {
		r.tick()
		view.Tick, view.Rows, view.Private = s.Head.Tick, &s.Rows, s.Private
		if view.Seat = 1; i == 0 {
			view.Seat = 60 // without a ship
		}
		var in arena.Input
		if brain.Think(&view, &in); in.AX|in.AY != 0 {
			walks++
		}
	}
	if walks < 10 {
		t.Errorf("it walks in %d of 100 ticks", walks)
	}
}
