package node

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// FuzzConfigFile: whatever stands in a configuration file, it is taken or refused by sentences that begin with the file and,
// where a key is to blame, name it and its line; what is taken can be validated and shown.
func FuzzConfigFile(f *testing.F) {
	f.Add([]byte("addr: :7350\nmax-connections: 10\nallow-origin: [https://a.example, https://b.example]\ntrusted-proxy: 10.0.0.0/8\n"))
	f.Add([]byte("quick-play: yes\nstore-bytes: 16MiB\nmemory-limit: 0\ndrain-timeout: 10m\nlog-level: warn\n"))
	f.Add([]byte("a: &a [*a]\nno-loopback-limits: {x: 1}\n---\n- 1\n"))
	f.Add([]byte("addr: 1\naddr: 2\nconfig: x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > maxConfigBytes {
			return
		}
		var s serveFlags
		flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		s.register(flags)
		inFile, err := fromText("x.yaml", text, flags, map[string]bool{})
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "--config x.yaml") && strings.HasPrefix(err.Error(), line) {
					t.Fatalf("%q: %v", text, err)
				}
			}
			return
		}
		for name := range inFile {
			if f := flags.Lookup(name); f == nil || f.Value.String() == "" && f.Value.Type() == "size" {
				t.Fatalf("%q: %s is set and cannot be shown", text, name)
			}
		}
		// Files that it names are not opened here.
		s.cfg.TicketKeysFile, s.cfg.AdminKeysFile, s.cfg.WebhookSecretsFile, s.cfg.TLSCert, s.cfg.TLSKey = "", "", "", "", ""
		if err := s.cfg.Validate(); err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Fatalf("%q: a fault without a word", text)
		}
	})
}
