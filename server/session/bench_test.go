package session

import (
	"fmt"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/game/arena"
	"skirmish/protocol"
)

// fullStage is an arena of n players, everybody connected and past the first snapshot, with an input frame ready for each.
func fullStage(t testing.TB, n int) (s *stage, peers []*peer) {
	s = newStage(t, arena.New(), n, 0)
	for i := range n {
		peers = append(peers, s.join(string(rune('a'+i%26))+string(rune('a'+i/26))))
	}
	s.tick(1)
	for _, p := range peers {
		p.frames()
		p.c.out = make([]byte, 0, 64<<10)
	}
	return s, peers
}

// drive lets every player steer, fire and be answered once: socket bytes in, socket bytes out.
type drive struct {
	s      *stage
	peers  []*peer
	inputs []byte // scratch
	values []int32
	turn   int32
}

func newDrive(t testing.TB, n int) *drive {
	s, peers := fullStage(t, n)
	return &drive{s: s, peers: peers, values: make([]int32, len(peers[0].welcome.Plan.Input.Fields))}
}

func (d *drive) step() {
	d.turn++
	for i, p := range d.peers {
		p.seq++
		d.values[0] = (d.turn/20+int32(i))%3*60 - 60
		d.values[1] = (d.turn/30+int32(i))%3*60 - 60
		d.values[2] = (d.turn * 100) % 65536
		d.values[3] = d.turn / 8 % 2
		d.inputs = protocol.AppendInput(d.inputs[:0], &protocol.Input{FirstSeq: p.seq, Count: 1, Values: d.values}, len(d.values))
		p.c.in = appendMasked(p.c.in, 0x82, d.inputs)
		p.c.out = p.c.out[:0]
	}
	d.s.now = d.s.now.Add(50 * time.Millisecond)
	for _, p := range d.peers {
		p.s.player.pongBefore = d.s.now.Add(time.Hour)
	}
	d.s.room.engine.Tick(d.s.now)
}

// BenchmarkInputToSnapshot is one tick of a match: an input of each player from the bytes of its socket through frame,
// message and queue into the arena's step, and the snapshot of each back into socket bytes. The socket calls themselves are
// left out.
func BenchmarkInputToSnapshot(b *testing.B) {
	for _, players := range []int{2, 16, 64} {
		b.Run(fmt.Sprint(players), func(b *testing.B) {
			d := newDrive(b, players)
			for range 200 {
				d.step()
			}
			b.ReportAllocs()
			for b.Loop() {
				d.step()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*players), "ns/player")
			if last := d.peers[0]; len(last.c.out) == 0 {
				b.Fatal("no snapshot came back")
			}
			if _, over := d.s.room.engine.Ended(); over {
				b.Fatal("the match ended in the middle of the benchmark")
			}
		})
	}
}

var _ game.Links = (*Room)(nil)
