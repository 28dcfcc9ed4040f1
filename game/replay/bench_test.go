package replay_test

import (
	"io"
	"testing"

	"skirmish/game"
	"skirmish/game/replay"
)

// TestRecordingAllocates nothing per tick once the buffers have grown.
func TestRecordingAllocates(t *testing.T) {
	x := newMatch(t, arenaDefinition(t), 16, 0, replay.Options{HashEvery: 1 << 30})
	x.play(600)
	w := x.w
	in := x.people[0].in
	cut := make([]byte, 0, 1<<20)
	step := func() {
		for s := range game.Seat(16) {
			in.FirstSeq++
			in.Values[2]++
			w.Input(s+1, &in)
			w.Thought(s+1, in.Values)
		}
		w.Stepped(x.Now())
		cut = w.Cut(cut[:0])
	}
	step()
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations per tick", n)
	}
}

// BenchmarkRecord is what recording a tick of 16 players costs: their inputs, the digest, and a cut every other tick; and a
// hash of the state every 20.
func BenchmarkRecord(b *testing.B) {
	for _, c := range []struct {
		name string
		hash int
	}{{"digests", 1 << 30}, {"hashes", 20}} {
		b.Run(c.name, func(b *testing.B) {
			x := newMatch(b, arenaDefinition(b), 16, 0, replay.Options{HashEvery: c.hash})
			x.play(600)
			in := x.people[0].in
			cut := make([]byte, 0, 1<<20)
			tick := x.Now()
			b.ReportAllocs()
			for b.Loop() {
				in.FirstSeq++
				in.BaseTick, in.NextTick = in.BaseTick+1, in.BaseTick+2
				in.Values[2] = (in.Values[2] + 37) & 0xffff
				for s := range game.Seat(16) {
					x.w.Input(s+1, &in)
				}
				tick++
				x.w.Stepped(tick)
				if tick%2 == 0 {
					cut = x.w.Cut(cut[:0])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*16), "ns/input")
		})
	}
}

// BenchmarkReplay plays a minute of 16 people; x is the multiple of real time.
func BenchmarkReplay(b *testing.B) {
	d := arenaDefinition(b)
	x := newMatch(b, d, 16, 0, replay.Options{})
	x.play(1200)
	r := read(b, x.stream)
	for b.Loop() {
		p, err := r.Play(b.Context(), d)
		if err != nil {
			b.Fatal(err)
		}
		end(b, p)
	}
	b.ReportMetric(60*float64(b.N)/b.Elapsed().Seconds(), "x")
}

// BenchmarkFilm makes a film of a minute of 16 people.
func BenchmarkFilm(b *testing.B) {
	d := arenaDefinition(b)
	x := newMatch(b, d, 16, 0, replay.Options{})
	x.play(1200)
	r := read(b, x.stream)
	for b.Loop() {
		if err := r.WriteFilm(b.Context(), io.Discard, d); err != nil {
			b.Fatal(err)
		}
	}
}
