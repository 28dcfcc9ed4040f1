package game

import (
	"reflect"
	"slices"

	"skirmish/protocol"
)

// change is a join or a leave that the sim has yet to hear of.
type change struct {
	p    *Player
	gone bool
	why  Reason
}

// Join seats a player. The sim hears of it before the next step. A *RefusedError is the game's own no.
func (e *Engine) Join(info PlayerInfo) error {
	switch {
	case e.over:
		return ErrEnded
	case info.Seat == 0:
		return ErrSeat
	case e.seat(info.Seat) != nil:
		return ErrSeatTaken
	case e.taken >= e.match.Players:
		return ErrFull
	case info.Bot && e.botter == nil:
		return ErrNoBots
	}
	if e.recorder != nil {
		e.recorder.Join(info)
	}
	p := e.newPlayer(info)
	if e.admitter != nil {
		was := e.enter("Admit")
		err := e.admitter.Admit(&e.tk, p)
		e.calling = was
		if err != nil {
			return &RefusedError{Err: err}
		}
	}
	p.since = e.events.last
	e.sit(p)
	e.pending = append(e.pending, change{p: p})
	return nil
}

// Leave frees a seat for good. The sim hears of it before the next step. An empty seat is left alone.
func (e *Engine) Leave(s Seat, why Reason) {
	p := e.seat(s)
	if p == nil {
		return
	}
	if e.recording() {
		e.recorder.Leave(s, why)
	}
	e.seats[s] = nil
	e.taken--
	e.kicks = slices.DeleteFunc(e.kicks, func(k Kicked) bool { return k.Seat == s })
	if p.joined {
		e.pending = append(e.pending, change{p: p, gone: true, why: why})
		return
	}
	// It never got as far as Sim.Join: the sim hears of neither.
	for i := range e.pending {
		if e.pending[i].p == p {
			e.pending = append(e.pending[:i], e.pending[i+1:]...)
			return
		}
	}
}

// SetLost notes that a player's connection is gone, or is back.
func (e *Engine) SetLost(s Seat, lost bool) {
	if p := e.seat(s); p != nil {
		if e.recording() {
			e.recorder.Lost(s, lost)
		}
		p.lost, p.lostFor = lost, 0
	}
}

// Player is the player that sits on s, nil if there is none.
func (e *Engine) Player(s Seat) *Player { return e.seat(s) }

// Request passes a player's own call to the game. Out is valid until the next call of any method of Engine.
func (e *Engine) Request(s Seat, op uint16, in []byte) (status uint16, out []byte) {
	if e.requester == nil {
		return protocol.ReplyUnsupported, nil
	}
	p := e.seat(s)
	if p == nil || !p.joined || e.over {
		return protocol.ReplyFailed, []byte("not in the match")
	}
	if e.recorder != nil {
		e.recorder.Request(s, op, in)
	}
	was := e.enter("Request")
	out, err := e.requester.Request(&e.tk, p, op, in)
	e.calling = was
	if err != nil {
		text, _ := cutText(err.Error(), protocol.MaxTextBytes)
		return protocol.ReplyFailed, []byte(text)
	}
	if len(out) > protocol.MaxReplyBytes {
		return protocol.ReplyFailed, []byte("the reply is too long")
	}
	return protocol.ReplyOK, out
}

// admit tells the sim who came and who went, in the order of Join and Leave.
func (e *Engine) admit() {
	for i := 0; i < len(e.pending) && !e.over; i++ {
		if c := e.pending[i]; c.gone {
			e.remove(c.p)
			e.calling = "Leave"
			e.sim.Leave(&e.tk, c.p, c.why)
		} else {
			e.insert(c.p)
			e.calling = "Join"
			e.sim.Join(&e.tk, c.p)
		}
	}
	clear(e.pending)
	e.pending = e.pending[:0]
}

// seat is the player that the host has joined to s, or nil.
func (e *Engine) seat(s Seat) *Player {
	if int(s) < len(e.seats) {
		return e.seats[s]
	}
	return nil
}

func (e *Engine) newPlayer(info PlayerInfo) *Player {
	v := reflect.New(e.def.input.typ)
	p := &Player{
		Seat: info.Seat, ID: info.ID, Name: info.Name, Team: info.Team, Data: info.Data, Bot: info.Bot,
		input: v.Interface(), inputVal: v.Elem(), inputPtr: v.UnsafePointer(), status: InputNeutral,
	}
	fields := len(e.def.input.fields)
	if info.Bot {
		was := e.enter("Bot")
		p.bot = e.botter.Bot(mix64(e.match.Seed + uint64(info.Seat)))
		e.calling = was
	} else {
		p.queue.init(fields)
	}
	p.view = View{Seat: info.Seat, Definition: e.def}
	return p
}

func (e *Engine) sit(p *Player) {
	for int(p.Seat) >= len(e.seats) {
		e.seats = append(e.seats, nil)
	}
	e.seats[p.Seat] = p
	e.taken++
}

// insert lets p into Tick.Players, behind the last smaller seat.
func (e *Engine) insert(p *Player) {
	p.joined = true
	i := len(e.players)
	e.players = append(e.players, p)
	for ; i > 0 && e.players[i-1].Seat > p.Seat; i-- {
		e.players[i] = e.players[i-1]
	}
	e.players[i] = p
}

func (e *Engine) remove(p *Player) {
	for i, q := range e.players {
		if q == p {
			last := len(e.players) - 1
			copy(e.players[i:], e.players[i+1:])
			e.players[last] = nil
			e.players = e.players[:last]
			return
		}
	}
}
