package sim

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/netpoll"
	"skirmish/server/session"
	"skirmish/server/sim/network"
)

// player is one player, over all its connections: the SDK's session, and what is checked about it. Run's goroutine owns it.
type player struct {
	w         *World
	match     *match
	id        string
	addr      netip.Addr
	ticket    string
	expires   time.Time
	spectator bool
	reserved  time.Time // when the matchmaker had the seat
	giver     *life     // of the node that gave it
	thief     bool      // it shows a ticket that is somebody else's
	robbed    *player   // by a thief
	burnt     time.Time // when its ticket was taken
	session   *client.Session
	conn      *network.Conn // nil: none
	link      network.Link  // of conn
	host      *life         // of the node that it leads to
	watching  bool
	serial    int // of its connections

	welcomed bool // it has had a seat
	seated   bool // by this connection
	resume   client.Resume
	lostAt   time.Time // since when it has no connection
	spoiled  bool      // its connection was hurt: it may end in any way that networks end
	slow     bool      // it does not read
	released bool      // the matchmaker takes its seat away
	leaving  bool      // it has said bye
	gone     bool      // for good
	tries    int

	life     *life // of the node that it plays on
	undone   bool  // the next beat may be one that it has heard
	unheard  bool  // the same of whispers
	inputs   int32
	beat     int32
	whisper  int32
	lastTick uint32
	pinged   int64
	buffer   []byte
}

// Patience of a player.
const (
	playerSilence = 15 * time.Second
	playerPing    = 2 * time.Second
	playerTries   = 12
)

func (w *World) newPlayer(m *match, s *api.Seat) *player {
	n := len(w.players) + 1
	p := &player{
		w: w, match: m, reserved: time.Now(), giver: m.life, id: s.PlayerID, ticket: s.Token, spectator: s.Role == api.RoleSpectator,
		addr: netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}), buffer: make([]byte, 16<<10),
	}
	if s.ExpiresAt != nil {
		p.expires = time.Time(*s.ExpiresAt)
	}
	w.players = append(w.players, p)
	return p
}

// join comes with a ticket for the first time. Some never come, some come late, some show their ticket twice.
func (p *player) join() {
	w := p.w
	if p.gone || p.conn != nil || p.welcomed {
		return
	}
	switch w.rand.IntN(12) {
	case 0:
		w.did("players who never came")
		p.gone = true
		return
	case 1:
		w.did("players who came late")
		w.in(w.between(time.Second, 12*time.Second), p.connect)
		return
	case 2:
		w.in(w.between(100*time.Millisecond, 5*time.Second), p.steal)
	}
	p.connect()
}

// steal shows the player's ticket a second time. It must be refused, or be the only one that got in.
func (p *player) steal() {
	if !p.welcomed || p.gone {
		return
	}
	w := p.w
	w.fault("ticket shown again")
	t := w.newPlayer(p.match, &api.Seat{PlayerID: p.id, Token: p.ticket})
	t.thief, t.robbed, t.tries = true, p, playerTries
	t.connect()
}

// connect dials, with the ticket or to resume.
func (p *player) connect() {
	w := p.w
	if p.gone || p.conn != nil {
		return
	}
	config := client.Config{Host: "game.example", Token: p.ticket, SDK: "sim/1"}
	if p.welcomed {
		config.Token, config.Resume = "", p.resume
		config.Early = w.rand.IntN(2) == 0
	}
	p.session = client.NewSession(config)
	p.link = w.link()
	conn, err := w.homes.Dial(gamePort, p.addr, p.link)
	if err != nil { // the node is down
		p.later()
		return
	}
	p.conn, p.host, p.seated, p.watching, p.spoiled, p.slow = conn, w.life, false, false, false, false
	p.serial++
	conn.SetOwner(p)
	w.set.Add(conn)
	conn.SetOwner(p)
	p.flush()
	serial := p.serial
	w.in(playerSilence, func() { p.silence(serial) })
	w.in(w.between(time.Second, 30*time.Second), func() { p.mishap(serial) })
}

// silence gives up a connection that says nothing.
func (p *player) silence(serial int) {
	if p.conn == nil || p.serial != serial {
		return
	}
	left := playerSilence - time.Duration(time.Now().UnixNano()-p.session.Heard)
	if left <= 0 || p.session.Heard == 0 {
		p.spoiled = true
		p.end(p.session.End(errors.New("silence")))
		return
	}
	p.w.in(left, func() { p.silence(serial) })
}

// mishap is what happens to a connection now and then.
func (p *player) mishap(serial int) {
	w := p.w
	if p.conn == nil || p.serial != serial || w.healed.Load() {
		return
	}
	p.spoiled = true
	switch w.rand.IntN(8) {
	case 0, 1:
		w.fault("connection reset")
		p.conn.Reset()
		p.lost()
	case 2:
		w.fault("connection silent")
		p.conn.Break()
	case 3:
		w.fault("connection closed without a word")
		p.conn.Close()
		p.lost()
	case 4:
		w.fault("player does not read")
		p.slow = true
		w.set.Remove(p.conn)
		w.in(w.between(100*time.Millisecond, 12*time.Second), func() {
			if p.conn != nil && p.serial == serial {
				p.slow, p.watching = false, false
				w.set.Add(p.conn)
				p.conn.SetOwner(p)
				p.flush()
			}
		})
	case 5:
		if p.session.Playing() && !p.spectator {
			w.did("players who left")
			p.leaving = true
			p.session.Bye(0)
			p.flush()
			return
		}
	case 6:
		w.fault("connection replaced by the same player")
		old := p.conn
		w.set.Remove(old) // it stays open and is not heard any more
		p.keep()
		p.conn = nil
		w.in(20*time.Second, func() { old.Close() })
		if p.welcomed {
			p.connect()
		} else {
			p.gone = true
		}
		return
	case 7:
		w.fault("connection cut in the middle of a frame")
		p.conn.Write([]byte{0x82, 0xfe, 0x01})
		p.conn.Close()
		p.lost()
	}
	w.in(w.between(time.Second, 20*time.Second), func() { p.mishap(serial) })
}

// keep notes what the next connection needs.
func (p *player) keep() {
	if p.session.Welcome.ResumeToken != "" {
		p.resume = p.session.Resumption()
	}
	if p.lostAt.IsZero() {
		p.lostAt = time.Now()
	}
}

// lost is told that the connection is gone.
func (p *player) lost() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
	p.keep()
	p.later()
}

// later tries again after a while, or never.
func (p *player) later() {
	p.tries++
	if p.gone || p.tries > playerTries || p.leaving || p.w.healed.Load() {
		p.gone = true
		return
	}
	if !p.welcomed && p.serial > 0 { // the ticket may be burnt
		p.gone = true
		return
	}
	p.w.in(p.w.between(50*time.Millisecond, 2*time.Second), p.connect)
}

// ready is told that the connection can be read or written.
func (p *player) ready(e netpoll.Event) {
	if p.conn == nil {
		return
	}
	if e.Writable {
		p.flush()
	}
	if !e.Readable || p.conn == nil {
		return
	}
	n, _, err := p.conn.Read(p.buffer)
	if errors.Is(err, netpoll.ErrAgain) {
		return
	}
	now := time.Now().UnixNano()
	p.w.trace.add("player "+p.id, p.buffer[:n], p.serial)
	if err != nil {
		p.end(p.session.End(err))
		return
	}
	for rest := p.buffer[:n]; len(rest) > 0; {
		var what client.Signal
		what, rest, err = p.session.Feed(rest, now)
		if err != nil {
			p.flush()
			p.end(err)
			return
		}
		p.heard(what, now)
	}
	p.flush()
}

// flush writes what the session has put out.
func (p *player) flush() {
	if p.conn == nil {
		return
	}
	n, err := p.conn.Write(p.session.Out())
	if err != nil {
		return // the next read tells it
	}
	p.session.Wrote(n)
	if want := len(p.session.Out()) > 0; want != p.watching && !p.slow {
		p.watching = want
		p.w.set.WatchWrite(p.conn, want)
	}
}

// heard acts on what the server has said.
func (p *player) heard(what client.Signal, now int64) {
	w, s := p.w, p.session
	switch what {
	case client.SignalWelcome:
		p.greet()
	case client.SignalState:
		p.see()
	case client.SignalEvent:
		p.event(&s.Event)
	case client.SignalResult:
		if s.Result.Reason == "finished" || len(s.Result.Payload) > 0 {
			p.match.toldPlayer(string(s.Result.Payload))
		}
	}
	if now-p.pinged > int64(playerPing) && s.Playing() {
		p.pinged = now
		s.Ping(now)
	}
	_ = w
}

// greet takes a welcome in.
func (p *player) greet() {
	w := p.w
	if p.thief && !p.robbed.life.undid(p.robbed.burnt) {
		w.Fail("%s: the ticket of %s was taken twice", p.match.id, p.id)
	}
	if p.welcomed {
		w.did("players back")
	} else {
		w.did("players joined")
		p.burnt = time.Now()
	}
	p.welcomed, p.lostAt, p.tries = true, time.Time{}, 0
	p.seated = true
	if p.host != p.life { // a kill may have undone what it has seen last
		p.life, p.undone, p.unheard, p.lastTick = p.host, true, true, 0
	}
	if p.session.Welcome.MatchID != p.match.id || p.session.Welcome.PlayerID != p.id {
		w.Fail("%s is welcomed as %s in %s", p.id, p.session.Welcome.PlayerID, p.session.Welcome.MatchID)
	}
	serial := p.serial
	w.in(time.Millisecond, func() { p.play(serial) })
}

// play sends the inputs that are due.
func (p *player) play(serial int) {
	if p.conn == nil || p.serial != serial || !p.session.Playing() || p.leaving || p.spectator {
		return
	}
	now := time.Now().UnixNano()
	for range 4 {
		due, ok := p.session.Pacer.Due(now)
		if !ok || len(p.session.Out()) > 4096 {
			break
		}
		p.inputs++
		p.session.Input([]int32{p.inputs, int32(p.inputs%3) - 1}, due)
	}
	p.flush()
	next := max(time.Duration(p.session.Pacer.Next()-now), 5*time.Millisecond)
	p.w.in(min(next, time.Second), func() { p.play(serial) })
}

// see checks a state.
func (p *player) see() {
	st := &p.session.State
	var d digest
	for i, id := range st.Rows.IDs {
		d.add(id, st.Rows.Row(i))
	}
	// What was on its way when the node died may have another frame in its place by now.
	if err := p.w.audit.shown(p.match.id, st.Head.Tick, d); err != nil && !p.host.dead.Load() {
		p.w.Fail("%s sees what is not: %v", p.id, err)
	}
	if p.session.Stats.Faults > 0 {
		p.w.Fail("%s could not apply a state of tick %d", p.id, st.Head.Tick)
	}
	if st.Head.Tick < p.lastTick {
		p.w.Fail("%s: tick %d comes behind %d", p.id, st.Head.Tick, p.lastTick)
	}
	p.lastTick = st.Head.Tick
}

// event checks that reliable events come exactly once and in order.
func (p *player) event(e *protocol.Event) {
	p.w.audit.checked("events once and in order")
	n := e.Values[0].Int
	switch e.Op {
	case 0:
		if p.beat != 0 && n != p.beat+1 && !(p.undone && n <= p.beat) {
			p.w.Fail("%s: beat %d comes behind %d", p.id, n, p.beat)
		}
		p.beat, p.undone = n, false
	default:
		if n != p.whisper+1 && !(p.unheard && n <= p.whisper) {
			p.w.Fail("%s: whisper %d comes behind %d", p.id, n, p.whisper)
		}
		p.whisper, p.unheard = n, false
	}
}

// end takes in how a connection ended.
func (p *player) end(err error) {
	w := p.w
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
	p.keep()
	var closed *client.CloseError
	var refused *client.RefusedError
	switch {
	case errors.As(err, &closed):
		if closed.Local {
			w.Fail("%s broke off: %v", p.id, err)
		}
		if why := p.unexpected(closed.Code); why != "" {
			w.Fail("%s of %s was closed by %v: %s", p.id, p.match.id, err, why)
		}
		w.did(fmt.Sprintf("closed with %d", closed.Code))
		switch closed.Code {
		case protocol.CloseAbnormal, protocol.CloseGoingAway, protocol.CloseRestart, protocol.CloseUnavailable, protocol.CloseTimeout:
			p.later()
		default:
			p.gone = true
		}
	case errors.As(err, &refused):
		if refused.Status != 503 {
			w.Fail("%s: the handshake was refused: %v", p.id, err)
		}
		p.later()
	default:
		w.Fail("%s: %v", p.id, err)
	}
}

// unexpected tells why a connection should not have ended so; empty: it may.
func (p *player) unexpected(code protocol.CloseCode) string {
	m, w := p.match, p.w
	hurt := p.spoiled || p.host == nil || p.host.dead.Load()
	nodeGone := m.life == nil || m.life != w.life || m.life.dead.Load()
	away := !p.lostAt.IsZero()
	switch code {
	case protocol.CloseMatchOver, protocol.CloseMatchFailed:
		return ""
	case protocol.CloseAbnormal, protocol.CloseTimeout:
		if hurt || nodeGone || p.host.leaves && !p.seated { // a handshake is not ended with a Close
			return ""
		}
		return "nothing was done to it"
	case protocol.CloseGoingAway, protocol.CloseRestart, protocol.CloseUnavailable:
		return "" // the node goes down
	case protocol.CloseLeft:
		if p.leaving {
			return ""
		}
		return "it has not said bye"
	case protocol.CloseKicked:
		if p.released {
			return ""
		}
		return "nobody wanted that"
	case protocol.CloseReplaced:
		return "" // its newer connection was quicker
	case protocol.CloseNoMatch:
		return "" // checked by the match's result
	case protocol.CloseBadTicket, protocol.CloseForbidden, protocol.CloseBadMessage:
		switch {
		case p.thief, nodeGone, p.released, away && p.welcomed, m.doomed, p.giver != nil && p.giver.undid(p.reserved):
			return ""
		case !p.welcomed && time.Now().After(p.expires.Add(-time.Second)):
			return ""
		}
		return "it has a seat"
	case protocol.CloseEventsLost:
		if hurt {
			return ""
		}
	}
	return "no reason is known"
}

// toldPlayer notes what a player was told of the end.
func (m *match) toldPlayer(payload string) {
	m.w.audit.checked("all are told one result")
	if m.shown != "" && m.shown != payload {
		m.w.Fail("%s: players were told the results %s and %s", m.id, m.shown, payload)
	}
	m.shown = payload
	for ago := time.Duration(0); ago < session.KeepWait+time.Second; ago += 100 * time.Millisecond {
		if m.w.spellAt(time.Now().Add(-ago), diskFails, diskFull) != well { // then they wait for KeepWait, and not for ever
			m.unsure = true
		}
	}
}
