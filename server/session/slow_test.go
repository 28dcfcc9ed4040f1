package session

import (
	"bytes"
	"testing"
	"time"

	"skirmish/protocol"
)

func TestOutboxKeepsOrderInAnyPieces(t *testing.T) {
	var o outbox
	c := &memConn{}
	var want []byte
	for i := range 5000 {
		p := bytes.Repeat([]byte{byte(i)}, i%97)
		want = append(want, p...)
		c.room = (i * 7919) % 101
		if _, err := o.write(c, p); err != nil {
			t.Fatal(err)
		}
		if len(c.out)+o.waiting() != len(want) {
			t.Fatalf("after %d writes %d bytes of %d are sent or waiting", i+1, len(c.out)+o.waiting(), len(want))
		}
	}
	for c.room = -1; !o.empty(); {
		o.flush(c)
	}
	if !bytes.Equal(c.out, want) || cap(o.unsent) > outboxKeepBytes {
		t.Fatalf("%d bytes of %d came in order, %d are kept", len(c.out), len(want), cap(o.unsent))
	}
}

// A peer that takes a large message in small bites must not cost a copy of the rest for each bite: it was half a minute of one
// core for one message.
func TestOutboxSlowReaderOfALargeMessage(t *testing.T) {
	const size, bite = 16 << 20, 1 << 10
	var o outbox
	c := &memConn{out: make([]byte, 0, size)}
	begin := time.Now()
	o.write(c, make([]byte, size))
	for !o.empty() {
		c.room = bite
		o.flush(c)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Fatalf("%v for %d bites of a message of %d bytes", took, size/bite, size)
	}
}

// The Close frame is behind a queue that a slow link still carries: the socket stays until it has arrived, but not for
// longer than CloseTimeout.
func TestLobbyWaitsUntilTheCloseFrameHasArrived(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrives time.Duration // after the FIN; 0: never
		stays   time.Duration
	}{
		{"at once", time.Millisecond, DrainTimeout},
		{"after a second", time.Second, time.Second + DrainTimeout},
		{"never", 0, CloseTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t, &Echo{}, nil)
			conn := h.connect()
			conn.in = []byte(goodHead)
			h.serve()
			conn.unsent = 4000
			conn.in = appendMasked(nil, 0x81, []byte("text on a path without it"))
			h.serve()
			if !conn.fin {
				t.Fatal("no FIN behind the Close frame")
			}
			var stayed time.Duration
			for ; !conn.closed && stayed < time.Minute; stayed += lobbyScan {
				if c.arrives > 0 && stayed >= c.arrives {
					conn.unsent = 0
				}
				h.after(lobbyScan)
			}
			if stayed < c.stays || stayed > c.stays+3*lobbyScan {
				t.Fatalf("closed after %v, want %v", stayed, c.stays)
			}
		})
	}
}

// Who comes back catches up with all that the ring holds, whatever the link takes at a time; only what comes on top
// counts for the limit.
func TestResumeCatchesUpOnASlowLink(t *testing.T) {
	s := newStage(t, &counter{}, 4, 0)
	loud, p := s.join("loud"), s.join("phone")
	s.tick(1)
	had := p.token(s)
	p.c.eof = true
	for range 5 {
		loud.order(doEmitMany)
		s.tick(1)
		loud.frames()
	}
	back := s.resume(had, 0)
	s.tick(1)
	for range 400 { // 500 events at 300 bytes a tick
		back.c.room = 300
		s.tick(1)
		back.frames()
		loud.frames()
	}
	if back.closed != 0 || len(back.events) != 500 {
		t.Fatalf("closed with %d after %d events of 500", back.closed, len(back.events))
	}
	back.c.room = 0
	loud.order(doEmitMany)
	loud.order(doEmitMany)
	s.tick(4)
	if back.s.ending != endEventsLost {
		t.Fatalf("caught up, and then 200 behind: %v, want 4413", back.s.ending)
	}
}

// Spectators' sockets are read when they have something to say: each of them, however many there are.
func TestRoomReadsEverySpectatorInItsTurn(t *testing.T) {
	const spectators = 500
	s := newStage(t, &counter{}, 1, spectators)
	all := make([]*peer, spectators)
	for i := range all {
		id := "s" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))
		all[i] = s.arrive(arrival{seat: s.seat(id, protocol.RoleSpectator), player: id})
	}
	s.tick(2)
	for _, p := range all {
		p.frames().send(protocol.AppendPing(nil, &protocol.Ping{ID: 1, T0: 1}))
	}
	s.tick(spectators/crowdEvents + 1)
	for i, p := range all {
		if p.frames().count(protocol.TypePong) != 1 {
			t.Fatalf("the ping of spectator %d was not answered within its turn", i)
		}
	}
}
