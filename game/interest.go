package game

import "math"

// Interest is which rows a player is sent. The zero value sends everything to everybody. Spectators see
// everything in any case, but for rows of one seat only (Frame.PutFor).
type Interest struct {
	// From is the smallest match, by its players' seats, that all of this is for; in smaller ones everybody sees
	// everything. 0 is every match.
	From int
	// Radius is how far a player sees, in the wire units of the fields tagged `pos=x` and `pos=y`; 0 is without
	// end. Rows of kinds without such fields are seen by everybody.
	Radius int32
	// Hysteresis is how much farther than Radius a row must go to get out of view again, so that one at the edge
	// does not flicker.
	Hysteresis int32
	// Budget is how many bytes of rows a state may have; 0 is without bound. What does not fit waits with a
	// growing priority, so that everything gets its turn; meanwhile a client keeps what it has.
	Budget int
}

const (
	maxReach  = 1 << 29 // Radius and Hysteresis together: its square fits 64 bits
	minBudget = 64      // bytes
)

// Optional parts of a Sim that say what a player sees. Neither changes the state: how often they are called
// depends on the network.
type (
	// Focuser names the row around which p sees. Without it that is the row whose id is p's seat. While there is
	// no such row, p sees around the place where it was last.
	Focuser interface {
		Focus(p *Player) (id uint32)
	}
	// Seer has the last word on what p sees in one state. The set holds what is near p, or nothing if
	// Interest.Radius is 0.
	Seer interface {
		View(p *Player, v *ViewSet)
	}
)

// ViewSet is what one player is about to see. It is valid until View returns.
type ViewSet struct {
	e     *Engine
	now   *frame
	seat  Seat
	near  rowSet // row i is shown
	far   rowSet // near, and rows that stay if they are in view already
	prios []changedPriority
}

// changedPriority notes a row whose priority the game changed, to be put back.
type changedPriority struct {
	row int
	was uint16
}

// Tick is the number of the step that the state shows.
func (v *ViewSet) Tick() uint32 { return v.now.tick }

// Show lets the player see a row. An id that is not in the frame is ignored, and so is the row of another seat.
func (v *ViewSet) Show(id uint32) {
	if i, ok := v.now.rows.Find(id); ok && v.now.seenBy(i, v.seat) {
		v.near.set(i)
		v.far.set(i)
	}
}

// Hide hides a row from the player.
func (v *ViewSet) Hide(id uint32) {
	if i, ok := v.now.rows.Find(id); ok {
		v.near.clear(i)
		v.far.clear(i)
	}
}

// Priority sets how much faster than others, 1 to 1,000, a row's claim to a place in the budget grows. By default
// it falls with the distance from 16 to 1, and is 16 for rows without a place.
func (v *ViewSet) Priority(id uint32, weight int) {
	g := v.e.gather
	if i, ok := v.now.rows.Find(id); ok && len(g.weights) > 0 {
		v.prios = append(v.prios, changedPriority{row: i, was: g.weights[i]})
		g.weights[i] = uint16(max(1, min(weight, maxWeight)))
	}
}

// Weights of rows: what their priority grows by in each state that has no room for them.
const (
	farWeight  = 1
	nearWeight = 16
	ownWeight  = 256 // the player's own: its focus, and rows that it alone sees
	maxWeight  = 1000
)

// interest is who sees what in a match of the game.
func (d *Definition) interest(m *Match) Interest {
	if m.Players < d.Spec.Interest.From {
		return Interest{}
	}
	return d.Spec.Interest
}

// rowSet is a set of row numbers.
type rowSet []uint64

func (b rowSet) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b rowSet) clear(i int)    { b[i>>6] &^= 1 << (i & 63) }
func (b rowSet) has(i int) bool { return b[i>>6]>>(i&63)&1 != 0 }

// sized is b emptied, for n rows.
func (b rowSet) sized(n int) rowSet {
	words := (n + 63) / 64
	if cap(b) < words {
		return make(rowSet, words, 2*words)
	}
	b = b[:words]
	clear(b)
	return b
}

// interest checks Spec.Interest.
func (c *compiler) interest(d *Definition) {
	in := &d.Spec.Interest
	if in.From < 0 || in.Radius < 0 || in.Hysteresis < 0 || in.Budget < 0 {
		c.fault("interest: a negative number")
	}
	if int64(in.Radius)+int64(in.Hysteresis) > maxReach {
		c.fault("interest: radius and hysteresis are together more than %d", maxReach)
	}
	if in.Budget > 0 && in.Budget < minBudget || in.Budget > math.MaxInt32 {
		c.fault("interest: a budget of %d bytes is not in %d to %d", in.Budget, minBudget, math.MaxInt32)
	}
	if in.From > d.Spec.MaxPlayers {
		c.fault("interest: from %d players, but there are never more than %d", in.From, d.Spec.MaxPlayers)
	}
	if in.Hysteresis > 0 && in.Radius == 0 {
		c.fault("interest: a hysteresis without a radius")
	}
	placed := 0
	for i := range d.kinds {
		l := &d.kinds[i]
		if (l.x < 0) != (l.y < 0) {
			c.fault("kind %s: pos=x and pos=y go together", l.kind.Name)
			continue
		}
		if l.x < 0 {
			continue
		}
		placed++
		x, y := l.kind.Fields[l.x].Scale, l.kind.Fields[l.y].Scale
		if c.scale == 0 {
			c.scale = x
		}
		if x != c.scale || y != c.scale {
			c.fault("kind %s: its places have scale %d and %d on the wire, those before it %d", l.kind.Name, x, y, c.scale)
		}
	}
	if in.Radius > 0 && placed == 0 {
		c.fault("interest: a radius, but no kind has fields tagged pos=x and pos=y")
	}
}

// GameSaysWhoSees tells whether AppendState calls the game, which may not return. It does not change.
func (e *Engine) GameSaysWhoSees() bool { return e.seer != nil || e.focuser != nil }
