package game

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// everyFormat has a value of each msgpack format, the small and the large ones.
type everyFormat struct {
	Nothing  *int
	Yes      bool
	Ints     []int64
	Uints    []uint64
	F32      float32
	F64      float64
	Texts    []string
	Blobs    [][]byte
	Long     []int8
	Longest  []bool
	ByInt    map[int32]string
	ByText   map[string]map[uint8]bool
	ByPair   map[[2]int16]float64
	When     time.Time
	Embedded struct{ A, B map[string]int }
}

func everything() everyFormat {
	v := everyFormat{
		Yes:  true,
		Ints: []int64{0, -1, -32, -33, -128, -129, -32768, -32769, math.MinInt32, math.MinInt64, math.MaxInt64},
		F32:  1.5, F64: -2.25,
		Uints: []uint64{127, 128, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint64},
		ByInt: map[int32]string{}, ByText: map[string]map[uint8]bool{}, ByPair: map[[2]int16]float64{},
		Long: make([]int8, 20), Longest: make([]bool, 70000),
		When: time.Unix(1, 2).UTC(),
	}
	for _, n := range []int{0, 31, 32, 255, 256, 65535, 65536} {
		v.Texts = append(v.Texts, strings.Repeat("x", n))
		v.Blobs = append(v.Blobs, make([]byte, n))
	}
	for i := range int32(70000) {
		v.ByInt[i*7919%70000-100] = "v"
	}
	for i := range 20 {
		v.ByText[strings.Repeat("k", i)] = map[uint8]bool{uint8(i): true, uint8(200 - i): false}
		v.ByPair[[2]int16{int16(i), int16(-i)}] = float64(i)
	}
	v.Embedded.A = map[string]int{"z": 1, "a": 2, "m": 3}
	return v
}

func TestSortedIsTheSameValue(t *testing.T) {
	want := everything()
	var first []byte
	for range 3 { // Go iterates in another order each time
		raw, err := msgpack.Marshal(&want)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, 0xc0) // what follows is not touched
		sorted, rest := appendSorted([]byte("kept"), raw)
		if !bytes.HasPrefix(sorted, []byte("kept")) || !bytes.Equal(rest, []byte{0xc0}) {
			t.Fatal("the bytes around the value were touched")
		}
		sorted = sorted[4:]
		if first == nil {
			first = sorted
		}
		if !bytes.Equal(sorted, first) {
			t.Fatal("equal values came out as different bytes")
		}
		var got everyFormat
		if err := msgpack.Unmarshal(sorted, &got); err != nil {
			t.Fatal(err)
		}
		got.When = got.When.UTC()
		if !reflect.DeepEqual(got, want) {
			t.Fatal("sorting changed the value")
		}
	}
}
