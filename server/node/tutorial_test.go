package node_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"skirmish/server/node"
	"skirmish/server/webhook"
)

// lockedText is what a process prints while a test reads it.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// blocks are the code blocks of a page in one language.
func blocks(page, language string) (out []string) {
	for {
		_, rest, ok := strings.Cut(page, "```"+language+"\n")
		if !ok {
			return out
		}
		code, after, _ := strings.Cut(rest, "```")
		out, page = append(out, code), after
	}
}

// Every command of the tutorial does what the tutorial says.
func TestTutorial(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../api/README.md")
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, func(c *node.Config) { c.WebhookSecrets, _ = webhook.ParseSecrets("main:" + hookSecret) })
	port := freePort(t)
	place := strings.NewReplacer("127.0.0.1:7351", strings.TrimPrefix(r.admin, "http://"), "127.0.0.1:9000", "127.0.0.1:"+port, "listen(9000,", "listen("+port+",")

	file := filepath.Join(t.TempDir(), "sink.mjs")
	if err := os.WriteFile(file, []byte(place.Replace(blocks(string(page), "js")[0])), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink := exec.CommandContext(ctx, "node", file)
	var told lockedText
	sink.Stdout, sink.Stderr = &told, os.Stderr
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); sink.Wait() }()

	commands := blocks(string(page), "sh")
	if !strings.Contains(commands[0], "go run ./server --dev") || !strings.Contains(commands[0], hookSecret) {
		t.Errorf("the first command is %s", commands[0])
	}
	var said strings.Builder
	for _, c := range commands[1:] {
		out, err := exec.CommandContext(t.Context(), "bash", "-e", "-c", place.Replace(c)).CombinedOutput()
		said.Write(out)
		if err != nil || strings.Contains(string(out), `"error"`) {
			t.Errorf("%s\n%v %s", c, err, out)
		}
	}
	for _, want := range []string{`"created":true`, `"token":"mt1.`, `"state":"running"`, `"player_id":"bob"`, `"reason":"force"`, "event: match.ended"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("nothing said %s:\n%s", want, said.String())
		}
	}
	until(t, "the sink has verified and printed the end", func() bool { return strings.Contains(told.String(), "match.ended final\n") })
	if got := told.String(); !strings.HasPrefix(got, "match.created final\nmatch.started final\n") {
		t.Errorf("the sink printed\n%s", got)
	}
}

// freePort is a port of loopback that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
