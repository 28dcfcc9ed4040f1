package arena

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden traces anew")

// golden holds traces of the movement for ports to repeat (testdata/movement.json).
type golden struct {
	About  string        `json:"about"`
	Traces []goldenTrace `json:"traces"`
}

type goldenTrace struct {
	Rate   int        `json:"rate"`
	Width  int32      `json:"width"`
	Height int32      `json:"height"`
	Walls  [][4]int32 `json:"walls"`
	Start  [6]int32   `json:"start"`
	// Runs: ticks, ax, ay, aim, buttons, overdrive at the beginning (−1: as it is), then the body at the end: x,
	// y, vx, vy, dash, overdrive, and the CRC-32 (IEEE) of all its steps, each x, y, vx, vy, dash, overdrive,
	// impact as int32 LE.
	Runs [][13]int64 `json:"runs"`
}

const goldenAbout = "Movement of one ship, to be repeated to the bit. Body and start: x, y, vx, vy, dash, overdrive. " +
	"A run: ticks, ax, ay, aim, buttons, overdrive to begin with (-1: keep), then the body at its end and the " +
	"CRC-32 (IEEE) over x, y, vx, vy, dash, overdrive, impact (int32 little endian each) of all its steps."

// makeTrace plays random inputs in a random layout.
func makeTrace(rate, steps int, seed uint64) goldenTrace {
	r := rand.New(rand.NewPCG(seed, 77))
	var l Layout
	l.Build(seed, 4)
	g := goldenTrace{Rate: rate, Width: l.Width, Height: l.Height}
	for _, w := range l.Walls {
		g.Walls = append(g.Walls, [4]int32{w.X, w.Y, w.W, w.H})
	}
	at := l.Spawns[r.IntN(len(l.Spawns))]
	b := Body{X: at.X, Y: at.Y}
	g.Start = [6]int32{b.X, b.Y}
	for n := 0; n < steps; {
		run := [13]int64{1 + int64(r.IntN(max(rate*2/3, 2))), int64(r.IntN(255) - 127), int64(r.IntN(255) - 127),
			int64(r.IntN(fullTurn)), 0, -1}
		switch r.IntN(6) {
		case 0:
			run[1], run[2] = 0, 0
		case 1, 2:
			run[1], run[2] = run[1]/127*127, run[2]/127*127
		case 3:
			run[4] = ButtonDash
		}
		if r.IntN(12) == 0 {
			run[5] = int64(r.IntN(3 * rate))
		}
		g.Runs = append(g.Runs, run)
		n += int(run[0])
	}
	return g
}

// play fills in what the movement makes of the runs.
func (g *goldenTrace) play(fault func(step int, b Body)) {
	c := NewConfig(g.Rate)
	var walls []Rect
	for _, w := range g.Walls {
		walls = append(walls, Rect{w[0], w[1], w[2], w[3]})
	}
	b := Body{g.Start[0], g.Start[1], g.Start[2], g.Start[3], g.Start[4], g.Start[5]}
	step := 0
	for i := range g.Runs {
		run := &g.Runs[i]
		if run[5] >= 0 {
			b.Overdrive = int32(run[5])
		}
		in := Input{AX: int8(run[1]), AY: int8(run[2]), Aim: uint16(run[3]), Buttons: uint8(run[4])}
		var bytes []byte
		for range run[0] {
			impact := c.Move(&b, in, walls, g.Width, g.Height)
			for _, v := range [...]int32{b.X, b.Y, b.VX, b.VY, b.Dash, b.Overdrive, impact} {
				bytes = binary.LittleEndian.AppendUint32(bytes, uint32(v))
			}
			fault(step, b)
			step++
		}
		copy(run[6:], []int64{int64(b.X), int64(b.Y), int64(b.VX), int64(b.VY), int64(b.Dash), int64(b.Overdrive),
			int64(crc32.ChecksumIEEE(bytes))})
	}
}

func TestGoldenMovement(t *testing.T) {
	path := filepath.Join("testdata", "movement.json")
	if *update {
		g := golden{About: goldenAbout}
		for i, rate := range []int{60, 60, 20, 30, 120, 10} {
			trace := makeTrace(rate, 2200, uint64(i+1))
			trace.play(func(int, Body) {})
			g.Traces = append(g.Traces, trace)
		}
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), `],[`, "],\n[")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for n := range g.Traces {
		want := append([][13]int64(nil), g.Traces[n].Runs...)
		trace := &g.Traces[n]
		hits, fast, dashes := 0, 0, 0
		c := NewConfig(trace.Rate)
		trace.play(func(_ int, b Body) {
			steps++
			if c.Dashing(&b) {
				dashes++
			}
			if length(b.VX, b.VY) >= c.Cap-Unit {
				fast++
			}
			for _, w := range trace.Walls {
				px, py := min(max(b.X, w[0]), w[0]+w[2]), min(max(b.Y, w[1]), w[1]+w[3])
				if length(b.X-px, b.Y-py) <= radius+1 {
					hits++
				}
			}
		})
		for i := range want {
			if trace.Runs[i] != want[i] {
				t.Fatalf("trace %d, run %d: %v, want %v", n, i, trace.Runs[i], want[i])
			}
		}
		if hits == 0 || fast == 0 || dashes == 0 {
			t.Errorf("trace %d at %d Hz: %d steps at a wall, %d at the cap, %d in a dash: want some of each",
				n, trace.Rate, hits, fast, dashes)
		}
	}
	if steps < 10_000 {
		t.Errorf("%d steps", steps)
	}
}
