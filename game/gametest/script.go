package gametest

import (
	"errors"
	"fmt"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// script is the host and the players of a match: it decides by its seed what happens in each tick and does it
// to every engine alike.
type script struct {
	rand    *game.Rand
	d       *game.Definition
	leaving bool // players may leave for good
	seats   []seat
}

// seat is what the script knows of one place.
type seat struct {
	taken  bool
	lost   bool
	style  style
	seq    uint32
	values []int32 // the last input
	bot    game.Bot
	viewer *game.Viewer
	state  protocol.State
}

// style is how a player plays.
type style int

const (
	styleRandom  style = iota // any value of each field
	styleExtreme              // the ends of the ranges
	styleHold                 // an input held for a while
	styleBot                  // the game's own bot, if it has one
	styles
)

func newScript(d *game.Definition, seed uint64, players int, leaving bool) *script {
	return &script{rand: game.NewRand(seed), d: d, leaving: leaving, seats: make([]seat, players)}
}

// chance is true once in n times.
func (s *script) chance(n int) bool { return s.rand.IntN(n) == 0 }

// act does what happens before a tick. What depends on a match, it asks of the first.
func (s *script) act(all ...*match) error {
	first := all[0]
	for _, x := range all {
		for _, k := range x.Kicks() {
			x.Leave(k.Seat, game.ReasonKicked)
		}
	}
	for i := range s.seats {
		id := game.Seat(i + 1)
		p := &s.seats[i]
		if p.taken && first.Player(id) == nil {
			p.taken = false // kicked
		}
		if !p.taken {
			if (first.Now() < 30 && s.chance(8) || s.chance(60)) && first.Player(id) == nil { // no bot sits there
				if err := s.join(id, p, all); err != nil {
					return err
				}
			}
			continue
		}
		if err := s.play(id, p, all); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) join(id game.Seat, p *seat, all []*match) error {
	info := game.PlayerInfo{Seat: id, ID: fmt.Sprintf("p%d", id), Name: fmt.Sprintf("Player %d", id), Team: s.rand.IntN(3)}
	var outcome error
	for i, x := range all {
		err := x.Join(info)
		_, refused := errors.AsType[*game.RefusedError](err)
		if err != nil && !refused && !errors.Is(err, game.ErrEnded) {
			return fmt.Errorf("seat %d cannot join: %w", id, err)
		}
		if i > 0 && (err == nil) != (outcome == nil) {
			return fmt.Errorf("seed %d, tick %d: Admit refuses seat %d in one match only", x.Match().Seed, x.Now(), id)
		}
		outcome = err
	}
	if outcome != nil {
		return nil
	}
	*p = seat{taken: true, style: style(s.rand.IntN(int(styles))), values: make([]int32, len(s.d.Plan.Input.Fields))}
	s.values(p, styleRandom)
	if botter, ok := s.d.Game.(game.Botter); ok && p.style == styleBot {
		p.bot = botter.Bot(s.rand.Uint64())
		p.viewer = all[0].NewViewer(id)
		p.state.Reset(s.d.Plan)
	}
	return nil
}

func (s *script) play(id game.Seat, p *seat, all []*match) error {
	if s.leaving && s.chance(400) {
		why := []game.Reason{game.ReasonLeft, game.ReasonExpired, game.ReasonKicked}[s.rand.IntN(3)]
		for _, x := range all {
			x.Leave(id, why)
		}
		p.taken = false
		return nil
	}
	if s.chance(200) || p.lost && s.chance(40) {
		p.lost = !p.lost
		for _, x := range all {
			x.SetLost(id, p.lost)
		}
	}
	if p.lost {
		return nil
	}
	if s.chance(50) {
		s.request(id, all)
	}
	return s.push(id, p, all)
}

func (s *script) request(id game.Seat, all []*match) {
	op, in := uint16(s.rand.IntN(8)), make([]byte, s.rand.IntN(40))
	for i := range in {
		in[i] = byte(s.rand.Uint32())
	}
	for _, x := range all {
		x.Request(id, op, in)
	}
}

// push sends no input, one, or a few, and now and then some of them twice.
func (s *script) push(id game.Seat, p *seat, all []*match) error {
	n := 1
	switch s.rand.IntN(20) {
	case 0, 1:
		n = 0
	case 2:
		n = 2 + s.rand.IntN(3)
	}
	if n == 0 {
		return nil
	}
	in := protocol.Input{FirstSeq: p.seq + 1, Count: n}
	if p.seq > 0 && s.chance(30) {
		in.FirstSeq = p.seq
		in.Count++
	}
	for range in.Count {
		if err := s.think(id, p, all[0]); err != nil {
			return err
		}
		in.Values = append(in.Values, p.values...)
	}
	p.seq += uint32(n)
	s.look(&in, all[0].Now())
	arrived := epoch.Add(time.Duration(all[0].Now())*time.Millisecond).UnixNano() - int64(s.rand.IntN(1e7))
	for _, x := range all {
		if _, err := x.Push(id, &in, arrived); err != nil {
			return fmt.Errorf("seed %d, tick %d: %w", x.Match().Seed, x.Now(), err)
		}
	}
	return nil
}

// look gives a message a view: mostly a plausible one, of some ticks ago, now and then none or nonsense. The first
// match bounds it, in place; the others take it as it is then, as a replay does.
func (s *script) look(in *protocol.Input, now uint32) {
	in.Fraction = uint8(s.rand.Uint32())
	switch s.rand.IntN(20) {
	case 0:
		in.BaseTick = 0
	case 1:
		in.BaseTick = s.rand.Uint32()
	default:
		in.BaseTick = now - min(now, uint32(s.rand.IntN(1+s.d.Spec.TickRate/3)))
	}
}

// think settles the player's next input in p.values.
func (s *script) think(id game.Seat, p *seat, x *match) error {
	if p.bot == nil {
		s.values(p, p.style)
		return nil
	}
	if msg := x.AppendState(nil, p.viewer); len(msg) > 0 {
		if err := p.state.Apply(msg); err != nil {
			return fmt.Errorf("seed %d, tick %d: seat %d cannot read its state: %w", x.Match().Seed, x.Now(), id, err)
		}
	}
	if !p.state.Begun() {
		return nil // no frame yet
	}
	v := game.View{Tick: p.state.Head.Tick, Seat: id, Definition: s.d, Rows: &p.state.Rows}
	if p.state.HasPrivate {
		v.Private = p.state.Private
	}
	in := s.d.NewInput()
	p.bot.Think(&v, in)
	p.values = s.d.AppendInput(p.values[:0], in)
	return nil
}

func (s *script) values(p *seat, how style) {
	if how == styleHold && !s.chance(20) {
		return
	}
	for i := range p.values {
		f := &s.d.Plan.Input.Fields[i]
		span := uint64(int64(f.Max) - int64(f.Min) + 1)
		switch {
		case how != styleExtreme:
			p.values[i] = int32(int64(f.Min) + int64(s.rand.UintN(span)))
		case s.chance(2):
			p.values[i] = f.Min
		default:
			p.values[i] = f.Max
		}
	}
}
