package game_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"skirmish/game"
	"skirmish/protocol"
)

func TestCompile(t *testing.T) {
	d, err := game.Compile(&toy{})
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string, min, max int32) protocol.Field {
		return protocol.Field{Name: name, Min: min, Max: max, Scale: 1}
	}
	x := protocol.Field{Name: "x", Min: math.MinInt32 >> 5, Max: math.MaxInt32 >> 5, Scale: 8, Interp: protocol.InterpLinear}
	y := x
	y.Name = "y"
	flag := field("fire", 0, 1)
	flag.Type = protocol.FieldBool
	text := field("text", 0, 40)
	text.Type = protocol.FieldText
	want := &protocol.Plan{
		Kinds: []protocol.Kind{
			{Name: "mover", Fields: []protocol.Field{x, y,
				{Name: "dir", Max: 255, Scale: 1, Interp: protocol.InterpAngle, Wrap: true}, field("hp", 0, 100)}},
			{Name: "mark", Fields: []protocol.Field{field("kind", 0, 3)}},
		},
		Input:   protocol.Kind{Name: "input", Fields: []protocol.Field{field("dx", -100, 100), field("dy", -100, 100), flag}},
		Private: &protocol.Kind{Name: "self", Fields: []protocol.Field{field("x", math.MinInt32, math.MaxInt32), field("steps", 0, 1000000)}},
		Events: []protocol.Kind{
			{Name: "hit", Fields: []protocol.Field{field("by", 0, math.MaxUint16), field("victim", 0, math.MaxUint16), field("damage", 0, 255)}},
			{Name: "say", Fields: []protocol.Field{field("seat", 0, math.MaxUint16), text}},
		},
	}
	if !reflect.DeepEqual(d.Plan, want) {
		t.Errorf("plan is\n%+v\nwant\n%+v", d.Plan, want)
	}
	if d.PlanHash != want.Hash() {
		t.Error("the hash is of another plan")
	}
}

// One bad struct each; the faults are expected by name, all of them at once.
type (
	badEmpty  struct{}
	badNumber struct {
		N int    `net:"n"`
		S string `net:"s"`
		U uint32 `net:"u"`
		a int8   //lint:ignore U1000 a fault on purpose
		P *int8  `net:"p"`
		D uint32 `net:"-"`
	}
	badTag struct {
		A int8    `net:"a,min=-200"`
		B int8    `net:"b,min=5,max=2"`
		C int8    `net:"c,interp=cubic"`
		D int16   `net:"d,interp=angle"`
		E int32   `net:"e,scale=100,shift=3"`
		F float32 `net:"f,shift=1"`
		G float64 `net:"g,scale=1000000,min=-5000,max=5000"`
		H float64 `net:"h,min=1"`
		I bool    `net:"i,max=1"`
		J int8    `net:"j,colour=red"`
		K int8    `net:"j"`
		L int8    `net:"l,wrap=yes"`
		M int8    `net:"m,max=x"`
		N int8    `net:"n,scale=0"`
		O int8    `net:"o,shift=99"`
		P int8    `net:"this_name_is_longer_than_thirty_two_bytes"`
	}
	badText struct {
		S string `net:"s,max=300"`
		T string `net:"t,wrap"`
	}
	badPlaces struct {
		A int8  `net:"a,pos=x"`
		B int8  `net:"b,pos=x"`
		C bool  `net:"c,pos=y"`
		D uint8 `net:"d,pos=z"`
		E uint8 `net:"e,pos"`
	}
	badScale struct {
		X int32 `net:"x,pos=x"`
		Y int32 `net:"y,pos=y"`
	}
	halfPlace struct {
		X int32 `net:"x,scale=8,pos=x"`
	}
	wide struct {
		A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U, V, W, X, Y, Z, A1, B1, C1, D1, E1, F1, G1 int8
	}
)

func TestCompileTellsAllFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		spec func(*game.Spec)
		want []string
	}{
		{"numbers and names", func(s *game.Spec) {
			*s = game.Spec{Name: "Toy Game", TickRate: 300, SnapshotRate: 7, MaxPlayers: 0, Idle: 9, Input: toyInput{}}
		}, []string{`game "Toy Game": name:`, "version:", "tick rate: 300 Hz", "snapshot rate: 7 Hz", "max players: 0", "default players", "idle: 9"}},
		{"structs", func(s *game.Spec) {
			s.Input, s.Private = 7, badEmpty{}
			s.Kinds = []any{badNumber{}, badTag{}, Mover{}, Mover{}, nil, wide{}}
			s.Events = []any{badText{}, HitEvent{}, HitEvent{}}
		}, []string{
			"input: a struct is expected, not int", "private bad_empty: no fields",
			"kind bad_number, field N: type int is none of", "field S: only events have text fields",
			"field U: its range does not fit", "field a: it is unexported", "field P: type *int8",
			"kind bad_tag, field A: -200 is not a value of its type", "field B: min 5 is greater than max 2",
			"field C: interp=cubic is none of", "field D: interp=angle needs wrap", "field E: scale 100 is not a multiple of 1<<shift, 8",
			"field F: a float takes no shift", "field G: its range times scale", "field H: a float takes both",
			"field I: a bool takes no options", `field J: unknown option "colour=red"`, `field K: a second "j"`, "field L: wrap takes no value",
			"field M: max=x is not a number", "field N: scale=0", "field O: shift=99", "field P: the name",
			`kind 3: a second "mover"`, "kind 4: a struct is expected, not <nil>", "kind wide: 33 fields are more than 32",
			"event bad_text, field S: max of a text", "field T: a text takes no option but max", `event 2: a second "hit"`,
		}},
		{"interest", func(s *game.Spec) {
			s.Kinds = []any{Mark{}, badPlaces{}, badScale{}, Mover{}, halfPlace{}}
			s.Interest = game.Interest{From: 401, Radius: -1, Budget: 9}
			s.Rewind = []any{&Mark{}, HitEvent{}, nil}
		}, []string{
			"kind bad_places, field B: a second pos=x", "field C: a place is a number", "field D: pos=z is none of", "field E: pos is none of",
			"rewind 1: game_test.HitEvent is none of the kinds", "rewind 2: <nil> is none of the kinds", "interest: a negative number",
			"interest: from 401 players, but there are never more than 400",
			"a budget of 9 bytes is not in 64", "kind mover: its places have scale 8 and 8 on the wire, those before it 1",
			"kind half_place: pos=x and pos=y go together",
		}},
		{"a radius without places", func(s *game.Spec) {
			s.Kinds, s.Interest = []any{Mark{}}, game.Interest{Radius: 5}
		}, []string{"interest: a radius, but no kind"}},
		{"a hysteresis alone", func(s *game.Spec) { s.Interest.Hysteresis = 5 }, []string{"a hysteresis without a radius"}},
		{"too far", func(s *game.Spec) { s.Interest = game.Interest{Radius: 1 << 29, Hysteresis: 1} }, []string{"radius and hysteresis are together more than"}},
		{"quick play", func(s *game.Spec) { s.QuickPlay.Bots = 16 }, []string{"quick play: 16 bots leave no seat of 16"}},
		{"counts", func(s *game.Spec) {
			for range 33 {
				s.Kinds = append(s.Kinds, Mover{})
			}
		}, []string{"kinds: 35 are more than 32"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := game.Compile(&toy{spec: c.spec})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("missing: %s", want)
				}
			}
			if t.Failed() {
				t.Logf("got:\n%v", err)
			}
			if lines := strings.Count(err.Error(), "\n") + 1; lines != len(c.want) {
				t.Errorf("%d faults, want %d:\n%v", lines, len(c.want), err)
			}
		})
	}
}

func TestRegistry(t *testing.T) {
	other := &toy{spec: func(s *game.Spec) { s.Name = "chess" }}
	r, err := game.NewRegistry(&toy{}, other)
	if err != nil {
		t.Fatal(err)
	}
	if names := r.Names(); len(names) != 2 || names[0] != "chess" || names[1] != "toy" {
		t.Errorf("names are %v", names)
	}
	if d, ok := r.Lookup("chess"); !ok || d.Game != other {
		t.Error("chess is not there")
	}
	if _, ok := r.Lookup("go"); ok {
		t.Error("go is there")
	}
	_, err = game.NewRegistry(&toy{}, &toy{}, nil, &toy{spec: func(s *game.Spec) { s.Version = "" }})
	for _, want := range []string{`game "toy": registered twice`, "the game is nil", "version:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell: %s", err, want)
		}
	}
}
