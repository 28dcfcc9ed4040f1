package session

import (
	"time"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/netpoll"
	"skirmish/server/wsconn"
)

// crowd is the spectators of a match who are in step: they have the same state and events, and wait for nothing of their own.
// So one message is made for all of them, and a tick touches nothing of each but its socket. Whoever has something of its own,
// an answer, a keyframe, a slow link, steps out, is served as a player is, and comes back in step. The goroutine of
// the room owns it.
type crowd struct {
	writes    []netpoll.Write // one for each of them: writes[i] is for the room's session i
	viewer    *game.Viewer    // of all of them; nil: there was none yet
	rosterSeq uint32
	flight    flight // only the size of a snapshot
	asked     int    // who is asked next whether the link keeps up
	turn      int    // who is attended to next
	out       []byte // what they are sent in this tick
	sent      int    // bytes that they were sent in this tick

	set    netpoll.Set // the sockets of all spectators, in step or not; nil: nobody has watched yet
	events [crowdEvents]netpoll.Event
}

const (
	crowdEvents   = 64              // spectators' sockets that are read in a tick; who has sent something beyond that waits
	crowdAsked    = 2 * time.Second // in which each is asked once whether its link keeps up
	crowdAttended = 4 * time.Second // in which each has its deadlines looked at once
)

func (c *crowd) size() int { return len(c.writes) }

// heard are the sockets of spectators that are to be read; valid until the next call.
func (c *crowd) heard() []netpoll.Event {
	if c.set == nil {
		return nil
	}
	n, _ := c.set.Poll(c.events[:]) // it fails only when it is closed
	return c.events[:n]
}

func (c *crowd) close() {
	if c.set != nil {
		c.set.Close()
	}
	*c = crowd{}
}

// listen has the socket of a spectator read when something has arrived: they speak seldom, and asking each in every tick costs
// more than all else of them. Without a descriptor for it the socket is read in every tick, as a player's.
func (r *Room) listen(s *Session) {
	c := &r.crowd
	if c.set == nil {
		set, err := r.lobby.driver.NewSet()
		if err != nil {
			r.log.Warn().Err(err).Msg("cannot watch the sockets of spectators")
			return
		}
		c.set = set
	}
	s.player.listened = c.set.Add(s.conn) == nil
}

// stepIn takes s into the crowd.
func (r *Room) stepIn(s *Session) {
	c, p := &r.crowd, s.player
	if c.size() == 0 {
		if c.viewer == nil {
			c.viewer = r.engine.NewViewer(0)
		}
		c.viewer.Follow(p.viewer)
		c.rosterSeq, c.flight = p.rosterSeq, flight{size: p.flight.size}
	}
	r.swap(s.index, c.size())
	c.writes = append(c.writes, netpoll.Write{Conn: s.conn})
	p.viewer.Rebase() // the frame is kept by the crowd's
}

// stepOut takes s out of the crowd, if it is in it, as one who has had all that the crowd has.
func (r *Room) stepOut(s *Session) {
	c, p := &r.crowd, s.player
	last := c.size() - 1
	if s.index > last {
		return
	}
	c.writes[s.index] = c.writes[last]
	c.writes[last] = netpoll.Write{}
	c.writes = c.writes[:last]
	r.swap(s.index, last)
	p.viewer.Follow(c.viewer)
	p.rosterSeq = c.rosterSeq
	p.flight.resume(r.now, c.flight.size)
	if last == 0 {
		c.viewer.Rebase()
	}
}

// swap changes the places of two sessions.
func (r *Room) swap(i, j int) {
	s := r.sessions
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// disband has everybody step out.
func (r *Room) disband() {
	for r.crowd.size() > 0 {
		r.stepOut(r.sessions[r.crowd.size()-1])
	}
}

// gather takes in who has come in step.
func (r *Room) gather() {
	for i := r.crowd.size(); i < len(r.sessions); i++ {
		if s := r.sessions[i]; s.player.role == protocol.RoleSpectator && r.inStep(s) {
			r.stepIn(s)
		}
	}
}

// inStep tells whether s has what the crowd has, and nothing to wait for.
func (r *Room) inStep(s *Session) bool {
	c, p := &r.crowd, s.player
	return p.shown && p.flight.smooth(r.cfg.Match.SnapshotRate) && s.out.empty() && len(p.queue) == 0 && !p.pinged && !p.echoed &&
		p.missed == (backlog{}) && (c.size() == 0 || p.rosterSeq == c.rosterSeq && p.viewer.InStep(c.viewer))
}

// attend looks after a part of the crowd, so that everybody has its turn once in crowdAttended: its deadlines, the next ping.
func (r *Room) attend(now time.Time) {
	c := &r.crowd
	for n := r.share(crowdAttended); n > 0 && c.size() > 0; n-- {
		if c.turn >= c.size() {
			c.turn = 0
		}
		switch s := r.sessions[c.turn]; {
		case r.expire(s, now):
		case !now.Before(s.player.nextPing):
			r.stepOut(s)
		default:
			c.turn++
		}
	}
}

// ask finds those whose links do not keep up, everybody once in crowdAsked. Behind the write of the same tick the question costs a
// fifth of what it does before, because the processor has the socket at hand. A frame or two on their way are no
// reason to look at more than the socket.
func (r *Room) ask(now time.Time) {
	c := &r.crowd
	for n := r.share(crowdAsked); n > 0 && c.size() > 0; n-- {
		if c.asked >= c.size() {
			c.asked = 0
		}
		if float64(c.writes[c.asked].Conn.Unsent()-c.sent) > 2*c.flight.size {
			s := r.sessions[c.asked]
			s.player.flight.size = c.flight.size
			if s.player.flight.full(s.conn, now, r.cfg.Match.SnapshotRate, c.sent) {
				r.stepOut(s)
				continue
			}
		}
		c.asked++
	}
}

// share is how many of the crowd have their turn in a tick, if everybody has one in every so long.
func (r *Room) share(every time.Duration) int {
	ticks := max(1, int(every*time.Duration(r.cfg.Match.TickRate)/time.Second))
	return (r.crowd.size() + ticks - 1) / ticks
}

// deliverCrowd puts together what the crowd is sent.
func (r *Room) deliverCrowd(frame bool) {
	c := &r.crowd
	if c.size() == 0 {
		return
	}
	events, out := r.counts.events, c.out[:0]
	out, c.rosterSeq = r.appendRoster(out, c.rosterSeq)
	out, err := r.appendEvents(out, c.viewer)
	if err != nil { // the game told more than anybody can be sent: each is parted with in the next tick
		r.disband()
		return
	}
	r.counts.events += (r.counts.events - events) * (c.size() - 1)
	if frame {
		if state := r.engine.SharedState(c.viewer); len(state) > 0 {
			r.countStates(state, c.size())
			c.flight.wrote(len(state))
			out = wsconn.AppendFrame(out, wsconn.OpBinary, state)
		}
	}
	c.out = out
}

// sendCrowd sends it. Who cannot take it all steps out.
func (r *Room) sendCrowd(now time.Time) {
	c := &r.crowd
	if c.sent = len(c.out); c.sent == 0 {
		return
	}
	for i := range c.writes {
		c.writes[i].P = c.out
	}
	netpoll.WriteEach(c.writes)
	for i := c.size() - 1; i >= 0; i-- {
		w, s := c.writes[i], r.sessions[i]
		r.counts.bytesOut += w.N
		if w.Err != nil {
			s.drop()
			r.lose(s, Ending{}, now)
		} else if w.N < len(w.P) {
			r.stepOut(s)
			s.out.keep(w.P[w.N:])
		}
	}
	c.out = c.out[:0]
}
