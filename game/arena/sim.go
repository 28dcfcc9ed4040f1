package arena

import (
	"errors"

	"skirmish/game"
)

// Sim is one match. Its exported fields are the whole state; the rest follows from the match's description and
// from the round's number. The match's goroutine owns it.
type Sim struct {
	Ships   []Ship // by slot; Seat 0 is a free slot
	Bolts   []Bolt // in order of their age
	Beams   []Beam
	Pickups []int32 // ticks until the pickup of each spot is back, 0: it lies there

	Phase  uint8
	Ends   uint32 // the tick that ends the phase, 0: open
	Number int32  // of the round, 1 and up

	Red, Blue int32 // team scores of this round

	NextBolt, NextBeam uint32 // ids

	Rounds  []RoundRecord // that have ended, the newest MaxRounds
	Records []Record      // players that left, the newest MaxRecords

	params  Params
	tune    tuning
	seed    uint64
	players int

	ground Layout
	laid   int32 // the round that ground is of
	grid   grid

	inputs []Input // of this step, by slot
	living []int   // scratch of alive
	rows   rows
	events eventRows
}

// Ship is a player in the match.
type Ship struct {
	Seat game.Seat
	Team uint8
	ID   string // the player's, for the result

	Body   Body
	Aim    uint16
	Thrust bool
	HP     int32 // 1 to MaxHP, 0 when dead
	Armor  int32
	Rail   int32 // ticks until ready
	Bolt   int32 // ticks until ready
	Shield int32 // ticks of spawn protection left
	Dead   int32 // ticks until it is back, 0: alive

	LastBy game.Seat // who hit it last
	LastAt uint32    // the tick of that

	Score, Kills, Deaths int32 // of this round
	Total                Tally // of the rounds that ended
}

// Tally sums up rounds.
type Tally struct{ Score, Kills, Deaths, Wins int32 }

// Bolt is a plasma bolt in flight.
type Bolt struct {
	ID     uint32
	X, Y   int32
	DX, DY int32 // way in one tick
	Life   int32 // ticks left
	Aim    uint16
	Owner  game.Seat
	Slot   uint8 // the owner's
}

// Beam is a rail shot that can still be seen.
type Beam struct {
	ID             uint32
	X1, Y1, X2, Y2 int32
	Life           int32 // ticks left
	Owner, Hit     game.Seat
}

// tuning holds the numbers of limits.go in ticks and fixed point, for one tick rate.
type tuning struct {
	Config
	respawn, protection, credit        int32
	boltInterval, boltDriven, boltLife int32
	boltStep                           int32 // way of a bolt in one tick
	boltNear                           int32 // how near a ship must be for a bolt to meet it in one tick
	railInterval, beamLife             int32
	reach                              int32 // of a ship in one tick: its fastest flight, and out of three walls
	overdrive                          int32
	back                               [3]int32 // of the pickups
	warmup, round, intermission        int32
}

func newTuning(rate, roundSeconds int) tuning {
	c := NewConfig(rate)
	return tuning{
		Config:       c,
		respawn:      ticks(Respawn, rate),
		protection:   ticks(Protection, rate),
		credit:       ticks(CreditTime, rate),
		boltInterval: ticks(BoltInterval, rate),
		boltDriven:   ticks(BoltIntervalDriven, rate),
		boltLife:     ticks(BoltLife, rate),
		boltStep:     scale(BoltSpeed*Unit, c.DT),
		boltNear:     boltReach + scale(BoltSpeed*Unit, c.DT) + Unit,
		railInterval: ticks(RailInterval, rate),
		reach:        scale(hardCap, c.DT) + 4*radius,
		beamLife:     ticks(BeamLife, rate),
		overdrive:    ticks(OverdriveTime, rate),
		back: [3]int32{
			PickupRepair:    ticks(RepairReturn, rate),
			PickupArmor:     ticks(ArmorReturn, rate),
			PickupOverdrive: ticks(OverdriveReturn, rate),
		},
		warmup:       ticks(WarmupTime, rate),
		round:        int32(roundSeconds * rate),
		intermission: ticks(IntermissionTime, rate),
	}
}

func newSim(m *game.Match, p Params) *Sim {
	s := &Sim{
		Ships:    make([]Ship, m.Players),
		Bolts:    make([]Bolt, 0, usualBolts*m.Players),
		Beams:    make([]Beam, 0, m.Players),
		Number:   1,
		NextBolt: FirstBoltID,
		NextBeam: FirstBeamID,
		Rounds:   []RoundRecord{},
		Records:  []Record{},
		params:   p,
		tune:     newTuning(m.TickRate, p.RoundSeconds),
		seed:     m.Seed,
		players:  m.Players,
		inputs:   make([]Input, m.Players),
		living:   make([]int, 0, m.Players),
	}
	s.lay()
	s.layPickups()
	return s
}

// lay builds the ground of the round if it is not there: at the start, with each new round, and after a
// restored checkpoint.
func (s *Sim) lay() {
	if s.laid == s.Number {
		return
	}
	seed := uint64(s.params.Map)
	if seed == 0 {
		seed = s.seed + uint64(s.Number)*0x9e3779b97f4a7c15
	}
	if s.laid == 0 || s.params.Map == 0 {
		s.ground.Build(seed, s.players)
		s.grid.build(&s.ground, s.tune.reach)
	}
	s.laid = s.Number
}

// layPickups puts all pickups of the ground in place.
func (s *Sim) layPickups() {
	s.Pickups = s.Pickups[:0]
	for range s.ground.Pickups {
		s.Pickups = append(s.Pickups, 0)
	}
}

func (s *Sim) teams() bool { return s.params.Mode == "teams" }

// slot finds the ship of a seat, −1 if there is none.
func (s *Sim) slot(seat game.Seat) int {
	if seat == 0 {
		return -1
	}
	if own := int(seat) - 1; own < len(s.Ships) && s.Ships[own].Seat == seat {
		return own
	}
	for i := range s.Ships {
		if s.Ships[i].Seat == seat {
			return i
		}
	}
	return -1
}

// alive are the slots whose ships are in play, in rising order, valid until it is asked again.
func (s *Sim) alive() []int {
	s.living = s.living[:0]
	for i := range s.Ships {
		if s.Ships[i].alive() {
			s.living = append(s.living, i)
		}
	}
	return s.living
}

func (p *Ship) alive() bool { return p.Seat != 0 && p.Dead == 0 }

// enemies tells whether the ships of two slots may hurt each other.
func (s *Sim) enemies(i, j int) bool {
	return i != j && (!s.teams() || s.Ships[i].Team != s.Ships[j].Team)
}

var errFull = errors.New("the arena is full")

// Admit refuses a player for whom there is no slot or whose seat is no ship id.
func (s *Sim) Admit(_ *game.Tick, p *game.Player) error {
	if p.Seat >= FirstBeamID || s.free(p.Seat) < 0 {
		return errFull
	}
	return nil
}

// free is the slot for a new ship, −1 if all are taken: the seat's own if possible, so that slots stand in the
// order of seats.
func (s *Sim) free(seat game.Seat) int {
	if own := int(seat) - 1; own < len(s.Ships) && s.Ships[own].Seat == 0 {
		return own
	}
	for i := range s.Ships {
		if s.Ships[i].Seat == 0 {
			return i
		}
	}
	return -1
}

// Join gives a player a ship. Whoever was here before goes on with its totals.
func (s *Sim) Join(t *game.Tick, p *game.Player) {
	s.lay()
	i := s.free(p.Seat)
	if i < 0 {
		return // Admit refuses, so this is a host without admission: the player watches
	}
	s.Ships[i] = Ship{Seat: p.Seat, ID: p.ID, Team: s.teamFor(p.Team), Total: s.recall(p.ID)}
	s.spawn(t, i, false)
}

// teamFor is the team that a player gets: the one asked for, or the smaller one.
func (s *Sim) teamFor(asked int) uint8 {
	if !s.teams() {
		return TeamNone
	}
	if asked == TeamRed || asked == TeamBlue {
		return uint8(asked)
	}
	red, blue := 0, 0
	for i := range s.Ships {
		switch p := &s.Ships[i]; {
		case p.Seat != 0 && p.Team == TeamRed:
			red++
		case p.Seat != 0 && p.Team == TeamBlue:
			blue++
		}
	}
	if blue < red {
		return TeamBlue
	}
	return TeamRed
}

// Leave takes the ship and its bolts out of play and keeps its record for the result.
func (s *Sim) Leave(_ *game.Tick, p *game.Player, _ game.Reason) {
	i := s.slot(p.Seat)
	if i < 0 {
		return
	}
	s.record(&s.Ships[i])
	kept := s.Bolts[:0]
	for _, b := range s.Bolts {
		if int(b.Slot) != i {
			kept = append(kept, b)
		}
	}
	s.Bolts = kept
	s.Ships[i] = Ship{}
	s.inputs[i] = Input{}
}
