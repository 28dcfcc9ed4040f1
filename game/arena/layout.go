package arena

import "skirmish/game"

// Layout is the ground of one round: walls, spawn points and pickup spots, all mirrored in both axes, so that no
// corner is better than another. It follows from a seed and the number of players alone.
type Layout struct {
	Width, Height int32  // 256 to the unit
	Walls         []Rect // at most WallsPerPlayer for each player, or LeastWalls
	Spawns        []Spot // at least as many as players, at most MaxSpawns
	Pickups       []Spawner

	draft draft
}

// Spot is a place, 256 to the unit.
type Spot struct{ X, Y int32 }

// Spawner is a place where a pickup returns.
type Spawner struct {
	X, Y int32 // 256 to the unit
	Type uint8
}

const (
	wallGap     = 96  // units between two walls: three ships abreast
	clearCentre = 130 // units around the centre without walls
	lattice     = 80  // units between candidates for spots
	spotGap     = 52  // units between a spot and the nearest wall
	minWidth    = 1440
)

// Build replaces l by the layout of seed for a number of players, 2 to MaxPlayers. It keeps the memory of what it replaces.
func (l *Layout) Build(seed uint64, players int) {
	rand := game.NewRand(seed)
	// 340,000 square units for each player, three wide to two high, in whole lattice cells per quarter.
	width := max(minWidth, int(isqrt(510_000*int64(players))))
	width = (width + lattice) / (2 * lattice) * (2 * lattice)
	height := (width*2/3 + lattice) / (2 * lattice) * (2 * lattice)
	l.Width, l.Height = int32(width)*Unit, int32(height)*Unit
	l.Walls, l.Spawns, l.Pickups = l.Walls[:0], l.Spawns[:0], l.Pickups[:0]

	d := &l.draft
	d.reset(width/2, height/2, players)
	d.build(rand)
	for _, b := range d.boxes {
		l.mirrorWall(b)
	}
	d.pickSpots()
	for range (max(players, 8)+3)/4 + 1 {
		x, y, ok := d.farthest()
		if !ok {
			break
		}
		d.use(x, y)
		l.mirror(x, y, func(p Spot) { l.Spawns = append(l.Spawns, p) })
	}
	l.placePickups(rand, players)
	l.draft = draft{} // the next round is far off
}

// mirror calls add for a place of the first quarter and its images: itself, the opposite one, the other two.
// Images that coincide are left out.
func (l *Layout) mirror(x, y int, add func(Spot)) {
	px, py := int32(x)*Unit, int32(y)*Unit
	qx, qy := l.Width-px, l.Height-py
	add(Spot{px, py})
	if px != qx || py != qy {
		add(Spot{qx, qy})
	}
	if px != qx && py != qy {
		add(Spot{qx, py})
		add(Spot{px, qy})
	}
}

// mirrorWall adds a box of the first quarter and its images. A box at an axis grows into its image.
func (l *Layout) mirrorWall(b box) {
	xs, w := [2]int{b.x, l.units(l.Width) - b.x - b.w}, b.w
	ys, h := [2]int{b.y, l.units(l.Height) - b.y - b.h}, b.h
	nx, ny := 2, 2
	if xs[1] == b.x+b.w {
		nx, w = 1, 2*b.w
	}
	if ys[1] == b.y+b.h {
		ny, h = 1, 2*b.h
	}
	for _, y := range ys[:ny] {
		for _, x := range xs[:nx] {
			l.Walls = append(l.Walls, Rect{int32(x) * Unit, int32(y) * Unit, int32(w) * Unit, int32(h) * Unit})
		}
	}
}

func (l *Layout) units(v int32) int { return int(v / Unit) }

// placePickups puts an overdrive in the centre, repairs and armor into each quarter.
func (l *Layout) placePickups(rand *game.Rand, players int) {
	add := func(kind uint8) func(Spot) {
		return func(p Spot) { l.Pickups = append(l.Pickups, Spawner{p.X, p.Y, kind}) }
	}
	d := &l.draft
	l.mirror(d.w, d.h, add(PickupOverdrive))
	d.use(d.w, d.h)
	quarter := func(n int, kind uint8) {
		for range n {
			if x, y, ok := d.anywhere(rand); ok {
				d.use(x, y)
				l.mirror(x, y, add(kind))
			}
		}
	}
	quarter(1+players/24, PickupRepair)
	if players >= 8 {
		quarter(1+players/32, PickupArmor)
	} else if y, ok := d.onAxis(); ok {
		l.mirror(d.w, y, add(PickupArmor))
	}
	if players >= 32 {
		quarter(max(1, players/64), PickupOverdrive)
	}
}
