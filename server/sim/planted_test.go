package sim_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skirmish/server/sim"
)

var mutants = flag.Bool("mutants", false, "whether TestMutants builds the node with faults in it")

// A disk that confirms what it has not kept is found out.
func TestALyingDiskIsFoundOut(t *testing.T) {
	alone(t)
	for seed := uint64(1); seed <= 100; seed++ {
		if r := play(t, seed, sim.Options{Lies: true}); len(r.Failures) > 0 {
			t.Logf("seed %d: %s", seed, r.Failures[0])
			return
		}
	}
	t.Error("100 seeds have found nothing")
}

// TestMutants plants a fault in the node at a time and lets seeds find it.
func TestMutants(t *testing.T) {
	if !*mutants {
		t.Skip("make soak plays it: it builds the node anew for every fault")
	}
	for _, m := range []struct{ name, file, old, new string }{
		{"a lost seat is given to others", "server/session/ledger.go", "return s.Number == 0 || s.State == protocol.SeatLeft", "return s.Number == 0 || s.State == protocol.SeatLost || s.State == protocol.SeatLeft"},
		{"a ticket is good twice", "server/session/gate.go", "if !g.Burned.Burn(", "if false && !g.Burned.Burn("},
		{"an event is passed over at a resume", "game/events.go", "v.event = min(seq, v.program().last)", "v.event = min(seq+1, v.program().last)"},
		{"everybody hears what is for one", "game/events.go", "s.to == 0 || s.to == v.seat {\n\t\t\treturn", "s != nil {\n\t\t\treturn"},
		{"a tick is dropped", "game/engine.go", "\te.tick++\n", "\te.tick++\n\tif e.tick%97 == 0 {\n\t\te.tick++\n\t}\n"},
	} {
		t.Run(m.name, func(t *testing.T) {
			root, err := filepath.Abs("../..")
			if err != nil {
				t.Fatal(err)
			}
			file, dir := filepath.Join(root, m.file), t.TempDir()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), m.old) != 1 {
				t.Fatalf("%s has %q %d times, not once", m.file, m.old, strings.Count(string(source), m.old))
			}
			changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
			table, _ := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
			for name, b := range map[string][]byte{changed: []byte(strings.Replace(string(source), m.old, m.new, 1)), overlay: table} {
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command("go", "test", "-overlay", overlay, ".", "-run", "TestSeeds$", "-args", "-seeds", "100").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "again: go test") {
				t.Fatalf("100 seeds have found nothing: %v\n%s", err, out)
			}
			_, first, _ := strings.Cut(string(out), "seed ")
			first, _, _ = strings.Cut(first, "\n")
			t.Logf("found by seed %s", first)
		})
	}
}
