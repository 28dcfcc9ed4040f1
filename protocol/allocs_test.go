//go:build !race

package protocol_test

import (
	"testing"

	. "skirmish/protocol"
)

func allocatesNothing(t *testing.T, name string, f func()) {
	t.Helper()
	f() // grows what is kept
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	p := arenaPlan()
	msg := AppendInput(nil, oneInput, 4)
	d, in := NewDecoder(), new(Input)
	allocatesNothing(t, "decode input", func() {
		if _, err := d.Begin(msg); err != nil {
			t.Fatal(err)
		}
		if err := d.Input(in, &p.Input); err != nil {
			t.Fatal(err)
		}
	})
	ping := AppendPing(nil, &Ping{ID: 7, T0: 1 << 40})
	request := AppendRequest(nil, &Request{ID: 7, Op: 3, Payload: make([]byte, 100)})
	var pg Ping
	var rq Request
	allocatesNothing(t, "decode ping and request", func() {
		d.Begin(ping)
		if err := d.Ping(&pg); err != nil {
			t.Fatal(err)
		}
		d.Begin(request)
		if err := d.Request(&rq); err != nil {
			t.Fatal(err)
		}
	})
	var dst []byte
	allocatesNothing(t, "append input", func() { dst = AppendInput(dst[:0], oneInput, 4) })

	base, now := ships(100, 0), ships(100, 1)
	before, private := []int32{1, 2, 3, 4}, []int32{1, -2, 3, 1 << 30}
	allocatesNothing(t, "append snapshot", func() { dst = appendSnapshot(dst[:0], hourOld, now, p.Private, private) })
	allocatesNothing(t, "append delta", func() { dst = appendDelta(dst[:0], p, hourOld, base, now, before, private) })
	allocatesNothing(t, "crc", func() { now.CRC() })
	kept := new(Rows)
	allocatesNothing(t, "copy, compare, find", func() {
		kept.CopyFrom(now)
		if _, found := kept.Find(50); !found || !kept.Equal(now) {
			t.Fatal("the copy differs")
		}
	})
}

func TestStateAllocatesNothing(t *testing.T) {
	p := arenaPlan()
	few, many := ships(90, 0), ships(100, 1)
	a, b := []int32{1, 2, 3, 4}, []int32{1, -2, 3, 1 << 30}
	msgs := [][]byte{
		appendSnapshot(nil, hourOld, few, p.Private, a),
		appendDelta(nil, p, hourOld+2, few, many, a, b),
		appendDelta(nil, p, hourOld+4, many, few, b, b),
		appendDelta(nil, p, hourOld+6, few, many, b, a),
	}
	s := &State{Plan: p}
	allocatesNothing(t, "apply", func() {
		for _, msg := range msgs {
			if err := s.Apply(msg); err != nil {
				t.Fatal(err)
			}
		}
		if !s.Sound() {
			t.Fatal("the checksum differs")
		}
	})
}

func TestClientAllocatesNothing(t *testing.T) {
	p := plans["duel"]
	event := AppendEvent(nil, p, &Event{Seq: 1, Tick: 2, Values: []Value{{Int: 3}, {Int: 4}}})
	pong := AppendPong(nil, &Pong{ID: 1, T0: 2, T1: 3, T2: 4})
	var e Event
	var pg Pong
	allocatesNothing(t, "decode event and pong", func() {
		if t1, err := ServerType(event); err != nil || t1 != TypeEvent {
			t.Fatal(err)
		}
		if err := DecodeEvent(event, p, &e); err != nil {
			t.Fatal(err)
		}
		if err := DecodePong(pong, &pg); err != nil {
			t.Fatal(err)
		}
	})
}
