package session

import (
	"fmt"
	"testing"
	"time"

	"skirmish/game/arena"
	"skirmish/protocol"
)

// BenchmarkSpectators is one tick of an arena of 16 players, from socket bytes to socket bytes, with and without
// 200 spectators. The socket calls themselves are left out, so the difference is what spectators cost beyond
// their writes.
func BenchmarkSpectators(b *testing.B) {
	for _, spectators := range []int{0, 200} {
		b.Run(fmt.Sprint(spectators), func(b *testing.B) {
			s := newStage(b, arena.New(), 16, spectators)
			d := &drive{s: s, values: make([]int32, 4)}
			var watching []*peer
			for i := range 16 {
				d.peers = append(d.peers, s.join(fmt.Sprint("player", i)))
			}
			for i := range spectators {
				id := fmt.Sprint("spectator", i)
				watching = append(watching, s.arrive(arrival{seat: s.seat(id, protocol.RoleSpectator), player: id}))
			}
			s.tick(1)
			for _, p := range append(watching, d.peers...) {
				p.frames()
				p.c.out = make([]byte, 0, 64<<10)
			}
			step := func() {
				for _, p := range watching {
					p.c.out = p.c.out[:0]
					p.s.player.pongBefore = s.now.Add(time.Hour)
				}
				d.step()
			}
			for range 200 {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			if spectators > 0 && len(watching[0].c.out) == 0 {
				b.Fatal("a spectator is sent nothing")
			}
		})
	}
}
