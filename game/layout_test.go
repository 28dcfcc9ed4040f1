package game_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"skirmish/game"
)

// numbers is an input of every form.
type numbers struct {
	I8   int8    `net:"i8"`
	I16  int16   `net:"i16,min=-1000,max=1000"`
	I32  int32   `net:"i32"`
	Pos  int32   `net:"pos,shift=5"`
	U8   uint8   `net:"u8"`
	Skip uint64  `net:"-"`
	U16  uint16  `net:"u16,wrap"`
	U32  uint32  `net:"u32,shift=1"`
	Deg  int16   `net:"deg,min=-180,max=179,wrap,interp=angle"`
	B    bool    `net:"b"`
	F32  float32 `net:"f32,scale=100,min=-10,max=10"`
	F64  float64 `net:"f64,scale=1000"`
	Turn float32 `net:"turn,scale=10,min=0,max=359.9,wrap"`
}

func numbersGame(t testing.TB) *game.Definition {
	d, err := game.Compile(&toy{spec: func(s *game.Spec) { s.Input = numbers{} }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestStoreClamps: what a game writes out of range stays in range, and wrapping fields go round.
func TestStoreClamps(t *testing.T) {
	d := numbersGame(t)
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		in   numbers
		want []int32
	}{
		{"zero", numbers{}, []int32{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"the least", numbers{I8: -128, I16: -1000, I32: math.MinInt32, Pos: math.MinInt32, Deg: -180, F32: -10, F64: -2147483.648},
			[]int32{-128, -1000, math.MinInt32, math.MinInt32 >> 5, 0, 0, 0, -180, 0, -1000, math.MinInt32, 0}},
		{"the most", numbers{I8: 127, I16: 1000, I32: math.MaxInt32, Pos: math.MaxInt32, U8: 255, U16: 65535, U32: math.MaxUint32, Deg: 179, B: true, F32: 10, F64: 2147483.647, Turn: 359.9},
			[]int32{127, 1000, math.MaxInt32, math.MaxInt32 >> 5, 255, 65535, math.MaxInt32, 179, 1, 1000, math.MaxInt32, 3599}},
		{"beyond", numbers{I16: 1001, Deg: 180, F32: 10.006, F64: 1e300, Turn: 360.0},
			[]int32{0, 1000, 0, 0, 0, 0, 0, -180, 0, 1000, math.MaxInt32, 0}},
		{"below", numbers{I16: -32768, Deg: -181, F32: -1e30, F64: -1e300, Turn: -0.1},
			[]int32{0, -1000, 0, 0, 0, 0, 0, 179, 0, -1000, math.MinInt32, 3599}},
		{"a float is rounded half away from zero", numbers{F32: 0.125, F64: -0.0005, Turn: 0.25},
			[]int32{0, 0, 0, 0, 0, 0, 0, 0, 0, 13, -1, 3}},
		{"a shift rounds down", numbers{Pos: -1, U32: 3}, []int32{0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0}},
		{"infinities", numbers{F32: float32(inf), F64: -inf}, []int32{0, 0, 0, 0, 0, 0, 0, 0, 0, 1000, math.MinInt32, 0}},
		{"NaN is nearest to zero", numbers{F32: float32(math.NaN()), F64: math.NaN(), Turn: float32(math.NaN())},
			[]int32{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"what is skipped", numbers{Skip: 7}, []int32{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := d.AppendInput(nil, &c.in); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v\nwant %v", got, c.want)
			}
		})
	}
}

// TestLoadInvertsStore: any values within the ranges come back.
func TestLoadInvertsStore(t *testing.T) {
	d := numbersGame(t)
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]int32, len(d.Plan.Input.Fields))
	for range 10000 {
		for i, f := range d.Plan.Input.Fields {
			values[i] = int32(int64(f.Min) + r.Int64N(int64(f.Max)-int64(f.Min)+1))
		}
		in := &numbers{Skip: 9}
		d.LoadInput(values, in)
		if got := d.AppendInput(nil, in); !reflect.DeepEqual(got, values) {
			t.Fatalf("%v came back as %v from %+v", values, got, in)
		}
		if in.Skip != 9 {
			t.Fatal("a skipped field was touched")
		}
	}
}

// storeByReflection is the stupid twin of the offsets, for the integers of a Mover.
func storeByReflection(row any) []int32 {
	v := reflect.ValueOf(row).Elem()
	return []int32{int32(v.Field(0).Int() >> 5), int32(v.Field(1).Int() >> 5), int32(v.Field(2).Uint() >> 8), int32(min(v.Field(3).Uint(), 100))}
}

func TestStoreAgainstReflection(t *testing.T) {
	var m Mover
	e := newToy(t, &toy{hooks: hooks{frame: func(f *game.Frame) { f.Put(500, &m) }}}, everyTick)
	c := newClient(e, 0)
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		m = Mover{X: int32(r.Uint32()), Y: int32(r.Uint32()), Dir: uint16(r.Uint32()), HP: uint8(r.Uint32())}
		tick(e, 1)
		c.read(t)
		if got, want := c.row(t, 500), storeByReflection(&m); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v is %v, want %v", m, got, want)
		}
	}
}

func TestWrongTypesPanic(t *testing.T) {
	d := numbersGame(t)
	e := newToy(t, &toy{}, nil)
	join(t, e, 1)
	for name, f := range map[string]func(){
		"AppendInput of another struct":  func() { d.AppendInput(nil, &Mover{}) },
		"AppendInput of a value":         func() { d.AppendInput(nil, numbers{}) },
		"AppendInput of nil":             func() { d.AppendInput(nil, nil) },
		"AppendInput of a nil pointer":   func() { d.AppendInput(nil, (*numbers)(nil)) },
		"LoadRow into another kind":      func() { d.LoadRow(0, make([]int32, 4), &Mark{}) },
		"Input of another type":          func() { run(e, func(t *game.Tick) { game.Input[Mover](t, t.Player(1)) }) },
		"Emit of a row":                  func() { run(e, func(t *game.Tick) { t.Emit(nil, &Mover{}) }) },
		"Emit of a nil event":            func() { run(e, func(t *game.Tick) { t.Emit(nil, (*HitEvent)(nil)) }) },
		"Finish with what is not JSON":   func() { run(e, func(t *game.Tick) { t.Finish(func() {}) }) },
		"Finish with too much":           func() { run(e, func(t *game.Tick) { t.Finish(make([]int64, game.MaxResultBytes)) }) },
		"Put of an event":                func() { frame(t, func(f *game.Frame) { f.Put(1, &HitEvent{}) }) },
		"Put of a value":                 func() { frame(t, func(f *game.Frame) { f.Put(1, Mover{}) }) },
		"Put of nil":                     func() { frame(t, func(f *game.Frame) { f.Put(1, nil) }) },
		"Put of a nil pointer":           func() { frame(t, func(f *game.Frame) { f.Put(1, (*Mover)(nil)) }) },
		"Put of the same id in a row":    func() { frame(t, func(f *game.Frame) { f.Put(1, &Mover{}); f.Put(1, &Mark{}) }) },
		"Put of the same id later":       func() { frame(t, func(f *game.Frame) { f.Put(1, &Mark{}); f.Put(2, &Mark{}); f.Put(1, &Mark{}) }) },
		"Put of more rows than the wire": func() { frame(t, func(f *game.Frame) { putMany(f) }) },
		"IntN of nothing":                func() { game.NewRand(1).IntN(0) },
		"UintN of nothing":               func() { game.NewRand(1).UintN(0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func putMany(f *game.Frame) {
	for id := range uint32(20000) {
		f.Put(id, &Mark{})
	}
}

// run lets f act within a request of seat 1.
func run(e *game.Engine, f func(*game.Tick)) {
	tick(e, 1)
	e.Definition().Game.(*toy).hooks.request = func(t *game.Tick, _ *game.Player, _ uint16, _ []byte) ([]byte, error) {
		f(t)
		return nil, nil
	}
	e.Request(1, 0, nil)
}

// frame lets f write a frame.
func frame(t testing.TB, f func(*game.Frame)) {
	tick(newToy(t, &toy{hooks: hooks{frame: f}}, everyTick), 1)
}
