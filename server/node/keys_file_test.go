package node

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// A file of keys that says nothing of use changes nothing, says so once and shows none of it.
func TestUselessKeyFileChangesNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	at := time.Unix(1e9, 0)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second)
		if err := os.Chtimes(name, at, at); err != nil { // clocks of files may be coarse
			t.Fatal(err)
		}
	}
	good, secret := strings.Repeat("ab", 32), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	c := Default()
	c.AdminAddr, c.WebhookURL, c.WebhookSecretID = "0.0.0.0:7351", "https://hooks.example/", "main"
	c.AdminKeysFile, c.TicketKeysFile, c.WebhookSecretsFile = name+"-a", name+"-t", name+"-w"
	base := name
	for ending, text := range map[string]string{"-a": good, "-t": "k1:" + good, "-w": "main:" + secret} {
		name = base + ending
		write(text)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, err := openSecrets(&c, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		ending string
		look   func(bool)
		bad    []string
	}{
		{"-a", s.admin.look, []string{"", "# nothing", "hushhushhush", strings.Repeat("x", maxKeysFile+1)}},
		{"-t", s.tickets.look, []string{"", "nonsense", "k1:hushhushhush", "p:ed25519-public:" + strings.Repeat("00", 32)}},
		{"-w", s.hooks.look, []string{"", "hushhushhush", "main:whsec_hushhushhush", "other:" + secret}},
	} {
		for _, text := range k.bad {
			name = base + k.ending
			write(text)
			log.Reset()
			k.look(false)
			k.look(false)
			if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "the old ones stay") || strings.Contains(said, "hush") || strings.Contains(said, secret[6:]) {
				t.Errorf("%s %.40q: %s", k.ending, text, said)
			}
		}
		os.Remove(name)
		k.look(true)
	}
	if len(s.admin.get()) != 1 || s.tickets.get().String() == "" || !s.hooks.get().Has("main") || s.hooks.get().Has("other") {
		t.Error("the old keys are gone")
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "--admin-keys-file: ") || !strings.Contains(err.Error(), "--ticket-keys-file: ") || !strings.Contains(err.Error(), "--webhook-secrets-file: ") {
		t.Errorf("files that are not there: %v", err)
	}
}
