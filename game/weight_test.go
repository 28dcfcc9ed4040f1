package game

import (
	"testing"
)

type heavySim struct {
	Rows   [4]int32
	bytes  [][]byte
	list   *heavyLink
	names  map[int32]string
	any    any
	again  []byte // the same memory as in bytes
	self   *heavySim
	queue  chan int64
	nobody func()
}

type heavyLink struct {
	next *heavyLink
	pad  [48]byte
}

func TestWeight(t *testing.T) {
	weigh := func(s *heavySim) int64 {
		e := &Engine{sim: heavy{s}.sim()}
		return e.Weight()
	}
	empty := weigh(&heavySim{})
	near := func(what string, s *heavySim, want int64) {
		t.Helper()
		if got := weigh(s) - empty; got < want || got > want+want/8+64 {
			t.Errorf("%s: %d bytes, want %d", what, got, want)
		}
	}
	s := &heavySim{}
	for range 64 {
		s.bytes = append(s.bytes, make([]byte, 1<<20))
	}
	s.again = s.bytes[3]
	s.self = s
	near("64 MiB in slices, one of them held twice", s, 64<<20)

	s = &heavySim{}
	for range 100_000 {
		s.list = &heavyLink{next: s.list}
	}
	near("a list of 100,000 links", s, 100_000*56)

	s = &heavySim{names: map[int32]string{}}
	for i := range int32(1000) {
		s.names[i] = string(make([]byte, 1000))
	}
	near("a map of strings", s, 1000*1000+1000*21)

	near("a value in an interface", &heavySim{any: [1 << 20]byte{}}, 1<<20)
	near("a channel", &heavySim{queue: make(chan int64, 1000)}, 8000)

	const beyond = weightSteps + weightSteps/8
	s = &heavySim{bytes: make([][]byte, beyond)}
	for i := range s.bytes {
		s.bytes[i] = make([]byte, 1)
	}
	if got := weigh(s); got < beyond*24 {
		t.Errorf("%d slices, more than are looked at: %d bytes, want the list itself at least", beyond, got)
	}
}

// heavy makes a Sim of a heavySim.
type heavy struct{ s *heavySim }

func (h heavy) sim() Sim { return &heavyAsSim{heavySim: h.s} }

type heavyAsSim struct{ *heavySim }

func (*heavyAsSim) Join(*Tick, *Player)          {}
func (*heavyAsSim) Leave(*Tick, *Player, Reason) {}
func (*heavyAsSim) Step(*Tick)                   {}
func (*heavyAsSim) Frame(*Frame)                 {}
