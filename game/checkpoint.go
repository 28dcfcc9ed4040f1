package game

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// checkpointer is the scratch of Hash and SaveState. It is large and seldom wanted, so engines share them.
type checkpointer struct {
	raw, whole bytes.Buffer
	enc        *msgpack.Encoder // into raw
	wrap       *msgpack.Encoder // into whole
	sorted     []byte
}

var checkpointers = sync.Pool{New: func() any {
	c := new(checkpointer)
	c.enc, c.wrap = msgpack.NewEncoder(&c.raw), msgpack.NewEncoder(&c.whole)
	c.enc.UseCompactInts(true)
	return c
}}

// saved is a checkpoint: what a fresh engine of the same match needs to go on.
type saved struct {
	Match   string
	Game    string
	Version string
	Tick    uint32
	Rand    []byte
	Events  uint32        // number of the last one; the events themselves are not kept
	Players []savedPlayer // whom the sim knows in seat order, then whom it is to hear of
	Pending []savedChange
	Kicks   []Kicked
	Past    []savedMoment // what Rewind looks into
	Sim     msgpack.RawMessage
}

type savedPlayer struct {
	Seat     Seat
	ID, Name string
	Team     int
	Data     json.RawMessage
	Bot      bool
	Joined   bool // the sim knows it
	Seated   bool // it has not left
	Lost     bool
	LostFor  int
	Since    uint32
	Late     uint64
	Newest   uint32
	Ack      uint32
	Last     []int32
	Sight    sight
	SightAt  uint32
	Queue    []savedInput
}

type savedChange struct {
	Player int // its place in saved.Players
	Gone   bool
	Why    Reason
}

type savedInput struct {
	Seq    uint32
	Values []int32
	Sight  sight
}

// Hash is a digest of the simulation's state and of the random source: equal on every machine for equal seeds,
// parameters and inputs. It panics if the state cannot be encoded.
func (e *Engine) Hash() uint64 {
	c := checkpointers.Get().(*checkpointer)
	defer checkpointers.Put(c)
	state := e.simBytes(c)
	random, _ := e.rand.MarshalBinary()
	h := fnv.New64a()
	var tick [4]byte
	binary.LittleEndian.PutUint32(tick[:], e.tick)
	h.Write(tick[:])
	h.Write(random)
	h.Write(state)
	return h.Sum64()
}

// simBytes is the state of the sim as msgpack, its maps sorted by their keys, in c; valid until c's next use.
func (e *Engine) simBytes(c *checkpointer) []byte {
	c.raw.Reset()
	if err := c.enc.Encode(e.sim); err != nil {
		panic(fmt.Errorf("game: the state of %T cannot be saved: %w", e.sim, err))
	}
	c.sorted, _ = appendSorted(c.sorted[:0], c.raw.Bytes())
	return c.sorted
}

// SaveState is a checkpoint of the match between two ticks: the simulation, the random source, the players and
// their waiting inputs. Frames, events, the minds of bots and when an input arrived are not in it. It changes nothing,
// and equal matches have equal checkpoints.
func (e *Engine) SaveState() ([]byte, error) {
	if e.over {
		return nil, ErrEnded
	}
	c := checkpointers.Get().(*checkpointer)
	defer checkpointers.Put(c)
	random, _ := e.rand.MarshalBinary()
	s := saved{Match: e.match.ID, Game: e.def.Spec.Name, Version: e.def.Spec.Version, Tick: e.tick, Rand: random,
		Events: e.events.last, Kicks: e.kicks, Past: e.history.save(), Sim: e.simBytes(c)}
	players := slices.Clone(e.players)
	for i := range e.pending {
		c := &e.pending[i]
		if !c.gone {
			players = append(players, c.p)
		}
		s.Pending = append(s.Pending, savedChange{Player: slices.Index(players, c.p), Gone: c.gone, Why: c.why})
	}
	for _, p := range players {
		s.Players = append(s.Players, e.savePlayer(p))
	}
	c.whole.Reset()
	if err := c.wrap.Encode(&s); err != nil {
		return nil, fmt.Errorf("game: save: %w", err)
	}
	return bytes.Clone(c.whole.Bytes()), nil
}

func (e *Engine) savePlayer(p *Player) savedPlayer {
	q := &p.queue
	s := savedPlayer{Seat: p.Seat, ID: p.ID, Name: p.Name, Team: p.Team, Data: p.Data, Bot: p.Bot, Joined: p.joined,
		Seated: e.seat(p.Seat) == p, Lost: p.lost, LostFor: p.lostFor, Since: p.since, Late: p.late, Newest: q.newest, Ack: q.ack, Last: q.last,
		Sight: q.sight, SightAt: p.sightTick}
	for i := range q.count {
		w := &q.slots[q.at(i)]
		s.Queue = append(s.Queue, savedInput{Seq: w.seq, Values: q.of(i), Sight: w.sight})
	}
	return s
}

// LoadState brings a fresh engine, made for the same match, to a checkpoint. After an error the engine is of
// no use.
func (e *Engine) LoadState(b []byte) error {
	if e.tick != 0 || e.taken != 0 {
		return fmt.Errorf("%w: the engine is not fresh", ErrState)
	}
	var s saved
	if !shallow(b) {
		return fmt.Errorf("%w: it is no msgpack, or nested too deeply", ErrState)
	}
	if err := msgpack.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if s.Match != e.match.ID || s.Game != e.def.Spec.Name {
		return fmt.Errorf("%w: it is of match %q of %q", ErrState, s.Match, s.Game)
	}
	if !e.def.Accepts(s.Version) {
		return fmt.Errorf("%w: it is of version %q, and %q does not restore that", ErrState, s.Version, e.def.Spec.Version)
	}
	if err := e.rand.UnmarshalBinary(s.Rand); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if err := e.loadSim(s.Sim); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if !e.history.load(s.Past, e.def.Plan) {
		return fmt.Errorf("%w: its past does not fit the plan", ErrState)
	}
	e.tick, e.events.last, e.events.first, e.kicks = s.Tick, s.Events, s.Events+1, s.Kicks
	if l := e.delayed; l != nil {
		l.seq, l.events.last, l.events.first = s.Events, s.Events, s.Events+1
	}
	players := make([]*Player, 0, len(s.Players))
	for i := range s.Players {
		p, err := e.loadPlayer(&s.Players[i])
		if err != nil {
			return fmt.Errorf("%w: seat %d: %w", ErrState, s.Players[i].Seat, err)
		}
		players = append(players, p)
	}
	for _, c := range s.Pending {
		if c.Player < 0 || c.Player >= len(players) || players[c.Player].joined != c.Gone {
			return fmt.Errorf("%w: nobody is on the way in or out", ErrState)
		}
		e.pending = append(e.pending, change{p: players[c.Player], gone: c.Gone, why: c.Why})
	}
	return nil
}

func (e *Engine) loadSim(b []byte) error {
	if !shallow(b) {
		return errors.New("its state is no msgpack, or nested too deeply")
	}
	clearExported(reflect.ValueOf(e.sim).Elem())
	d := msgpack.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields(true)
	return d.Decode(e.sim)
}

func (e *Engine) loadPlayer(s *savedPlayer) (*Player, error) {
	if s.Seat == 0 || s.Seated && e.seat(s.Seat) != nil {
		return nil, ErrSeatTaken
	}
	if s.Bot && e.botter == nil {
		return nil, ErrNoBots
	}
	p := e.newPlayer(PlayerInfo{Seat: s.Seat, ID: s.ID, Name: s.Name, Team: s.Team, Data: s.Data, Bot: s.Bot})
	p.lost, p.lostFor, p.since, p.late = s.Lost, s.LostFor, s.Since, s.Late
	q := &p.queue
	for i := range s.Queue {
		if len(s.Queue[i].Values) != q.fields || i == InputQueue {
			return nil, ErrInput
		}
		q.push(s.Queue[i].Seq, s.Queue[i].Values, arrivedUnknown, s.Queue[i].Sight)
	}
	if len(s.Last) != len(q.last) {
		return nil, ErrInput
	}
	copy(q.last, s.Last)
	q.newest, q.ack = s.Newest, s.Ack
	q.sight, p.sightTick = s.Sight, s.SightAt
	if s.Seated {
		e.sit(p)
	}
	if s.Joined {
		e.insert(p)
	}
	return p, nil
}

// clearExported zeroes what a checkpoint brings, so that nothing New made shows through: msgpack fills maps up
// and re-uses what pointers point to. Unexported fields, which New made and no checkpoint holds, stay.
func clearExported(v reflect.Value) {
	for i := range v.NumField() {
		t := v.Type().Field(i)
		embedded := t.Anonymous && t.Type.Kind() == reflect.Struct // its exported fields are promoted
		if (t.IsExported() || embedded) && t.Tag.Get("msgpack") != "-" {
			clearValue(v.Field(i))
		}
	}
}

func clearValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		clearExported(v)
	case reflect.Array:
		for i := range v.Len() {
			clearValue(v.Index(i))
		}
	default:
		v.SetZero()
	}
}
