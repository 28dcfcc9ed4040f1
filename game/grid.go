package game

// grid finds the rows near a place in one frame. Cells are half the reach wide, so that a search looks at about
// twice as many rows as it finds; a row of cells is one run of spots.
type grid struct {
	cell       int64 // width
	minX, minY int64 // of cell 0, 0
	cols, rows int
	begin      []int32 // where each cell begins in spots; one more at the end
	spots      []spot  // by cell
	found      []spot  // in order of rows
}

// spot is where a row is.
type spot struct {
	x, y int32
	row  int32
	cell int32
}

// reset empties the grid.
func (g *grid) reset() { g.found = g.found[:0] }

func (g *grid) add(row int, x, y int32) {
	g.found = append(g.found, spot{x: x, y: y, row: int32(row)})
}

// build sorts what was added into cells.
func (g *grid) build(reach int64) {
	g.spots = append(g.spots[:0], g.found...)
	if len(g.found) == 0 {
		g.cols, g.rows = 0, 0
		return
	}
	first := &g.found[0]
	minX, minY, maxX, maxY := first.x, first.y, first.x, first.y
	for i := range g.found {
		s := &g.found[i]
		minX, maxX = min(minX, s.x), max(maxX, s.x)
		minY, maxY = min(minY, s.y), max(maxY, s.y)
	}
	g.minX, g.minY = int64(minX), int64(minY)
	width, height := int64(maxX)-g.minX, int64(maxY)-g.minY
	g.cell = max(1, reach/2)
	for (width/g.cell+1)*(height/g.cell+1) > int64(4*len(g.found)+64) {
		g.cell *= 2 // far-flung rows: fewer cells rather than empty ones
	}
	g.cols, g.rows = int(width/g.cell)+1, int(height/g.cell)+1
	g.sort()
}

// sort counts the spots of each cell, then puts each in its place.
func (g *grid) sort() {
	cells := g.cols * g.rows
	if cap(g.begin) < cells+1 {
		g.begin = make([]int32, 2*(cells+1))
	}
	g.begin = g.begin[:cells+1]
	clear(g.begin)
	for i := range g.found {
		s := &g.found[i]
		s.cell = int32((int64(s.y)-g.minY)/g.cell)*int32(g.cols) + int32((int64(s.x)-g.minX)/g.cell)
		g.begin[s.cell]++
	}
	at := int32(0)
	for i, n := range g.begin {
		g.begin[i] = at
		at += n
	}
	for i := range g.found {
		s := &g.found[i]
		g.spots[g.begin[s.cell]] = *s
		g.begin[s.cell]++
	}
	copy(g.begin[1:], g.begin[:cells]) // each has gone on to where the next cell begins
	g.begin[0] = 0
}

// span is the range of cells, of n that begin at least, that a reach around a place touches.
func (g *grid) span(at, least, reach int64, n int) (from, to int) {
	lo, hi := at-reach-least, at+reach-least
	if hi < 0 || n == 0 {
		return 0, 0
	}
	return int(min(max(lo, 0)/g.cell, int64(n))), int(min(hi/g.cell+1, int64(n)))
}
