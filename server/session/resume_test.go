package session

import (
	"testing"
	"time"

	"skirmish/protocol"
	"skirmish/server/ticket"
)

// token is what the welcome that p was sent says of a resume.
func (p *peer) token(s *stage) ticket.Resume {
	p.t.Helper()
	if p.frames().welcome == nil {
		p.t.Fatal("no welcome")
	}
	r, err := s.keys.VerifyResume(p.welcome.ResumeToken)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// resume comes back with a token.
func (s *stage) resume(r ticket.Resume, lastEvent uint32) *peer {
	return s.arrive(arrival{seat: r.Seat, resume: true, generation: r.Generation, lastEvent: lastEvent})
}

func TestResumeWhenTheWelcomeWasLost(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("phone")
	s.tick(2)
	had := p.token(s)
	p.input(1)
	p.c.eof = true
	s.tick(2)
	// Two welcomes never arrive: the client knows nothing but its first token.
	for range 2 {
		lost := s.resume(had, 0)
		s.tick(2)
		lost.c.eof = true
		s.tick(1)
	}
	back := s.resume(had, 0)
	s.tick(2)
	if back.frames().welcome == nil || back.closed != 0 {
		t.Fatalf("closed with %d %q", back.closed, back.reason)
	}
	back.input(1) // now the newest welcome is known to have arrived
	s.tick(1)
	thief := s.resume(had, 0)
	s.tick(1)
	if thief.frames().closed != 4401 || back.frames().closed != 0 {
		t.Fatalf("the void token: %d, its rightful holder: %d; want 4401 and 0", thief.closed, back.closed)
	}
}

func TestResumePongProvesNothing(t *testing.T) {
	// The browser answers pings for a page that hangs: only what the page itself says tells that it has the welcome.
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("phone")
	s.tick(2)
	had := p.token(s)
	p.input(1)
	p.c.eof = true
	s.tick(1)
	mute := s.resume(had, 0)
	s.run(PingInterval+time.Second, mute)
	back := s.resume(had, 0)
	s.tick(2)
	if back.frames().welcome == nil || mute.frames().closed != 4409 {
		t.Fatalf("closed %d, the older one %d; want 0 and 4409", back.closed, mute.closed)
	}
}

func TestResumeHelloAgainInDoubt(t *testing.T) {
	// A client whose welcome is late cannot know whether the hello in its handshake came through: it says it again.
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("phone")
	s.tick(2)
	first := p.token(s)
	p.input(1)
	p.c.eof = true
	s.tick(1)
	back := s.resume(first, 0)
	s.tick(1)
	hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Resume: "the same", SDK: "test"})
	back.send(hello)
	s.tick(1)
	if s.room.counts.bad != 0 {
		t.Fatal("the hello said in doubt counts as a bad message")
	}
	again := s.resume(first, 0)
	s.tick(1)
	if again.frames().welcome == nil {
		t.Fatalf("the hello said in doubt voided the older token: closed %d", again.closed)
	}
	for range 1 + MaxBadMessages {
		again.send(hello)
	}
	s.tick(1)
	if again.frames().closed != 4400 {
		t.Fatalf("closed with %d after hellos without end, want 4400", again.closed)
	}
}

func TestResumeTwiceAtOnce(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	p := s.join("phone")
	s.tick(2)
	had := p.token(s)
	one, two := s.resume(had, 0), s.resume(had, 0)
	s.tick(2)
	for _, c := range []struct {
		name string
		p    *peer
		code uint16
	}{{"the connection from before", p, 4409}, {"the first of the two", one, 4409}, {"the second", two, 0}} {
		if c.p.frames().closed != c.code {
			t.Errorf("%s: closed with %d, want %d", c.name, c.p.closed, c.code)
		}
	}
	if len(s.room.sessions) != 1 || len(s.room.lost) != 0 {
		t.Errorf("%d connections and %d lost seats, want 1 and 0", len(s.room.sessions), len(s.room.lost))
	}
}

func TestResumeFromAnEventThatNeverWas(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	loud, p := s.join("loud"), s.join("phone")
	s.tick(1)
	loud.order(doEmit)
	s.tick(1)
	had := p.token(s)
	liar := s.resume(had, p.events[0]+1)
	s.tick(1)
	if liar.frames().closed != 4400 {
		t.Fatalf("closed with %d, want 4400", liar.closed)
	}
	if p.frames().closed != 0 {
		t.Fatalf("a refused resume closed the seat's own connection with %d", p.closed)
	}
}

func TestResumeFromBeforeTheRing(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	loud, p := s.join("loud"), s.join("phone")
	s.tick(1)
	had := p.token(s)
	p.c.eof = true
	for range 11 { // 1,100 events, more than the ring has
		loud.order(doEmitMany)
		s.tick(1)
		loud.frames()
	}
	for range 10 {
		s.tick(1)
		loud.frames()
	}
	back := s.resume(had, 0)
	s.tick(2)
	if back.frames().closed != 4413 {
		t.Fatalf("closed with %d after %d events, want 4413", back.closed, len(back.events))
	}
}

func TestNewcomersSeeTheMatchAtOnce(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	first := s.join("first")
	s.tick(3)
	first.frames()
	second := s.join("second")
	s.room.Between(s.now)
	if second.frames().welcome == nil || second.count(protocol.TypeSnapshot) != 1 {
		t.Fatalf("before the next tick: %v; want the welcome and a snapshot", second.got)
	}
	if _, ok := second.state.Rows.Find(uint32(second.seat)); ok {
		t.Fatal("the newcomer is in the frame of a tick before it came")
	}
	s.tick(1)
	if got := second.frames().steps(); got != 0 || second.count(protocol.TypeDelta) != 1 {
		t.Fatalf("after it: %d steps, %v", got, second.got)
	}
	if first.frames().count(protocol.TypeSnapshot) != 1 {
		t.Fatal("the newcomer cost another player a keyframe")
	}
	had := second.token(s)
	second.c.eof = true
	back := s.resume(had, 0)
	s.room.Between(s.now)
	if back.frames().count(protocol.TypeSnapshot) != 1 || back.steps() != 0 || back.count(protocol.TypeNotice) != 1 {
		t.Fatalf("back again: %v", back.got)
	}
}
