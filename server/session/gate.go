package session

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"skirmish/protocol"
	"skirmish/server/metrics"
	"skirmish/server/ticket"
	"skirmish/server/wsconn"
)

// Gate takes the hello of each connection in the lobby, checks its ticket or resume token and sends the connection to
// its room. It runs on the lobby's goroutine.
type Gate struct {
	Node     string                             // tickets for another node are refused
	Keys     func() *ticket.Keyring             // the present keyring
	Room     func(id string) *Room              // nil: no such match
	Draining func() bool                        // new players are refused, resumes are not
	Burnt    func(id string, expires time.Time) // told of each ticket that is used; must not block; nil: nobody
	Burned   ticket.Burned                      // tickets that were used
	Metrics  *metrics.Set
	Log      zerolog.Logger

	dec   *protocol.Decoder
	hello protocol.Hello
}

// Message takes the first message of s, which must be a hello (Receiver).
func (g *Gate) Message(l *Lobby, s *Session, m wsconn.Message, rest []byte) (moved bool, err error) {
	now := time.Now()
	a, room, err := g.judge(m.Payload, now)
	if err != nil {
		if end, ok := errors.AsType[Ending](err); ok && end.Code == protocol.CloseBadTicket {
			l.admission.ticketRefused(s.remote, now)
		}
		g.Log.Info().Err(err).Stringer("remote", s.remote).Msg("hello refused")
		return false, err
	}
	s.opened = now
	s.early = append(s.early[:0], rest...)
	a.session = s
	if err := l.move(s); err != nil {
		return false, err
	}
	if !room.attach(a) {
		if room.handedOver() {
			s.end(endRestart)
		} else {
			s.end(endNoMatch)
		}
		l.Return(s)
	}
	return true, nil
}

// judge decides on a hello: the arrival and its room, or the Ending that refuses it.
func (g *Gate) judge(payload []byte, now time.Time) (arrival, *Room, error) {
	if g.dec == nil {
		g.dec = protocol.NewDecoder()
	}
	if len(payload) > protocol.MaxHelloBytes {
		return arrival{}, nil, Ending{Code: protocol.CloseTooBig, Reason: "a hello has at most 2048 bytes"}
	}
	t, err := g.dec.Begin(payload)
	if err != nil {
		return arrival{}, nil, err
	}
	if t != protocol.TypeHello {
		return arrival{}, nil, Ending{Code: protocol.CloseBadMessage, Reason: "the first message must be a hello"}
	}
	if err := g.dec.Hello(&g.hello); err != nil {
		return arrival{}, nil, err
	}
	if g.hello.Version != protocol.Version {
		return arrival{}, nil, endVersion(g.hello.Version)
	}
	if g.hello.Resume != "" {
		return g.judgeResume(now)
	}
	return g.judgeTicket(now)
}

// judgeTicket checks a join ticket and burns it.
func (g *Gate) judgeTicket(now time.Time) (arrival, *Room, error) {
	c, err := g.Keys().Verify(g.hello.Token, now)
	if err != nil {
		g.count(err)
		return arrival{}, nil, endBadTicket
	}
	if c.Node != "" && c.Node != g.Node {
		g.Metrics.Tickets.Mismatch.Inc()
		return arrival{}, nil, endBadTicket
	}
	if g.Draining() {
		return arrival{}, nil, endDraining
	}
	room := g.Room(c.Match)
	if room == nil {
		g.Metrics.Tickets.Mismatch.Inc()
		return arrival{}, nil, endNoMatch
	}
	if !g.Burned.Burn(c.ID, time.Unix(c.Expires, 0), now) {
		g.Metrics.Tickets.Used.Inc()
		return arrival{}, nil, endBadTicket
	}
	if g.Burnt != nil {
		g.Burnt(c.ID, time.Unix(c.Expires, 0))
	}
	if c.Seat == 0 { // minted by a matchmaker that knows players, not seats
		seat, ok := room.SeatOf(c.Player)
		if !ok {
			g.Metrics.Tickets.Mismatch.Inc()
			return arrival{}, nil, endSeatGone
		}
		c.Seat = seat.Number
	}
	g.Metrics.Tickets.Accepted.Inc()
	return arrival{seat: c.Seat, player: c.Player}, room, nil
}

// judgeResume checks a resume token; whether it is the newest of its seat is the room's to say.
func (g *Gate) judgeResume(now time.Time) (arrival, *Room, error) {
	c, err := g.Keys().VerifyResume(g.hello.Resume)
	if err != nil {
		g.count(err)
		return arrival{}, nil, endBadResume
	}
	room := g.Room(c.Match)
	if room == nil {
		g.Metrics.Tickets.Mismatch.Inc()
		return arrival{}, nil, endNoMatch
	}
	g.Metrics.Tickets.Resumed.Inc()
	return arrival{seat: c.Seat, resume: true, generation: c.Generation, lastEvent: g.hello.LastEventSeq}, room, nil
}

// count notes why a ticket was refused. The player is not told.
func (g *Gate) count(err error) {
	t := &g.Metrics.Tickets
	switch {
	case errors.Is(err, ticket.ErrUnknownKey):
		t.UnknownKey.Inc()
	case errors.Is(err, ticket.ErrSignature):
		t.Signature.Inc()
	case errors.Is(err, ticket.ErrExpired):
		t.Expired.Inc()
	case errors.Is(err, ticket.ErrNotYet):
		t.NotYet.Inc()
	default:
		t.Malformed.Inc()
	}
}
