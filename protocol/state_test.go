package protocol_test

import (
	"errors"
	"slices"
	"testing"

	. "skirmish/protocol"
)

func TestStateWantsAPlanAndASnapshot(t *testing.T) {
	p := plans["duel"]
	snapshot := appendSnapshot(nil, 10, table(), nil, nil)
	delta := appendDelta(nil, p, 12, table(), table(), nil, nil)
	s := new(State)
	if err := s.Apply(snapshot); !errors.Is(err, ErrMessage) {
		t.Errorf("before the plan: %v", err)
	}
	s.Reset(p)
	if err := s.Apply(delta); err != ErrBaseline {
		t.Errorf("a delta first: %v", err)
	}
	if err := s.Apply(AppendPong(nil, &Pong{})); !errors.Is(err, ErrMessage) {
		t.Errorf("a pong: %v", err)
	}
	if s.Begun() {
		t.Error("begun by nothing")
	}
	for _, msg := range [][]byte{snapshot, delta} {
		if err := s.Apply(msg); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Begun() || s.Head.Tick != 12 {
		t.Errorf("begun %v at tick %d", s.Begun(), s.Head.Tick)
	}
	if err := s.Apply(delta); err != ErrBaseline {
		t.Errorf("the same delta again: %v", err)
	}
}

func TestStateForgets(t *testing.T) {
	p := plans["duel"]
	s := &State{Plan: p}
	msg := AppendSnapshotRows(AppendSnapshotHead(nil, &StateHead{Tick: 10}), table(row{1, 2, []int32{1, 2}}))
	msg = AppendCRC(AppendPrivate(msg, p.Private, nil, []int32{1, 2, 3}), 1, true)
	if err := s.Apply(msg); err != nil || !s.HasPrivate || s.Rows.Len() != 1 {
		t.Fatal(err, s.HasPrivate, s.Rows.Len())
	}
	if s.Sound() {
		t.Error("a wrong checksum is sound")
	}
	s.Reset(p)
	if s.Begun() || s.HasPrivate || s.HasCRC || s.Rows.Len() != 0 || s.Head != (StateHead{}) {
		t.Errorf("it remembers %+v", s)
	}
	if err := s.Apply(appendDelta(nil, p, 12, table(), table(), nil, nil)); err != ErrBaseline {
		t.Errorf("a delta to what was forgotten: %v", err)
	}
}

// TestStateHoldsAsManyRowsAsAllowed crosses the limit by a snapshot, by a new row and by a kept one.
func TestStateHoldsAsManyRowsAsAllowed(t *testing.T) {
	p := plans["edge"]
	empty := func(n int, from uint32) *Rows {
		r := new(Rows)
		for i := range n {
			r.Append(from+uint32(i), 1, 0)
		}
		return r
	}
	full := empty(MaxRows, 1)
	s := &State{Plan: p}
	if err := s.Apply(appendSnapshot(nil, 10, full, nil, nil)); err != nil {
		t.Fatal(err)
	}
	for name, msg := range map[string][]byte{
		"a snapshot":     appendSnapshot(nil, 12, empty(MaxRows+1, 1), nil, nil),
		"a row behind":   appendDelta(nil, p, 12, full, empty(MaxRows+1, 1), nil, nil),
		"a row in front": appendDelta(nil, p, 12, full, empty(MaxRows+1, 0), nil, nil),
	} {
		if err := s.Apply(msg); !errors.Is(err, ErrMessage) {
			t.Errorf("%s too many: %v", name, err)
		}
	}
	if !s.Rows.Equal(full) {
		t.Error("the rows are not what they were")
	}
	if err := s.Apply(appendDelta(nil, p, 12, full, empty(MaxRows, 2), nil, nil)); err != nil {
		t.Errorf("one goes, one comes: %v", err)
	}
}

// TestStateOfManyElements needs array heads of 32 bits, in snapshot and delta.
func TestStateOfManyElements(t *testing.T) {
	p := arenaPlan()
	base, now := ships(9000, 0), ships(9000, 1)
	s := &State{Plan: p}
	snapshot := appendSnapshot(nil, hourOld-2, base, nil, nil)
	if err := s.Apply(snapshot); err != nil || !s.Rows.Equal(base) {
		t.Fatal(err)
	}
	delta := appendDelta(nil, p, hourOld, base, now, nil, nil)
	for i := range now.Values {
		now.Values[i] = min(now.Values[i]+1, 50)
	}
	if err := s.Apply(delta); err != nil || s.Rows.Equal(base) {
		t.Fatal(err)
	}
	all := appendDelta(nil, p, hourOld+2, new(Rows), now, nil, nil)
	s.Reset(p)
	for _, msg := range [][]byte{appendSnapshot(nil, hourOld, new(Rows), nil, nil), all} {
		if err := s.Apply(msg); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Rows.Equal(now) {
		t.Error("the rows differ")
	}
}

func TestServerMessageOverTheLimit(t *testing.T) {
	big := append(appendSnapshot(nil, 1, table(), nil, nil), make([]byte, MaxServerMessageBytes)...)
	if _, err := ServerType(big); err != ErrTooBig {
		t.Errorf("type: %v", err)
	}
	if err := (&State{Plan: plans["duel"]}).Apply(big); err != ErrTooBig {
		t.Errorf("apply: %v", err)
	}
}

// TestStateGoesThereAndBack turns the two tables a few times.
func TestStateGoesThereAndBack(t *testing.T) {
	p := arenaPlan()
	s := &State{Plan: p}
	msgs := append([][]byte{appendSnapshot(nil, hourOld, ships(5, 0), nil, nil)}, roundTrip(p, 5)...)
	for i, moment := range []int32{0, 1, 2, 1, 0} {
		if err := s.Apply(msgs[i]); err != nil {
			t.Fatal(err)
		}
		if want := ships(5, moment); !s.Rows.Equal(want) {
			t.Fatalf("moment %d: %v", moment, s.Rows)
		}
	}
}

// skimAlong holds Skim to Apply: what one takes the other takes, to the same head and own row. Skim may take more, as
// it does not look into rows; then they part.
func skimAlong(t *testing.T, p *Plan, msgs ...[]byte) {
	t.Helper()
	whole, skimmed := &State{Plan: p}, &State{Plan: p}
	for _, msg := range msgs {
		err, also := whole.Apply(msg), skimmed.Skim(msg)
		switch {
		case err == nil && also != nil:
			t.Fatalf("Skim refuses what Apply takes: %v", also)
		case err != nil && also == nil:
			return
		case err != nil:
			continue
		}
		if whole.Head != skimmed.Head || whole.HasPrivate != skimmed.HasPrivate || !slices.Equal(whole.Private, skimmed.Private) {
			t.Fatalf("Skim has %+v %v, Apply %+v %v", skimmed.Head, skimmed.Private, whole.Head, whole.Private)
		}
		if skimmed.Rows.Len() != 0 || skimmed.HasCRC || !skimmed.Sound() {
			t.Fatalf("Skim has %d rows", skimmed.Rows.Len())
		}
	}
}

func TestSkim(t *testing.T) {
	for _, q := range readGolden(t).Sequences {
		var msgs [][]byte
		for _, s := range q.Steps {
			msgs = append(msgs, s.Bytes)
		}
		for _, p := range plans {
			skimAlong(t, p, msgs...)
		}
	}
	p := plans["duel"]
	s := &State{Plan: p}
	snapshot := appendSnapshot(nil, 10, table(), nil, nil)
	delta := appendDelta(nil, p, 12, table(), table(), nil, nil)
	if err := s.Skim(snapshot); err != nil || s.Head.Tick != 10 {
		t.Fatal(err)
	}
	if err := s.Apply(delta); err != ErrBaseline {
		t.Errorf("a delta to rows that were passed over: %v", err)
	}
	if err := s.Skim(delta); err != nil || s.Head.Tick != 12 {
		t.Errorf("%v at tick %d", err, s.Head.Tick)
	}
	if err := s.Apply(snapshot); err != nil {
		t.Error(err)
	}
	if err := s.Apply(delta); err != nil {
		t.Errorf("a delta behind the snapshot: %v", err)
	}
}
