package arena

// Movement of one ship: a pure function of its body, one input, the walls and a Config. It is written to be
// ported: all values are integers, a >> n rounds towards minus infinity, a / b and a % b truncate towards
// zero, products stay below 2^53 (in JavaScript: Math.floor(p / 2**n) and Math.trunc(a / b)).

// Config is the movement in fixed point for one tick rate. Speeds are in 1/Unit units per second.
type Config struct {
	Rate         int32 // Hz
	DT           int32 // a tick in 1/65,536 s: (65536 + Rate/2) / Rate
	Thrust       int32 // speed gained in a tick at full stick: ThrustPerSecond·Unit / Rate
	ThrustDriven int32 // in overdrive: Thrust·OverdriveThrust / 100
	Drag         int32 // share of the speed lost in a tick, in 1/65,536: DragPercent·65536 / (100·Rate)
	Excess       int32 // share of the excess over the cap lost in a tick, in 1/65,536, at most 65,536
	Cap          int32 // SpeedCap·Unit
	CapDriven    int32 // in overdrive: Cap·OverdriveCap / 100
	Burst        int32 // ticks a dash lasts: DashBurst·Rate / 1000, rounded, at least 1
	Cooldown     int32 // ticks from one dash to the next: DashCooldown·Rate / 1000, rounded
}

// NewConfig is the movement at a tick rate of MinTickRate to MaxTickRate.
func NewConfig(rate int) Config {
	r := int32(rate)
	return Config{
		Rate:         r,
		DT:           (65536 + r/2) / r,
		Thrust:       ThrustPerSecond * Unit / r,
		ThrustDriven: ThrustPerSecond * Unit / r * OverdriveThrust / 100,
		Drag:         DragPercent * 65536 / (100 * r),
		Excess:       min(ExcessPercent*65536/(100*r), 65536),
		Cap:          SpeedCap * Unit,
		CapDriven:    SpeedCap * Unit * OverdriveCap / 100,
		Burst:        ticks(DashBurst, rate),
		Cooldown:     ticks(DashCooldown, rate),
	}
}

// ticks converts milliseconds to ticks: (ms·rate + 500) / 1000, at least 1.
func ticks(ms, rate int) int32 { return int32(max((ms*rate+500)/1000, 1)) }

// Body is what moves. The private row carries exactly this.
type Body struct {
	X, Y      int32 // centre, 256 to the unit
	VX, VY    int32 // 256 to the unit per second
	Dash      int32 // ticks until the next dash; above Cooldown − Burst the ship is dashing
	Overdrive int32 // ticks left
}

// Rect is a solid rectangle, 256 to the unit; W and H are positive.
type Rect struct{ X, Y, W, H int32 }

const (
	radius  = ShipRadius * Unit
	hardCap = HardCap * Unit
	maxHop  = 12 * Unit // a ship never moves further between two looks at the walls: less than its radius
	bounce  = BouncePercent * 256 / 100
	slow    = BounceFrom * Unit
)

// Dashing tells whether the body is in the burst of a dash.
func (c *Config) Dashing(b *Body) bool { return b.Dash > c.Cooldown-c.Burst }

// Move advances b by one tick. Walls are looked at in their order; walls that the ship cannot reach make no
// difference and may be left out. Width and height bound the arena. It returns the hardest impact on a wall:
// the speed against it, 0 if there was none.
//
// The steps, in this order:
//  1. Dash and Overdrive count down by one if they are above 0 (overdrive counts for this tick still).
//  2. With ButtonDash and Dash = 0: a dash begins (see dash).
//  3. Unless dashing: thrust, then drag. Before it, was = isqrt(VX² + VY²) is noted, the speed until now.
//  4. The speed is capped (see limit), to the cap or, in a dash, to HardCap.
//  5. The ship moves in n equal hops, n = 1 + m / maxHop, m the larger of |VX| and |VY| times DT >> 16; after
//     each hop it is pushed out of walls and bounds (see collide).
func (c *Config) Move(b *Body, in Input, walls []Rect, width, height int32) (impact int32) {
	thrust, limit := c.Thrust, c.Cap
	if b.Overdrive > 0 {
		b.Overdrive--
		thrust, limit = c.ThrustDriven, c.CapDriven
	}
	if b.Dash > 0 {
		b.Dash--
	}
	if in.Buttons&ButtonDash != 0 && b.Dash == 0 {
		c.dash(b, in)
	}
	was := length(b.VX, b.VY)
	if c.Dashing(b) {
		limit = hardCap
	} else {
		b.thrust(in, thrust)
		b.VX -= scale(b.VX, c.Drag)
		b.VY -= scale(b.VY, c.Drag)
	}
	b.limit(was, limit, c.Excess)

	far := scale(max(b.VX, -b.VX, b.VY, -b.VY), c.DT)
	hops := 1 + far/maxHop
	for range hops {
		b.X += scale(b.VX, c.DT) / hops
		b.Y += scale(b.VY, c.DT) / hops
		impact = max(impact, b.collide(walls, width, height))
	}
	return impact
}

// scale is (v·share + 32768) >> 16: v times a share in 1/65,536, rounded.
func scale(v, share int32) int32 { return int32((int64(v)*int64(share) + 32768) >> 16) }

// dash turns the whole speed into DashSpeed along the stick, or along the aim if the stick is centred:
// VX = AX·DashSpeed·256 / m with m = isqrt((AX² + AY²) << 16), or VX = cos(aim)·DashSpeed >> 14.
func (c *Config) dash(b *Body, in Input) {
	const speed = DashSpeed * Unit
	b.Dash = c.Cooldown
	ax, ay := int64(in.AX), int64(in.AY)
	if ax == 0 && ay == 0 {
		b.VX = int32(int64(cos(in.Aim)) * speed >> 14)
		b.VY = int32(int64(sin(in.Aim)) * speed >> 14)
		return
	}
	m := isqrt((ax*ax + ay*ay) << 16)
	b.VX = int32(ax * speed * 256 / m)
	b.VY = int32(ay * speed * 256 / m)
}

// thrust accelerates along the stick: VX += AX·full / 127. A stick beyond the circle of radius 127 is brought
// back to it: VX += AX·full·256 / m with m = isqrt((AX² + AY²) << 16).
func (b *Body) thrust(in Input, full int32) {
	ax, ay, f := int64(in.AX), int64(in.AY), int64(full)
	d := ax*ax + ay*ay
	if d <= 127*127 {
		b.VX += int32(ax * f / 127)
		b.VY += int32(ay * f / 127)
		return
	}
	m := isqrt(d << 16)
	b.VX += int32(ax * f * 256 / m)
	b.VY += int32(ay * f * 256 / m)
}

// limit caps a speed s above the limit. Thrust does not get beyond it; a dash or a push does, and that excess
// fades: the speed becomes the least of s, HardCap and max(limit, was − 1 − ((was − limit)·excess >> 16)):
// VX = VX·target / s, s = isqrt(VX² + VY²).
func (b *Body) limit(was, limit, excess int32) {
	vx, vy, top := int64(b.VX), int64(b.VY), int64(limit)
	d := vx*vx + vy*vy
	if d <= top*top {
		return
	}
	s, w := isqrt(d), int64(was)
	target := min(max(top, w-1-((w-top)*int64(excess)>>16)), s, hardCap)
	b.VX = int32(vx * target / s)
	b.VY = int32(vy * target / s)
}

// collide pushes the ship out of every wall that it touches, in order, then out of the bounds; all of it a
// second time if the first time changed anything.
func (b *Body) collide(walls []Rect, width, height int32) (impact int32) {
	for range 2 {
		touched := false
		for i := range walls {
			w := &walls[i]
			// The nearest point of the wall, and the way from it to the centre.
			px, py := min(max(b.X, w.X), w.X+w.W), min(max(b.Y, w.Y), w.Y+w.H)
			dx, dy := b.X-px, b.Y-py
			if dx >= radius || dx <= -radius || dy >= radius || dy <= -radius {
				continue
			}
			d := int64(dx)*int64(dx) + int64(dy)*int64(dy)
			if d >= radius*radius {
				continue
			}
			touched = true
			if d == 0 {
				dx, dy = w.shallowest(b.X, b.Y)
				px, py = w.edge(b.X, b.Y, dx, dy)
				d = 1
			}
			n := int32(isqrt(d))
			b.X = px + dx*radius/n
			b.Y = py + dy*radius/n
			impact = max(impact, b.reflect(dx, dy, n))
		}
		// The bounds are walls that are never missed.
		if b.X < radius {
			b.X, touched = radius, true
			impact = max(impact, b.reflect(1, 0, 1))
		} else if b.X > width-radius {
			b.X, touched = width-radius, true
			impact = max(impact, b.reflect(-1, 0, 1))
		}
		if b.Y < radius {
			b.Y, touched = radius, true
			impact = max(impact, b.reflect(0, 1, 1))
		} else if b.Y > height-radius {
			b.Y, touched = height-radius, true
			impact = max(impact, b.reflect(0, -1, 1))
		}
		if !touched {
			break
		}
	}
	return impact
}

// reflect turns the part of the speed that goes against the normal (nx, ny), of length n, around and keeps
// bounce/256 of it, or nothing below BounceFrom. It returns that speed, 0 if the ship was leaving.
//
//	a = (VX·nx + VY·ny) / n;  nothing to do if a ≥ 0
//	j = a·(256 + bounce) / 256, or a if −a < slow
//	VX −= j·nx / n;  VY −= j·ny / n
func (b *Body) reflect(nx, ny, n int32) (impact int32) {
	x, y, l := int64(nx), int64(ny), int64(n)
	a := (int64(b.VX)*x + int64(b.VY)*y) / l
	if a >= 0 {
		return 0
	}
	j := a
	if -a >= slow {
		j = a * (256 + bounce) / 256
	}
	b.VX -= int32(j * x / l)
	b.VY -= int32(j * y / l)
	return int32(-a)
}

// shallowest is the unit normal of the edge nearest to a point inside the wall: left, right, top, bottom, the
// first of equals.
func (w *Rect) shallowest(x, y int32) (nx, ny int32) {
	left, right, top, bottom := x-w.X, w.X+w.W-x, y-w.Y, w.Y+w.H-y
	switch min(left, right, top, bottom) {
	case left:
		return -1, 0
	case right:
		return 1, 0
	case top:
		return 0, -1
	}
	return 0, 1
}

// edge is the point of the edge with that normal that is nearest to a point inside.
func (w *Rect) edge(x, y, nx, ny int32) (px, py int32) {
	switch {
	case nx < 0:
		return w.X, y
	case nx > 0:
		return w.X + w.W, y
	case ny < 0:
		return x, w.Y
	}
	return x, w.Y + w.H
}
