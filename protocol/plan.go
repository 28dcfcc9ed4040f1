package protocol

// Plan is the replication plan of a game: what its rows, inputs and events are made of. It travels in the
// welcome, so any client decodes any game: [[kind …], input, private | nil, [event …]].
type Plan struct {
	Kinds   []Kind // row kinds; a row's kind byte indexes them
	Input   Kind
	Private *Kind // what only a player itself is told, nil if the game has none
	Events  []Kind
}

// Kind is a named list of fields: [name, [field …]].
type Kind struct {
	Name   string
	Fields []Field
}

// FieldType is how a client shows a field's wire value.
type FieldType uint8

const (
	FieldInt  FieldType = 0
	FieldBool FieldType = 1 // 0 or 1
	FieldText FieldType = 2 // events only: a string of at most Max bytes
)

// Interp is the hint for drawing between two snapshots.
type Interp uint8

const (
	InterpStep   Interp = 0 // jumps
	InterpLinear Interp = 1
	InterpAngle  Interp = 2 // linear on the shorter way round; the field wraps
)

// Field is one value: [name, type, min, max, scale, interp, wrap]. On the wire a value is an integer in
// [Min, Max]; in the game's unit it is the value divided by Scale. A difference of a wrapping field is
// taken on the shorter way round a circle of Max−Min+1 values.
type Field struct {
	Name     string
	Type     FieldType
	Min, Max int32
	Scale    uint32 // 1 and up
	Interp   Interp
	Wrap     bool
}
