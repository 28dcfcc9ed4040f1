//go:build !race

package client_test

import (
	"testing"

	"skirmish/protocol"
)

func TestSteadyStateAllocatesNothing(t *testing.T) {
	s := playing(t)
	a, b := rows(32, 10), rows(32, 12)
	values := []int32{1, 2}
	there, back := message(delta(102, 101, 1, a, b, b.CRC())), message(snapshot(101, 0, a))
	k, r, drawn := newTable(), newReel(), make([]float64, 0, 8)
	pushed := &protocol.State{Plan: plan, Rows: *b}
	step := func() {
		k.Input(k.tick+1, values)
		k.tick, k.ack = k.tick+1, k.ack+1
		pushed.Head.Tick, pushed.Head.Ack = k.tick, k.ack
		k.State(pushed, k.now) // wrong each time: all is played again
		r.now += tickTime
		r.Push(pushed, r.now)
		r.Draw(r.now)
		if _, _, ok := r.Row(1, drawn); !ok && r.Tick != 0 {
			t.Fatal("no row")
		}
		s.Pacer.Due(7)
		s.Input(values, 7)
		s.Ping(7)
		s.Wrote(len(s.Out()))
		for _, p := range [][]byte{back, there[:40], there[40:]} {
			for len(p) > 0 {
				var err error
				if _, p, err = s.Feed(p, 9); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for range 300 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations per input, snapshot and delta", n)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	s := playing(b)
	from, to := rows(16, 10), rows(16, 12)
	there, back := message(delta(102, 101, 1, from, to, 0)), message(snapshot(101, 0, from))
	b.ReportAllocs()
	for b.Loop() {
		s.Feed(back, 9)
		s.Feed(there, 9)
	}
}
