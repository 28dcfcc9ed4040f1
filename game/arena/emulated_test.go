package arena

import (
	"crypto/sha1"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/wsconn"
)

// emulated is a match in virtual time whose players sit behind links: the real engine, the wire, and the core of
// the Go client with its input clock, prediction and interpolation. Nothing sleeps and no socket is open.
type emulated struct {
	*host
	remotes []*remote
	due     int64 // of the next tick, ns
	at      int64 // ns
	step    int64 // that the time goes on by, ns
}

// remote is one player at the far end of a link.
type remote struct {
	seat    game.Seat
	session client.Session
	picture client.Picture
	predict client.Predictor[Flown]
	flight  *Flight
	view    game.View
	think   func(r *remote, now int64) Input // gives the next input, at the time of its sending
	state   func(r *remote)                  // is told of each state

	rand     *rand.Rand
	rtt      int64 // ns
	jitter   int64 // of either way, ±
	up, down []packet
	reader   wsconn.Reader
	decoder  *protocol.Decoder
	viewer   *game.Viewer
	out      []byte
	pinged   int64
	values   []int32
}

type packet struct {
	at   int64
	data []byte
}

// newEmulated makes a match of so many seats at 60 Hz and 30 snapshots a second.
func newEmulated(t testing.TB, players int, seed uint64, params string) *emulated {
	e := &emulated{host: newHost(t, players, seed, params), step: int64(time.Millisecond) / 2}
	e.at = e.now.UnixNano()
	e.due = e.at
	e.engine.Attach(e)
	return e
}

// connect seats a player behind a link.
func (e *emulated) connect(seat game.Seat, rtt, jitter time.Duration) *remote {
	e.t.Helper()
	if err := e.engine.Join(game.PlayerInfo{Seat: seat, ID: string(rune('A' + seat))}); err != nil {
		e.t.Fatal(err)
	}
	r := &remote{seat: seat, rtt: int64(rtt), jitter: int64(jitter), rand: rand.New(rand.NewPCG(uint64(seat), 5)),
		flight: NewFlight(int(e.sim.tune.Rate)), decoder: protocol.NewDecoder(), viewer: e.engine.NewViewer(seat)}
	r.reader.Init(wsconn.ReaderLimits{MessageBytes: protocol.MaxMessageBytes, Fragments: 4})
	r.predict.Step = func(b *Flown, in []int32) {
		r.flight.Step(b, Input{AX: int8(in[0]), AY: int8(in[1]), Aim: uint16(in[2]), Buttons: uint8(in[3])})
	}
	r.predict.Read = func(*protocol.State) (Flown, uint64, bool) { return r.flight.Look(&r.view) }
	r.predict.Equal = func(told, predicted *Flown) bool { return told.Body == predicted.Body }
	r.predict.Apart = func(from, to *Flown) (dx, dy float64) {
		return float64(to.Body.X - from.Body.X), float64(to.Body.Y - from.Body.Y)
	}
	r.predict.Snap = 100 * Unit
	r.session.Open(client.Config{Host: "h", Token: "mt1.t"})
	_, key, _ := strings.Cut(string(r.session.Out()), "Sec-WebSocket-Key: ")
	key, _, _ = strings.Cut(key, "\r\n")
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: skirmish.v1\r\n\r\n"
	r.session.Feed([]byte(answer), e.at)
	r.session.Wrote(len(r.session.Out()))
	d, m := e.engine.Definition(), e.engine.Match()
	w := protocol.AppendWelcome(nil, &protocol.Welcome{
		Version: protocol.Version, Seat: uint16(seat), TickRate: uint16(m.TickRate), SnapshotRate: uint16(m.SnapshotRate),
		Tick: e.engine.Now(), ServerTime: uint64(e.at / 1000), ResumeToken: "rt1.x",
		Limits:       protocol.Limits{MessageBytes: 4096, InputsPerMessage: 32, InputsPerSecond: 120, SeqAhead: 120},
		TargetLeadMS: uint16(1000 / m.TickRate), Plan: d.Plan, PlanHash: d.PlanHash, MatchID: m.ID, Game: m.Game, GameVersion: "1",
	})
	r.feed(e, wsconn.AppendFrame(nil, wsconn.OpBinary, w), e.at)
	r.picture.Start(&r.session.Welcome)
	e.remotes = append(e.remotes, r)
	return r
}

// way is when something that leaves now arrives: in order, as TCP does.
func (r *remote) way(line []packet, now int64) int64 {
	at := now + r.rtt/2
	if r.jitter > 0 {
		at += r.rand.Int64N(2*r.jitter+1) - r.jitter
	}
	if n := len(line); n > 0 {
		at = max(at, line[n-1].at)
	}
	return max(at, now)
}

// run lets d pass.
func (e *emulated) run(d time.Duration) {
	for end := e.at + int64(d); e.at < end; e.at += e.step {
		if e.at >= e.due {
			e.due += int64(time.Second) / int64(e.sim.tune.Rate)
			e.now = time.Unix(0, e.at)
			e.engine.Tick(e.now)
		}
		for _, r := range e.remotes {
			r.live(e, e.at)
		}
	}
}

// Collect reads what has arrived at the server.
func (e *emulated) Collect(now time.Time) {
	for _, r := range e.remotes {
		for len(r.up) > 0 && r.up[0].at <= now.UnixNano() {
			p := r.up[0]
			r.up = r.up[1:]
			for data := p.data; ; {
				m, rest, err := r.reader.Next(data)
				if err != nil {
					e.t.Fatal(err)
				}
				if m.Op == wsconn.OpNone {
					break
				}
				data = rest
				r.serve(e, m.Payload, p.at)
			}
		}
	}
}

func (r *remote) serve(e *emulated, msg []byte, at int64) {
	kind, err := r.decoder.Begin(msg)
	if err != nil {
		e.t.Fatal(err)
	}
	switch kind {
	case protocol.TypeInput:
		var in protocol.Input
		if err = r.decoder.Input(&in, &e.engine.Definition().Plan.Input); err == nil {
			_, err = e.engine.Push(r.seat, &in, at)
		}
	case protocol.TypePing:
		var p protocol.Ping
		err = r.decoder.Ping(&p)
		r.out = wsconn.AppendFrame(r.out, wsconn.OpBinary, protocol.AppendPong(nil,
			&protocol.Pong{ID: p.ID, T0: p.T0, T1: uint64(at / 1000), T2: uint64(e.at / 1000)}))
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

// Deliver sends what this tick has for everybody.
func (e *emulated) Deliver(now time.Time, frame bool) {
	for _, r := range e.remotes {
		if frame {
			begin := len(r.out)
			r.out = wsconn.BeginFrame(r.out)
			r.out = e.engine.AppendState(r.out, r.viewer)
			r.out = wsconn.EndFrame(r.out, begin, wsconn.OpBinary)
		}
		if len(r.out) > 0 {
			r.down = append(r.down, packet{r.way(r.down, now.UnixNano()), r.out})
			r.out = nil
		}
	}
}

// live is what the player's client does at now.
func (r *remote) live(e *emulated, now int64) {
	for len(r.down) > 0 && r.down[0].at <= now {
		p := r.down[0]
		r.down = r.down[1:]
		r.feed(e, p.data, now)
	}
	if r.session.Stats.States == 0 {
		return
	}
	for at, ok := r.session.Pacer.Due(now); ok; at, ok = r.session.Pacer.Due(now) {
		if r.picture.Draw(now) {
			r.session.SetView(r.picture.Tick, r.picture.Fraction)
		}
		in := Input{}
		if r.think != nil {
			in = r.think(r, now)
		}
		r.values = e.engine.Definition().AppendInput(r.values[:0], &in)
		r.predict.Input(r.session.Input(r.values, at), r.values)
	}
	if now-r.pinged >= int64(time.Second) {
		r.pinged = now
		r.session.Ping(now)
	}
	if out := r.session.Out(); len(out) > 0 {
		r.up = append(r.up, packet{r.way(r.up, now), append([]byte(nil), out...)})
		r.session.Wrote(len(out))
	}
}

func (r *remote) feed(e *emulated, p []byte, now int64) {
	for len(p) > 0 {
		what, rest, err := r.session.Feed(p, now)
		if err != nil {
			e.t.Fatal(err)
		}
		if what == client.SignalState {
			s := &r.session.State
			r.view = game.View{Tick: s.Head.Tick, Seat: r.seat, Definition: e.engine.Definition(), Rows: &s.Rows}
			if s.HasPrivate {
				r.view.Private = s.Private
			}
			r.picture.Push(s, now)
			r.predict.State(s, now)
			if r.state != nil {
				r.state(r)
			}
		}
		p = rest
	}
}
