package pong

import "skirmish/game"

// Bot is a modest player: it follows the ball with its paddle's middle, but looks away now and then.
type Bot struct {
	rand game.Rand
	away int // ticks until it looks again
}

func (Game) Bot(seed uint64) game.Bot {
	b := new(Bot)
	b.rand.Seed(seed)
	return b
}

func (b *Bot) Think(v *game.View, in any) {
	var ball Ball
	var own Paddle
	if b.away--; b.away > 0 || !v.Find(ballID, &ball) {
		return
	}
	if b.rand.IntN(90) == 0 {
		b.away = 20
	}
	for id := uint32(paddleID); id < ballID; id++ {
		if v.Find(id, &own) && own.Seat == v.Seat {
			break
		}
	}
	switch middle := own.Y + paddle/2; {
	case ball.Y > middle+paddle/4:
		in.(*Input).Move = 1
	case ball.Y < middle-paddle/4:
		in.(*Input).Move = -1
	}
}
