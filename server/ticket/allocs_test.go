//go:build !race

package ticket_test

import (
	"testing"

	"skirmish/server/ticket"
)

func TestVerifyAllocatesItsStringsAlone(t *testing.T) {
	private, _ := edKey(t, "e")
	for name, r := range map[string]*ticket.Keyring{"HMAC": ring(t, hmacKey(t, "k")), "Ed25519": ring(t, private)} {
		token := sign(t, r, claims())
		const strings = 5 // match, player, id, node, ext
		if n := testing.AllocsPerRun(200, func() { r.Verify(token, now) }); n > strings {
			t.Errorf("%s: a ticket costs %v allocations, want %d", name, n, strings)
		}
		resume := r.SignResume(ticket.Resume{Match: "match-one", Seat: 1})
		if n := testing.AllocsPerRun(200, func() { r.VerifyResume(resume) }); n > 1 {
			t.Errorf("%s: a resume token costs %v allocations, want 1", name, n)
		}
		forged := token[:len(token)-4] + "AAAA"
		limit := 0.0
		if name == "Ed25519" {
			limit = 1 // the error that crypto/ed25519 makes and drops
		}
		if n := testing.AllocsPerRun(200, func() { r.Verify(forged, now) }); n > limit {
			t.Errorf("%s: a forged ticket costs %v allocations", name, n)
		}
	}
}

func TestBurnAllocatesLittle(t *testing.T) {
	var b ticket.Burned
	b.Burn("used", now, now)
	if n := testing.AllocsPerRun(100, func() { b.Burn("used", now, now) }); n > 0 {
		t.Errorf("a used ticket costs %v allocations", n)
	}
}
