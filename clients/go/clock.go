package client

// Clock estimates the server's clock from pings with four stamps: t0 and t3 by this end, t1 and t2 by the server.
// All times are in µs; this end's have any epoch. The estimate is that of the fastest of the last 8 round trips,
// because a delay in one direction only is an error of the offset and makes the round trip longer.
type Clock struct {
	Samples int   // pongs so far
	RTT     int64 // of the newest pong, without the server's own time
	MinRTT  int64 // of the pong that Offset was taken from
	Offset  int64 // server − client

	rtts    [clockRing]int64
	offsets [clockRing]int64
}

// add takes a pong in.
func (c *Clock) add(t0, t1, t2, t3 int64) {
	c.RTT = max(0, (t3-t0)-(t2-t1))
	i := c.Samples % clockRing
	c.rtts[i], c.offsets[i] = c.RTT, t1/2-t0/2+t2/2-t3/2+(t1%2-t0%2+t2%2-t3%2)/2
	c.Samples++
	best := 0
	for j := range min(c.Samples, clockRing) {
		if c.rtts[j] < c.rtts[best] {
			best = j
		}
	}
	c.MinRTT, c.Offset = c.rtts[best], c.offsets[best]
}

// Server is the server's time in µs since the Unix epoch, at now on the session's clock in ns. It means something
// once a pong has come.
func (c *Clock) Server(now int64) int64 { return now/1000 + c.Offset }

// grid tells when the server's ticks are due, in µs of its clock: on a grid that a snapshot tells exactly. A server
// that could not keep up leaves places of its grid empty, and the ticks since then are later than a delta lets one
// reckon, by whole periods. Two bounds find that out before the next snapshot does. No state leaves before its tick
// begins, and one that comes behind a pong is of a tick that had begun when the pong left, or of a later one: two
// pongs in a row that left more than 3/4 of a period after that tick was due move the grid up, if not just a server
// in a hurry. And no state comes before it leaves: one that does moves the grid back.
type grid struct {
	tick uint32
	time int64 // when tick was due
	rate int64 // Hz, 0: unknown
	pong int64 // when the newest pong left, 0 once a state has come since
	slip int64 // periods that the pong before would have moved it by
}

// set puts a tick in its place.
func (g *grid) set(tick uint32, time int64) { g.tick, g.time, g.slip = tick, time, 0 }

// at is when a tick was or will be due.
func (g *grid) at(tick uint32) int64 { return g.time + int64(int32(tick-g.tick))*1_000_000/g.rate }

// heard takes in that the state of a tick arrived at the server's time now, which may be off by slack.
func (g *grid) heard(tick uint32, now, slack int64, synced bool) {
	period := 1_000_000 / g.rate
	if g.pong != 0 {
		slip := (g.pong - g.at(tick) + period/4) / period
		if n := min(slip, g.slip); n > 0 {
			g.time += n * period
			slip = 0
		}
		g.slip, g.pong = max(slip, 0), 0
	}
	if early := g.at(tick) - now - slack; synced && early > 0 {
		g.time -= (early + period - 1) / period * period
	}
}
