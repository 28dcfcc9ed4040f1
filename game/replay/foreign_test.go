package replay_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"skirmish/game"
	"skirmish/game/pong"
	"skirmish/game/replay"
)

var update = flag.Bool("update", false, "write the golden file anew")

const golden = "testdata/pong.replay"

func pongDefinition(t testing.TB) *game.Definition {
	d, err := game.Compile(pong.Game{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pongStream is a short recording with everything in it.
func pongStream(t testing.TB) []byte {
	d := pongDefinition(t)
	e, err := game.NewEngine(t.Context(), d, d.NewMatch("golden", 5, nil))
	if err != nil {
		t.Fatal(err)
	}
	w := replay.NewWriter(e, replay.Options{Began: began, HashEvery: 20})
	e.Record(w)
	for s := range game.Seat(2) {
		if err := e.Join(game.PlayerInfo{Seat: s + 1, ID: "p", Name: "P", Bot: s == 1}); err != nil {
			t.Fatal(err)
		}
	}
	fields := len(d.Plan.Input.Fields)
	var stream []byte
	for tick := range uint32(60) {
		n := 1 + int(tick%3)
		in := inputMessage{FirstSeq: 3*tick + 1, Count: n, Values: make([]int32, n*fields)}
		in.Values[0] = 1 - int32(tick/7%3)
		if _, err := e.Push(1, &in, 0); err != nil {
			t.Fatal(err)
		}
		e.Request(1, 3, []byte("request"))
		e.Signal("op", []byte("{}")) //nolint:errcheck // pong has none
		e.SetLost(1, tick%9 == 8)
		e.Tick(began)
		if tick%20 == 10 {
			if err := w.Checkpoint([]byte("host")); err != nil {
				t.Fatal(err)
			}
		}
		if tick%4 == 0 {
			stream = w.Cut(stream)
		}
	}
	e.Leave(2, game.ReasonLeft)
	e.Stop(game.ReasonTimeout)
	e.Tick(began)
	w.End()
	return w.Cut(stream)
}

// TestGolden: recordings of before are read for ever, and today's are the same bytes.
func TestGolden(t *testing.T) {
	stream := pongStream(t)
	if *update {
		if err := os.WriteFile(golden, stream, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.FromSlash(golden))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stream, want) {
		t.Errorf("the recording has changed: %d bytes, the golden file has %d", len(stream), len(want))
	}
	p := play(t, want, pongDefinition(t))
	end(t, p)
	s, err := p.Recording().Summary()
	if err != nil {
		t.Fatal(err)
	}
	if s.Ticks != 60 || s.Inputs == 0 || s.Thoughts == 0 || len(s.Joins) != 2 || s.Checkpoints != 3 || s.PlayerTicks != 120 {
		t.Errorf("summary: %+v", s)
	}
}

// TestTornTail: cut anywhere behind its head, a recording is good up to the last whole chunk, and says so.
func TestTornTail(t *testing.T) {
	stream, d := pongStream(t), pongDefinition(t)
	whole := map[int]bool{}
	for n := range stream {
		r, err := replay.Read(bytes.Clone(stream[:n]))
		if err != nil {
			if !errors.Is(err, replay.ErrForeign) || len(whole) > 0 {
				t.Fatalf("%d of %d bytes: %v", n, len(stream), err)
			}
			continue
		}
		if whole[r.Bytes] && !r.Torn {
			t.Fatalf("%d of %d bytes: not torn", n, len(stream))
		}
		if whole[r.Bytes] {
			continue
		}
		whole[r.Bytes] = true
		if r.Torn || r.Bytes != n {
			t.Fatalf("%d bytes are whole, it is read as %d, torn %v", n, r.Bytes, r.Torn)
		}
		p, err := r.Play(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		end(t, p)
	}
	if len(whole) < 15 {
		t.Errorf("%d chunks", len(whole))
	}
	// Rot in the last chunk is a torn tail as well.
	rotten := bytes.Clone(stream)
	rotten[len(rotten)-6] ^= 1
	if r := read(t, rotten); !r.Torn || r.End != nil {
		t.Error("rot was not noticed")
	}
}

// seal puts a chunk's length and checksum around a payload.
func seal(kind byte, payload []byte) []byte {
	b := append(binary.AppendUvarint([]byte{kind}, uint64(len(payload))), payload...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func TestForeign(t *testing.T) {
	stream := pongStream(t)
	head := stream[:bytes.IndexByte(stream[1:], 'T')+1]
	for ; ; head = stream[:len(head)+1] { // to the end of the head's chunk
		if r, err := replay.Read(bytes.Clone(head)); err == nil && !r.Torn {
			break
		}
	}
	with := func(chunks ...[]byte) []byte { return append(bytes.Clone(head), bytes.Join(chunks, nil)...) }
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, replay.ErrForeign},
		{"a text", []byte("hello, world, this is a text"), replay.ErrForeign},
		{"zeros", make([]byte, 1000), replay.ErrForeign},
		{"another head", seal('H', []byte("something else")), replay.ErrForeign},
		{"no head", seal('T', []byte{0, 1, 0, 0}), replay.ErrForeign},
		{"a newer one", seal('H', []byte("skirmish\x02what is here, nobody knows")), replay.ErrFormat},
		{"half a head", seal('H', []byte("skirmish\x01\x04name")), replay.ErrCorrupt},
		{"another kind of chunk", with(seal('X', nil)), replay.ErrCorrupt},
		{"two heads", append(bytes.Clone(head), head...), replay.ErrCorrupt},
		{"more behind the end", with(seal('E', []byte{0, 1, 'x', 0}), seal('T', []byte{0})), replay.ErrCorrupt},
		{"a giant chunk", with([]byte{'T', 0xff, 0xff, 0xff, 0xff, 0x7f}), replay.ErrCorrupt},
		{"a length without end", with([]byte{'T', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), replay.ErrCorrupt},
	} {
		if _, err := replay.Read(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, ops := range map[string][]byte{
		"an unknown operation":  {0, 0x3f},
		"a step cut off":        {0, 1, 0},
		"an input of nobody":    {0, 0x9e, 5},
		"a thought of nobody":   {0, 0x50, 5},
		"a mask of no field":    {0, 0x8e, 1, 0x7f},
		"a tick that is missed": {9, 1, 0, 0},
	} {
		p := play(t, with(seal('T', ops)), pongDefinition(t))
		if err := p.Step(); !errors.Is(err, replay.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := play(t, with(seal('C', append([]byte{0, 4}, "what\x00"...))), pongDefinition(t))
	if err := p.Seek(0); err == nil {
		err = p.From(0)
		if !errors.Is(err, replay.ErrCorrupt) {
			t.Errorf("a broken checkpoint: %v", err)
		}
	}
	if _, err := read(t, bytes.Clone(stream)).Play(t.Context(), arenaDefinition(t)); !errors.Is(err, replay.ErrGame) {
		t.Errorf("pong played as arena: %v", err)
	}
}

// FuzzRecording: whatever the bytes are, they are read or refused.
func FuzzRecording(f *testing.F) {
	stream, d := pongStream(f), pongDefinition(f)
	f.Add(stream)
	f.Add(stream[:200])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := replay.Read(resealed(b))
		if err != nil {
			return
		}
		r.Summary() //nolint:errcheck // what it finds is not the question
		p, err := r.Play(t.Context(), d)
		if err != nil {
			return
		}
		for range 200 {
			if p.Step() != nil {
				break
			}
		}
		for i := range r.Checkpoints() {
			if p.From(i) == nil {
				p.Step() //nolint:errcheck // the same
			}
		}
	})
}

// resealed is b with the checksums put right, so that mutants get past them.
func resealed(b []byte) []byte {
	b = bytes.Clone(b)
	for rest := b; len(rest) > 1; {
		n, w := binary.Uvarint(rest[1:])
		if w <= 0 || n > uint64(len(rest)) || 1+w+int(n)+4 > len(rest) {
			break
		}
		end := 1 + w + int(n)
		binary.LittleEndian.PutUint32(rest[end:], crc32.Checksum(rest[:end], crc32.MakeTable(crc32.Castagnoli)))
		rest = rest[end+4:]
	}
	return b
}

// TestPacked: it is the same recording, and one whose file breaks off is good up to there.
func TestPacked(t *testing.T) {
	stream, d := pongStream(t), pongDefinition(t)
	var packed bytes.Buffer
	if err := replay.Pack(&packed, stream); err != nil {
		t.Fatal(err)
	}
	p := play(t, packed.Bytes(), d)
	end(t, p)
	if c := p.Checks(); c.Digests != 60 || p.Recording().End == nil || p.Recording().Torn || c.Checkpoints != 0 {
		t.Errorf("%+v, end %v", c, p.Recording().End)
	}
	r := read(t, packed.Bytes()[:packed.Len()/2])
	s, err := r.Summary()
	if err != nil || !r.Torn || r.End != nil || s.Ticks == 0 || s.Ticks >= 60 {
		t.Errorf("half of it: torn %v, %+v, %v", r.Torn, s, err)
	}
}
