package session

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"skirmish/protocol"
)

// watchers lets n spectators in who are in step.
func (s *stage) watchers(n int) []*peer {
	s.t.Helper()
	all := make([]*peer, n)
	for i := range all {
		id := fmt.Sprint("watcher", i)
		all[i] = s.arrive(arrival{seat: s.seat(id, protocol.RoleSpectator), player: id})
	}
	s.run(flightWindow+100*time.Millisecond, all...)
	if got := s.room.crowd.size(); got != n {
		s.t.Fatalf("%d of %d spectators are in step", got, n)
	}
	return all
}

func TestCrowdIsAskedSeldom(t *testing.T) {
	s := newStage(t, &counter{}, 1, 30)
	all := s.watchers(30)
	asked := func() (n int) {
		for _, p := range all {
			n += p.c.asked
		}
		return n
	}
	before := asked()
	s.run(2*crowdAsked, all...)
	if got := asked() - before; got < 60 || got > 90 {
		t.Fatalf("30 spectators were asked %d times in two rounds what is on their way", got)
	}
}

// Who is on a narrow link is found, skipped and slowed as a player is; the others are not.
func TestCrowdPartsWithANarrowLink(t *testing.T) {
	s := newStage(t, &counter{}, 1, 8)
	all := s.watchers(8)
	modem := all[3]
	modem.c.unsent, modem.c.smoothed, modem.c.least = 1<<20, time.Second, 50*time.Millisecond
	s.run(crowdAsked+100*time.Millisecond, all...)
	before := modem.count(protocol.TypeDelta)
	s.run(3*time.Second, all...)
	if got := modem.count(protocol.TypeDelta) - before; got > 0 || s.room.crowd.size() != 7 {
		t.Fatalf("%d states went into a full queue, %d are in step", got, s.room.crowd.size())
	}
	if modem.count(protocol.TypeNotice) == 0 || all[0].count(protocol.TypeNotice) > 0 {
		t.Fatal("want a notice for the slow one and for nobody else")
	}
	modem.c.unsent = 0
	s.run(20*time.Second, all...)
	if s.room.crowd.size() != 8 {
		t.Fatalf("%d of 8 are in step long after the link has recovered", s.room.crowd.size())
	}
}

func TestCrowdParts(t *testing.T) {
	s := newStage(t, &counter{}, 1, 4)
	all := s.watchers(4)
	all[1].c.Close()
	silent := all[2]
	s.run(WatcherPingInterval+PongTimeout+crowdAttended+time.Second, all[0], all[3])
	if len(s.room.sessions) != 2 || s.room.crowd.size() != 2 {
		t.Fatalf("%d connections, %d in step: one broke and one was silent, of 4", len(s.room.sessions), s.room.crowd.size())
	}
	if silent.frames().closed != uint16(protocol.CloseTimeout) {
		t.Fatalf("the silent one was closed with %d", silent.closed)
	}
}

// Whatever spectators do and their links, each has the newest state as soon as its link is free, and each event once.
func TestCrowdModel(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := newStage(t, &counter{}, 4, 12)
		loud := s.join("loud")
		all := s.watchers(8)
		from := make([]int, len(all)) // how many events each had when it came
		truth := s.room.engine.NewViewer(0)
		for step := range 600 {
			i := r.IntN(len(all))
			p := all[i]
			switch r.IntN(16) {
			case 0:
				p.send(protocol.AppendPing(nil, &protocol.Ping{ID: 1, T0: 1}))
			case 1:
				p.send(protocol.AppendKeyframe(nil, &protocol.Keyframe{Reason: protocol.KeyframeBase}))
			case 2:
				p.c.room = r.IntN(30)
			case 3:
				p.c.unsent, p.c.smoothed, p.c.least = 1<<20, time.Second, 50*time.Millisecond
			case 4, 5:
				p.c.room, p.c.unsent = -1, 0
			case 6:
				for _, p := range all {
					p.c.room, p.c.unsent = -1, 0
				}
			case 7:
				loud.order(doEmit)
			case 8:
				if p.c.room < 0 && p.c.unsent == 0 && p.s.player != nil { // cut and back, from where it was
					had, last := p.token(s), uint32(0)
					if n := len(p.events); n > 0 {
						last = p.events[n-1]
					}
					p.c.eof = true
					s.tick(1)
					p.frames()
					if n := len(p.events); n > 0 {
						last = p.events[n-1]
					}
					back := s.resume(had, last)
					back.events = p.events
					all[i] = back
				}
			case 9:
				s.join(fmt.Sprint("guest", step)).send(protocol.AppendBye(nil, &protocol.Bye{}))
			default:
				loud.order(doNothing)
			}
			s.tick(1)
			for _, p := range append(all, loud) {
				p.frames()
			}
			truth.Rebase()
			var want protocol.State
			want.Reset(s.room.engine.Definition().Plan)
			if err := want.Apply(s.room.engine.AppendState(nil, truth)); err != nil {
				t.Fatal(err)
			}
			for i, p := range all {
				if p.s.player == nil {
					t.Fatalf("seed %d, step %d: spectator %d was closed with %d", seed, step, i, p.closed)
				}
				if p.c.room < 0 && p.c.unsent == 0 && p.s.player.flight.divisor <= 1 && p.s.player.shown && !p.state.Rows.Equal(&want.Rows) {
					t.Fatalf("seed %d, step %d: spectator %d has %v, the match is at %v", seed, step, i, p.state.Rows, want.Rows)
				}
				for k := from[i] + 1; k < len(p.events); k++ {
					if p.events[k] != p.events[k-1]+1 {
						t.Fatalf("seed %d, step %d: spectator %d has events %v", seed, step, i, p.events)
					}
				}
			}
		}
	}
}
