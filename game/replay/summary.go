package replay

import (
	"fmt"

	"skirmish/game"
)

// Summary is what a recording tells without being played.
type Summary struct {
	Ticks       uint32 // the last step
	Inputs      int    // of players
	Thoughts    int    // inputs of bots
	Requests    int
	Signals     int
	PlayerTicks int // each player and bot counts once per step: what bytes are divided by
	Joins       []game.PlayerInfo
	Checkpoints int
}

// Summary reads r through: ErrCorrupt.
func (r *Recording) Summary() (s Summary, err error) {
	s.Checkpoints = len(r.points)
	x, o := expected{fields: r.Head.Fields}, op{}
	seated := map[game.Seat]bool{}
	for i := range r.chunks {
		k := &r.chunks[i]
		if k.tick != s.Ticks {
			return s, fmt.Errorf("%w: tick %d is followed by what happened after tick %d", ErrCorrupt, s.Ticks, k.tick)
		}
		if k.kind != kindTicks {
			x.forget()
			continue
		}
		for c := (cursor{b: k.payload}); len(c.b) > 0; {
			if err := o.read(&c, &x); err != nil {
				return s, err
			}
			s.count(&o, seated)
		}
	}
	return s, nil
}

func (s *Summary) count(o *op, seated map[game.Seat]bool) {
	switch o.kind {
	case opStep:
		s.Ticks++
		s.PlayerTicks += len(seated)
	case opInput:
		s.Inputs += o.input.Count
	case opThought:
		s.Thoughts++
	case opRequest:
		s.Requests++
	case opSignal:
		s.Signals++
	case opJoin:
		s.Joins = append(s.Joins, o.info)
		seated[o.seat] = true
	case opLeave:
		delete(seated, o.seat)
	}
}
