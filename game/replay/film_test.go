package replay_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"skirmish/game"
	"skirmish/game/replay"
	"skirmish/protocol"
)

// TestFilm: every state and event that a spectator of the match had, readable from any full snapshot on.
func TestFilm(t *testing.T) {
	d := arenaDefinition(t)
	x := newMatch(t, d, 3, 3, replay.Options{})
	spectator, rows := x.NewViewer(0), map[uint32]uint32{}
	events := 0
	var seen protocol.State
	seen.Reset(d.Plan)
	for range 300 {
		x.play(1)
		if err := seen.Apply(x.AppendState(nil, spectator)); err != nil {
			t.Fatal(err)
		}
		rows[x.Now()] = seen.Rows.CRC()
		for {
			_, ok, err := x.NextEvent(spectator)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			events++
		}
		if x.Now() == 200 {
			x.SetLost(1, true)
			x.people = append(x.people[:1], x.people[2:]...)
			x.Leave(2, game.ReasonLeft)
		}
	}
	x.Stop(game.ReasonForce)
	x.w.End()
	x.play(1)
	var film bytes.Buffer
	if err := read(t, x.stream).WriteFilm(t.Context(), &film, d); err != nil {
		t.Fatal(err)
	}
	b, magic := bytes.CutPrefix(film.Bytes(), []byte(replay.FilmMagic))
	if !magic {
		t.Fatal("no magic")
	}
	var got protocol.State
	got.Reset(d.Plan)
	count := map[protocol.Type]int{}
	last := protocol.Type(0)
	for len(b) > 0 {
		n := binary.LittleEndian.Uint32(b)
		msg := b[4 : 4+n]
		b = b[4+n:]
		last = protocol.Type(msg[1])
		if msg[0] == 0xdc { // an array of more than 15
			last = protocol.Type(msg[3])
		}
		count[last]++
		switch last {
		case protocol.TypeSnapshot:
			got.Reset(d.Plan) // it stands alone
			fallthrough
		case protocol.TypeDelta:
			if err := got.Apply(msg); err != nil {
				t.Fatal(err)
			}
			if tick := got.Head.Tick; rows[tick] != got.Rows.CRC() {
				t.Fatalf("tick %d: other rows", tick)
			}
			delete(rows, got.Head.Tick)
		}
	}
	if len(rows) != 0 || count[protocol.TypeSnapshot] != 15 || count[protocol.TypeEvent] != events || events == 0 ||
		count[protocol.TypeRoster] != 2 || count[protocol.TypeWelcome] != 1 || last != protocol.TypeResult {
		t.Errorf("%d states are missing, the messages are %v, events %d", len(rows), count, events)
	}
}
