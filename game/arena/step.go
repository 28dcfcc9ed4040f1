package arena

import "skirmish/game"

// Step is one tick of the match.
func (s *Sim) Step(t *game.Tick) {
	s.lay()
	s.phase(t)
	s.read(t)
	s.revive(t)
	s.fly(t)
	s.bump(t)
	s.fire(t)
	s.strike(t)
	s.collect(t)
	s.fade()
	s.limit(t)
}

// read takes the players' inputs. A lost player's ship drifts.
func (s *Sim) read(t *game.Tick) {
	for _, p := range t.Players() {
		i := s.slot(p.Seat)
		if i < 0 {
			continue
		}
		ship := &s.Ships[i]
		if p.Lost() {
			s.inputs[i] = Input{Aim: ship.Aim}
			continue
		}
		in, _ := game.Input[Input](t, p)
		s.inputs[i] = *in
	}
}

// revive counts the dead down and lets them in again.
func (s *Sim) revive(t *game.Tick) {
	for i := range s.Ships {
		if p := &s.Ships[i]; p.Seat != 0 && p.Dead > 0 {
			if p.Dead--; p.Dead == 0 {
				s.spawn(t, i, false)
			}
		}
	}
}

// spawn puts a ship into play, whole and protected.
func (s *Sim) spawn(t *game.Tick, i int, start bool) {
	p := &s.Ships[i]
	p.Dead = s.tune.respawn // not in play while the place is looked for
	at := s.spawnPoint(t, i, start)
	p.Body = Body{X: at.X, Y: at.Y}
	p.Aim = angleOf(s.ground.Width/2-at.X, s.ground.Height/2-at.Y)
	p.HP, p.Armor = MaxHP, 0
	p.Rail, p.Bolt, p.Dead = 0, 0, 0
	p.Shield = s.tune.protection
	p.LastBy, p.LastAt, p.Thrust = 0, 0, false
}

// spawnPoint is the spawn point farthest from living enemies, of equals a random one; at the start of a team
// round only those of the own half count. A point that a ship stands on is the last choice.
func (s *Sim) spawnPoint(t *game.Tick, i int, start bool) Spot {
	spots := s.ground.Spawns
	skip := t.Rand().IntN(len(spots))
	best, at := int64(-1), spots[skip]
	for n := range spots {
		spot := spots[(n+skip)%len(spots)]
		if start && s.teams() && (spot.X > s.ground.Width/2) != (s.Ships[i].Team == TeamBlue) {
			continue
		}
		near := int64(s.ground.Width) * int64(s.ground.Width) * 2
		for j := range s.Ships {
			o := &s.Ships[j]
			if !o.alive() {
				continue
			}
			dx, dy := int64(o.Body.X-spot.X), int64(o.Body.Y-spot.Y)
			d := dx*dx + dy*dy
			if d < 9*radius*radius {
				near = 0
			} else if s.enemies(i, j) {
				near = min(near, d)
			}
		}
		if near > best {
			best, at = near, spot
		}
	}
	return at
}

// fly moves the ships, counts their timers down and hurts those that hit a wall hard.
func (s *Sim) fly(t *game.Tick) {
	for i := range s.Ships {
		p := &s.Ships[i]
		if !p.alive() {
			continue
		}
		in := s.inputs[i]
		p.Aim = in.Aim
		p.Thrust = in.AX|in.AY != 0
		p.Rail, p.Bolt, p.Shield = max(p.Rail-1, 0), max(p.Bolt-1, 0), max(p.Shield-1, 0)
		near := s.grid.near(p.Body.X, p.Body.Y)
		impact := s.tune.Move(&p.Body, in, near, s.ground.Width, s.ground.Height)
		if impact > CrashSpeed*Unit {
			over := min(impact, hardCap) - CrashSpeed*Unit
			s.damage(t, i, -1, over*CrashDamage/((HardCap-CrashSpeed)*Unit)+1, WeaponCrash)
		}
	}
}

// bump lets ships that overlap push each other apart. A dashing ship rams.
func (s *Sim) bump(t *game.Tick) {
	alive := s.alive()
	for n, i := range alive {
		a := &s.Ships[i].Body
		for _, j := range alive[n+1:] {
			b := &s.Ships[j].Body
			dx, dy := b.X-a.X, b.Y-a.Y
			if dx < 2*radius && dx > -2*radius && dy < 2*radius && dy > -2*radius {
				s.touch(t, i, j, dx, dy)
			}
		}
	}
}

// touch parts two ships whose centres are (dx, dy) from each other: half the overlap each, equal masses.
func (s *Sim) touch(t *game.Tick, i, j int, dx, dy int32) {
	n := length(dx, dy)
	a, b := &s.Ships[i], &s.Ships[j]
	if n >= 2*radius || !a.alive() || !b.alive() { // one may just have been rammed
		return
	}
	if n == 0 {
		dx, n = 1, 1
	}
	half := (2*radius - n + 1) / 2
	px, py := half*dx/n, half*dy/n
	x, y, l := int64(dx), int64(dy), int64(n)
	closing := -(int64(b.Body.VX-a.Body.VX)*x + int64(b.Body.VY-a.Body.VY)*y) / l
	if closing > 0 {
		push := closing * (100 + ShipBounce) / 200
		vx, vy := int32(push*x/l), int32(push*y/l)
		ram, rammed := s.tune.Dashing(&a.Body), s.tune.Dashing(&b.Body)
		a.Body.push(-vx, -vy)
		b.Body.push(vx, vy)
		if closing > RamSpeed*Unit && s.enemies(i, j) {
			if ram {
				a.Body.Dash = s.tune.Cooldown - s.tune.Burst // the burst is spent
				s.damage(t, j, i, RamDamage, WeaponCrash)
			}
			if rammed {
				b.Body.Dash = s.tune.Cooldown - s.tune.Burst
				s.damage(t, i, j, RamDamage, WeaponCrash)
			}
		}
	}
	s.shift(&a.Body, -px, -py)
	s.shift(&b.Body, px, py)
}

// shift moves a body without letting it into a wall.
func (s *Sim) shift(b *Body, dx, dy int32) {
	near := s.grid.near(b.X, b.Y)
	b.X += dx
	b.Y += dy
	b.collide(near, s.ground.Width, s.ground.Height)
}

// push adds to a body's speed, within the hard cap.
func (b *Body) push(vx, vy int32) {
	b.VX += vx
	b.VY += vy
	b.limit(0, hardCap, 0)
}
