package arena

import "skirmish/game"

// Flight predicts a player's own ship from what the player is shown: the walls, the pickups that matter to the
// movement, and the private row. Without others in its way, the ship is where Flight says it is, to the bit. One
// goroutine owns it.
type Flight struct {
	Config        Config
	Width, Height int32  // of the ground, 256 to the unit
	Walls         []Rect // in the order of their ids

	overdrive int32 // ticks that a pickup gives
	round     int32 // that the walls are of
	spots     []boost
	scratch   struct {
		ship   ShipRow
		pickup PickupRow
		wall   WallRow
		round  RoundRow
		self   SelfRow
	}
}

// boost is a pickup of overdrive on show.
type boost struct {
	id   uint32
	x, y int32
}

// Flown is what Step moves.
type Flown struct {
	Body  Body
	Taken uint32 // id of the pickup that it has taken, while that is still on show; 0: none
}

// NewFlight predicts at a tick rate of MinTickRate to MaxTickRate.
func NewFlight(rate int) *Flight {
	return &Flight{Config: NewConfig(rate), overdrive: ticks(OverdriveTime, rate)}
}

// Look takes a state in and returns the ship as the server has it. Life changes when the ship has come from
// elsewhere, as with a new round: then there is nothing to compare. Ok is false while the ship is not in play.
func (f *Flight) Look(v *game.View) (now Flown, life uint64, ok bool) {
	r := &f.scratch.round
	ship, self := &f.scratch.ship, &f.scratch.self
	if !v.Find(RoundID, r) || len(v.Private) == 0 || !v.Find(FirstShipID-1+uint32(v.Seat), ship) {
		return now, 0, false
	}
	f.Width, f.Height = int32(r.Width)*Unit, int32(r.Height)*Unit
	f.lookAround(v, r)
	v.Definition.LoadPrivate(v.Private, self)
	now.Body = Body{X: self.X, Y: self.Y, VX: self.VX, VY: self.VY, Dash: int32(self.Dash), Overdrive: int32(self.Overdrive)}
	life = uint64(r.Number)<<33 | uint64(ship.Deaths)<<1
	if r.Phase != PhaseWarmup {
		life |= 1 << 32
	}
	return now, life, self.Respawn == 0 && ship.Flags&FlagDead == 0
}

// lookAround reads the pickups, and the walls when they are new.
func (f *Flight) lookAround(v *game.View, round *RoundRow) {
	f.spots = f.spots[:0]
	walls := f.round != int32(round.Number)
	if walls {
		f.round, f.Walls = int32(round.Number), f.Walls[:0]
	}
	pickup, wall := &f.scratch.pickup, &f.scratch.wall
	for i := range v.Rows.Len() {
		switch v.Rows.Kinds[i] {
		case KindPickup:
			if v.Load(i, pickup) && pickup.Type == PickupOverdrive && round.Phase != PhaseIntermission {
				f.spots = append(f.spots, boost{v.Rows.IDs[i], pickup.X, pickup.Y})
			}
		case KindWall:
			if walls && v.Load(i, wall) {
				f.Walls = append(f.Walls, Rect(*wall))
			}
		}
	}
}

// Step advances the ship by one tick with one input.
func (f *Flight) Step(b *Flown, in Input) {
	f.Config.Move(&b.Body, in, f.Walls, f.Width, f.Height)
	there := false
	for _, s := range f.spots {
		if s.id != b.Taken && length(b.Body.X-s.x, b.Body.Y-s.y) < pickupReach {
			b.Taken, b.Body.Overdrive = s.id, f.overdrive
		}
		there = there || s.id == b.Taken
	}
	if !there {
		b.Taken = 0
	}
}
