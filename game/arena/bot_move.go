package arena

import "skirmish/game"

// decide makes the plan for the next few ticks: whom to fight, where to go, whether to dash.
func (b *Bot) decide() {
	b.choose()
	b.dash = false
	x, y := b.wish()
	b.unstick(&x, &y)
	dodging := b.dodge(&x, &y)
	b.stick(x, y)
	if !dodging {
		b.charge()
	}
}

// wish is the direction the bot would like to go in, any length: round its target, to a pickup, or somewhere.
func (b *Bot) wish() (x, y int32) {
	e := &b.eyes
	if at, ok := b.errand(); ok {
		return b.towards(at)
	}
	t := e.enemy(b.target)
	if t == nil {
		return b.wander()
	}
	b.walking = false
	if !b.inSight {
		return b.towards(Spot{t.x, t.y})
	}
	if b.clock >= b.turn {
		b.turn = b.clock + b.ms(600+b.rand.Int32N(1800))
		if b.rand.IntN(2) == 0 {
			b.circle = -b.circle
		}
	}
	dx, dy := t.x-e.body.X, t.y-e.body.Y
	n := max(length(dx, dy), 1)
	// Along the line: in when too far, out when too near. Across it: round the target.
	in := min(max((n-b.nature.near)*256/(120*Unit), -256), 256)
	round := b.circle * (300 - max(in, -in)*2/3)
	ux, uy := int32(int64(dx)*256/int64(n)), int32(int64(dy)*256/int64(n))
	return ux*in - uy*round, uy*in + ux*round
}

// towards is the direction to a place, round the walls.
func (b *Bot) towards(at Spot) (x, y int32) {
	e := &b.eyes
	wx, wy := b.path.way(e, e.body.X, e.body.Y, at.X, at.Y)
	return wx - e.body.X, wy - e.body.Y
}

// errand is a pickup worth the way: repair or armor when hurt, others when near.
func (b *Bot) errand() (at Spot, ok bool) {
	e := &b.eyes
	best := int32(0)
	for i := e.pickups.from; i < e.pickups.to; i++ {
		row := e.rows.Rows.Row(i)
		x, y := row[colX]<<wireShift, row[colY]<<wireShift
		reach := int32(0)
		switch row[colPickupType] {
		case PickupRepair:
			if e.hp < b.nature.caution {
				reach = 900
			} else if e.hp < MaxHP-RepairHP/2 {
				reach = 260
			}
		case PickupArmor:
			if reach = 260; e.hp < b.nature.caution {
				reach = 500
			}
		case PickupOverdrive:
			reach = 420
		}
		if worth := reach*Unit - span8(x-e.body.X, y-e.body.Y); worth > best {
			best, at, ok = worth, Spot{x, y}, true
		}
	}
	return at, ok
}

// wander goes to random places, new ones now and then.
func (b *Bot) wander() (x, y int32) {
	e := &b.eyes
	if !b.walking || b.clock >= b.until || span8(b.goal.X-e.body.X, b.goal.Y-e.body.Y) < 70*Unit {
		b.walking = true
		b.until = b.clock + b.ms(4000+b.rand.Int32N(4000))
		b.goal = b.anywhere()
	}
	return b.towards(b.goal)
}

func (b *Bot) anywhere() Spot {
	p := &b.path
	at := p.place(b.rand.Int32N(b.eyes.width), b.rand.Int32N(b.eyes.height))
	x, y := p.centre(at)
	return Spot{x, y}
}

// unstick notices that the bot has hardly moved for a while and sends it elsewhere.
func (b *Bot) unstick(x, y *int32) {
	e := &b.eyes
	if b.clock >= b.stuckTill {
		if b.stuckTill > 0 && span8(b.stuckAt.X-e.body.X, b.stuckAt.Y-e.body.Y) < 24*Unit {
			b.freeing = b.clock + b.ms(900)
			b.goal = b.anywhere()
			b.circle = -b.circle
		}
		b.stuckAt, b.stuckTill = Spot{e.body.X, e.body.Y}, b.clock+b.ms(1000)
	}
	if b.clock < b.freeing {
		*x, *y = b.towards(b.goal)
	}
}

// dodge adds a step aside if bolts come, or a dash if it is tight.
func (b *Bot) dodge(x, y *int32) bool {
	e := &b.eyes
	const far, wide = 230 * Unit, (ShipRadius + BoltRadius + 12) * Unit
	threats, side, soon := 0, int64(0), int64(far)
	for i := e.bolts.from; i < e.bolts.to; i++ {
		row := e.rows.Rows.Row(i)
		dx, dy := e.body.X-row[colX]<<wireShift, e.body.Y-row[colY]<<wireShift
		if dx > far || dx < -far || dy > far || dy < -far || e.enemy(game.Seat(row[colBoltOwner])) == nil {
			continue
		}
		aim := uint16(row[colAim]<<8 + 128)
		c, s := int64(cos(aim)), int64(sin(aim))
		ahead, beside := (int64(dx)*c+int64(dy)*s)>>14, (int64(dy)*c-int64(dx)*s)>>14
		if ahead < 0 || ahead > far || beside > wide || beside < -wide {
			continue
		}
		threats++
		if ahead < soon {
			// Away from the bolt's line, on the side where the ship is already.
			soon = ahead
			if side = 1; beside < 0 {
				side = -1
			}
			if b.rand.Int32N(100) < 20+b.nature.skill*3/4 {
				*x, *y = int32(-s*side)/64, int32(c*side)/64
			}
		}
	}
	if threats < 2 && (threats == 0 || e.hp > 45) || e.body.Dash > 0 || soon > 130*Unit ||
		b.rand.Int32N(140) > b.nature.skill {
		return false
	}
	b.dash = b.roomFor(*x, *y)
	return b.dash
}

// charge dashes at a target to ram it, or after one that is far.
func (b *Bot) charge() {
	e := &b.eyes
	t := e.enemy(b.target)
	if t == nil || !b.inSight || e.body.Dash > 0 || e.phase == PhaseIntermission || t.flags&FlagShielded != 0 {
		return
	}
	dx, dy := t.x+t.vx/8-e.body.X, t.y+t.vy/8-e.body.Y
	n := span8(dx, dy)
	ram := n < 190*Unit && (t.hp <= RamDamage || e.hp > t.hp || e.hp > 60)
	chase := n > 480*Unit && e.hp > b.nature.caution
	if !ram && !chase || b.rand.Int32N(400) >= b.nature.daring || !b.roomFor(dx, dy) {
		return
	}
	b.dash = true
	b.stickTo(dx, dy)
}

// roomFor tells whether a dash in that direction meets no wall.
func (b *Bot) roomFor(x, y int32) bool {
	const way = 190
	e := &b.eyes
	n := int64(length(x, y))
	if n == 0 {
		return false
	}
	tx, ty := e.body.X+int32(int64(x)*way*Unit/n), e.body.Y+int32(int64(y)*way*Unit/n)
	return tx > radius && ty > radius && tx < e.width-radius && ty < e.height-radius &&
		e.clear(e.body.X, e.body.Y, tx, ty, radius)
}

// stick sets the stick to the direction nearest to (x, y) that does not lead into a wall.
func (b *Bot) stick(x, y int32) {
	e := &b.eyes
	if x == 0 && y == 0 {
		b.ax, b.ay = 0, 0
		return
	}
	// Where the ship will be in a sixth of a second, and the walls around.
	const look = 60 * Unit
	px, py := e.body.X+e.body.VX/6, e.body.Y+e.body.VY/6
	var near [12]Rect
	n := 0
	for i := range e.walls {
		w := &e.walls[i]
		if n < len(near) && px > w.X-2*look && px < w.X+w.W+2*look && py > w.Y-2*look && py < w.Y+w.H+2*look {
			near[n] = *w
			n++
		}
	}
	wish := angleOf(x, y)
	if n == 0 && px > 2*look && py > 2*look && px < e.width-2*look && py < e.height-2*look {
		b.stickAt(wish)
		return
	}
	best, at := int32(-1<<30), wish
	for k := range uint16(16) {
		// 0, +1, −1, +2, … sixteenths of a turn away from the wish.
		a := wish + (k+1)/2*4096
		if k&1 == 0 {
			a = wish - (k+1)/2*4096
		}
		c, s := cos(a), sin(a)
		value := cos(a - wish)
		for _, way := range [2]int32{look / 2, look} {
			qx, qy := px+along(c, way), py+along(s, way)
			if e.tight(near[:n], qx, qy) {
				value -= One
			}
		}
		if value > best {
			best, at = value, a
		}
	}
	b.stickAt(at)
}

// tight tells whether a ship does not fit at a place.
func (e *eyes) tight(walls []Rect, x, y int32) bool {
	const pad = radius + 3*Unit
	if x < pad || y < pad || x > e.width-pad || y > e.height-pad {
		return true
	}
	for i := range walls {
		w := &walls[i]
		if x > w.X-pad && x < w.X+w.W+pad && y > w.Y-pad && y < w.Y+w.H+pad {
			return true
		}
	}
	return false
}

func (b *Bot) stickTo(x, y int32) { b.stickAt(angleOf(x, y)) }

func (b *Bot) stickAt(a uint16) { b.ax, b.ay = int8(cos(a)*127/One), int8(sin(a)*127/One) }
