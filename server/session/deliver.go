package session

import (
	"sync"
	"time"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/netpoll"
	"skirmish/server/wsconn"
)

// counts are the room's figures since they were last added to the metrics.
type counts struct {
	bytesIn, bytesOut    int
	throttled            int
	duplicate, surplus   int
	bad                  int
	full, delta, skipped int
	events               int
	inputs               [4]uint64 // by game.InputStatus, as the engine counted them last
}

// Deliver writes to every player what this tick has for it, in one write each, all of them at the end (game.Links). frame
// tells that there is a new snapshot.
func (r *Room) Deliver(now time.Time, frame bool) {
	r.tick.Store(r.engine.Now())
	for _, k := range r.engine.Kicks() {
		r.kick(k, now)
	}
	r.takeDesk()
	for i := len(r.sessions) - 1; i >= r.crowd.size(); i-- {
		r.deliver(r.sessions[i], now, frame)
	}
	r.deliverCrowd(frame)
	r.send(now)
	r.sendCrowd(now)
	r.gather()
	r.ask(now)
	r.attend(now)
	clear(r.newcomers)
	r.newcomers = r.newcomers[:0]
	r.writeJournal(now)
	r.runTape(now)
}

// desk is where what a match sends is put together. It is wanted for a part of a tick only and grows large, so matches share
// them.
type desk struct{ b []byte }

var desks = sync.Pool{New: func() any { return new(desk) }}

func (r *Room) takeDesk() { r.scratch = desks.Get().(*desk) }

// clearDesk gives the desk back; what was on it is gone.
func (r *Room) clearDesk() {
	r.scratch.b = r.scratch.b[:0]
	desks.Put(r.scratch)
	r.scratch = nil
}

// deliver puts together what one player is sent. A socket that has not taken the last write yet gets nothing new: its next state will be
// the newest one, against the last that was written.
func (r *Room) deliver(s *Session, now time.Time, frame bool) {
	p := s.player
	if !s.out.empty() {
		sent, err := s.out.flush(s.conn)
		r.counts.bytesOut += sent
		if err != nil {
			s.drop()
			r.lose(s, Ending{}, now)
			return
		}
		if !s.out.empty() {
			r.bearWith(s, now, frame)
			return
		}
	}
	begin := len(r.scratch.b)
	out := append(r.scratch.b, p.queue...)
	if p.queue = p.queue[:0]; cap(p.queue) > keptQueue {
		p.queue = nil // the welcome is long, and comes once
	}
	out = r.appendAnswers(out, p, now)
	out, p.rosterSeq = r.appendRoster(out, p.rosterSeq)
	out, err := r.appendEvents(out, p.viewer)
	if err != nil {
		r.lose(s, endEventsLost, now)
		return
	}
	p.missed.catchUp(p.viewer)
	switch {
	case !p.shown: // the first one goes at once, whatever the snapshot rate
		out = r.appendState(out, s, now)
	case frame && p.flight.hold(s.conn, now, r.cfg.Match.SnapshotRate):
		r.counts.skipped++
	case frame:
		out = r.appendState(out, s, now)
	}
	r.scratch.b = out
	if len(out) > begin {
		r.write(s, out[begin:])
	}
}

// write has p sent to s at the end of the tick. p must not change until then.
func (r *Room) write(s *Session, p []byte) {
	r.writes = append(r.writes, netpoll.Write{Conn: s.conn, P: p})
	r.writers = append(r.writers, s)
}

// send sends what this tick has for everybody.
func (r *Room) send(now time.Time) {
	netpoll.WriteEach(r.writes)
	for i := range r.writes {
		w, s := &r.writes[i], r.writers[i]
		r.counts.bytesOut += w.N
		if w.Err != nil {
			s.drop()
			r.lose(s, Ending{}, now)
		} else if w.N < len(w.P) {
			s.out.keep(w.P[w.N:])
		}
	}
	clear(r.writes)
	clear(r.writers)
	r.writes, r.writers = r.writes[:0], r.writers[:0]
	r.clearDesk()
}

// backlog are events that wait.
type backlog struct{ messages, bytes int }

// catchUp notes what is still to be caught up with: what was missed before counts for no limit.
func (b *backlog) catchUp(v *game.Viewer) {
	if *b != (backlog{}) {
		messages, bytes := v.Behind()
		b.messages, b.bytes = min(b.messages, messages), min(b.bytes, bytes)
	}
}

// bearWith skips a player whose socket is full; only reliable events that pile up may end it.
func (r *Room) bearWith(s *Session, now time.Time, frame bool) {
	if frame {
		r.counts.skipped++
	}
	messages, bytes := s.player.viewer.Behind()
	missed := &s.player.missed
	if messages > MaxUnsentEvents+missed.messages || bytes > MaxUnsentEventBytes+missed.bytes || len(s.player.queue) > MaxUnsentEventBytes {
		r.lose(s, endEventsLost, now)
	}
}

// appendAnswers appends pongs of both kinds and the server's own ping when it is due.
func (r *Room) appendAnswers(out []byte, p *connected, now time.Time) []byte {
	if p.pinged {
		p.pinged = false
		begin := len(out)
		out = wsconn.BeginFrame(out)
		out = protocol.AppendPong(out, &protocol.Pong{ID: p.ping.ID, T0: p.ping.T0, T1: p.pingAt, T2: uint64(time.Now().UnixMicro())})
		out = wsconn.EndFrame(out, begin, wsconn.OpBinary)
	}
	if p.echoed {
		p.echoed = false
		out = wsconn.AppendFrame(out, wsconn.OpPong, p.echo)
	}
	if !now.Before(p.nextPing) {
		p.nextPing = now.Add(p.pingInterval())
		p.pinging, p.pingedAt = true, time.Now().UnixNano()
		out = wsconn.AppendFrame(out, wsconn.OpPing, nil)
	}
	return out
}

// appendRoster appends the seats that changed since the roster was told up to told, and returns up to where it is now.
func (r *Room) appendRoster(out []byte, told uint32) ([]byte, uint32) {
	if told == r.ledger.version.Load() {
		return out, told
	}
	r.roster, told = r.ledger.changes(r.roster[:0], told)
	begin := len(out)
	out = wsconn.BeginFrame(out)
	out = protocol.AppendRoster(out, &protocol.Roster{Seq: told, Entries: r.roster})
	return wsconn.EndFrame(out, begin, wsconn.OpBinary), told
}

// appendEvents appends the reliable events that v has not been sent, as many as may wait unsent; the rest go with the next
// ticks.
func (r *Room) appendEvents(out []byte, v *game.Viewer) ([]byte, error) {
	before := len(out)
	for range MaxUnsentEvents {
		if len(out)-before > MaxUnsentEventBytes {
			break
		}
		msg, ok, err := r.engine.NextEvent(v)
		if err != nil || !ok {
			return out, err
		}
		r.counts.events++
		out = wsconn.AppendFrame(out, wsconn.OpBinary, msg)
	}
	return out, nil
}

// appendState appends the newest state, as a delta where the player has a baseline.
func (r *Room) appendState(out []byte, s *Session, now time.Time) []byte {
	p := s.player
	begin := len(out)
	out = wsconn.BeginFrame(out)
	body := len(out)
	if r.engine.GameSaysWhoSees() {
		r.lend()
		out = r.engine.AppendState(out, p.viewer)
		r.reclaim()
	} else {
		out = r.engine.AppendState(out, p.viewer)
	}
	if len(out) == body {
		return out[:begin] // no frame was captured yet
	}
	r.countStates(out[body:], 1)
	out = wsconn.EndFrame(out, begin, wsconn.OpBinary)
	p.flight.wrote(len(out) - begin)
	if !p.shown {
		p.shown = true
		r.metrics.Joins.Observe(now.Sub(s.opened).Seconds())
	}
	return out
}

// countStates counts a state that goes to so many by its kind.
func (r *Room) countStates(state []byte, times int) {
	if t, _ := protocol.ServerType(state); t == protocol.TypeSnapshot {
		r.counts.full += times
	} else {
		r.counts.delta += times
	}
}

// tellResult queues the outcome of the match, and the events before it.
func (r *Room) tellResult(s *Session, o *Outcome) {
	r.takeDesk()
	defer r.clearDesk()
	out := append(r.scratch.b, s.player.queue...)
	out, _ = r.appendEvents(out, s.player.viewer)
	begin := len(out)
	out = wsconn.BeginFrame(out)
	out = protocol.AppendResult(out, &protocol.Result{Reason: string(o.Reason), Payload: o.Result})
	out = wsconn.EndFrame(out, begin, wsconn.OpBinary)
	r.scratch.b = out
	sent, err := s.out.write(s.conn, out)
	r.counts.bytesOut += sent
	if err != nil {
		s.drop()
	}
}

// kick gives a player's seat up because the game said so.
func (r *Room) kick(k game.Kicked, now time.Time) {
	end := Ending{Code: protocol.CloseKicked, Reason: clip(k.Text, protocol.MaxReasonBytes)}
	if s := r.sessionOf(uint16(k.Seat)); s != nil {
		r.leave(s, game.ReasonKicked, end, now)
		return
	}
	r.takeLost(uint16(k.Seat))
	r.noteLate(uint16(k.Seat))
	r.engine.Leave(k.Seat, game.ReasonKicked)
	r.ledger.set(uint16(k.Seat), protocol.SeatKicked)
}

// release takes s out of the room, with an ending unless the socket is gone already, and hands it to the lobby.
func (r *Room) release(s *Session, e Ending) {
	r.stepOut(s)
	if s.player.listened {
		_ = r.crowd.set.Remove(s.conn) // one that is closed is out of it already
	}
	last := len(r.sessions) - 1
	r.sessions[s.index] = r.sessions[last]
	r.sessions[s.index].index = s.index
	r.sessions[last] = nil
	r.sessions = r.sessions[:last]
	r.metrics.Connections.Playing.Dec()
	if e != (Ending{}) && s.phase != phaseGone {
		s.end(e)
		r.metrics.Closes.Inc(uint16(e.Code))
	}
	if s.phase == phaseGone {
		r.metrics.Closes.Inc(uint16(protocol.CloseAbnormal))
	}
	s.player = nil
	s.conn.SetOwner(nil)
	r.lobby.Return(s)
}

// lose parts with a connection; its seat waits for the player to come back.
func (r *Room) lose(s *Session, e Ending, now time.Time) {
	p := s.player
	if p == nil {
		return
	}
	r.release(s, e)
	r.log.Info().Uint16("seat", p.seat).Uint16("code", uint16(e.Code)).Str("reason", e.Reason).Msg("connection ended")
	p.viewer.Close()
	if p.role == protocol.RolePlayer {
		r.engine.SetLost(game.Seat(p.seat), true)
	}
	r.ledger.set(p.seat, protocol.SeatLost)
	r.lost = append(r.lost, lostSeat{number: p.seat, until: now.Add(r.cfg.Reconnect), viewer: p.viewer})
}

// leave parts with a connection and its seat.
func (r *Room) leave(s *Session, why game.Reason, e Ending, now time.Time) {
	p := s.player
	r.vacate(p.seat, p.role, why) // first, so that who sees the Close finds the seat given up
	r.release(s, e)
	r.log.Info().Uint16("seat", p.seat).Str("why", string(why)).Msg("player left")
}

// vacate gives a seat up for good.
func (r *Room) vacate(seat uint16, role protocol.Role, why game.Reason) {
	if role == protocol.RolePlayer {
		r.noteLate(seat)
		r.engine.Leave(game.Seat(seat), why)
	}
	state := protocol.SeatLeft
	switch why {
	case game.ReasonExpired:
		state = protocol.SeatExpired
	case game.ReasonKicked:
		state = protocol.SeatKicked
	}
	r.ledger.set(seat, state)
}

// takeLost takes a seat off the list of lost ones and returns its last viewer, nil if it was not lost.
func (r *Room) takeLost(seat uint16) *game.Viewer {
	for i := range r.lost {
		if r.lost[i].number == seat {
			v := r.lost[i].viewer
			r.lost = append(r.lost[:i], r.lost[i+1:]...)
			return v
		}
	}
	return nil
}
