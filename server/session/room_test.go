package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/ticket"
)

// counter is a game for tests: every player has a row that counts its inputs.
type counter struct{ last *counterSim }

type (
	counterInput struct {
		Do int8 `net:"do,min=0,max=5"` // one of the orders below
	}
	counterRow struct {
		Steps int32 `net:"steps"`
	}
	counterEvent struct {
		N int32 `net:"n"`
	}
)

// Orders to the game, as inputs.
const (
	doNothing = iota
	doEmit
	doFinish
	doPanic
	doKickMe
	doEmitMany
)

func (*counter) Spec() game.Spec {
	return game.Spec{
		Name: "counter", Version: "1", Input: counterInput{}, Kinds: []any{counterRow{}}, Events: []any{counterEvent{}},
		TickRate: 20, SnapshotRate: 20, MaxPlayers: 8, Idle: game.IdleNeutral,
	}
}

func (c *counter) New(context.Context, *game.Match) (game.Sim, error) {
	c.last = &counterSim{}
	return c.last, nil
}

type counterSim struct {
	Rows   [9]counterRow
	Here   [9]bool
	Joined []game.Seat
	Left   []string
}

func (s *counterSim) Admit(_ *game.Tick, p *game.Player) error {
	if p.ID == "unwanted" {
		return errors.New("not today")
	}
	return nil
}

func (s *counterSim) Join(_ *game.Tick, p *game.Player) {
	s.Here[p.Seat] = true
	s.Joined = append(s.Joined, p.Seat)
}

func (s *counterSim) Leave(_ *game.Tick, p *game.Player, why game.Reason) {
	s.Here[p.Seat] = false
	s.Left = append(s.Left, fmt.Sprintf("%d %s", p.Seat, why))
}

func (s *counterSim) Step(t *game.Tick) {
	for _, p := range t.Players() {
		in, status := game.Input[counterInput](t, p)
		if status == game.InputOnTime {
			s.Rows[p.Seat].Steps++
		}
		switch in.Do {
		case doEmit:
			t.Emit(nil, &counterEvent{N: int32(t.Now())})
		case doEmitMany:
			for range 100 {
				t.Emit(nil, &counterEvent{})
			}
		case doFinish:
			t.Finish(map[string]int{"winner": int(p.Seat)})
		case doPanic:
			panic("the game is broken")
		case doKickMe:
			t.Kick(p, "asked for it")
		}
	}
}

func (s *counterSim) Frame(f *game.Frame) {
	for i := range s.Rows {
		if s.Here[i] {
			f.Put(uint32(i), &s.Rows[i])
		}
	}
}

// sim is the state of the stage's game.
func (s *stage) sim() *counterSim { return s.room.engine.Definition().Game.(*counter).last }

// order sends one input with an order.
func (p *peer) order(do int32) {
	p.seq++
	p.send(protocol.AppendInput(nil, &protocol.Input{FirstSeq: p.seq, Count: 1, Values: []int32{do}}, 1))
}

// steps is the player's own row, as its client knows it.
func (p *peer) steps() int32 {
	p.t.Helper()
	i, ok := p.state.Rows.Find(uint32(p.seat))
	if !ok {
		p.t.Fatalf("seat %d has no row", p.seat)
	}
	return p.state.Rows.Row(i)[0]
}

func TestRoomWelcomesThenSnapshotsThenDeltas(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	a := s.join("ann")
	s.tick(3)
	a.frames()
	want := []protocol.Type{protocol.TypeWelcome, protocol.TypeRoster, protocol.TypeSnapshot, protocol.TypeDelta, protocol.TypeDelta}
	if !slices.Equal(a.got, want) {
		t.Fatalf("messages %v, want %v", a.got, want)
	}
	if a.welcome.PlayerID != "ann" || a.welcome.Seat != 1 || a.welcome.TickRate != 20 || a.welcome.ReconnectMS != 5000 {
		t.Fatalf("welcome %+v", a.welcome)
	}
	a.input(1)
	a.input(1)
	s.tick(2)
	a.frames()
	if a.steps() != 2 || a.state.Head.Ack != 2 {
		t.Fatalf("steps %d, ack %d, want 2 and 2: one input per tick", a.steps(), a.state.Head.Ack)
	}
}

func TestRoomTellsTheRosterOnce(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	a := s.join("ann")
	s.tick(5)
	b := s.join("bob")
	s.tick(5)
	if a.frames().count(protocol.TypeRoster) != 2 || b.frames().count(protocol.TypeRoster) != 1 {
		t.Fatalf("rosters: ann %d, bob %d; want 2 (herself, bob active) and 1", a.count(protocol.TypeRoster), b.count(protocol.TypeRoster))
	}
}

func TestRoomEndsConnectionsWithCodeAndReason(t *testing.T) {
	for _, story := range []struct {
		name string
		act  func(s *stage, p *peer)
		code protocol.CloseCode
		says string
	}{
		{"bye", func(s *stage, p *peer) { p.send(protocol.AppendBye(nil, &protocol.Bye{})); s.tick(1) }, 4001, "left"},
		{"kicked by the game", func(s *stage, p *peer) { p.order(doKickMe); s.tick(2) }, 4002, "asked for it"},
		{"a text frame", func(s *stage, p *peer) { p.c.in = appendMasked(p.c.in, 0x81, []byte("hi")); s.tick(1) }, 1003, ""},
		{"an unmasked frame", func(s *stage, p *peer) { p.c.in = append(p.c.in, 0x82, 1, 0); s.tick(1) }, 1002, "mask"},
		{"a reserved bit", func(s *stage, p *peer) { p.c.in = appendMasked(p.c.in, 0xC2, []byte{0x91}); s.tick(1) }, 1002, ""},
		{"a message over 4 KiB", func(s *stage, p *peer) { p.c.in = appendMasked(p.c.in, 0x82, make([]byte, 4097)); s.tick(1) }, 1009, ""},
		{"three malformed messages", func(s *stage, p *peer) {
			for range 3 {
				p.send([]byte{0x92, 0x02, 0xC0})
			}
			s.tick(1)
		}, 4400, "malformed"},
		{"an input out of range, three times", func(s *stage, p *peer) {
			for range 3 {
				p.order(77)
			}
			s.tick(1)
		}, 4400, "do"},
		{"numbers from the far future", func(s *stage, p *peer) {
			for range 3 {
				p.seq += 1000
				p.order(0)
			}
			s.tick(1)
		}, 4400, ""},
		{"hellos without end", func(s *stage, p *peer) {
			for range 1 + MaxBadMessages { // one is passed over
				p.send(protocol.AppendHello(nil, &protocol.Hello{Version: 1, Token: "x"}))
			}
			s.tick(1)
		}, 4400, "type"},
		{"too many pings", func(s *stage, p *peer) {
			for range ControlBurst + 1 {
				p.send(protocol.AppendPing(nil, &protocol.Ping{ID: 1}))
			}
			s.tick(1)
		}, 1008, "pings"},
		{"no pong", func(s *stage, p *peer) { s.run(PingInterval + PongTimeout + time.Second) }, 4408, "pong"},
		{"half a frame", func(s *stage, p *peer) {
			p.c.in = append(p.c.in, 0x82, 0x85, 1, 2)
			s.run(FrameTimeout+time.Second, p)
		}, 4408, "frame"},
		{"inputs without measure", func(s *stage, p *peer) {
			for range 100 {
				p.input(3)
				s.tick(1)
				p.frames()
			}
		}, 4429, "inputs"},
		{"a close frame is answered with its code", func(s *stage, p *peer) {
			p.c.in = appendMasked(p.c.in, 0x88, []byte{0x03, 0xE9})
			s.tick(1)
		}, 1001, ""},
	} {
		t.Run(story.name, func(t *testing.T) {
			s := newStage(t, &counter{}, 4, 0)
			other := s.join("other")
			p := s.join("offender")
			s.tick(2)
			p.frames()
			story.act(s, p)
			p.frames()
			if p.closed != uint16(story.code) || !strings.Contains(p.reason, story.says) {
				t.Fatalf("closed with %d %q, want %d …%s…", p.closed, p.reason, story.code, story.says)
			}
			if len(s.room.sessions) != 1 && story.name != "no pong" {
				t.Fatalf("%d sessions left, want the other's", len(s.room.sessions))
			}
			// The others notice nothing.
			if story.name != "no pong" {
				before := other.frames().count(protocol.TypeDelta)
				s.tick(10)
				if got := other.frames().count(protocol.TypeDelta) - before; got != 10 || other.closed != 0 {
					t.Fatalf("the other got %d deltas of 10, close code %d", got, other.closed)
				}
			}
		})
	}
}

func TestRoomForgivesTwoMalformedMessages(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("clumsy")
	s.tick(1)
	for range 5 {
		p.send([]byte{0x90})
		p.send([]byte{0xC1})
		s.run(BadMessageWindow+time.Second, p)
	}
	if p.closed != 0 {
		t.Fatalf("closed with %d %q", p.closed, p.reason)
	}
}

func TestRoomDropsSurplusInputsAndSaysSo(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("eager")
	s.tick(1)
	p.input(protocol.MaxInputsPerMessage)
	p.input(protocol.MaxInputsPerMessage)
	s.tick(1)
	if p.frames(); p.closed != 0 || p.count(protocol.TypeNotice) != 1 {
		t.Fatalf("close code %d, %d notices; want 0 and 1", p.closed, p.count(protocol.TypeNotice))
	}
}

func TestRoomSlowClientSkipsAndStaysConsistent(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	slow, busy := s.join("slow"), s.join("busy")
	s.tick(2)
	slow.frames()
	slow.c.room = 5 // the socket takes five more bytes
	for range 20 {
		busy.input(1)
		s.tick(1)
		busy.frames()
	}
	if slow.frames().count(protocol.TypeDelta) != 1 {
		t.Fatalf("%d deltas went through a full socket", slow.count(protocol.TypeDelta))
	}
	if len(slow.s.out.unsent) > 100 {
		t.Fatalf("%d bytes wait for a slow client: old states must not", len(slow.s.out.unsent))
	}
	slow.c.room = -1
	s.tick(2)
	slow.frames()
	if !slow.state.Rows.Equal(&busy.frames().state.Rows) {
		t.Fatal("the slow client's state differs after it caught up")
	}
	if slow.closed != 0 {
		t.Fatalf("a slow client was closed with %d", slow.closed)
	}
}

func TestRoomEventsTooFarBehind(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	slow, loud := s.join("slow"), s.join("loud")
	s.tick(2)
	slow.frames()
	slow.c.room = 0
	loud.order(doEmitMany)
	loud.order(doEmitMany)
	s.tick(4)
	if len(s.room.sessions) != 1 || slow.s.ending != endEventsLost {
		t.Fatalf("%d sessions, ending %v; want the slow one gone with 4413", len(s.room.sessions), slow.s.ending)
	}
	if loud.frames().count(protocol.TypeEvent) != 200 {
		t.Fatalf("the other got %d events of 200", loud.count(protocol.TypeEvent))
	}
}

func TestRoomResume(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	loud, p := s.join("loud"), s.join("phone")
	s.tick(1)
	loud.order(doEmit)
	s.tick(1)
	p.frames()
	first := p.welcome.ResumeToken
	seen := p.events[len(p.events)-1]

	p.c.eof = true // the network is gone
	s.tick(1)
	for range 3 {
		loud.order(doEmit)
		s.tick(1)
	}
	if len(s.sim().Left) != 0 {
		t.Fatalf("a lost socket counted as leaving: %v", s.sim().Left)
	}

	token, err := s.keys.VerifyResume(first)
	if err != nil {
		t.Fatal(err)
	}
	back := s.arrive(arrival{seat: token.Seat, resume: true, generation: token.Generation, lastEvent: seen})
	back.seq = p.seq
	s.tick(2)
	back.frames()
	if !slices.Equal(back.events, []uint32{seen + 1, seen + 2, seen + 3}) {
		t.Fatalf("events %v, want the three missed after %d", back.events, seen)
	}
	if back.welcome.Seat != p.welcome.Seat || back.welcome.ResumeToken == first || back.count(protocol.TypeNotice) != 1 {
		t.Fatalf("welcome %+v: same seat, new token, notice wanted", back.welcome)
	}

	t.Run("the old token is dead", func(t *testing.T) {
		back.input(1) // so the new one has arrived
		s.tick(1)
		again := s.arrive(arrival{seat: token.Seat, resume: true, generation: token.Generation})
		s.tick(1)
		if again.frames().closed != 4401 {
			t.Fatalf("close code %d, want 4401", again.closed)
		}
	})
	t.Run("a newer connection takes the seat over", func(t *testing.T) {
		fresh, _ := s.keys.VerifyResume(back.welcome.ResumeToken)
		newer := s.arrive(arrival{seat: fresh.Seat, resume: true, generation: fresh.Generation, lastEvent: seen + 3})
		s.tick(2)
		if back.frames().closed != 4409 || newer.frames().welcome == nil {
			t.Fatalf("older closed with %d, newer welcomed %v; want 4409 and true", back.closed, newer.welcome != nil)
		}
		if len(newer.events) != 0 {
			t.Fatalf("events %v came twice", newer.events)
		}
	})
}

func TestRoomLostSeatExpires(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	other, p := s.join("other"), s.join("gone")
	s.tick(1)
	p.c.eof = true
	s.run(4*time.Second, other)
	if len(s.sim().Left) != 0 {
		t.Fatal("the seat was given up before its time")
	}
	s.run(2*time.Second, other)
	if want := []string{"2 expired"}; !slices.Equal(s.sim().Left, want) {
		t.Fatalf("left %v, want %v", s.sim().Left, want)
	}
	back := s.arrive(arrival{seat: 2, resume: true, generation: 2})
	s.tick(1)
	if back.frames().closed == 0 {
		t.Fatal("an expired seat was resumed")
	}
}

func TestRoomRefusals(t *testing.T) {
	s := newStage(t, &counter{}, 4, 1)
	t.Run("the game says no", func(t *testing.T) {
		p := s.join("unwanted")
		s.tick(1)
		if p.frames(); p.closed != 4403 || p.reason != "not today" {
			t.Fatalf("closed with %d %q, want 4403 not today", p.closed, p.reason)
		}
	})
	t.Run("a seat of somebody else", func(t *testing.T) {
		p := s.arrive(arrival{seat: s.seat("owner", protocol.RolePlayer), player: "thief"})
		s.tick(1)
		if p.frames().closed != 4401 {
			t.Fatalf("close code %d, want 4401", p.closed)
		}
	})
	t.Run("a seat that is not there", func(t *testing.T) {
		p := s.arrive(arrival{seat: 99, player: "x"})
		s.tick(1)
		if p.frames().closed != 4401 {
			t.Fatalf("close code %d, want 4401", p.closed)
		}
	})
	t.Run("a spectator has no input", func(t *testing.T) {
		p := s.arrive(arrival{seat: s.seat("eyes", protocol.RoleSpectator), player: "eyes"})
		s.tick(2)
		if p.frames().count(protocol.TypeSnapshot) != 1 || p.state.HasPrivate {
			t.Fatalf("a spectator sees %v", p.got)
		}
		for range 3 {
			p.order(0)
		}
		s.tick(1)
		if p.frames().closed != 4400 {
			t.Fatalf("close code %d, want 4400", p.closed)
		}
	})
}

func TestRoomAnswersRequestsAndPings(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("curious")
	s.tick(1)
	p.send(protocol.AppendRequest(nil, &protocol.Request{ID: 7, Op: 1}))
	p.send(protocol.AppendPing(nil, &protocol.Ping{ID: 1, T0: 5}))
	p.send(protocol.AppendPing(nil, &protocol.Ping{ID: 2, T0: 6}))
	p.send(protocol.AppendKeyframe(nil, &protocol.Keyframe{Reason: protocol.KeyframeDecode}))
	s.tick(1)
	p.frames()
	if p.count(protocol.TypeReply) != 1 || p.count(protocol.TypePong) != 1 || p.count(protocol.TypeSnapshot) != 2 {
		t.Fatalf("got %v: want one reply, one pong (the newest ping's), a second snapshot", p.got)
	}
}

func TestRoomEndsWithResult(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("winner")
	s.tick(1)
	p.order(doFinish)
	s.tick(1)
	s.room.conclude(nil)
	p.frames()
	if p.closed != 4000 || p.result != `finished {"winner":1}` {
		t.Fatalf("closed with %d, result %q", p.closed, p.result)
	}
	o := s.room.Outcome()
	if o.Reason != game.ReasonFinished || string(o.Result) != `{"winner":1}` || o.Ticks != 2 {
		t.Fatalf("outcome %+v", o)
	}
	if s.room.attach(arrival{seat: 1}) {
		t.Fatal("a match that has ended takes a connection")
	}
	if _, err := s.room.Reserve([]SeatRequest{player("late")}); !errors.Is(err, ErrEnded) {
		t.Fatalf("reserve after the end: %v", err)
	}
}

// What a player was told must outlive the process: the outcome is on the disk before.
func TestNobodyIsToldOfAnEndBeforeTheDiskHasIt(t *testing.T) {
	for _, takes := range []time.Duration{time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, &counter{}, 4, 0)
			p := s.join("ann")
			s.tick(1)
			p.order(doFinish)
			s.tick(1)
			kept, begun := make(chan struct{}), time.Now()
			s.room.keep = func() <-chan struct{} {
				if s.room.Outcome() == nil {
					t.Error("the outcome is to be kept before it is known")
				}
				return kept
			}
			told := make(chan time.Duration, 1)
			go func() { s.room.conclude(nil); told <- time.Since(begun) }()
			time.Sleep(min(takes, KeepWait-1))
			if len(told) != 0 {
				t.Error("it is over, and the disk has nothing")
			}
			if takes < KeepWait { // else the end comes by itself
				if p.frames(); p.closed != 0 || p.result != "" {
					t.Errorf("closed with %d, result %q, and the disk has nothing", p.closed, p.result)
				}
				close(kept)
			}
			if after := <-told; after != min(takes, KeepWait) {
				t.Errorf("told after %v, the disk took %v", after, takes)
			}
			if p.frames(); p.closed != 4000 || p.result == "" {
				t.Errorf("closed with %d, result %q", p.closed, p.result)
			}
		})
	}
}

func TestRoomFailsAloneWhenTheGamePanics(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("victim")
	p.order(doPanic)
	s.room.running.Store(0)
	s.room.nudge()
	s.room.Run(t.Context(), nil)
	p.frames()
	if p.closed != 4500 || s.room.State() != StateFailed || s.room.Outcome().Reason != game.ReasonAborted {
		t.Fatalf("closed with %d, state %s", p.closed, s.room.State())
	}
	if strings.Contains(p.reason, "broken") {
		t.Fatalf("the reason tells internals: %q", p.reason)
	}
}

func TestRoomStopsOnOrder(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("ann")
	s.tick(1)
	s.room.Stop(game.ReasonForce, 2*time.Second)
	s.run(time.Second, p)
	if _, over := s.room.engine.Ended(); over || p.count(protocol.TypeNotice) != 1 {
		t.Fatalf("during the grace: over %v, %d notices; want false and 1", over, p.count(protocol.TypeNotice))
	}
	if _, err := s.room.Reserve([]SeatRequest{player("late")}); !errors.Is(err, ErrEnded) {
		t.Fatalf("reserve during the grace: %v", err)
	}
	s.run(2*time.Second, p)
	if end, over := s.room.engine.Ended(); !over || end.Reason != game.ReasonForce {
		t.Fatalf("after the grace: %v %v", over, end)
	}
}

func TestRoomEndsWhenNobodyIsThere(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("ann")
	s.tick(1)
	p.c.eof = true
	s.run(31 * time.Second)
	if end, over := s.room.engine.Ended(); !over || end.Reason != game.ReasonEmpty {
		t.Fatalf("over %v %+v, want empty", over, end)
	}
}

func TestResumeTokenIsOfThisSeat(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("ann")
	s.tick(1)
	r, err := s.keys.VerifyResume(p.frames().welcome.ResumeToken)
	if err != nil || r != (ticket.Resume{Match: "m1", Seat: 1, Generation: r.Generation}) {
		t.Fatalf("%+v %v", r, err)
	}
}
