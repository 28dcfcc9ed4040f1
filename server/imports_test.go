package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// allowed is the import table: what each package of ours may import of ours, outside of its tests. Nobody imports
// upwards: protocol ← game ← server.
var allowed = map[string][]string{
	"protocol":           {},
	"game":               {"protocol"},
	"game/arena":         {"game"},
	"game/pong":          {"game"},
	"game/replay":        {"game", "protocol"},
	"game/gametest":      {"game", "game/replay", "protocol"},
	"server/netpoll":     {},
	"server/wsconn":      {},
	"server/ticket":      {"protocol"},
	"server/metrics":     {"protocol"},
	"server/api":         {},
	"server/api/apitest": {"server/api"}, // for tests
	"server/journal":     {},
	"server/webhook":     {"server/journal"},
	"server/session":     {"protocol", "game", "game/replay", "server/netpoll", "server/wsconn", "server/ticket", "server/metrics"},
	"server/node":        {"protocol", "game", "game/replay", "clients", "server/netpoll", "server/wsconn", "server/ticket", "server/metrics", "server/api", "server/session", "server/journal", "server/webhook"},
	"server/sim/network": {"server/netpoll"},
	"server/sim":         {"protocol", "game", "clients/go", "server/netpoll", "server/ticket", "server/api", "server/session", "server/journal", "server/webhook", "server/node", "server/sim/network"},
	"server":             {"game/arena", "game/pong", "server/node"},
	"clients":            {},
	"clients/go":         {"protocol"},
	"loadtest":           {"protocol", "game", "game/arena", "clients/go"},
	"loadtest/links":     {"protocol", "clients/go"},
}

// confined are the libraries that only some packages may use.
var confined = map[string][]string{
	"github.com/gobwas/ws":              {"server/wsconn", "clients/go"},
	"github.com/vmihailenco/msgpack/v5": {"protocol", "game", "game/gametest", "server/ticket", "server/session"},
	"github.com/rs/zerolog":             {"server/api", "server/session", "server/node", "server/webhook", "server/sim"},
	"github.com/nats-io":                {"server/journal"},
	"github.com/klauspost/compress":     {"game/replay"},
	"github.com/spf13/cobra":            {"server/node", "loadtest"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportTable(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, "skirmish/")
		may, known := allowed[name]
		if !known {
			t.Errorf("%s is not in the import table", name)
			continue
		}
		for _, imp := range p.Imports {
			if of, ours := strings.CutPrefix(imp, "skirmish/"); ours && !slices.Contains(may, of) {
				t.Errorf("%s must not import %s", name, of)
			}
			for lib, users := range confined {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(users, name) {
					t.Errorf("%s must not import %s", name, imp)
				}
			}
		}
	}
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Makefile", "README.md", "clients", "game", "go.mod", "go.sum", "loadtest", "protocol", "server"}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) {
			t.Errorf("the top level holds %s", e.Name())
		}
	}
}

// list asks the go command for every package of the module.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir, _ = filepath.Abs("..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
