package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skirmish/server/ticket"
)

// Whoever opens the folder again is the same node: its name, its store, and the key of its tickets.
func TestIdentityOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	name, err := nodeID(dir)
	if err != nil || !strings.HasPrefix(name, "n-") {
		t.Fatalf("%q, %v", name, err)
	}
	file, err := ownTicketKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := ticketKeys(file, nil)
	if err != nil || !ring.CanSign() {
		t.Fatal(err)
	}
	token := ring.SignResume(ticket.Resume{Match: "m", Seat: 3, Generation: 7})
	now := time.Now()
	join, err := ring.Sign(&ticket.Claims{Match: "m", Player: "ann", ID: "j", IssuedAt: now.Unix(), Expires: now.Unix() + 60})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := nodeID(dir); err != nil || again != name {
		t.Errorf("the node was %s and is %s, %v", name, again, err)
	}
	if file, err = ownTicketKey(dir); err != nil {
		t.Fatal(err)
	}
	if ring, err = ticketKeys(file, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := ring.VerifyResume(token); err != nil || r.Seat != 3 {
		t.Errorf("a resume token from before: %+v, %v", r, err)
	}
	if _, err := ring.Verify(join, now); err != nil {
		t.Errorf("a ticket from before: %v", err)
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", e.Name(), info.Mode().Perm())
		}
	}
	if len(entries) != 2 {
		t.Errorf("%d files", len(entries))
	}
}

func TestUnreadableIdentityIsNoNewOne(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, nodeIDFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if name, err := nodeID(dir); err == nil {
		t.Errorf("%s is made up", name)
	}
	if err := os.WriteFile(filepath.Join(dir, ticketKeyFile), []byte("k:short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := ownTicketKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ticketKeys(file, nil); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a broken key: %v", err)
	}
}
