package client

import (
	"math"
	"time"

	"skirmish/protocol"
)

// Picture draws the rows as they were a little ago, between two states: about two snapshot intervals and twice the
// jitter behind the newest, so that there mostly is a state on either side. Each field goes by its interp. What it
// shows has a name that the server understands, Tick and Fraction: give them to Session.SetView before each input,
// and lag compensation judges by this picture. One goroutine owns a Picture; it allocates nothing once grown.
type Picture struct {
	Tick     uint32 // of the older state
	Fraction uint8  // of the way to the newer one, in 1/256
	Held     int    // draws that had no newer state, which stood still

	plan   *protocol.Plan
	period int64 // ns per tick
	every  int64 // ticks per state

	states [pictureRing]drawn
	count  int // pushed
	window window
	head   float64 // tick shown last
	older  *drawn
	newer  *drawn
}

// drawn is a state that is kept.
type drawn struct {
	tick uint32
	rows protocol.Rows
}

// Start makes the picture of a match.
func (p *Picture) Start(w *protocol.Welcome) {
	p.plan, p.count, p.head, p.older, p.newer, p.Held = w.Plan, 0, 0, nil, nil, 0
	p.period = int64(time.Second) / int64(w.TickRate)
	p.every = max(1, int64(w.TickRate)/int64(max(1, w.SnapshotRate)))
	p.window = window{most: paceMemory * int64(w.TickRate)}
}

// Push takes a state that came at now.
func (p *Picture) Push(s *protocol.State, now int64) {
	at := now - int64(s.Head.Tick)*p.period
	if off := at - p.window.mean(); p.count == 0 || max(off, -off) > pictureJump {
		p.window.forget(at)
	}
	p.window.add(int64(s.Head.Tick), at)
	d := &p.states[p.count%pictureRing]
	d.tick = s.Head.Tick
	d.rows.CopyFrom(&s.Rows)
	p.count++
}

// Draw moves the picture to what is to be seen at now; false while there is nothing.
func (p *Picture) Draw(now int64) bool {
	if p.count == 0 {
		return false
	}
	delay := 2*p.every*p.period + 2*p.window.deviation()
	head := float64(now-p.window.mean()-delay) / float64(p.period)
	if back := p.head - head; back > 0 && back*float64(p.period) < float64(pictureJump) {
		head = p.head // it waits rather than goes back
	}
	i := p.count - 1
	p.head = min(head, float64(p.states[i%pictureRing].tick))
	oldest := max(0, p.count-pictureRing)
	for i > oldest && float64(p.states[i%pictureRing].tick) > head {
		i--
	}
	p.older = &p.states[i%pictureRing]
	p.newer, p.Fraction = p.older, 0
	if i+1 < p.count {
		p.newer = &p.states[(i+1)%pictureRing]
		part := (head - float64(p.older.tick)) / float64(p.newer.tick-p.older.tick)
		p.Fraction = uint8(min(max(part*256, 0), 255))
	} else {
		p.Held++
	}
	p.Tick = p.older.tick
	return true
}

// Row appends the values of a row as drawn, in wire units. A row that is not in the newer state any more stands
// still, one that was not in the older one yet is not there.
func (p *Picture) Row(id uint32, dst []float64) (kind uint8, values []float64, ok bool) {
	if p.older == nil {
		return 0, dst, false
	}
	i, ok := p.older.rows.Find(id)
	if !ok {
		return 0, dst, false
	}
	kind = p.older.rows.Kinds[i]
	from := p.older.rows.Row(i)
	to := from
	if j, there := p.newer.rows.Find(id); there && p.newer.rows.Kinds[j] == kind {
		to = p.newer.rows.Row(j)
	}
	part := float64(p.Fraction) / 256
	for k := range from {
		dst = append(dst, between(&p.plan.Kinds[kind].Fields[k], from[k], to[k], part))
	}
	return kind, dst, true
}

// Older are the rows of the older state, for what is not interpolated.
func (p *Picture) Older() *protocol.Rows { return &p.older.rows }

// between is a field's value on the way.
func between(f *protocol.Field, from, to int32, part float64) float64 {
	a, way := float64(from), float64(to)-float64(from)
	switch f.Interp {
	case protocol.InterpLinear:
		return a + way*part
	case protocol.InterpAngle:
		span := float64(f.Max) - float64(f.Min) + 1
		v := a + (way-span*math.Round(way/span))*part
		return v - span*math.Floor((v-float64(f.Min))/span)
	}
	return a
}
