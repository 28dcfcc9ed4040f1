package protocol_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	. "skirmish/protocol"
)

// gathered is a state's list elements put together row by row, for a viewer that sees all of them.
func gathered(p *Plan, base, now *Rows) []byte {
	var out, row []byte
	var l RowList
	if base != nil {
		out = l.Begin(out)
		for b, id := range base.IDs {
			if i, ok := now.Find(id); !ok || now.Kinds[i] != base.Kinds[b] {
				out = l.Remove(out, id)
			}
		}
		out = l.End(out)
	}
	out = l.Begin(out)
	for i, id := range now.IDs {
		n, b, had := 0, 0, false
		if base != nil {
			b, had = base.Find(id)
			had = had && base.Kinds[b] == now.Kinds[i]
		}
		switch {
		case had:
			if row, n = AppendRowChange(row[:0], &p.Kinds[now.Kinds[i]], base.Row(b), now.Row(i)); n > 0 {
				out = l.Row(out, id, row, n)
			}
		case base != nil:
			row, n = AppendRowValues(row[:0], now.Kinds[i], now.Row(i))
			out = l.New(out, id, row, n)
		default:
			row, n = AppendRowValues(row[:0], now.Kinds[i], now.Row(i))
			out = l.Row(out, id, row, n)
		}
	}
	return l.End(out)
}

// TestRowsOneByOne: put together row by row, a state has the same bytes as all at once.
func TestRowsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		rows := drawRows(t, p)
		base, now := table(rows...), table(drawNext(t, p, rows)...)
		if got, want := gathered(p, nil, now), AppendSnapshotRows(nil, now); !bytes.Equal(got, want) {
			t.Fatalf("snapshot\n% x\n% x", got, want)
		}
		if got, want := gathered(p, base, now), AppendDeltaRows(nil, p, base, now); !bytes.Equal(got, want) {
			t.Fatalf("delta\n% x\n% x", got, want)
		}
	})
}

// TestLongRowsOneByOne: a list of more elements than an array-16 head can count.
func TestLongRowsOneByOne(t *testing.T) {
	p := arenaPlan()
	now := ships(16000, 0)
	if got, want := gathered(p, &Rows{}, now), AppendDeltaRows(nil, p, &Rows{}, now); !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, want %d", len(got), len(want))
	}
}
