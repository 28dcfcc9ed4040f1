package arena

import "skirmish/game"

// fire lets the ships shoot. Whoever was in play at the start of it shoots, also when an earlier slot has just
// destroyed it: no slot has the first shot.
func (s *Sim) fire(t *game.Tick) {
	if s.Phase == PhaseIntermission {
		return
	}
	for _, i := range s.alive() {
		p, buttons := &s.Ships[i], s.inputs[i].Buttons
		if buttons&ButtonRail != 0 && p.Rail == 0 {
			p.Rail = s.tune.railInterval
			s.fireRail(t, i)
		}
		if buttons&ButtonBolt != 0 && p.Bolt == 0 && len(s.Bolts) < BoltsPerPlayer*s.players {
			p.Bolt = s.tune.boltInterval
			if p.Body.Overdrive > 0 {
				p.Bolt = s.tune.boltDriven
			}
			s.fireBolt(i)
		}
	}
}

// fireBolt starts a bolt at the muzzle, unless a wall is in front of it.
func (s *Sim) fireBolt(i int) {
	p := &s.Ships[i]
	p.Shield = 0
	c, n := cos(p.Aim), sin(p.Aim)
	mx, my := along(c, Muzzle*Unit), along(n, Muzzle*Unit)
	for _, w := range s.grid.near(p.Body.X, p.Body.Y) {
		if w.enter(p.Body.X, p.Body.Y, mx, my) < whole {
			return
		}
	}
	s.Bolts = append(s.Bolts, Bolt{
		ID: s.NextBolt, X: p.Body.X + mx, Y: p.Body.Y + my, Life: s.tune.boltLife, Aim: p.Aim,
		DX: along(c, s.tune.boltStep), DY: along(n, s.tune.boltStep), Owner: p.Seat, Slot: uint8(i),
	})
	if s.NextBolt++; s.NextBolt == FirstWallID {
		s.NextBolt = FirstBoltID
	}
}

// along is a length in a direction's sine or cosine, rounded.
func along(direction, length int32) int32 {
	return int32((int64(direction)*int64(length) + One/2) / One)
}

// strike advances the bolts and lets them hit the first enemy or wall in their way.
func (s *Sim) strike(t *game.Tick) {
	if len(s.Bolts) == 0 {
		return
	}
	s.grid.unmark()
	alive := s.alive()
	for n := len(alive) - 1; n >= 0; n-- {
		b := &s.Ships[alive[n]].Body
		s.grid.mark(alive[n], b.X, b.Y, s.tune.boltNear)
	}
	kept := 0
	for i := range s.Bolts {
		if b := &s.Bolts[i]; s.travel(t, b) {
			if kept != i {
				s.Bolts[kept] = *b
			}
			kept++
		}
	}
	s.Bolts = s.Bolts[:kept]
}

const boltReach = (ShipRadius + BoltRadius) * Unit

// travel moves a bolt by one tick and tells whether it flies on.
func (s *Sim) travel(t *game.Tick, b *Bolt) bool {
	if b.Life--; b.Life < 0 {
		return false
	}
	cell := s.grid.cell(b.X, b.Y)
	dx, dy, flies := b.DX, b.DY, true
	for k := s.grid.first[cell]; k < s.grid.first[cell+1]; k++ {
		if at := s.grid.walls[k].enter(b.X, b.Y, dx, dy); at < whole {
			dx, dy, flies = int32(int64(dx)*at>>16), int32(int64(dy)*at>>16), false
		}
	}
	if victim := s.inWay(b, s.grid.ships[cell], dx, dy); victim >= 0 {
		if s.damage(t, victim, int(b.Slot), BoltDamage, WeaponBolt) {
			c, n := cos(b.Aim), sin(b.Aim)
			s.Ships[victim].Body.push(along(c, BoltPush*Unit), along(n, BoltPush*Unit))
		}
		return false
	}
	b.X += dx
	b.Y += dy
	return flies && b.X > 0 && b.Y > 0 && b.X < s.ground.Width && b.Y < s.ground.Height
}

// inWay is the first enemy, of the ships marked in a cell, that a bolt meets on the way (dx, dy), −1 if there is none.
func (s *Sim) inWay(b *Bolt, mark int32, dx, dy int32) (victim int) {
	victim = -1
	first, way := int64(1)<<62, int64(dx)*int64(dx)+int64(dy)*int64(dy)
	for ; mark != 0; mark = s.grid.marks[mark].next {
		j := int(s.grid.marks[mark].slot)
		if j == int(b.Slot) {
			continue
		}
		o := &s.Ships[j]
		x, y := int64(o.Body.X-b.X), int64(o.Body.Y-b.Y)
		// Where on the way the ship is nearest, in 1/way of it; beyond either end the end counts.
		at := x*int64(dx) + y*int64(dy)
		switch {
		case at <= 0:
		case at >= way:
			x, y = x-int64(dx), y-int64(dy)
		default:
			x, y = x-int64(dx)*at/way, y-int64(dy)*at/way
		}
		if x*x+y*y < boltReach*boltReach && at < first && o.alive() && s.enemies(int(b.Slot), j) {
			first, victim = at, j
		}
	}
	return victim
}

// fireRail shoots at once from the ship's centre to the first wall or enemy in range. Mates let it through. The
// shooter and the walls stand where they are; the others where the shooter saw them.
func (s *Sim) fireRail(t *game.Tick, i int) {
	p := &s.Ships[i]
	p.Shield = 0
	c, n := cos(p.Aim), sin(p.Aim)
	far := s.sight(p.Body.X, p.Body.Y, along(c, RailRange*Unit), along(n, RailRange*Unit), RailRange*Unit)
	victim := -1
	var past game.Past
	if shooter := t.Player(p.Seat); shooter != nil {
		past = t.Rewind(shooter)
	}
	for j := range s.Ships {
		if !s.Ships[j].alive() || !s.enemies(i, j) {
			continue
		}
		ox, oy, drawn := s.seen(past, j)
		if !drawn {
			continue
		}
		x, y := int64(ox-p.Body.X), int64(oy-p.Body.Y)
		ahead, beside := (x*int64(c)+y*int64(n))>>14, (x*int64(n)-y*int64(c))>>14
		if ahead <= 0 || beside >= radius || beside <= -radius {
			continue
		}
		if at := int32(ahead - isqrt(radius*radius-beside*beside)); at < far {
			far, victim = max(at, 0), j
		}
	}
	beam := Beam{ID: s.NextBeam, Life: s.tune.beamLife, Owner: p.Seat,
		X1: p.Body.X, Y1: p.Body.Y, X2: p.Body.X + along(c, far), Y2: p.Body.Y + along(n, far)}
	if victim >= 0 && s.damage(t, victim, i, RailDamage, WeaponRail) {
		beam.Hit = s.Ships[victim].Seat
		s.Ships[victim].Body.push(along(c, RailPush*Unit), along(n, RailPush*Unit))
	}
	if len(s.Beams) < BeamsPerPlayer*s.players {
		s.Beams = append(s.Beams, beam)
		if s.NextBeam++; s.NextBeam == FirstBoltID {
			s.NextBeam = FirstBeamID
		}
	}
}

// seen is where a ship that is in play was for whoever saw that past, false when it was not or was a wreck. A
// protected ship has just come from elsewhere, maybe from death: it is where it is.
func (s *Sim) seen(past game.Past, j int) (x, y int32, drawn bool) {
	o := &s.Ships[j]
	if o.Shield > 0 || past.Tick() == 0 {
		return o.Body.X, o.Body.Y, true
	}
	then := &s.rows.then
	if !past.Row(FirstShipID-1+uint32(o.Seat), then) || then.Flags&FlagDead != 0 {
		return 0, 0, false
	}
	return then.X, then.Y, true
}

// sight is how far one sees along (dx, dy), which is length long: to the first wall or bound.
func (s *Sim) sight(x, y, dx, dy, length int32) int32 {
	first := int64(whole)
	for i := range s.ground.Walls {
		first = min(first, s.ground.Walls[i].enter(x, y, dx, dy))
	}
	first = min(first, bound(x, dx, s.ground.Width), bound(y, dy, s.ground.Height))
	return int32(int64(length) * first >> 16)
}

// bound is how far along way from at the bound at 0 or at size is, in 1/65,536.
func bound(at, way, size int32) int64 {
	switch {
	case way > 0:
		return int64(size-at) << 16 / int64(way)
	case way < 0:
		return int64(at) << 16 / -int64(way)
	}
	return whole
}

// damage hurts ship j on behalf of ship i, −1 for nobody, and tells whether it took effect.
func (s *Sim) damage(t *game.Tick, j, i int, amount int32, weapon uint8) bool {
	p := &s.Ships[j]
	if !p.alive() || p.Shield > 0 || s.Phase == PhaseIntermission {
		return false
	}
	kept := min(p.Armor, amount)
	p.Armor -= kept
	p.HP -= amount - kept
	if i >= 0 {
		p.LastBy, p.LastAt = s.Ships[i].Seat, t.Now()
		s.events.hit = HitEvent{By: uint16(s.Ships[i].Seat), Victim: uint16(p.Seat), Damage: uint8(amount)}
		s.tell(t, s.Ships[i].Seat)
		s.tell(t, p.Seat)
	}
	if p.HP <= 0 {
		s.destroy(t, j, weapon)
	}
	return true
}

// tell sends the hit to a player. Bots read rows only.
func (s *Sim) tell(t *game.Tick, seat game.Seat) {
	if p := t.Player(seat); p != nil && !p.Bot {
		t.Emit(p, &s.events.hit)
	}
}

// destroy takes ship j out of play. Whoever hit it last and lately gets the kill, else it is its own fault.
func (s *Sim) destroy(t *game.Tick, j int, weapon uint8) {
	p := &s.Ships[j]
	p.HP, p.Armor, p.Dead = 0, 0, s.tune.respawn
	p.Body.VX, p.Body.VY, p.Body.Dash, p.Body.Overdrive, p.Thrust = 0, 0, 0, 0, false
	i := -1
	if p.LastBy != 0 && t.Now()-p.LastAt <= uint32(s.tune.credit) {
		i = s.slot(p.LastBy)
	}
	s.events.kill = KillEvent{Victim: uint16(p.Seat), Weapon: weapon}
	if i >= 0 {
		s.events.kill.Killer = uint16(s.Ships[i].Seat)
	}
	t.Emit(nil, &s.events.kill)
	if s.Phase != PhasePlaying {
		return
	}
	p.Deaths++
	if i >= 0 {
		s.Ships[i].Kills++
		s.score(i, 1)
	} else {
		s.score(j, -1)
	}
}

// score adds to a ship's score and to its team's.
func (s *Sim) score(i int, points int32) {
	p := &s.Ships[i]
	p.Score = min(max(p.Score+points, minScore), maxScore)
	switch p.Team {
	case TeamRed:
		s.Red = min(max(s.Red+points, -maxScore), maxScore)
	case TeamBlue:
		s.Blue = min(max(s.Blue+points, -maxScore), maxScore)
	}
}

// fade lets the beams go out.
func (s *Sim) fade() {
	kept := s.Beams[:0]
	for _, b := range s.Beams {
		if b.Life--; b.Life > 0 {
			kept = append(kept, b)
		}
	}
	s.Beams = kept
}
