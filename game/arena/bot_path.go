package arena

// path finds a way round walls: a raster of places 80 units apart, and a tree of steps towards one goal. Walls
// stand on a raster of 40 units with at least 120 between them, so every gap has a row of free places.
type path struct {
	columns, rows int32
	closed        []uint8 // by place: bits of closedX
	step          []uint8 // by place: the way towards the goal, 0: not known
	queue         []int32
	goal          int32
}

const (
	raster = 80 * Unit
	girth  = 20 * Unit // a place keeps that far from walls

	closedPlace = 1
	closedRight = 2 // the way to the place on the right
	closedDown  = 4

	stepRight = 1
	stepLeft  = 2
	stepDown  = 3
	stepUp    = 4
	stepHere  = 5
)

// lay makes the raster of new walls.
func (p *path) lay(e *eyes) {
	p.columns, p.rows = max(e.width/raster, 1), max(e.height/raster, 1)
	n := int(p.columns * p.rows)
	p.closed, p.step = resize(p.closed, n), resize(p.step, n)
	p.goal = -1
	for i := range e.walls {
		w := &e.walls[i]
		left, right, top, bottom := w.X-girth, w.X+w.W+girth, w.Y-girth, w.Y+w.H+girth
		for r := p.row(top) - 1; r <= p.row(bottom); r++ {
			for c := p.column(left) - 1; c <= p.column(right); c++ {
				if c < 0 || r < 0 {
					continue
				}
				x, y := c*raster+raster/2, r*raster+raster/2
				at := r*p.columns + c
				inX, inY := x > left && x < right, y > top && y < bottom
				if inX && inY {
					p.closed[at] |= closedPlace
				}
				if inY && x+raster > left && x < right {
					p.closed[at] |= closedRight
				}
				if inX && y+raster > top && y < bottom {
					p.closed[at] |= closedDown
				}
			}
		}
	}
}

func (p *path) column(x int32) int32 { return min(max(x/raster, 0), p.columns-1) }
func (p *path) row(y int32) int32    { return min(max(y/raster, 0), p.rows-1) }

// place is a free place near (x, y).
func (p *path) place(x, y int32) int32 {
	c, r := p.column(x), p.row(y)
	at := r*p.columns + c
	if p.closed[at]&closedPlace == 0 {
		return at
	}
	best := int32(1 << 30)
	for nr := max(r-1, 0); nr <= min(r+1, p.rows-1); nr++ {
		for nc := max(c-1, 0); nc <= min(c+1, p.columns-1); nc++ {
			n := nr*p.columns + nc
			d := span8(nc*raster+raster/2-x, nr*raster+raster/2-y)
			if p.closed[n]&closedPlace == 0 && d < best {
				best, at = d, n
			}
		}
	}
	return at
}

// centre is where a place lies.
func (p *path) centre(at int32) (x, y int32) {
	return at%p.columns*raster + raster/2, at/p.columns*raster + raster/2
}

// plan grows the tree from a goal until it reaches from, breadth first.
func (p *path) plan(goal, from int32) {
	clear(p.step)
	p.goal = goal
	p.step[goal] = stepHere
	p.queue = append(p.queue[:0], goal)
	for head := 0; head < len(p.queue); head++ {
		at := p.queue[head]
		if at == from {
			return
		}
		c, r := at%p.columns, at/p.columns
		if c > 0 {
			p.grow(at-1, stepRight, p.closed[at-1]&closedRight)
		}
		if c < p.columns-1 {
			p.grow(at+1, stepLeft, p.closed[at]&closedRight)
		}
		if r > 0 {
			p.grow(at-p.columns, stepDown, p.closed[at-p.columns]&closedDown)
		}
		if r < p.rows-1 {
			p.grow(at+p.columns, stepUp, p.closed[at]&closedDown)
		}
	}
}

func (p *path) grow(to int32, step, closed uint8) {
	if closed|p.closed[to]&closedPlace == 0 && p.step[to] == 0 {
		p.step[to] = step
		p.queue = append(p.queue, to)
	}
}

// follow is the place one step nearer to the goal; at itself at the goal.
func (p *path) follow(at int32) int32 {
	switch p.step[at] {
	case stepRight:
		return at + 1
	case stepLeft:
		return at - 1
	case stepDown:
		return at + p.columns
	case stepUp:
		return at - p.columns
	}
	return at
}

// way is where to head for from (x, y) to get to a goal: the goal itself if nothing is in between, else the
// furthest of the next places that can be seen.
func (p *path) way(e *eyes, x, y, gx, gy int32) (wx, wy int32) {
	const pad = (ShipRadius + 2) * Unit
	if e.clear(x, y, gx, gy, pad) {
		return gx, gy
	}
	from, goal := p.place(x, y), p.place(gx, gy)
	if goal != p.goal || p.step[from] == 0 {
		p.plan(goal, from)
	}
	at := p.follow(from)
	wx, wy = p.centre(at)
	for range 4 {
		at = p.follow(at)
		cx, cy := p.centre(at)
		if !e.clear(x, y, cx, cy, pad) {
			break
		}
		wx, wy = cx, cy
	}
	return wx, wy
}
