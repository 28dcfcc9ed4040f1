package arena

import "skirmish/game"

const pickupReach = (ShipRadius + PickupRadius) * Unit

// collect brings pickups back and gives those that lie there to the first ship, by slot, that touches and
// needs one.
func (s *Sim) collect(t *game.Tick) {
	if s.Phase == PhaseIntermission {
		return
	}
	for n := range s.Pickups {
		if s.Pickups[n] > 0 {
			s.Pickups[n]--
			continue
		}
		spot := &s.ground.Pickups[n]
		for i := range s.Ships {
			p := &s.Ships[i]
			dx, dy := p.Body.X-spot.X, p.Body.Y-spot.Y
			if dx >= pickupReach || dx <= -pickupReach || dy >= pickupReach || dy <= -pickupReach || !p.alive() {
				continue
			}
			if length(dx, dy) < pickupReach && s.take(p, spot.Type) {
				s.Pickups[n] = s.tune.back[spot.Type]
				s.events.pickup = PickupEvent{Seat: uint16(p.Seat), Type: spot.Type}
				t.Emit(nil, &s.events.pickup)
				break
			}
		}
	}
}

// take gives a ship what a pickup holds and tells whether it had a use for it.
func (s *Sim) take(p *Ship, kind uint8) bool {
	switch kind {
	case PickupRepair:
		if p.HP == MaxHP {
			return false
		}
		p.HP = min(p.HP+RepairHP, MaxHP)
	case PickupArmor:
		if p.Armor == MaxArmor {
			return false
		}
		p.Armor = MaxArmor
	case PickupOverdrive:
		p.Body.Overdrive = s.tune.overdrive
	}
	return true
}
