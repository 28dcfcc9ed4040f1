package replay

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// A film is what a spectator of the match was sent, from its first step to its end: a client can show it without a server.
//
//	magic    8 bytes "SKRFILM1"
//	messages each a u32 length, little-endian, and a message of the wire (protocol/SPEC.md): a welcome first, then rosters
//	         and events before the state of their tick, states, and the result last
//
// A state is a full snapshot once a second, so that a viewer can jump; the others are deltas to the one before.
const FilmMagic = "SKRFILM1"

// WriteFilm plays r and writes its film. ErrGame and what else Player.Step returns; an error of w.
func (r *Recording) WriteFilm(ctx context.Context, w io.Writer, d *game.Definition) error {
	p, err := r.Play(ctx, d)
	if err != nil {
		return err
	}
	f := &film{w: w, p: p, known: map[game.Seat]protocol.RosterEntry{}}
	s, err := r.Summary()
	if err != nil {
		return err
	}
	for _, j := range s.Joins {
		f.seats = max(f.seats, j.Seat)
	}
	if _, f.err = io.WriteString(w, FilmMagic); f.err != nil {
		return f.err
	}
	f.welcome(r)
	p.Attach(f)
	f.viewer = p.Engine().NewViewer(0)
	for f.err == nil {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := p.Step(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	if r.End != nil {
		f.put(protocol.AppendResult(f.msg[:0], &protocol.Result{Reason: string(r.End.Reason), Payload: r.End.Result}))
	}
	return f.err
}

// film makes messages of a replay (game.Links).
type film struct {
	w         io.Writer
	err       error // of w, the first
	p         *Player
	viewer    *game.Viewer
	seats     game.Seat // the highest one
	known     map[game.Seat]protocol.RosterEntry
	rosterSeq uint32
	whole     uint32 // the tick from which the next snapshot is a full one
	msg       []byte
	size      [4]byte
}

func (f *film) put(msg []byte) {
	if f.msg = msg; f.err != nil || len(msg) == 0 {
		return
	}
	binary.LittleEndian.PutUint32(f.size[:], uint32(len(msg)))
	if _, f.err = f.w.Write(f.size[:]); f.err == nil {
		_, f.err = f.w.Write(msg)
	}
}

func (f *film) welcome(r *Recording) {
	m, d := &r.Head.Match, f.p.d
	f.put(protocol.AppendWelcome(f.msg, &protocol.Welcome{
		Version: protocol.Version, Role: protocol.RoleSpectator,
		TickRate: uint16(m.TickRate), SnapshotRate: uint16(m.SnapshotRate), ServerTime: uint64(r.Head.Began.UnixMicro()),
		Plan: d.Plan, PlanHash: d.PlanHash, MatchID: m.ID, Game: m.Game, GameVersion: d.Spec.Version,
	}))
}

func (f *film) Collect(time.Time) {}

func (f *film) Deliver(_ time.Time, frame bool) {
	e := f.p.Engine()
	f.roster(e)
	for f.err == nil {
		msg, ok, err := e.NextEvent(f.viewer)
		if err != nil {
			f.viewer.Skip(e.LastEvent()) // one step has emitted more than the ring holds
			continue
		}
		if !ok {
			break
		}
		f.put(append(f.msg[:0], msg...))
	}
	if !frame {
		return
	}
	if e.Now() >= f.whole {
		f.viewer.Rebase()
		f.whole = e.Now() + uint32(e.Match().TickRate)
	}
	f.put(e.AppendState(f.msg[:0], f.viewer))
}

// roster tells of seats that have changed.
func (f *film) roster(e *game.Engine) {
	var changed []protocol.RosterEntry
	for s := range f.seats {
		seat := s + 1
		was, seen := f.known[seat]
		is := was
		if p := e.Player(seat); p != nil {
			is = protocol.RosterEntry{Seat: uint16(seat), PlayerID: p.ID, Name: p.Name, Team: uint8(p.Team), State: protocol.SeatActive}
			if p.Bot {
				is.Role = protocol.RoleBot
			}
			if p.Lost() {
				is.State = protocol.SeatLost
			}
		} else if seen {
			is.State = protocol.SeatLeft
		}
		if is != was {
			f.known[seat] = is
			changed = append(changed, is)
		}
	}
	if len(changed) > 0 {
		f.rosterSeq++
		f.put(protocol.AppendRoster(f.msg[:0], &protocol.Roster{Seq: f.rosterSeq, Entries: changed}))
	}
}
