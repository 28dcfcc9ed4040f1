package arena

// Ids of rows. A kind has its own band, so that a row never takes the id of another and the moving rows come
// first in a snapshot.
const (
	FirstShipID     = 1     // a ship's id is its seat
	FirstBeamID     = 256   // beams take the ids up to FirstBoltID in turn
	FirstBoltID     = 1024  // bolts take the ids up to FirstWallID in turn
	FirstWallID     = 65536 // wall 0
	RoundID         = 66560 // the one round row
	FirstPickupID   = 66561 // spot 0
	FirstStandingID = 66816 // and the seat
)

// Kinds as they stand in the plan; a row's kind byte.
const (
	KindShip uint8 = iota
	KindBolt
	KindBeam
	KindPickup
	KindWall
	KindRound
	KindStanding
)

// Bits of ShipRow.Flags.
const (
	FlagThrust    = 1  // it accelerates
	FlagDash      = 2  // in the burst of a dash
	FlagDead      = 4  // a wreck: it neither moves nor collides
	FlagShielded  = 8  // spawn protection
	FlagOverdrive = 16 // faster fire and thrust
)

// Bits of Input.Buttons.
const (
	ButtonBolt = 1 // fires as long as it is held
	ButtonRail = 2
	ButtonDash = 4
)

// Weapons of a kill.
const (
	WeaponBolt  = 0
	WeaponRail  = 1
	WeaponCrash = 2 // rammed, or flown into a wall
)

// Types of a pickup.
const (
	PickupRepair    = 0
	PickupArmor     = 1
	PickupOverdrive = 2
)

// Phases of a match.
const (
	PhaseWarmup       = 0
	PhasePlaying      = 1
	PhaseIntermission = 2
)

// Modes and teams.
const (
	ModeFFA   = 0
	ModeTeams = 1

	TeamNone = 0 // free for all
	TeamRed  = 1
	TeamBlue = 2
)

// Input is one tick of a player. Aim is where the guns point, the stick (ax, ay) where the ship accelerates;
// both in screen axes, y down.
type Input struct {
	AX      int8   `net:"ax,min=-127,max=127"` // 127 is full thrust to the right
	AY      int8   `net:"ay,min=-127,max=127"` // 127 is full thrust downwards
	Aim     uint16 `net:"aim,wrap"`            // 65,536 is a full turn, 0 = +x, clockwise on the screen
	Buttons uint8  `net:"buttons,max=7"`
}

// ShipRow is a player's ship, dead or alive. Its id is the seat.
type ShipRow struct {
	X      int32  `net:"x,scale=256,shift=5,interp=linear,pos=x"`
	Y      int32  `net:"y,scale=256,shift=5,interp=linear,pos=y"`
	Aim    uint16 `net:"aim,shift=8,interp=angle,wrap"`
	HP     uint8  `net:"hp,max=100"`
	Flags  uint8  `net:"flags,max=31"`
	Score  int16  `net:"score,min=-999,max=9999"` // of this round
	Kills  uint16 `net:"kills,max=9999"`
	Deaths uint16 `net:"deaths,max=9999"`
	Team   uint8  `net:"team,max=2"`
	Armor  uint8  `net:"armor,max=50"`
}

// BoltRow is a plasma bolt on its way: it flies straight along aim at the constant bolt speed.
type BoltRow struct {
	X     int32  `net:"x,scale=256,shift=5,interp=linear,pos=x"`
	Y     int32  `net:"y,scale=256,shift=5,interp=linear,pos=y"`
	Aim   uint16 `net:"aim,shift=8,interp=angle,wrap"`
	Owner uint16 `net:"owner"` // seat
}

// BeamRow is a rail shot, to be seen for a fifth of a second.
type BeamRow struct {
	X1    int32  `net:"x1,scale=256,shift=5,pos=x"` // muzzle
	Y1    int32  `net:"y1,scale=256,shift=5,pos=y"`
	X2    int32  `net:"x2,scale=256,shift=5"` // where it ended
	Y2    int32  `net:"y2,scale=256,shift=5"`
	Owner uint16 `net:"owner"` // seat
	Hit   uint16 `net:"hit"`   // the seat it hit, or 0
}

// PickupRow is a pickup that lies ready. Taken ones have no row.
type PickupRow struct {
	X    int32 `net:"x,scale=256,shift=5,pos=x"`
	Y    int32 `net:"y,scale=256,shift=5,pos=y"`
	Type uint8 `net:"type,max=2"`
}

// WallRow is a solid rectangle. It does not change within a round. Everybody is told all of them.
type WallRow struct {
	X int32 `net:"x,scale=256,shift=5"` // left
	Y int32 `net:"y,scale=256,shift=5"` // top
	W int32 `net:"w,scale=256,shift=5"`
	H int32 `net:"h,scale=256,shift=5"`
}

// RoundRow tells where the match stands. There is one, id RoundID.
type RoundRow struct {
	Phase      uint8  `net:"phase,max=2"`
	Ends       int32  `net:"ends,min=0"`     // the tick that ends the phase; 0: open (warm-up of an empty match)
	Number     uint16 `net:"number"`         // 1 is the first round
	Width      uint16 `net:"width"`          // of the arena, units
	Height     uint16 `net:"height"`         // of the arena, units
	Mode       uint8  `net:"mode,max=1"`     // ModeFFA, ModeTeams
	ScoreLimit uint16 `net:"score_limit"`    // 0: none
	Red        int16  `net:"red,min=-9999"`  // team score of this round
	Blue       int16  `net:"blue,min=-9999"` // team score of this round
}

// StandingRow is how a player is doing in this round, near or far: in big matches, where not everybody sees every
// ship. Its id is FirstStandingID and the seat.
type StandingRow struct {
	Score  int16  `net:"score,min=-999,max=9999"`
	Kills  uint16 `net:"kills,max=9999"`
	Deaths uint16 `net:"deaths,max=9999"`
	Team   uint8  `net:"team,max=2"`
}

// SelfRow is what only the player itself is told: the exact state of its movement, and when what is ready.
// With it, an input and the walls, a client predicts its own ship to the bit.
type SelfRow struct {
	X         int32  `net:"x,scale=256"`
	Y         int32  `net:"y,scale=256"`
	VX        int32  `net:"vx,scale=256"` // units per second
	VY        int32  `net:"vy,scale=256"` // units per second
	Dash      uint16 `net:"dash"`         // ticks until ready
	Rail      uint16 `net:"rail"`         // ticks until ready
	Bolt      uint16 `net:"bolt"`         // ticks until ready
	Respawn   uint16 `net:"respawn"`      // ticks until back in play, 0: alive
	Overdrive uint16 `net:"overdrive"`    // ticks left
}

// KillEvent: a ship was destroyed. Told to everybody.
type KillEvent struct {
	Killer uint16 `net:"killer"` // seat; 0 or the victim: its own fault
	Victim uint16 `net:"victim"` // seat
	Weapon uint8  `net:"weapon,max=2"`
}

// PickupEvent: a pickup was taken. Told to everybody.
type PickupEvent struct {
	Seat uint16 `net:"seat"`
	Type uint8  `net:"type,max=2"`
}

// PhaseEvent: a phase began. Told to everybody.
type PhaseEvent struct {
	Phase  uint8  `net:"phase,max=2"`
	Number uint16 `net:"number"` // of the round
	Winner uint16 `net:"winner"` // with the intermission: seat, or team in ModeTeams; 0: a draw
}

// HitEvent: a shot or a ram took effect. Told to the shooter and to the victim only.
type HitEvent struct {
	By     uint16 `net:"by"`     // seat
	Victim uint16 `net:"victim"` // seat
	Damage uint8  `net:"damage"` // armor included
}
