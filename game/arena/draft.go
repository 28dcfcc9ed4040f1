package arena

import "skirmish/game"

// draft is the first quarter of a layout in whole units, the centre of the arena at (w, h).
type draft struct {
	w, h  int
	boxes []box
	spots []candidate
	walls int // that the boxes become with their images
	most  int // walls
	tries int // at placing a shape
}

// box is a wall of the quarter.
type box struct{ x, y, w, h int }

// candidate is a place for a spawn point or a pickup.
type candidate struct {
	x, y int
	near int // squared distance to the nearest used place, its images included
}

func (d *draft) reset(w, h, players int) {
	d.w, d.h = w, h
	d.boxes, d.spots, d.walls = d.boxes[:0], d.spots[:0], 0
	d.most, d.tries = max(LeastWalls, WallsPerPlayer*players), max(400, 6*players)
}

// style is a way to fill the quarter: the next shape to try, at most two boxes.
type style struct {
	percent int // of the ground to be covered
	shape   func(r *game.Rand) (shape [2]box, boxes int)
}

var styles = [...]style{
	{9, block},   // cover everywhere
	{6, lane},    // long sight lines
	{5, bunker},  // corners to hold
	{6, pillar},  // room to dodge
	{7, mixture}, // some of each
}

// build fills the quarter in one of the styles.
func (d *draft) build(r *game.Rand) {
	s := styles[r.IntN(len(styles))]
	want, area := d.w*d.h*s.percent/100, 0
	for tries := 0; area < want && tries < d.tries; tries++ {
		shape, boxes := s.shape(r)
		// Somewhere on the 40-unit raster; now and then against an axis, where it meets its image.
		x, y := r.IntN(d.w/40)*40, r.IntN(d.h/40)*40
		switch r.IntN(8) {
		case 0:
			x = d.w - shape[0].w
		case 1:
			y = d.h - shape[0].h
		}
		for i := range shape[:boxes] {
			shape[i].x += x
			shape[i].y += y
		}
		if !d.fits(shape[:boxes]) {
			continue
		}
		for _, b := range shape[:boxes] {
			d.boxes = append(d.boxes, b)
			area += b.w * b.h
			d.walls += d.images(b)
		}
	}
}

func block(r *game.Rand) (shape [2]box, boxes int) {
	shape[0] = box{w: 80 + 40*r.IntN(4), h: 80 + 40*r.IntN(3)}
	return shape, 1
}

func lane(r *game.Rand) (shape [2]box, boxes int) {
	long := 200 + 40*r.IntN(5)
	shape[0] = box{w: long, h: 40}
	if r.IntN(3) == 0 {
		shape[0] = box{w: 40, h: long}
	}
	return shape, 1
}

// bunker is an angle of two thin walls, its corner in one of four directions.
func bunker(r *game.Rand) (shape [2]box, boxes int) {
	across, down := 120+40*r.IntN(3), 80+40*r.IntN(3)
	shape[0] = box{w: across, h: 40}
	shape[1] = box{y: 40, w: 40, h: down}
	corner := r.IntN(4)
	if corner&1 != 0 {
		shape[1].x = across - 40
	}
	if corner&2 != 0 {
		shape[0].y, shape[1].y = down, 0
	}
	return shape, 2
}

func pillar(r *game.Rand) (shape [2]box, boxes int) {
	side := 80 + 40*r.IntN(2)
	shape[0] = box{w: side, h: side}
	return shape, 1
}

func mixture(r *game.Rand) (shape [2]box, boxes int) {
	switch r.IntN(4) {
	case 0:
		return lane(r)
	case 1:
		return bunker(r)
	case 2:
		return pillar(r)
	}
	return block(r)
}

// fits tells whether the boxes of a shape leave every gap wide enough: to walls, bounds, images and the centre.
func (d *draft) fits(shape []box) bool {
	walls := d.walls
	for _, b := range shape {
		right, bottom := d.w-b.x-b.w, d.h-b.y-b.h
		if b.x < wallGap || b.y < wallGap ||
			right != 0 && right < wallGap/2 || bottom != 0 && bottom < wallGap/2 ||
			b.distance(d.w, d.h) < clearCentre*clearCentre {
			return false
		}
		for _, o := range d.boxes {
			if b.x < o.x+o.w+wallGap && o.x < b.x+b.w+wallGap && b.y < o.y+o.h+wallGap && o.y < b.y+b.h+wallGap {
				return false
			}
		}
		walls += d.images(b)
	}
	return walls <= d.most
}

// images is the number of walls that a box becomes.
func (d *draft) images(b box) int {
	n := 4
	if b.x+b.w == d.w {
		n /= 2
	}
	if b.y+b.h == d.h {
		n /= 2
	}
	return n
}

// distance is the squared distance of a point to the box.
func (b box) distance(x, y int) int {
	dx, dy := x-min(max(x, b.x), b.x+b.w), y-min(max(y, b.y), b.y+b.h)
	return dx*dx + dy*dy
}

// free tells whether a place is clear of all walls of the quarter. Their images are further away.
func (d *draft) free(x, y int) bool {
	for _, b := range d.boxes {
		if b.distance(x, y) < spotGap*spotGap {
			return false
		}
	}
	return true
}

// pickSpots collects the free places of the lattice.
func (d *draft) pickSpots() {
	for y := lattice; y < d.h; y += lattice {
		for x := lattice; x < d.w; x += lattice {
			if d.free(x, y) {
				d.spots = append(d.spots, candidate{x: x, y: y, near: d.w*d.w + d.h*d.h})
			}
		}
	}
}

// use takes a place: the candidates learn how near it and its images are.
func (d *draft) use(x, y int) {
	for i := range d.spots {
		c := &d.spots[i]
		dx, dy := c.x-x, c.y-y
		ex, ey := 2*d.w-x-c.x, 2*d.h-y-c.y
		near := min(dx*dx, ex*ex) + min(dy*dy, ey*ey)
		if c.near = min(c.near, near); c.x == x && c.y == y {
			c.near = 0
		}
	}
}

// farthest is the candidate furthest from all used places and from its own images, the first of equals: the
// one nearest to the corner at the beginning.
func (d *draft) farthest() (x, y int, ok bool) {
	best := lattice*lattice - 1
	for _, c := range d.spots {
		axis := 2 * min(d.w-c.x, d.h-c.y)
		if v := min(c.near, axis*axis); v > best {
			best, x, y, ok = v, c.x, c.y, true
		}
	}
	return x, y, ok
}

// anywhere is a random candidate at a good distance from used places and its own images, less good if there is no
// other.
func (d *draft) anywhere(r *game.Rand) (x, y int, ok bool) {
	if len(d.spots) == 0 {
		return 0, 0, false
	}
	for gap := 240; gap >= lattice; gap -= 40 {
		for range 24 {
			c := d.spots[r.IntN(len(d.spots))]
			if c.near >= gap*gap && 2*min(d.w-c.x, d.h-c.y) >= gap {
				return c.x, c.y, true
			}
		}
	}
	return 0, 0, false
}

// onAxis is a free place on the vertical axis, between the upper bound and the centre.
func (d *draft) onAxis() (y int, ok bool) {
	for y := d.h / 2; y >= lattice; y -= 40 {
		if d.free(d.w, y) {
			return y, true
		}
	}
	return 0, false
}
