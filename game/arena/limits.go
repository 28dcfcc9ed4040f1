package arena

// Numbers of the game. Lengths are in units, speeds in units per second, times in milliseconds, unless a name
// says otherwise. Config turns those that movement needs into ticks and fixed point.
const (
	MinTickRate = 10  // Hz
	MaxTickRate = 120 // Hz
	MinPlayers  = 2
	MaxPlayers  = 200

	// Ships.
	ShipRadius      = 14
	ThrustPerSecond = 900  // gained each second at full stick
	DragPercent     = 160  // of the speed, lost each second
	SpeedCap        = 360  // what thrust alone reaches
	ExcessPercent   = 1400 // of the speed above the cap, lost each second
	HardCap         = 1000 // no push or dash goes beyond
	DashSpeed       = 900
	DashBurst       = 150  // ms without thrust, drag and cap
	DashCooldown    = 1500 // ms from one dash to the next
	BouncePercent   = 40   // of the speed against a wall comes back
	BounceFrom      = 60   // slower than this a ship does not bounce but slide
	ShipBounce      = 70   // percent, ship against ship
	OverdriveThrust = 140  // percent of the thrust
	OverdriveCap    = 125  // percent of SpeedCap

	MaxHP       = 100
	MaxArmor    = 50 // taken before hp
	RamDamage   = 30 // by a dashing ship
	RamSpeed    = 320
	CrashSpeed  = 640 // faster into a wall costs hp:
	CrashDamage = 12  // at HardCap; falls to 0 at CrashSpeed
	CreditTime  = 4000
	Respawn     = 2500
	Protection  = 1500

	// Bolts.
	BoltDamage         = 13
	BoltSpeed          = 540
	BoltRadius         = 4
	BoltLife           = 1600
	BoltInterval       = 167 // 6 a second
	BoltIntervalDriven = 100 // 10 a second in overdrive
	BoltPush           = 14
	Muzzle             = ShipRadius + BoltRadius

	// Rail.
	RailDamage   = 60
	RailRange    = 1100
	RailInterval = 1400
	RailPush     = 150
	BeamLife     = 200

	// Pickups.
	PickupRadius    = 16
	RepairHP        = 40
	OverdriveTime   = 8000
	RepairReturn    = 12000
	ArmorReturn     = 20000
	OverdriveReturn = 30000

	// Rounds.
	WarmupTime       = 3000
	IntermissionTime = 8000

	// Tables: what a match can hold at most, by its players. A match of 16 takes 37 KiB, one of 200 435 KiB (BenchmarkNew).
	BoltsPerPlayer = 20 // in overdrive 17 are under way at a time
	BeamsPerPlayer = 2
	usualBolts     = 6 // for each player, that there is room for from the start
	WallsPerPlayer = 2
	LeastWalls     = 128 // that a small match may have
	MaxWalls       = WallsPerPlayer * MaxPlayers
	MaxPickups     = 96
	MaxSpawns      = 208
	MaxRecords     = 128 // players that left, kept for the result

	// Big matches: who is how far away cannot be seen, and nothing that flies can hit from there. Beyond it the
	// standings tell how everybody is doing.
	BigMatch  = 65   // players from which it is so
	ViewRange = 1200 // units: more than the rail's range
	ViewEdge  = 100  // units that something in view goes farther before it is out of it

	MinRoundSeconds = 10
	MaxRoundSeconds = 3600
	MaxRounds       = 100
	MaxScoreLimit   = 1000
	MaxMap          = 1<<31 - 1
)

// Bounds of a round's scores.
const (
	minScore = -999
	maxScore = 9999
)
