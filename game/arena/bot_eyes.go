package arena

import (
	"slices"

	"skirmish/game"
)

// Columns of the rows that bots read without decoding them (TestColumns holds them to the plan).
const (
	colX, colY     = 0, 1
	colAim         = 2 // of ships and bolts
	colHP          = 3
	colFlags       = 4
	colTeam        = 8
	colBoltOwner   = 3
	colPickupType  = 2
	colW, colH     = 2, 3
	colPhase       = 0
	colNumber      = 2
	colWidth       = 3
	colHeight      = 4
	colVX, colVY   = 2, 3 // private
	colDash        = 4
	colRail        = 5
	selfColumns    = 9
	wireShift      = 5 // of positions
	wireUnit       = Unit >> wireShift
	defaultBotRate = 60
)

// eyes hold what a bot has read from the newest frame.
type eyes struct {
	rows *view
	tick uint32 // of the frame
	rate int32  // Hz, a guess until the first rail shot

	seat   game.Seat
	team   int32
	hp     int32
	body   Body
	rail   int32 // ticks until ready
	tracks []track

	phase         int32
	round         int32
	width, height int32
	walls         []Rect
	relaid        bool // the walls are new in this frame

	pickups, bolts span
}

// view is a game.View; the name keeps the fields short.
type view = game.View

// span is a range of rows.
type span struct{ from, to int }

// track is what a bot knows of another ship.
type track struct {
	x, y, vx, vy int32 // 256 to the unit, and per second
	tick         uint32
	hp           int32
	flags        int32
	team         int32
}

// look takes the newest frame in. Fresh tells that there is one, there that the bot's ship is in play.
func (e *eyes) look(v *view) (fresh, there bool) {
	if v.Rows == nil || len(v.Private) < selfColumns {
		return false, false
	}
	e.rows = v
	fresh = v.Tick != e.tick || e.rate == 0 || v.Seat != e.seat
	e.relaid = false
	if fresh {
		e.read(v)
	}
	me := e.at(v.Seat)
	return fresh, me != nil && me.tick == e.tick && me.flags&FlagDead == 0 && e.round > 0
}

// at is the track of a seat, nil if it was never seen.
func (e *eyes) at(seat game.Seat) *track {
	if int(seat) < len(e.tracks) {
		return &e.tracks[seat]
	}
	return nil
}

func (e *eyes) read(v *view) {
	passed := int32(v.Tick - e.tick)
	if e.rate == 0 || v.Seat != e.seat {
		e.rate, passed = defaultBotRate, 0
	}
	e.tick, e.seat = v.Tick, v.Seat
	r := v.Rows
	ships, walls := e.band(FirstShipID, FirstBeamID), e.band(FirstWallID, RoundID)
	e.bolts, e.pickups = e.band(FirstBoltID, FirstWallID), e.band(FirstPickupID, FirstStandingID)
	for i := ships.from; i < ships.to; i++ {
		e.sight(r.IDs[i], r.Row(i), passed)
	}
	number := e.round
	if walls.to < e.pickups.from {
		row := r.Row(walls.to)
		e.phase, number = row[colPhase], row[colNumber]
		e.width, e.height = row[colWidth]*Unit, row[colHeight]*Unit
	}
	if number != e.round || walls.to-walls.from != len(e.walls) {
		e.walls = e.walls[:0]
		for w := walls.from; w < walls.to; w++ {
			row := r.Row(w)
			e.walls = append(e.walls, Rect{row[colX] << wireShift, row[colY] << wireShift,
				row[colW] << wireShift, row[colH] << wireShift})
		}
		e.round, e.relaid = number, true
	}
	e.self(v.Private)
}

// band is the range of rows whose ids are in [from, to).
func (e *eyes) band(from, to uint32) span {
	ids := e.rows.Rows.IDs
	i, _ := slices.BinarySearch(ids, from)
	n, _ := slices.BinarySearch(ids[i:], to)
	return span{i, i + n}
}

// self reads the private row.
func (e *eyes) self(p []int32) {
	e.body = Body{X: p[colX], Y: p[colY], VX: p[colVX], VY: p[colVY], Dash: p[colDash]}
	if p[colRail] > e.rail {
		// Just fired: the wait tells the tick rate, which is a multiple of 5 wherever people choose it.
		if rate := (p[colRail]*1000/RailInterval + 3) / 5 * 5; rate >= MinTickRate && rate <= MaxTickRate {
			e.rate = rate
		}
	}
	e.rail = p[colRail]
}

// sight updates the track of a ship, seen again after so many ticks.
func (e *eyes) sight(id uint32, row []int32, passed int32) {
	for uint32(len(e.tracks)) <= id {
		e.tracks = append(e.tracks, track{})
	}
	t := &e.tracks[id]
	x, y := row[colX]<<wireShift, row[colY]<<wireShift
	dx, dy := x-t.x, y-t.y
	const jump = 200 * Unit
	if passed <= 0 || t.tick == 0 || dx > jump || dx < -jump || dy > jump || dy < -jump {
		t.vx, t.vy = 0, 0
	} else {
		t.vx += (dx*e.rate/passed - t.vx) >> 1
		t.vy += (dy*e.rate/passed - t.vy) >> 1
	}
	t.x, t.y, t.tick = x, y, e.tick
	t.hp, t.flags, t.team = row[colHP], row[colFlags], row[colTeam]
	if game.Seat(id) == e.seat {
		e.hp, e.team = t.hp, t.team
	}
}

// enemy is the track of a seat that can be fought now, else nil.
func (e *eyes) enemy(seat game.Seat) *track {
	t := e.at(seat)
	if t == nil || seat == e.seat || t.tick != e.tick || t.flags&FlagDead != 0 || t.team == e.team && e.team != TeamNone {
		return nil
	}
	return t
}

// clear tells whether no wall comes nearer than pad to the line between two places.
func (e *eyes) clear(x1, y1, x2, y2, pad int32) bool {
	left, right := min(x1, x2)-pad, max(x1, x2)+pad
	top, bottom := min(y1, y2)-pad, max(y1, y2)+pad
	for i := range e.walls {
		w := &e.walls[i]
		if w.X >= right || w.X+w.W <= left || w.Y >= bottom || w.Y+w.H <= top {
			continue
		}
		wide := Rect{w.X - pad, w.Y - pad, w.W + 2*pad, w.H + 2*pad}
		if wide.enter(x1, y1, x2-x1, y2-y1) < whole {
			return false
		}
	}
	return true
}

// span8 is roughly the length of (x, y): at most 8 percent too long.
func span8(x, y int32) int32 {
	x, y = max(x, -x), max(y, -y)
	return max(x, y) + min(x, y)*3/8
}
