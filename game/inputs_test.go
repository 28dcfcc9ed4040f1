package game_test

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// diary notes what each step saw of seat 1.
type diary struct {
	dx     []int8
	status []game.InputStatus
}

func (d *diary) toy(idle game.Idle) *toy {
	g := &toy{spec: func(s *game.Spec) { s.Idle = idle }}
	g.hooks.step = func(t *game.Tick) {
		p := t.Player(1)
		in, status := game.Input[toyInput](t, p)
		d.dx = append(d.dx, in.DX)
		d.status = append(d.status, status)
		in.DX, in.Fire = 99, true // a game may scribble over its input: the next step must not see it
	}
	return g
}

const (
	onTime   = game.InputOnTime
	repeated = game.InputRepeated
	neutral  = game.InputNeutral
)

// TestViewsOfGamesThatDoNotRewind: they are let pass, in messages of several inputs too.
func TestViewsOfGamesThatDoNotRewind(t *testing.T) {
	e := newToy(t, &toy{}, nil)
	join(t, e, 1)
	for n := range uint32(5) {
		in := input(1+3*n, 0, 0, 0)
		in.BaseTick, in.Fraction = e.Now()+n%2, 100
		if r, err := e.Push(1, in, 0); err != nil || r.Accepted != 3 {
			t.Fatal(r, err)
		}
		tick(e, 3)
	}
}

func TestOneInputPerTick(t *testing.T) {
	for _, c := range []struct {
		name   string
		idle   game.Idle
		dx     []int8
		status []game.InputStatus
	}{
		{"a missing input is the last one again", game.IdleRepeat,
			[]int8{0, 5, 6, 7, 7, 7, 8}, []game.InputStatus{neutral, onTime, onTime, onTime, repeated, repeated, onTime}},
		{"a missing input is neutral", game.IdleNeutral,
			[]int8{0, 5, 6, 7, 0, 0, 8}, []game.InputStatus{neutral, onTime, onTime, onTime, neutral, neutral, onTime}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d diary
			e := newToy(t, d.toy(c.idle), nil)
			join(t, e, 1)
			tick(e, 1)
			push(t, e, 1, 1, 5, 6, 7)
			tick(e, 5)
			push(t, e, 1, 4, 8)
			tick(e, 1)
			if !reflect.DeepEqual(d.dx, c.dx) || !reflect.DeepEqual(d.status, c.status) {
				t.Errorf("saw %v %v\nwant %v %v", d.dx, d.status, c.dx, c.status)
			}
		})
	}
}

func TestLostPlayerTurnsNeutral(t *testing.T) {
	var d diary
	e := newToy(t, d.toy(game.IdleRepeat), nil)
	join(t, e, 1)
	push(t, e, 1, 1, 50)
	tick(e, 40) // a connected player may be silent for as long as it likes
	e.SetLost(1, true)
	if !e.Player(1).Lost() {
		t.Error("not lost")
	}
	tick(e, 40)
	e.SetLost(1, false)
	push(t, e, 1, 2, 51)
	tick(e, 2)
	want := map[int]game.InputStatus{0: onTime, 1: repeated, 39: repeated, 40: repeated, 69: repeated, 70: neutral, 79: neutral, 80: onTime, 81: repeated}
	for i, s := range want {
		if d.status[i] != s {
			t.Errorf("tick %d: status %d, want %d", i+1, d.status[i], s)
		}
	}
}

func TestPushCounts(t *testing.T) {
	e := newToy(t, &toy{}, nil)
	join(t, e, 1)
	for _, c := range []struct {
		name  string
		first uint32
		count int
		want  game.PushResult
	}{
		{"three new ones", 1, 3, game.PushResult{Accepted: 3}},
		{"the same again", 1, 3, game.PushResult{Duplicate: 3}},
		{"half of them new", 3, 3, game.PushResult{Accepted: 2, Duplicate: 1}},
		{"number 0 is before the first", 0, 2, game.PushResult{Duplicate: 2}},
		{"a gap", 10, 1, game.PushResult{Accepted: 1}},
		{"what is in the gap is late", 6, 4, game.PushResult{Duplicate: 4}},
		{"until the ring is full", 11, 26, game.PushResult{Accepted: 26}},
		{"the oldest make room", 37, 5, game.PushResult{Accepted: 5, Surplus: 5}},
		{"nothing", 99, 0, game.PushResult{}},
	} {
		r := push(t, e, 1, c.first, make([]int32, c.count)...)
		if r != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, r, c.want)
		}
	}
	// The ring now holds 10 … 41 without the five oldest.
	c := newClient(e, 1)
	tick(e, 1)
	if c.read(t); c.Head.Ack != 10 {
		t.Errorf("acknowledged %d, want 10, the oldest left", c.Head.Ack)
	}
}

func TestPushRefuses(t *testing.T) {
	e := newToy(t, &toy{}, nil) // 60 Hz: numbers may run 120 ahead
	join(t, e, 1)
	if err := e.Join(game.PlayerInfo{Seat: 2, Bot: true}); err != nil {
		t.Fatal(err)
	}
	push(t, e, 1, 1, 1)
	for _, c := range []struct {
		name string
		seat game.Seat
		in   *protocol.Input
		want error
	}{
		{"of a seat without a player", 3, input(2, 1), game.ErrSeat},
		{"of a seat beyond all", 65535, input(2, 1), game.ErrSeat},
		{"of a bot", 2, input(2, 1), game.ErrSeat},
		{"just too far ahead", 1, input(122, 1), game.ErrSeqAhead},
		{"far too far ahead", 1, input(math.MaxUint32, 1), game.ErrSeqAhead},
		{"a value above its range", 1, input(2, 1, 101), game.ErrInput},
		{"a value below its range", 1, input(2, -101), game.ErrInput},
		{"a bool of 2", 1, &protocol.Input{FirstSeq: 2, Count: 1, Values: []int32{0, 0, 2}}, game.ErrInput},
		{"a field too few", 1, &protocol.Input{FirstSeq: 2, Count: 1, Values: []int32{0, 0}}, game.ErrInput},
		{"a count beyond the values", 1, &protocol.Input{FirstSeq: 2, Count: 2, Values: []int32{0, 0, 0}}, game.ErrInput},
		{"a negative count", 1, &protocol.Input{FirstSeq: 2, Count: -1}, game.ErrInput},
	} {
		if r, err := e.Push(c.seat, c.in, 0); !errors.Is(err, c.want) || r != (game.PushResult{}) {
			t.Errorf("%s: %+v, %v, want %v", c.name, r, err, c.want)
		}
	}
	if r := push(t, e, 1, 121, 1); r.Accepted != 1 {
		t.Errorf("120 ahead: %+v", r)
	}
}

func TestAckLeadAndMissing(t *testing.T) {
	e := newToy(t, &toy{}, everyTick)
	join(t, e, 1)
	c, spectator := newClient(e, 1), newClient(e, 0)
	head := func() protocol.StateHead {
		t.Helper()
		c.read(t)
		return c.Head
	}
	at := func(n uint32) time.Time { return epoch.Add(time.Duration(n) * time.Second / 60) }
	tick(e, 1)
	if h := head(); h.Ack != 0 || h.LeadMS != 0 || h.Flags != protocol.FlagInputMissing {
		t.Errorf("before the first input: %+v", h)
	}
	for _, s := range []struct {
		name    string
		arrived time.Time
		lead    int16
	}{
		{"40 ms early", at(2).Add(-40 * time.Millisecond), 40},
		{"0.6 ms early is rounded", at(3).Add(-600 * time.Microsecond), 1},
		{"at the very tick", at(4), 0},
		{"stamped after the tick began", at(5).Add(3 * time.Millisecond), -3},
		{"a minute early is clamped", at(6).Add(-time.Minute), math.MaxInt16},
		{"a clock an hour off is clamped", at(7).Add(time.Hour), math.MinInt16},
	} {
		seq := e.Now() + 10
		e.Push(1, input(seq, 1), s.arrived.UnixNano())
		tick(e, 1)
		if h := head(); h.Ack != seq || h.LeadMS != s.lead || h.Flags != 0 {
			t.Errorf("%s: %+v", s.name, h)
		}
	}
	tick(e, 1)
	if h := head(); h.Ack != 16 || h.Flags != protocol.FlagInputMissing {
		t.Errorf("without an input: %+v", h)
	}
	if spectator.read(t); spectator.Head.Ack != 0 || spectator.Head.Flags != 0 {
		t.Errorf("a spectator is told %+v", spectator.Head)
	}
}

// TestAckFitsTheFrame: a state that is sent some ticks after its capture tells what its rows show, not what the
// match has done since.
func TestAckFitsTheFrame(t *testing.T) {
	e := newToy(t, &toy{}, func(m *game.Match) { m.SnapshotRate = 20 })
	join(t, e, 1)
	tick(e, 2)
	push(t, e, 1, 1, 10, 10, 10)
	tick(e, 3) // captured at 3, now at 5
	c := newClient(e, 1)
	c.read(t)
	if c.Head.Tick != 3 || c.Head.Ack != 1 || c.row(t, 1)[0] != (256+10)>>5 || c.Private[0] != 256+10 {
		t.Errorf("state %+v with %v and %v", c.Head, c.row(t, 1), c.Private)
	}
}

func TestBotsThinkOncePerTick(t *testing.T) {
	var seen []uint32
	var wrong string
	g := &toy{}
	g.hooks.think = func(v *game.View, in *toyInput) {
		seen = append(seen, v.Tick)
		var own Mover
		if !v.Find(uint32(v.Seat), &own) || own.HP != 100 || v.Find(uint32(v.Seat), &Mark{}) || v.Find(99, &own) {
			wrong = "a bot does not find its own row, or finds another"
		}
		if own.X != v.Private[0]>>5<<5 {
			wrong = "the private row is not of the same frame"
		}
		in.DX, in.DY = 127, -128 // out of range: what a client could not send
	}
	var inputs []toyInput
	g.hooks.step = func(t *game.Tick) {
		in, status := game.Input[toyInput](t, t.Player(7))
		if status != game.InputBot {
			wrong = "status"
		}
		inputs = append(inputs, *in)
	}
	e := newToy(t, g, nil) // frames at 30 Hz: a new one each second tick
	if err := e.Join(game.PlayerInfo{Seat: 7, Bot: true}); err != nil {
		t.Fatal(err)
	}
	tick(e, 6)
	if wrong != "" {
		t.Error(wrong)
	}
	if want := []uint32{1, 2, 2, 4, 4}; !reflect.DeepEqual(seen, want) {
		t.Errorf("saw frames %v, want %v", seen, want)
	}
	if inputs[0] != (toyInput{}) || inputs[1] != (toyInput{DX: 100, DY: -100}) {
		t.Errorf("inputs %+v", inputs)
	}
}
