package client

import "testing"

// TestTheGridFollowsDroppedTicks plays a server of 20 Hz that drops ticks, and a client 30 ms away.
func TestTheGridFollowsDroppedTicks(t *testing.T) {
	const period, way = 50_000, 30_000
	type story struct {
		name    string
		late    func(tick int64) int64 // µs that a tick begins after its place
		dropped func(tick int64) int64 // places left empty before it
		wrong   int                    // states whose time may be off
	}
	none := func(int64) int64 { return 0 }
	after := func(tick, n int64) func(int64) int64 {
		return func(k int64) int64 {
			if k >= tick {
				return n
			}
			return 0
		}
	}
	for _, c := range []story{
		{"on time", none, none, 0},
		{"a little late", func(int64) int64 { return 20_000 }, none, 0},
		{"one dropped", none, after(100, 1), 80},
		{"many dropped", none, after(100, 37), 80},
		{"dropped twice", none, func(k int64) int64 { return k / 150 }, 160},
		{"in a hurry once", func(k int64) int64 { return max(0, (124-k)*period) * boolean(k >= 120) }, none, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := grid{tick: 1, time: period, rate: 20}
			wrong := 0
			for k := int64(1); k < 400; k++ {
				due := (k + c.dropped(k)) * period
				leaves := due + c.late(k) + 300
				if k%40 == 0 {
					g.pong = leaves
				}
				g.heard(uint32(k), leaves+way, 2000, true)
				if g.at(uint32(k)) != due {
					wrong++
				}
			}
			if wrong > c.wrong {
				t.Errorf("the time of %d states was wrong, want at most %d", wrong, c.wrong)
			}
		})
	}
	g := grid{tick: 1, time: period, rate: 20}
	for k := range 2 { // an overrun server at both pongs: too far
		g.pong = int64(k+2)*period + 60_000
		g.heard(uint32(k+2), g.pong+way, 2000, true)
	}
	if g.heard(9, 9*period+way, 2000, true); g.at(9) != 9*period {
		t.Error("a state that came before it left must move the grid back")
	}
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
