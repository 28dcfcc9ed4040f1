package protocol_test

import (
	"fmt"
	"testing"

	. "skirmish/protocol"
)

// arenaPlan is as the bundled game's: a ship of ten fields, four of which change while it flies.
func arenaPlan() *Plan {
	return &Plan{
		Kinds: []Kind{
			{Name: "ship", Fields: []Field{
				linear("x", -32768, 32767, 8), linear("y", -32768, 32767, 8), angle("aim", 0, 255), integer("hp", 0, 100),
				integer("flags", 0, 255), integer("score", -999, 9999), integer("kills", 0, 9999), integer("deaths", 0, 9999),
				integer("team", 0, 255), integer("armor", 0, 50),
			}},
			{Name: "mover", Fields: []Field{linear("x", -32768, 32767, 8), linear("y", -32768, 32767, 8)}},
		},
		Input: Kind{Name: "input", Fields: []Field{
			integer("ax", -127, 127), integer("ay", -127, 127), angle("aim", 0, 65535), integer("buttons", 0, 255),
		}},
		Private: &Kind{Name: "self", Fields: []Field{
			integer("x", fullMin, fullMax), integer("y", fullMin, fullMax), integer("vx", fullMin, fullMax), integer("vy", fullMin, fullMax),
		}},
	}
}

// ships are n ships at a moment: x, y, aim and hp differ from the moment before.
func ships(n int, moment int32) *Rows {
	r := new(Rows)
	for i := range int32(n) {
		step := moment * (i%40 - 20)
		copy(r.Append(uint32(i+1), 0, 10), []int32{1000*i%30000 + step, -700*i%30000 - step, (i*16 + moment*7) & 255, 100 - (moment+i)%90, 1, 120, 7, 3, i & 1, 25})
	}
	return r
}

// movers are n rows of x and y that go by small steps.
func movers(n int, moment int32) *Rows {
	r := new(Rows)
	for i := range int32(n) {
		copy(r.Append(uint32(256+i), 1, 2), []int32{300*i%30000 + moment*(i%23-11), 200*i%30000 - moment*(i%31-15)})
	}
	return r
}

// hourOld is a tick, and a number of an input, of a match that is an hour old.
const hourOld = 216_000

func appendSnapshot(dst []byte, tick uint32, now *Rows, k *Kind, private []int32) []byte {
	h := StateHead{Tick: tick, ServerTime: 1795347488123456, Ack: hourOld, LeadMS: 25}
	dst = AppendSnapshotRows(AppendSnapshotHead(dst, &h), now)
	return AppendCRC(AppendPrivate(dst, k, nil, private), 0, false)
}

func appendDelta(dst []byte, p *Plan, tick uint32, base, now *Rows, before, private []int32) []byte {
	h := StateHead{Tick: tick, BaseTick: tick - 2, Ack: hourOld, LeadMS: 25}
	dst = AppendDeltaRows(AppendDeltaHead(dst, &h), p, base, now)
	return AppendCRC(AppendPrivate(dst, p.Private, before, private), 0, false)
}

// TestSizes holds the promised sizes of a delta, in bytes.
func TestSizes(t *testing.T) {
	p := arenaPlan()
	for _, c := range []struct {
		name      string
		base, now *Rows
		most      int
	}{
		{"10 ships, 4 changing fields", ships(10, 0), ships(10, 1), 85},
		{"100 movers, x and y", movers(100, 0), movers(100, 1), 450},
		{"100 ships, 4 changing fields", ships(100, 0), ships(100, 1), 650},
		{"100 ships, nothing changed", ships(100, 0), ships(100, 0), 25},
	} {
		n := len(appendDelta(nil, p, hourOld, c.base, c.now, nil, nil))
		t.Logf("%s: %d bytes", c.name, n)
		if n > c.most {
			t.Errorf("%s: %d bytes, promised are %d", c.name, n, c.most)
		}
	}
}

// oneInput is what a player sends in each tick.
var oneInput = &Input{BaseTick: hourOld, Fraction: 77, FirstSeq: hourOld + 1, Count: 1, Values: []int32{127, -90, 40_000, 5}}

func BenchmarkDecodeInput(b *testing.B) {
	p, msg := arenaPlan(), AppendInput(nil, oneInput, 4)
	d, in := NewDecoder(), new(Input)
	b.ReportAllocs()
	for b.Loop() {
		if t, err := d.Begin(msg); err != nil || t != TypeInput {
			b.Fatal(err)
		}
		if err := d.Input(in, &p.Input); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendInput(b *testing.B) {
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendInput(dst[:0], oneInput, 4)
	}
}

func eachSize(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range []int{16, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, n) })
	}
}

func BenchmarkAppendSnapshot(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		now := ships(n, 1)
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst = appendSnapshot(dst[:0], hourOld, now, nil, nil)
		}
		b.ReportMetric(float64(len(dst)), "bytes")
	})
}

func BenchmarkAppendDelta(b *testing.B) {
	p := arenaPlan()
	eachSize(b, func(b *testing.B, n int) {
		base, now := ships(n, 0), ships(n, 1)
		var dst []byte
		b.ReportAllocs()
		for b.Loop() {
			dst = appendDelta(dst[:0], p, hourOld, base, now, nil, nil)
		}
		b.ReportMetric(float64(len(dst)), "bytes")
	})
}

func BenchmarkApplySnapshot(b *testing.B) {
	p := arenaPlan()
	eachSize(b, func(b *testing.B, n int) {
		s, msg := &State{Plan: p}, appendSnapshot(nil, hourOld, ships(n, 1), nil, nil)
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Apply(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkApplyDelta applies a delta of rows that all change, over and over: the head says that it starts
// from the state that it leads to.
func BenchmarkApplyDelta(b *testing.B) { benchmarkDelta(b, (*State).Apply) }

// BenchmarkSkimDelta is the same for who wants the head alone.
func BenchmarkSkimDelta(b *testing.B) { benchmarkDelta(b, (*State).Skim) }

// benchmarkDelta has take read a delta over and over.
func benchmarkDelta(b *testing.B, take func(*State, []byte) error) {
	p := arenaPlan()
	eachSize(b, func(b *testing.B, n int) {
		s := &State{Plan: p}
		rounds := roundTrip(p, n)
		if err := take(s, appendSnapshot(nil, hourOld, ships(n, 0), nil, nil)); err != nil {
			b.Fatal(err)
		}
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if i == len(rounds) {
				i, s.Head.Tick = 0, hourOld
			}
			if err := take(s, rounds[i]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

// roundTrip are deltas that lead from ships(n, 0) at hourOld away and back again.
func roundTrip(p *Plan, n int) [][]byte {
	var msgs [][]byte
	moments := []int32{0, 1, 2, 1, 0}
	for i := 1; i < len(moments); i++ {
		msgs = append(msgs, appendDelta(nil, p, hourOld+uint32(2*i), ships(n, moments[i-1]), ships(n, moments[i]), nil, nil))
	}
	return msgs
}

func BenchmarkCRC(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		r := ships(n, 1)
		b.ReportAllocs()
		for b.Loop() {
			r.CRC()
		}
	})
}
