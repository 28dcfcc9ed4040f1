package arena

import "skirmish/game"

// Bot plays one seat.
type Bot struct{ rand game.Rand }

// NewBot makes a bot.
func NewBot(seed uint64) *Bot {
	b := new(Bot)
	b.rand.Seed(seed)
	return b
}

// Think fills in the next input.
func (b *Bot) Think(v *game.View, in any) {}
