package game

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"skirmish/protocol"
)

// Definition is a game made ready: its Spec compiled into the plan that travels to clients and into the
// offsets that read and write its structs. It does not change and is safe from any goroutine.
type Definition struct {
	Game     Game
	Spec     Spec
	Plan     *protocol.Plan
	PlanHash uint32

	input   layout
	kinds   []layout
	private *layout // nil: the game has none
	events  []layout
	rewind  uint32 // bit k: Spec.Rewind names kind k
}

// NewMatch describes a match with the game's defaults, for tests, benchmarks and hosts that fill in the rest.
func (d *Definition) NewMatch(id string, seed uint64, params json.RawMessage) *Match {
	return &Match{ID: id, Game: d.Spec.Name, Seed: seed, Params: params,
		TickRate: d.Spec.TickRate, SnapshotRate: d.Spec.SnapshotRate, Players: d.Spec.DefaultPlayers}
}

// Accepts tells whether this game may go on with a match of that version.
func (d *Definition) Accepts(version string) bool {
	return version == d.Spec.Version || slices.Contains(d.Spec.Restores, version)
}

// NewInput returns a pointer to a zeroed Spec.Input.
func (d *Definition) NewInput() any { return reflect.New(d.input.typ).Interface() }

// AppendInput appends the wire values of in, a pointer to a Spec.Input, each clamped to its range.
func (d *Definition) AppendInput(dst []int32, in any) []int32 {
	d.input.must(in)
	at := len(dst)
	dst = slices.Grow(dst, len(d.input.fields))[:at+len(d.input.fields)]
	d.input.store(dst[at:], pointerOf(in))
	return dst
}

// LoadInput fills in the struct that in, a pointer to a Spec.Input, points to.
func (d *Definition) LoadInput(values []int32, in any) {
	d.input.must(in)
	d.input.load(pointerOf(in), values)
}

// LoadRow fills in the struct that row, a pointer to Spec.Kinds[kind], points to.
func (d *Definition) LoadRow(kind uint8, values []int32, row any) {
	l := &d.kinds[kind]
	l.must(row)
	l.load(pointerOf(row), values)
}

// LoadPrivate fills in the struct that row, a pointer to a Spec.Private, points to.
func (d *Definition) LoadPrivate(values []int32, row any) {
	if d.private == nil {
		panic("game: LoadPrivate, but " + d.Spec.Name + " has no private row")
	}
	d.private.must(row)
	d.private.load(pointerOf(row), values)
}

// LoadEvent fills in the struct that ev, a pointer to Spec.Events[op], points to.
func (d *Definition) LoadEvent(op uint16, values []protocol.Value, ev any) {
	l := &d.events[op]
	l.must(ev)
	l.loadEvent(pointerOf(ev), values)
}

// kindOf finds the row kind of a pointer; −1: it is none.
func kindOf(layouts []layout, typ uintptr, hint int) int {
	if hint < len(layouts) && layouts[hint].ptrWord == typ {
		return hint
	}
	for i := range layouts {
		if layouts[i].ptrWord == typ {
			return i
		}
	}
	return -1
}

// must panics unless v is a pointer to the layout's struct. v must not reach fmt: it would escape to the heap
// at every caller.
func (l *layout) must(v any) {
	if typeWord(v) != l.ptrWord {
		panic(fmt.Sprintf("game: %v where *%v is expected", typeOf(v), l.typ))
	}
	if pointerOf(v) == nil {
		panic(fmt.Sprintf("game: nil *%v", l.typ))
	}
}
