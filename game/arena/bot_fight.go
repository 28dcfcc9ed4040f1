package arena

import "skirmish/game"

// botRailRange is the distance in units from which bots use the rail: what a player sees on its screen, so that
// nobody dies of a shot from nowhere.
const botRailRange = 680

// choose picks the target: near, weak and in sight rather than not. A target is kept unless another is clearly
// better.
func (b *Bot) choose() {
	e := &b.eyes
	best, target, sight := int32(1<<30), game.Seat(0), false
	for seat := range e.tracks {
		t := e.enemy(game.Seat(seat))
		if t == nil {
			continue
		}
		cost := span8(t.x-e.body.X, t.y-e.body.Y) + t.hp*Unit
		if game.Seat(seat) == b.target {
			cost -= 120 * Unit
		}
		if t.flags&FlagShielded != 0 {
			cost += 300 * Unit
		}
		if cost >= best {
			continue // even in sight it would not be better
		}
		seen := e.clear(e.body.X, e.body.Y, t.x, t.y, BoltRadius*Unit)
		if !seen {
			cost += 350 * Unit
		}
		if cost < best {
			best, target, sight = cost, game.Seat(seat), seen
		}
	}
	if best > 1500*Unit {
		target, sight = 0, false // nobody near
	}
	if target != b.target || sight && !b.inSight {
		wait := b.nature.reaction/2 + b.rand.Int32N(b.nature.reaction)
		if target == b.target {
			wait /= 2
		}
		b.ready = b.clock + b.ms(wait)
		b.railFrom = b.ready + b.ms(b.rand.Int32N(300+(100-b.nature.skill)*15))
	}
	b.target, b.inSight = target, sight
}

// shoot follows the target with the guns and fires when they seem to bear.
func (b *Bot) shoot(out *Input) {
	e := &b.eyes
	t := e.enemy(b.target)
	if t == nil {
		if b.ax|b.ay != 0 {
			b.swing(angleOf(int32(b.ax), int32(b.ay)))
		}
		return
	}
	x, y := t.x-e.body.X, t.y-e.body.Y
	n := span8(x, y)
	rail := e.rail <= 2 && b.clock >= b.railFrom && n < botRailRange*Unit
	if rail {
		// The rail is instant, but eyes are late: who keeps moving is missed by the less skilled.
		x -= int32(int64(t.vx) * int64(b.nature.late) / 1000)
		y -= int32(int64(t.vy) * int64(b.nature.late) / 1000)
	} else {
		// Bolts need time: aim where the target will be, as well as the bot can tell.
		lead := n / (BoltSpeed) * b.nature.lead / 256 // in 1/256 s
		x += int32(int64(t.vx) * int64(lead) >> 8)
		y += int32(int64(t.vy) * int64(lead) >> 8)
	}
	off := b.swing(angleOf(x, y) + uint16(b.tremble()))
	if !b.inSight || b.clock < b.ready || e.phase == PhaseIntermission || t.flags&FlagShielded != 0 {
		return
	}
	if rail && e.rail == 0 {
		// Most of half the angle under which the ship is seen.
		if off < max(radius*7300/max(n, 1), 90) {
			out.Buttons |= ButtonRail
			b.railFrom = b.clock + b.ms(RailInterval+b.rand.Int32N(900+(100-b.nature.skill)*40))
		}
	}
	if off < 1200 && n < 700*Unit && b.bursting() {
		out.Buttons |= ButtonBolt
	}
}

// bursting tells whether the bot keeps the trigger down: it fires for a while and rests for a while.
func (b *Bot) bursting() bool {
	if b.clock >= b.rest {
		b.burst = b.clock + b.ms(350+b.rand.Int32N(900))
		b.rest = b.burst + b.ms(150+b.rand.Int32N(200+(100-b.nature.skill)*9))
	}
	return b.clock < b.burst
}

// tremble is what the bot aims beside at the moment: it drifts from one error to the next.
func (b *Bot) tremble() int32 {
	if b.clock >= b.missClock {
		b.missClock = b.clock + b.ms(180+b.rand.Int32N(240))
		b.missNext = b.rand.Int32N(2*b.nature.wobble+1) - b.nature.wobble
	}
	b.miss += (b.missNext - b.miss) / 6
	return b.miss
}

// swing turns the guns towards an angle and returns how far off they still are.
func (b *Bot) swing(to uint16) (off int32) {
	diff := int32(int16(to - b.aim))
	most := b.nature.turning / b.eyes.rate
	b.aim += uint16(min(max(diff*2/5, -most), most))
	if diff < 8 && diff > -8 {
		b.aim = to
	}
	diff = int32(int16(to - b.aim))
	return max(diff, -diff)
}
