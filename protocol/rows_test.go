package protocol_test

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	. "skirmish/protocol"
)

var threeRows = []row{{3, 1, []int32{7, 8, 9}}, {5, 0, nil}, {900, 2, []int32{-1, fullMax}}}

func TestRowsAreWhatWasAppended(t *testing.T) {
	r := table(threeRows...)
	for i, w := range threeRows {
		if r.IDs[i] != w.id || r.Kinds[i] != w.kind || !slices.Equal(r.Row(i), w.values) {
			t.Errorf("row %d is %d of kind %d: %v", i, r.IDs[i], r.Kinds[i], r.Row(i))
		}
	}
	r.Reset()
	if r.Len() != 0 {
		t.Fatal("not empty")
	}
	if values := r.Append(1, 0, 3); !slices.Equal(values, []int32{0, 0, 0}) {
		t.Errorf("a new row over old memory holds %v", values)
	}
}

func TestRowsFind(t *testing.T) {
	r := table(threeRows...)
	for _, c := range []struct {
		id    uint32
		i     int
		found bool
	}{{0, 0, false}, {3, 0, true}, {4, 1, false}, {5, 1, true}, {900, 2, true}, {901, 3, false}} {
		if i, found := r.Find(c.id); i != c.i || found != c.found {
			t.Errorf("id %d: %d %v, not %d %v", c.id, i, found, c.i, c.found)
		}
	}
}

func TestRowsEqual(t *testing.T) {
	r := table(threeRows...)
	other := new(Rows)
	other.CopyFrom(r)
	if !other.Equal(r) {
		t.Fatal("a copy differs")
	}
	for name, change := range map[string]func(){
		"an id":      func() { other.IDs[1]++ },
		"a kind":     func() { other.Kinds[1]++ },
		"a value":    func() { other.Values[4]++ },
		"a row more": func() { other.Append(1000, 0, 0) },
		"none":       other.Reset,
	} {
		other.CopyFrom(r)
		if change(); other.Equal(r) {
			t.Errorf("%s: still equal", name)
		}
	}
}

// TestRowsCRC compares with the sum over one plain buffer, of a table larger than what CRC gathers at once.
func TestRowsCRC(t *testing.T) {
	if got := new(Rows).CRC(); got != 0 {
		t.Errorf("nothing has the sum %#x", got)
	}
	r := new(Rows)
	var plain []byte
	for id := range uint32(500) {
		values := r.Append(id*3, uint8(id%7), int(id%33))
		plain = append(binary.LittleEndian.AppendUint32(plain, id*3), uint8(id%7))
		for i := range values {
			values[i] = int32(id*7919) - int32(i)*1_000_003
			plain = binary.LittleEndian.AppendUint32(plain, uint32(values[i]))
		}
		if got, want := r.CRC(), crc32.ChecksumIEEE(plain); got != want {
			t.Fatalf("%d rows: %#x, not %#x", id+1, got, want)
		}
	}
}
