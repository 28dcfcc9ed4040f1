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
