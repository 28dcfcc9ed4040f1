package protocol_test

import (
	. "skirmish/protocol"
)

// row is a row of the stories below.
type row struct {
	id     uint32
	kind   uint8
	values []int32
}

func table(rows ...row) *Rows {
	r := new(Rows)
	for _, w := range rows {
		copy(r.Append(w.id, w.kind, len(w.values)), w.values)
	}
	return r
}

// step is one state message, made of what the server holds, or of bytes.
type step struct {
	name    string
	full    bool // a snapshot; else a delta against the step before
	head    StateHead
	rows    *Rows
	private []int32
	crc     bool

	form   func([]byte) []byte // if set: what becomes of the bytes
	bytes  []byte              // if set: these instead
	expect string              // refused, baseline: the state stays as it was; "" applied
}

type sequence struct {
	name  string
	plan  string
	steps []step
}

func head(tick, ack uint32, lead int16, flags uint8) StateHead {
	return StateHead{Tick: tick, Ack: ack, LeadMS: lead, Flags: flags}
}

var sequences = []sequence{
	{"a duel", "duel", []step{
		{name: "an empty table", full: true, head: StateHead{Tick: 100, ServerTime: 1795347488123456}, rows: table()},
		{name: "two ships and a wall appear, the private row comes for the first time", head: head(102, 0, 0, FlagInputMissing),
			rows:    table(row{1, 0, []int32{-800, 1600, 0, 100, 1}}, row{2, 0, []int32{800, -1600, 128, 100, 0}}, row{900, 2, []int32{-32768, 32767}}),
			private: []int32{-25600, 0, 0}, crc: true},
		{name: "both move, one turns through zero", head: head(104, 1, 17, 0),
			rows:    table(row{1, 0, []int32{-790, 1590, 250, 100, 1}}, row{2, 0, []int32{800, -1599, 120, 100, 0}}, row{900, 2, []int32{-32768, 32767}}),
			private: []int32{-25280, 320, 0}},
		{name: "a bolt appears between them, a ship is hit, the private row stays as it is", head: head(106, 3, -5, 0),
			rows:    table(row{1, 0, []int32{-780, 1580, 5, 100, 0}}, row{2, 0, []int32{800, -1598, 112, 65, 0}}, row{300, 1, []int32{-700, 1500, 1}}, row{900, 2, []int32{-32768, 32767}}),
			private: []int32{-25280, 320, 0}, crc: true},
		{name: "nothing changed", head: head(108, 5, 0, 0),
			rows:    table(row{1, 0, []int32{-780, 1580, 5, 100, 0}}, row{2, 0, []int32{800, -1598, 112, 65, 0}}, row{300, 1, []int32{-700, 1500, 1}}, row{900, 2, []int32{-32768, 32767}}),
			private: []int32{-25280, 320, 0}},
		{name: "the bolt turns into a wall of the same id, a ship and the old wall go", head: head(110, 7, 200, 0),
			rows:    table(row{1, 0, []int32{-780, 1580, 5, 100, 0}}, row{300, 2, []int32{-700, 1500}}),
			private: []int32{-25280, 320, 600}, crc: true},
		{name: "a delta against a state that was never there", bytes: unhex("9a22" + "70" + "6d" + "00" + "00" + "00" + "90" + "90" + "c0" + "c0"), expect: "baseline"},
		{name: "a delta that names a row that is not there", bytes: unhex("9a22" + "70" + "6e" + "00" + "00" + "00" + "90" + "93070101" + "c0" + "c0"), expect: "refused"},
		{name: "the state is what it was: this delta applies", head: head(112, 8, 0, 0),
			rows: table(row{1, 0, []int32{-779, 1580, 5, 100, 0}}, row{300, 2, []int32{-700, 1500}}), private: []int32{-25280, 320, 600}},
		{name: "a keyframe stands alone", full: true, head: StateHead{Tick: 200, ServerTime: 1795347489790123, Ack: 50, LeadMS: 25},
			rows: table(row{5, 0, []int32{1, 2, 3, 4, 1}}, row{6, 1, []int32{7, 8, 9}}), private: []int32{1, 2, 3}, crc: true},
		{name: "a keyframe without a private row takes it away", full: true, head: StateHead{Tick: 202, ServerTime: 1795347489823456, Ack: 51},
			rows: table(row{5, 0, []int32{1, 2, 3, 4, 1}})},
		{name: "and it may come back in a delta", head: head(204, 52, 1, 0),
			rows: table(row{5, 0, []int32{1, 2, 3, 4, 1}}), private: []int32{fullMax, fullMin, 600}},
		{name: "private differences of 33 bits", head: head(206, 53, 1, 0),
			rows: table(row{5, 0, []int32{1, 2, 3, 4, 1}}), private: []int32{fullMin, fullMax, 600}},
		{name: "everything goes", head: head(208, 54, 1, 0), rows: table(), private: []int32{fullMin, fullMax, 600}, crc: true},
	}},
	{"the extremes", "edge", []step{
		{name: "the lowest and the highest id, a row without values", full: true, head: StateHead{Tick: 1<<32 - 9, ServerTime: 1<<53 - 1, Ack: 1<<32 - 1, LeadMS: -32768, Flags: 255},
			rows: table(row{0, 0, []int32{fullMin, fullMin, -2, 10, 7}}, row{1, 1, nil}, row{1<<32 - 1, 0, []int32{fullMax, fullMax, 2, 15, 7}}), crc: true},
		{name: "from end to end: 33 bits without, one step with wrapping", head: head(1<<32-8, 1<<32-1, 32767, 0),
			rows: table(row{0, 0, []int32{fullMax, fullMax, 2, 15, 7}}, row{1, 1, nil}, row{1<<32 - 1, 0, []int32{fullMin, fullMin, -2, 10, 7}}), crc: true},
		{name: "half-way round: the negative way where both are as long", head: head(1<<32-7, 1<<32-1, 0, 0),
			rows: table(row{0, 0, []int32{0, -1, 0, 12, 7}}, row{1, 1, nil}, row{1<<32 - 1, 0, []int32{-1, 0, 0, 13, 7}})},
		{name: "one less than half-way", head: head(1<<32-6, 1<<32-1, 0, 0),
			rows: table(row{0, 0, []int32{1, fullMax - 1, 2, 14, 7}}, row{1, 1, nil}, row{1<<32 - 1, 0, []int32{fullMax, fullMax, -2, 15, 7}})},
		{name: "the highest id goes, a wide row comes, with the private row of 32 fields", head: head(1<<32-5, 1<<32-1, 0, 0),
			rows: table(row{0, 0, []int32{1, fullMax - 1, 2, 14, 7}}, row{1, 1, nil}, row{2, 2, ramp(0, 1)}), private: ramp(-100, 0)},
		{name: "the first and the last of 32 fields change", head: head(1<<32-4, 1<<32-1, 0, 0),
			rows: table(row{0, 0, []int32{1, fullMax - 1, 2, 14, 7}}, row{1, 1, nil}, row{2, 2, with(ramp(0, 1), 0, 100000, 31, -100)}), private: with(ramp(-100, 0), 31, 100000)},
		{name: "all of 32 fields change, the row without values goes", head: head(1<<32-3, 1<<32-1, 0, 0),
			rows: table(row{0, 0, []int32{1, fullMax - 1, 2, 14, 7}}, row{2, 2, ramp(1000, 7)}), private: ramp(99968, 1), crc: true},
		{name: "it comes back as another kind, and the last tick there is", head: head(1<<32-1, 1<<32-1, 0, 0),
			rows: table(row{0, 1, nil}, row{2, 2, ramp(1000, 7)}, row{3, 1, nil}), private: ramp(99968, 1), crc: true},
	}},
	{"a game of nothing", "bare", []step{
		{name: "a snapshot of nothing", full: true, head: StateHead{Tick: 0}, rows: table(), crc: true},
		{name: "a delta of nothing", head: head(1, 0, 0, 0), rows: table(), crc: true},
	}},
	{"forms that no server of today sends and every client takes", "duel", []step{
		{name: "a snapshot with every integer, string and head as long as can be", form: widen, full: true, head: StateHead{Tick: 1, ServerTime: 5, LeadMS: -1},
			rows: table(row{1, 0, []int32{1, -2, 3, 4, 0}}, row{2, 1, []int32{-1, -300, 70}}), private: []int32{1, -1, 0}, crc: true},
		{name: "a delta like that", form: widen, head: head(2, 1, 255, 0),
			rows: table(row{1, 0, []int32{0, -2, 250, 4, 1}}, row{3, 1, []int32{-1, -300, 70}}), private: []int32{2, -1, 0}, crc: true},
		{name: "a delta with elements of a later version behind its own", form: lengthen, head: head(3, 1, 255, 0),
			rows: table(row{3, 1, []int32{-1, -299, 70}}), private: []int32{2, -1, 0}},
		{name: "a snapshot like that, with flags of a later version", form: lengthen, full: true, head: StateHead{Tick: 4, ServerTime: 6, Flags: 0xfe},
			rows: table(row{3, 1, []int32{-1, -299, 70}})},
		{name: "a difference of 0 changes nothing", bytes: unhex("9a22 05 04 00 00 00 90 94 03 03 00 00 c0 c0"), rows: table(row{3, 1, []int32{-1, -299, 70}}), expect: "applied"},
	}},
}

// ramp is a row of a kind of 32 fields.
func ramp(from, by int32) []int32 {
	values := make([]int32, MaxFields)
	for i := range values {
		values[i] = from + int32(i)*by
	}
	return values
}

// with sets some values: index, value, index, value …
func with(values []int32, pairs ...int32) []int32 {
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return values
}
