package arena

// grid divides the ground into square cells of 128 units, so that a ship or a bolt meets only what is near.
// It is scratch: Build makes it again from a layout, mark from the ships.
type grid struct {
	columns, rows int32
	first         []int32 // where a cell's walls begin in walls; one more than there are cells
	walls         []Rect  // of all cells, copied for nearness, in layout order within each
	ships         []int32 // the first mark of a cell, 0: none
	marks         []mark  // of this tick; 0 is not used
	cursor        []int32
}

// mark notes a ship in a cell.
type mark struct {
	slot int32
	cell int32
	next int32 // mark of the same cell, 0: none
}

const cellBits = 15 // 128 units

// build sorts the walls into the cells: a cell lists the walls within margin of it.
func (g *grid) build(l *Layout, margin int32) {
	g.columns, g.rows = l.Width>>cellBits+1, l.Height>>cellBits+1
	cells := int(g.columns * g.rows)
	g.first = resize(g.first, cells+1)
	g.cursor = resize(g.cursor, cells)
	g.ships = resize(g.ships, cells)
	g.marks = append(g.marks[:0], mark{})
	g.eachCell(l, margin, func(c int32, _ *Rect) { g.first[c+1]++ })
	for c := range cells {
		g.cursor[c] = g.first[c]
		g.first[c+1] += g.first[c]
	}
	g.walls = resize(g.walls, int(g.first[cells]))
	g.eachCell(l, margin, func(c int32, w *Rect) {
		g.walls[g.cursor[c]] = *w
		g.cursor[c]++
	})
}

// resize returns a slice of n zeros in s's memory if it suffices.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

func (g *grid) eachCell(l *Layout, margin int32, visit func(c int32, w *Rect)) {
	for i := range l.Walls {
		w := &l.Walls[i]
		for r := g.row(w.Y - margin); r <= g.row(w.Y+w.H+margin); r++ {
			for c := g.column(w.X - margin); c <= g.column(w.X+w.W+margin); c++ {
				visit(r*g.columns+c, w)
			}
		}
	}
}

func (g *grid) column(x int32) int32 { return min(max(x>>cellBits, 0), g.columns-1) }
func (g *grid) row(y int32) int32    { return min(max(y>>cellBits, 0), g.rows-1) }

// cell is the cell of a place; places outside belong to the nearest.
func (g *grid) cell(x, y int32) int32 { return g.row(y)*g.columns + g.column(x) }

// near are the walls that whoever is in the cell of (x, y) can reach, valid until the next build.
func (g *grid) near(x, y int32) []Rect {
	c := g.cell(x, y)
	return g.walls[g.first[c]:g.first[c+1]]
}

// unmark forgets the ships.
func (g *grid) unmark() {
	for i := range g.marks[1:] {
		g.ships[g.marks[1+i].cell] = 0
	}
	g.marks = g.marks[:1]
}

// mark notes the ship of slot i in all cells within reach of (x, y). Who is marked last comes first in its cells.
func (g *grid) mark(i int, x, y, reach int32) {
	right, bottom := g.column(x+reach), g.row(y+reach)
	for r := g.row(y - reach); r <= bottom; r++ {
		for c := g.column(x - reach); c <= right; c++ {
			at := r*g.columns + c
			g.marks = append(g.marks, mark{slot: int32(i), cell: at, next: g.ships[at]})
			g.ships[at] = int32(len(g.marks) - 1)
		}
	}
}

// enter is how far along (dx, dy) from (x, y) the wall begins, in 1/65,536 of the way, or whole if it is not
// in the way. A start inside is 0.
func (w *Rect) enter(x, y, dx, dy int32) int64 {
	in, out := int64(0), int64(whole)
	for axis := range 2 {
		from, way, low, high := x, dx, w.X, w.X+w.W
		if axis == 1 {
			from, way, low, high = y, dy, w.Y, w.Y+w.H
		}
		if way == 0 {
			if from <= low || from >= high {
				return whole
			}
			continue
		}
		a, b := (int64(low-from)<<16)/int64(way), (int64(high-from)<<16)/int64(way)
		if a > b {
			a, b = b, a
		}
		in, out = max(in, a), min(out, b)
		if in >= out {
			return whole
		}
	}
	return in
}

// whole is the whole way, in 1/65,536.
const whole = 1 << 16
