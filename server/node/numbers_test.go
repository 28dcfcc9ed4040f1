package node

import (
	"testing"
	"time"
)

// Two lives that begin at the same checkpoint give out different numbers, and both go on behind it.
func TestNumbersBehindARestart(t *testing.T) {
	made := time.Unix(1_800_000_000, 0)
	first := afterRestart(7, made, made.Add(300*time.Millisecond))
	second := afterRestart(7, made, made.Add(320*time.Millisecond))
	if first < 7+seqSkip || second < first+seqSkip {
		t.Errorf("behind 7 the first goes on at %d and the second at %d", first, second)
	}
	if late := afterRestart(7, made, made.Add(-time.Second)); late != 7+seqSkip {
		t.Errorf("with a clock that was set back it goes on at %d", late)
	}
	if year := afterRestart(7, made, made.AddDate(1, 0, 0)); year >= 1<<53 {
		t.Errorf("after a year JSON's numbers no longer hold %d", year)
	}
}
