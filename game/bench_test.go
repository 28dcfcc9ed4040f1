package game_test

import (
	"fmt"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// bench is a match in its steady state: players that send an input each tick and viewers that read each frame.
type bench struct {
	*game.Engine
	viewers []*game.Viewer
	players int
	in      *protocol.Input
	view    uint32 // how many ticks back the players look, 0: they tell no view
	buf     []byte
	now     time.Time
	bytes   int // of the states of the last tick
	events  int
}

func newBench(t testing.TB, g *toy, players int, bots bool) *bench {
	b := &bench{Engine: newToy(t, g, func(m *game.Match) { everyTick(m); m.Players, m.SpectatorDelay = players, g.delay }), players: players,
		in: input(0, 3), now: epoch}
	for s := range game.Seat(players) {
		if err := b.Join(game.PlayerInfo{Seat: s + 1, Bot: bots}); err != nil {
			t.Fatal(err)
		}
		b.viewers = append(b.viewers, b.NewViewer(s+1))
	}
	if g.delay > 0 {
		b.viewers = append(b.viewers, b.NewViewer(0), b.NewViewer(0))
	}
	if bots {
		b.players = 0
	}
	b.Attach(b)
	return b
}

// Collect pushes one input of each player.
func (b *bench) Collect(time.Time) {
	b.in.FirstSeq++
	for s := range game.Seat(b.players) {
		b.in.BaseTick, b.in.Fraction, b.in.NextTick = 0, 99, 0
		if b.view > 0 {
			b.in.BaseTick = b.Now() - min(b.view, b.Now())
		}
		if _, err := b.Push(s+1, b.in, b.now.UnixNano()); err != nil {
			panic(err)
		}
	}
}

// Deliver encodes the state and the events of each viewer.
func (b *bench) Deliver(_ time.Time, frame bool) {
	b.bytes = 0
	for _, v := range b.viewers {
		b.buf = b.AppendState(b.buf[:0], v)
		b.bytes += len(b.buf)
		for {
			_, ok, err := b.NextEvent(v)
			if err != nil {
				panic(err)
			}
			if !ok {
				break
			}
			b.events++
		}
	}
}

func (b *bench) tick(testing.TB) {
	b.now = b.now.Add(time.Second / 60)
	b.Tick(b.now)
}

// BenchmarkTick is everything a match does in a tick but the sockets: an input of each player, step, capture,
// and a delta for each player.
func BenchmarkTick(b *testing.B) {
	for _, players := range []int{2, 16, 64} {
		b.Run(fmt.Sprintf("players=%d", players), func(b *testing.B) {
			m := newBench(b, &toy{npcs: 20}, players, false)
			for range 100 {
				m.tick(b)
			}
			b.ReportAllocs()
			for b.Loop() {
				m.tick(b)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*players), "ns/player")
			b.ReportMetric(float64(m.bytes)/float64(players), "B/state")
		})
	}
}

// BenchmarkMovers is the delta of 100 rows of which x and y change, encoded and sent to one viewer.
func BenchmarkMovers(b *testing.B) {
	m := newBench(b, &toy{npcs: 100}, 0+1, false)
	for range 100 {
		m.tick(b)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.tick(b)
	}
	b.ReportMetric(float64(m.bytes), "B/state")
}

// BenchmarkViewers is one tick of 40 rows for 300 spectators that share one body.
func BenchmarkViewers(b *testing.B) {
	m := newBench(b, &toy{npcs: 40}, 1, false)
	for range 299 {
		m.viewers = append(m.viewers, m.NewViewer(0))
	}
	for range 100 {
		m.tick(b)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.tick(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*300), "ns/viewer")
	b.ReportMetric(float64(m.bytes)/300, "B/state")
}

// BenchmarkStore is 100 rows of 4 fields written by offsets, and by reflection (layout.go says why).
func BenchmarkStore(b *testing.B) {
	d, err := game.Compile(&toy{spec: func(s *game.Spec) { s.Input = Mover{} }})
	if err != nil {
		b.Fatal(err)
	}
	var rows [100]Mover
	var values []int32
	b.Run("offsets", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range rows {
				values = d.AppendInput(values[:0], &rows[i])
			}
		}
	})
	b.Run("reflection", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range rows {
				storeByReflection(&rows[i])
			}
		}
	})
}

// BenchmarkHash is the digest of a state of 400 players.
func BenchmarkHash(b *testing.B) {
	e := newToy(b, &toy{}, nil)
	tick(e, 1)
	b.ReportAllocs()
	for b.Loop() {
		e.Hash()
	}
}
