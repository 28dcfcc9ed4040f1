//go:build !race

package session

import "testing"

func TestInputToSnapshotAllocatesNothing(t *testing.T) {
	d := newDrive(t, 16)
	for range 400 {
		d.step()
	}
	if n := testing.AllocsPerRun(400, d.step); n != 0 {
		t.Fatalf("a tick of 16 players allocates %v times", n)
	}
	for _, p := range d.peers {
		if len(p.c.out) == 0 || p.c.closed || p.s.player == nil {
			t.Fatal("a player got no snapshot")
		}
	}
}
