package game_test

import (
	"testing"

	"skirmish/game"
)

// crowd is 300 players whose ships all move in every tick of 30, each seeing about 60 of them.
type crowd struct{ *bench }

const (
	crowdSize  = 300
	crowdWidth = 1 << 16 // of the square they move in, wire units
)

func newCrowd(b testing.TB, interest game.Interest) *crowd {
	rand := game.NewRand(3)
	ships := make([]Mover, crowdSize+1)
	speeds := make([][2]int32, crowdSize+1)
	for i := range ships {
		ships[i] = Mover{X: rand.Int32N(crowdWidth) << 5, Y: rand.Int32N(crowdWidth) << 5, HP: 100}
		speeds[i] = [2]int32{int32(rand.Between(-80, 80)) << 5, int32(rand.Between(-80, 80)) << 5}
	}
	g := &toy{bare: true, spec: func(s *game.Spec) { s.Interest = interest }}
	g.hooks.frame = func(f *game.Frame) {
		for i := 1; i < len(ships); i++ {
			f.Put(uint32(1000+i), &ships[i])
		}
	}
	if interest.Radius > 0 {
		g.hooks.focus = func(p *game.Player) uint32 { return 1000 + uint32(p.Seat) }
	}
	g.hooks.step = func(*game.Tick) {
		for i := range ships {
			s, v := &ships[i], &speeds[i]
			for k, at := range []*int32{&s.X, &s.Y} {
				if *at += v[k]; *at < 0 || *at >= crowdWidth<<5 {
					*at -= v[k]
					v[k] = -v[k]
				}
			}
			s.Dir += 512
		}
	}
	c := &crowd{newBench(b, g, crowdSize, false)}
	for range 100 {
		c.tick(b)
	}
	return c
}

// BenchmarkInterest is one round of states for 300 players × 300 moving ships, about 60 in view of each: from the
// capture on. The promise is 3 ms.
func BenchmarkInterest(b *testing.B) {
	for _, c := range []struct {
		name     string
		interest game.Interest
	}{
		{"everything", game.Interest{}},
		{"radius", game.Interest{Radius: crowdWidth * 29 / 100, Hysteresis: crowdWidth / 50}},
		{"radius and budget", game.Interest{Radius: crowdWidth * 29 / 100, Hysteresis: crowdWidth / 50, Budget: 300}},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := newCrowd(b, c.interest)
			b.ReportAllocs()
			for b.Loop() {
				m.tick(b)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*crowdSize), "ns/player")
			b.ReportMetric(float64(m.bytes)/crowdSize, "B/state")
			seen := 0
			for _, v := range m.viewers {
				if rows, ok := v.Picture(); ok {
					seen += rows.Len()
				}
			}
			b.ReportMetric(float64(seen)/crowdSize, "rows/player")
		})
	}
}
