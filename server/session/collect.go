package session

import (
	"errors"
	"time"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/netpoll"
	"skirmish/server/ticket"
	"skirmish/server/wsconn"
)

// connected is the room's side of a session that plays or watches.
type connected struct {
	seat       uint16
	generation uint32 // of the resume token in its welcome
	proven     bool   // it spoke: its welcome has arrived
	doubted    bool   // it said hello a second time
	role       protocol.Role
	viewer     *game.Viewer
	rosterSeq  uint32
	queue      []byte  // frames to send before anything else: welcome, replies, notices
	missed     backlog // events that a resumed connection has still to catch up with

	flight flight // what is on its way to the player

	inputs     bucket
	control    bucket
	bytes      bucket
	floodFrom  time.Time // when inputs began to be dropped; zero: none were lately
	droppedAt  time.Time // the newest dropped input
	bad        [MaxBadMessages]time.Time
	badCount   int
	ping       protocol.Ping // the newest, to be answered
	pingAt     uint64        // its arrival, µs since the Unix epoch
	pinged     bool
	echo       []byte // payload of the newest WebSocket ping, to be answered
	echoed     bool
	nextPing   time.Time
	pinging    bool      // a WebSocket ping of ours is not answered yet
	pingedAt   int64     // when it went, ns since the Unix epoch
	pongBefore time.Time // the connection is cut then, unless a pong comes
	shown      bool      // the first snapshot was written
	listened   bool      // its socket is in the crowd's set
}

// Collect lets new connections in, reads what has arrived on the others and looks at the deadlines (game.Links).
func (r *Room) Collect(now time.Time) {
	r.admitArrivals(now)
	r.takeCalls(now)
	r.readSockets(now)
	if !now.Before(r.nextLook) {
		r.nextLook = now.Add(housekeepEvery)
		r.lookAtDeadlines(now)
	}
}

// Sleeping has the process awake when the next tick is due (game.Sleeper).
func (r *Room) Sleeping(until time.Time) { r.lobby.alarm.At(until) }

// Waking tells that somebody is in the inbox (game.Waker).
func (r *Room) Waking() <-chan struct{} { return r.wake }

// Between lets in who has come since the last tick, and shows them the match as it is: the newest frame there is. A
// newcomer's own row comes with the next one (game.Waker).
func (r *Room) Between(now time.Time) {
	r.newcomers = r.newcomers[:0]
	r.admitArrivals(now)
	r.takeDesk()
	for _, s := range r.newcomers {
		if s.player != nil {
			r.deliver(s, now, false)
		}
	}
	r.send(now)
	clear(r.newcomers)
}

// admitArrivals seats everybody in the inbox.
func (r *Room) admitArrivals(now time.Time) {
	r.mu.Lock()
	if len(r.inbox) == 0 {
		r.mu.Unlock()
		return
	}
	r.arrived, r.inbox = r.inbox, r.arrived[:0]
	r.mu.Unlock()
	for i := range r.arrived {
		a := &r.arrived[i]
		var end Ending
		if a.session == nil {
			end = r.seatBot(a)
		} else {
			end = r.seatSession(a, now)
		}
		if end != (Ending{}) {
			r.log.Info().Uint16("seat", a.seat).Uint16("code", uint16(end.Code)).Str("reason", end.Reason).Msg("seat refused")
			if a.session != nil {
				a.session.end(end)
				r.lobby.Return(a.session)
			}
		}
		*a = arrival{}
	}
}

// seatBot lets the engine play a seat.
func (r *Room) seatBot(a *arrival) Ending {
	seat, ok := r.ledger.get(a.seat)
	if !ok || seat.PlayerID != a.player {
		return endSeatGone
	}
	if err := r.joinEngine(seat); err != nil {
		r.ledger.set(a.seat, protocol.SeatKicked)
		return refusedByGame(err)
	}
	r.ledger.set(a.seat, protocol.SeatActive)
	return Ending{}
}

// seatSession gives a connection its seat: for the first time, back after a cut, or instead of an older connection.
func (r *Room) seatSession(a *arrival, now time.Time) Ending {
	seat, ok := r.ledger.get(a.seat)
	seen, before := r.ledger.before(a.seat, a.generation)
	switch {
	case !ok || !a.resume && seat.PlayerID != a.player:
		return endBadTicket
	case a.resume && !r.ledger.accept(a.seat, a.generation):
		return endBadResume
	case a.resume && before:
		a.lastEvent = min(a.lastEvent, seen)
	case a.resume && a.lastEvent > r.engine.LastEvent():
		return endNoSuchEvent
	}
	switch seat.State {
	case protocol.SeatLeft, protocol.SeatKicked, protocol.SeatExpired:
		return endSeatGone
	}
	if older := r.sessionOf(a.seat); older != nil {
		r.lose(older, endReplaced, now)
	}
	back := r.takeLost(a.seat)
	if seat.State == protocol.SeatReserved && seat.Role == protocol.RolePlayer {
		if err := r.joinEngine(seat); err != nil {
			r.ledger.set(a.seat, protocol.SeatKicked)
			return refusedByGame(err)
		}
	}
	if seat.Role == protocol.RolePlayer {
		r.engine.SetLost(game.Seat(a.seat), false)
	}
	r.connect(a, seat, r.viewerOf(seat, back), now)
	return Ending{}
}

// joinEngine asks the game for a seat.
func (r *Room) joinEngine(seat Seat) error {
	r.lend()
	err := r.engine.Join(infoOf(seat))
	r.reclaim()
	return err
}

// connect makes a session part of the match: watched, welcomed, and what it sent behind its hello read.
func (r *Room) connect(a *arrival, seat Seat, viewer *game.Viewer, now time.Time) {
	s := a.session
	generation := r.ledger.set(a.seat, protocol.SeatActive)
	p := &connected{
		seat: a.seat, generation: generation, role: seat.Role, viewer: viewer,
	}
	p.alive(now)
	if a.resume {
		viewer.Skip(a.lastEvent)
		p.missed.messages, p.missed.bytes = viewer.Behind()
	}
	s.player = p
	s.index = len(r.sessions)
	r.sessions = append(r.sessions, s)
	r.newcomers = append(r.newcomers, s)
	r.metrics.Connections.Playing.Inc()
	r.welcome(s, seat)
	if a.resume {
		p.queue = appendNotice(p.queue, &protocol.Notice{Kind: protocol.NoticeResumed})
	}
	r.log.Info().Uint16("seat", a.seat).Str("player", seat.PlayerID).Bool("resumed", a.resume).Msg("player connected")
	s.conn.SetOwner(s)
	if p.role == protocol.RoleSpectator {
		r.listen(s)
	}
	early := s.early
	s.early = nil
	r.parse(s, early, now.UnixNano(), now)
}

// infoOf is what the game is told of a seat.
func infoOf(s Seat) game.PlayerInfo {
	return game.PlayerInfo{
		Seat: game.Seat(s.Number), ID: s.PlayerID, Name: s.Name, Team: s.Team, Data: s.Data, Bot: s.Role == protocol.RoleBot,
	}
}

// refusedByGame is the ending of a player that the game does not let in, with the game's own words.
func refusedByGame(err error) Ending {
	if refused, ok := errors.AsType[*game.RefusedError](err); ok {
		return Ending{Code: protocol.CloseForbidden, Reason: clip(refused.Err.Error(), protocol.MaxReasonBytes)}
	}
	return endNoPlace
}

// viewerOf is the replication cursor of a seat's new connection: the one of the connection before it, if the seat had one,
// so that no event is missed. Spectators have no private row.
func (r *Room) viewerOf(seat Seat, back *game.Viewer) *game.Viewer {
	switch {
	case back != nil:
		back.Rebase()
		return back
	case seat.Role == protocol.RoleSpectator:
		return r.engine.NewViewer(0)
	default:
		return r.engine.NewViewer(game.Seat(seat.Number))
	}
}

// welcome queues the first message of a connection.
func (r *Room) welcome(s *Session, seat Seat) {
	m, d := &r.cfg.Match, r.engine.Definition()
	p := s.player
	begin := len(p.queue)
	p.queue = wsconn.BeginFrame(p.queue)
	p.queue = protocol.AppendWelcome(p.queue, &protocol.Welcome{
		Version: protocol.Version, Seat: seat.Number, PlayerID: seat.PlayerID, Role: seat.Role,
		TickRate: uint16(m.TickRate), SnapshotRate: uint16(m.SnapshotRate),
		Tick: r.engine.Now(), ServerTime: uint64(time.Now().UnixMicro()),
		ResumeToken:  r.keys().SignResume(ticket.Resume{Match: m.ID, Seat: seat.Number, Generation: p.generation}),
		ReconnectMS:  uint32(r.cfg.Reconnect.Milliseconds()),
		Limits:       LimitsFor(m.TickRate),
		TargetLeadMS: uint16(time.Second.Milliseconds() / int64(m.TickRate)),
		Plan:         d.Plan, PlanHash: d.PlanHash,
		MatchID: m.ID, Game: m.Game, GameVersion: d.Spec.Version, EventSeq: p.viewer.Seen(),
	})
	p.queue = wsconn.EndFrame(p.queue, begin, wsconn.OpBinary)
}

// sessionOf finds the connection of a seat; nil when it has none.
func (r *Room) sessionOf(seat uint16) *Session {
	for _, s := range r.sessions {
		if s.player.seat == seat {
			return s
		}
	}
	return nil
}

// readSockets reads each player's socket once, and those of spectators who have sent something. What is sent beyond a
// connection's share waits in the socket.
func (r *Room) readSockets(now time.Time) {
	r.now = now
	for _, s := range r.sessions[r.crowd.size():] {
		if !s.player.listened && s.player.bytes.has(now, BytesPerSecond, BytesBurst) {
			r.reading = append(r.reading, s.conn)
		}
	}
	for _, e := range r.crowd.heard() {
		if s := e.Conn.Owner().(*Session); s.player.bytes.has(now, BytesPerSecond, BytesBurst) {
			r.reading = append(r.reading, s.conn)
		}
	}
	netpoll.ReadEach(r.reading, r.receive)
	clear(r.reading)
	r.reading = r.reading[:0]
}

// received takes in what was read from a socket, or that it has ended.
func (r *Room) received(c netpoll.Conn, b []byte, arrived int64, err error) {
	s, ok := c.Owner().(*Session)
	if !ok || s.player == nil {
		return
	}
	r.stepOut(s)
	if err != nil {
		s.drop()
		r.lose(s, Ending{}, r.now)
		return
	}
	r.counts.bytesIn += len(b)
	s.player.bytes.spend(r.now, len(b), BytesPerSecond)
	r.parse(s, b, arrived, r.now)
}

// parse takes apart what was read from s and acts on each message.
func (r *Room) parse(s *Session, b []byte, arrived int64, now time.Time) {
	for {
		m, rest, err := s.reader.Next(b)
		if err != nil {
			r.lose(s, endingOf(err), now)
			return
		}
		b = rest
		end := Ending{}
		switch m.Op {
		case wsconn.OpNone:
			return
		case wsconn.OpPing:
			end = r.takeEcho(s.player, m.Payload, now)
		case wsconn.OpPong:
			r.notePong(s.player, arrived)
			s.player.pongBefore = s.player.nextPing.Add(PongTimeout)
		case wsconn.OpClose:
			r.lose(s, closeAnswer(m), now)
			return
		default:
			s.midway = time.Time{}
			end = r.message(s, m.Payload, arrived, now)
		}
		if end == endLeft {
			r.leave(s, game.ReasonLeft, end, now)
			return
		}
		if end != (Ending{}) {
			r.lose(s, end, now)
			return
		}
	}
}

// takeEcho keeps the newest WebSocket ping for the answer at the end of the tick.
func (r *Room) takeEcho(p *connected, payload []byte, now time.Time) Ending {
	if !p.control.take(now, 1, ControlPerSecond, ControlBurst) {
		return endControlFlood
	}
	p.echo, p.echoed = append(p.echo[:0], payload...), true
	return Ending{}
}

// message acts on one message of a player. A malformed one is counted; too many end the connection.
func (r *Room) message(s *Session, payload []byte, arrived int64, now time.Time) Ending {
	p := s.player
	t, err := r.dec.Begin(payload)
	if err == nil && t == protocol.TypeHello && !p.doubted {
		p.doubted = true // it could not know that the one in its handshake had come through, and has no welcome yet
		return Ending{}
	}
	if !p.proven {
		p.proven = true
		r.ledger.prove(p.seat, p.generation)
	}
	if err == nil {
		switch t {
		case protocol.TypeInput:
			return r.takeInput(p, arrived, now)
		case protocol.TypePing, protocol.TypeRequest, protocol.TypeKeyframe:
			if !p.control.take(now, 1, ControlPerSecond, ControlBurst) {
				return endControlFlood
			}
			err = r.takeControl(p, t, arrived)
		case protocol.TypeBye:
			var bye protocol.Bye
			if err = r.dec.Bye(&bye); err == nil {
				return endLeft
			}
		default:
			err = &protocol.MessageError{Type: t, Field: "type", Reason: "does not belong here"}
		}
	}
	if err != nil {
		return r.badMessage(p, err, now)
	}
	return Ending{}
}

// takeInput queues the inputs of one message for the coming ticks.
func (r *Room) takeInput(p *connected, arrived int64, now time.Time) Ending {
	if p.role == protocol.RoleSpectator {
		return r.badMessage(p, &protocol.MessageError{Type: protocol.TypeInput, Field: "type", Reason: "spectators have no input"}, now)
	}
	if err := r.dec.Input(&r.input, &r.engine.Definition().Plan.Input); err != nil {
		return r.badMessage(p, err, now)
	}
	rate := InputRateFactor * r.cfg.Match.TickRate
	if !p.inputs.take(now, r.input.Count, rate, rate) {
		r.counts.throttled += r.input.Count
		return p.flooding(now)
	}
	res, err := r.engine.Push(game.Seat(p.seat), &r.input, arrived)
	if err != nil {
		return r.badMessage(p, err, now)
	}
	r.counts.duplicate += res.Duplicate
	r.counts.surplus += res.Surplus
	return Ending{}
}

// flooding notes a dropped input; FloodTolerance of them without a pause end the connection.
func (p *connected) flooding(now time.Time) Ending {
	if p.floodFrom.IsZero() || now.Sub(p.droppedAt) > FloodPause {
		p.floodFrom = now
		p.queue = appendNotice(p.queue, &protocol.Notice{Kind: protocol.NoticeThrottled})
	}
	p.droppedAt = now
	if now.Sub(p.floodFrom) >= FloodTolerance {
		return endFlood
	}
	return Ending{}
}

// takeControl acts on a ping, a request or a wish for a keyframe.
func (r *Room) takeControl(p *connected, t protocol.Type, arrived int64) error {
	switch t {
	case protocol.TypePing:
		if err := r.dec.Ping(&p.ping); err != nil {
			return err
		}
		p.pinged, p.pingAt = true, uint64(arrived/1000)
		if p.role == protocol.RoleSpectator {
			p.alive(r.now) // as good as an answer to a ping of ours, which is spared
		}
	case protocol.TypeKeyframe:
		var k protocol.Keyframe
		if err := r.dec.Keyframe(&k); err != nil {
			return err
		}
		p.viewer.Rebase()
	case protocol.TypeRequest:
		var q protocol.Request
		if err := r.dec.Request(&q); err != nil {
			return err
		}
		status, out := protocol.ReplyUnsupported, []byte(nil)
		if p.role == protocol.RolePlayer {
			r.lend()
			status, out = r.engine.Request(game.Seat(p.seat), q.Op, q.Payload)
			r.reclaim()
		}
		begin := len(p.queue)
		p.queue = wsconn.BeginFrame(p.queue)
		p.queue = protocol.AppendReply(p.queue, &protocol.Reply{ID: q.ID, Status: status, Payload: out})
		p.queue = wsconn.EndFrame(p.queue, begin, wsconn.OpBinary)
	}
	return nil
}

// pingInterval is how often the connection is pinged.
func (p *connected) pingInterval() time.Duration {
	if p.role == protocol.RoleSpectator {
		return WatcherPingInterval
	}
	return PingInterval
}

// alive puts the next ping of ours off.
func (p *connected) alive(now time.Time) {
	p.nextPing = now.Add(p.pingInterval())
	p.pongBefore = p.nextPing.Add(PongTimeout)
}

// badMessage counts a malformed message: the last of MaxBadMessages within the window ends the connection and says what
// was wrong with it.
func (r *Room) badMessage(p *connected, err error, now time.Time) Ending {
	r.counts.bad++
	p.bad[p.badCount%MaxBadMessages] = now
	p.badCount++
	if p.badCount < MaxBadMessages || now.Sub(p.bad[p.badCount%MaxBadMessages]) > BadMessageWindow {
		return Ending{}
	}
	end := endBadMessages
	end.Reason = clip(end.Reason+": "+err.Error(), protocol.MaxReasonBytes)
	return end
}

// appendNotice frames a notice.
func appendNotice(dst []byte, n *protocol.Notice) []byte {
	begin := len(dst)
	dst = wsconn.BeginFrame(dst)
	dst = protocol.AppendNotice(dst, n)
	return wsconn.EndFrame(dst, begin, wsconn.OpBinary)
}
