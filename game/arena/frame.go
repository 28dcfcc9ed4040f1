package arena

import "skirmish/game"

// rows is the scratch of Frame: one row of each kind, so that none is allocated.
type rows struct {
	ship     ShipRow
	bolt     BoltRow
	beam     BeamRow
	pickup   PickupRow
	wall     WallRow
	round    RoundRow
	standing StandingRow
	then     ShipRow // of the past
}

// eventRows is the scratch of what Step emits.
type eventRows struct {
	kill   KillEvent
	pickup PickupEvent
	phase  PhaseEvent
	hit    HitEvent
}

// Frame writes the rows in ascending order of ids, but for a ship that took another seat's slot.
func (s *Sim) Frame(f *game.Frame) {
	s.lay()
	s.putShips(f)
	s.putShots(f)
	for i, w := range s.ground.Walls {
		s.rows.wall = WallRow(w)
		f.Put(FirstWallID+uint32(i), &s.rows.wall)
	}
	s.putRound(f)
	s.putPickups(f)
	if s.players >= BigMatch {
		s.putStandings(f)
	}
}

func (s *Sim) putShips(f *game.Frame) {
	for i := range s.Ships {
		p := &s.Ships[i]
		if p.Seat == 0 {
			continue
		}
		s.rows.ship = ShipRow{
			X: p.Body.X, Y: p.Body.Y, Aim: p.Aim, HP: uint8(max(p.HP, 0)), Flags: s.flags(p),
			Score: int16(p.Score), Kills: uint16(p.Kills), Deaths: uint16(p.Deaths),
			Team: p.Team, Armor: uint8(p.Armor),
		}
		f.Put(FirstShipID-1+uint32(p.Seat), &s.rows.ship)
	}
}

func (s *Sim) flags(p *Ship) (flags uint8) {
	if p.Dead > 0 {
		return FlagDead
	}
	if p.Thrust {
		flags |= FlagThrust
	}
	if s.tune.Dashing(&p.Body) {
		flags |= FlagDash
	}
	if p.Shield > 0 {
		flags |= FlagShielded
	}
	if p.Body.Overdrive > 0 {
		flags |= FlagOverdrive
	}
	return flags
}

func (s *Sim) putPickups(f *game.Frame) {
	for i, wait := range s.Pickups {
		if wait == 0 {
			spot := &s.ground.Pickups[i]
			s.rows.pickup = PickupRow{X: spot.X, Y: spot.Y, Type: spot.Type}
			f.Put(FirstPickupID+uint32(i), &s.rows.pickup)
		}
	}
}

func (s *Sim) putRound(f *game.Frame) {
	s.rows.round = RoundRow{
		Phase: s.Phase, Ends: int32(s.Ends & (1<<31 - 1)), Number: uint16(s.Number),
		Width: uint16(s.ground.Width / Unit), Height: uint16(s.ground.Height / Unit),
		ScoreLimit: uint16(s.params.ScoreLimit), Red: int16(s.Red), Blue: int16(s.Blue),
	}
	if s.teams() {
		s.rows.round.Mode = ModeTeams
	}
	f.Put(RoundID, &s.rows.round)
}

// putShots writes beams and bolts. They lie in order of their age, so ids that began anew stand last: these go
// first.
func (s *Sim) putShots(f *game.Frame) {
	anew := 1
	for anew < len(s.Beams) && s.Beams[anew].ID > s.Beams[anew-1].ID {
		anew++
	}
	for i := range s.Beams {
		b := &s.Beams[(anew+i)%len(s.Beams)]
		s.rows.beam = BeamRow{X1: b.X1, Y1: b.Y1, X2: b.X2, Y2: b.Y2, Owner: uint16(b.Owner), Hit: uint16(b.Hit)}
		f.Put(b.ID, &s.rows.beam)
	}
	anew = 1
	for anew < len(s.Bolts) && s.Bolts[anew].ID > s.Bolts[anew-1].ID {
		anew++
	}
	for i := range s.Bolts {
		b := &s.Bolts[(anew+i)%len(s.Bolts)]
		s.rows.bolt = BoltRow{X: b.X, Y: b.Y, Aim: b.Aim, Owner: uint16(b.Owner)}
		f.Put(b.ID, &s.rows.bolt)
	}
}

func (s *Sim) putStandings(f *game.Frame) {
	for i := range s.Ships {
		if p := &s.Ships[i]; p.Seat != 0 {
			s.rows.standing = StandingRow{Score: int16(p.Score), Kills: uint16(p.Kills), Deaths: uint16(p.Deaths), Team: p.Team}
			f.Put(FirstStandingID+uint32(p.Seat), &s.rows.standing)
		}
	}
}

// Private tells a player the exact state of its own ship.
func (s *Sim) Private(p *game.Player, row any) {
	i := s.slot(p.Seat)
	if i < 0 {
		return
	}
	ship := &s.Ships[i]
	*row.(*SelfRow) = SelfRow{
		X: ship.Body.X, Y: ship.Body.Y, VX: ship.Body.VX, VY: ship.Body.VY,
		Dash: uint16(ship.Body.Dash), Rail: uint16(ship.Rail), Bolt: uint16(ship.Bolt),
		Respawn: uint16(ship.Dead), Overdrive: uint16(ship.Body.Overdrive),
	}
}
