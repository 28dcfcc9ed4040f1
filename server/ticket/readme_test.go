package ticket_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skirmish/server/ticket"
)

// The example in the README mints tickets that are good.
func TestExampleOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "```js\n")
	code, _, ok := strings.Cut(code, "```")
	if n := strings.Count(code, "\n"); !ok || n > 24 {
		t.Fatalf("the example has %d lines", n)
	}
	file := filepath.Join(t.TempDir(), "mint.mjs")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	const key = "mm:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	cmd := exec.CommandContext(t.Context(), "node", file, "final-1", "änn")
	cmd.Env = append(os.Environ(), "SKIRMISH_TICKET_KEY="+key)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	keys, err := ticket.ParseKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := ticket.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ring.Verify(strings.TrimSpace(string(out)), time.Now())
	if err != nil || c.Match != "final-1" || c.Player != "änn" || c.Seat != 0 || c.Role != 0 || len(c.ID) != 36 {
		t.Errorf("%+v, %v", c, err)
	}
}
