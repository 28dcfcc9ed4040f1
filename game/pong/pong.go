// Package pong is the tutorial game: two paddles, one ball, first to seven. The README of the game package walks
// through it. spec.go names what travels, this file holds the rules, bot.go plays.
package pong

import (
	"context"

	"skirmish/game"
)

// Court is the state of one match. All of it is exported, so that it can be saved and compared.
type Court struct {
	Ball, Speed [2]int32  // x, y
	Paddles     [2]Paddle // left, right
}

// New makes a match. There is nothing to set.
func (Game) New(_ context.Context, m *game.Match) (game.Sim, error) {
	c := &Court{Paddles: [2]Paddle{{Y: (height - paddle) / 2}, {Y: (height - paddle) / 2}}}
	c.serve(game.NewRand(m.Seed))
	return c, m.Decode(&struct{}{})
}

// Join gives p the free side.
func (c *Court) Join(_ *game.Tick, p *game.Player) {
	c.Paddles[c.side(0)].Seat = p.Seat
}

// Leave ends the match: who stays has won.
func (c *Court) Leave(t *game.Tick, p *game.Player, _ game.Reason) {
	side := c.side(p.Seat)
	c.Paddles[side].Seat = 0
	c.win(t, 1-side)
}

// Step moves the paddles, then the ball. It waits for both players.
func (c *Court) Step(t *game.Tick) {
	rate := int32(t.Rate())
	for side := range c.Paddles {
		p := t.Player(c.Paddles[side].Seat)
		if p == nil {
			return
		}
		in, _ := game.Input[Input](t, p)
		y := c.Paddles[side].Y + int32(in.Move)*paddleSpeed/rate
		c.Paddles[side].Y = min(max(y, 0), height-paddle)
	}
	c.Ball[0] += c.Speed[0] / rate
	c.Ball[1] += c.Speed[1] / rate
	if y := c.Ball[1]; y < 0 && c.Speed[1] < 0 || y > height && c.Speed[1] > 0 {
		c.Speed[1] = -c.Speed[1]
	}
	if x := c.Ball[0]; x < margin && c.Speed[0] < 0 {
		c.meet(t, 0)
	} else if x > width-margin && c.Speed[0] > 0 {
		c.meet(t, 1)
	}
}

// Frame writes what everybody sees.
func (c *Court) Frame(f *game.Frame) {
	for side := range c.Paddles {
		f.Put(paddleID+uint32(side), &c.Paddles[side])
	}
	f.Put(ballID, &Ball{X: c.Ball[0], Y: c.Ball[1]})
}

// meet is the ball at a paddle's line: sent back, the steeper the farther from the paddle's middle, or a goal.
func (c *Court) meet(t *game.Tick, side int) {
	if off := c.Ball[1] - c.Paddles[side].Y - paddle/2; -paddle/2 <= off && off <= paddle/2 {
		c.Speed = [2]int32{min(max(-c.Speed[0]*17/16, -maxSpeed), maxSpeed), off * 8}
		return
	}
	scorer := &c.Paddles[1-side]
	scorer.Score++
	t.Emit(nil, &Goal{Seat: scorer.Seat})
	if scorer.Score == goals {
		c.win(t, 1-side)
	}
	c.serve(t.Rand())
}

func (c *Court) serve(r *game.Rand) {
	c.Ball = [2]int32{width / 2, height / 2}
	c.Speed = [2]int32{serveSpeed * int32(2*r.IntN(2)-1), int32(r.Between(-serveSpeed/2, serveSpeed/2))}
}

func (c *Court) win(t *game.Tick, side int) {
	if p := t.Player(c.Paddles[side].Seat); p != nil {
		t.Finish(Result{Winner: p.ID, Scores: [2]uint8{c.Paddles[0].Score, c.Paddles[1].Score}})
	}
}

// side is the side of a seat; of seat 0 a free one.
func (c *Court) side(s game.Seat) int {
	if c.Paddles[0].Seat == s {
		return 0
	}
	return 1
}
