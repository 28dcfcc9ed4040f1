package protocol

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// library encodes by vmihailenco/msgpack, the oracle of our own append functions.
func library(t *testing.T, encode func(e *msgpack.Encoder) error) []byte {
	t.Helper()
	var out bytes.Buffer
	e := msgpack.NewEncoder(&out)
	e.UseCompactInts(true)
	if err := encode(e); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAppendMatchesLibrary(t *testing.T) {
	var edges []int64
	for shift := range 63 {
		for by := int64(-2); by <= 2; by++ {
			edges = append(edges, 1<<shift+by, -1<<shift+by)
		}
	}
	for _, v := range append(edges, 0, 1<<32-1, -1<<32, math.MinInt64, math.MaxInt64, -31, -32, -33, 127, 128) {
		if got, want := appendInt(nil, v), library(t, func(e *msgpack.Encoder) error { return e.EncodeInt(v) }); !bytes.Equal(got, want) {
			t.Errorf("int %d: %x, not %x", v, got, want)
		}
		u := uint64(v)
		if got, want := appendUint(nil, u), library(t, func(e *msgpack.Encoder) error { return e.EncodeUint(u) }); !bytes.Equal(got, want) {
			t.Errorf("uint %d: %x, not %x", u, got, want)
		}
	}
	for _, n := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		s := strings.Repeat("x", n)
		if got, want := appendStr(nil, s), library(t, func(e *msgpack.Encoder) error { return e.EncodeString(s) }); !bytes.Equal(got, want) {
			t.Errorf("str of %d bytes: %.8x, not %.8x", n, got, want)
		}
		if got, want := appendBin(nil, []byte(s)), library(t, func(e *msgpack.Encoder) error { return e.EncodeBytes([]byte(s)) }); !bytes.Equal(got, want) {
			t.Errorf("bin of %d bytes: %.8x, not %.8x", n, got, want)
		}
		if got, want := appendArray(nil, n), library(t, func(e *msgpack.Encoder) error { return e.EncodeArrayLen(n) }); !bytes.Equal(got, want) {
			t.Errorf("array of %d: %x, not %x", n, got, want)
		}
	}
}

// TestEndList moves the elements under a head of another size than the room that was left for it.
func TestEndList(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 300, 65535, 65536, 70000} {
		before := []byte("before")
		list := beginList(slices.Clone(before))
		for i := range n {
			list = append(list, byte(i&0x7f))
		}
		list = endList(list, len(before), n)
		want := appendArray(slices.Clone(before), n)
		for i := range n {
			want = append(want, byte(i&0x7f))
		}
		if !bytes.Equal(list, want) {
			t.Errorf("a list of %d: %.20x, not %.20x", n, list, want)
		}
	}
}

func TestShorterWayRound(t *testing.T) {
	for _, f := range []Field{{Min: 0, Max: 255}, {Min: -2, Max: 2}, {Min: 10, Max: 15}, {Min: 7, Max: 7}, {Min: 0, Max: 1}, {Min: -3, Max: -2}} {
		span := f.span()
		for old := f.Min; old <= f.Max; old++ {
			for now := f.Min; now <= f.Max; now++ {
				d := f.shorter(int64(now) - int64(old))
				if 2*d > span || 2*d < -span || 2*d == span || (int64(old)+d-int64(now))%span != 0 {
					t.Errorf("%d … %d: from %d to %d is %d", f.Min, f.Max, old, now, d)
				}
			}
		}
	}
}
