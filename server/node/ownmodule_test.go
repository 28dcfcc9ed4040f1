package node_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
)

// The tutorial's game, in a module of its own outside of this tree, builds, serves and is played.
func TestOwnGameInAnOwnModule(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The files of the tutorial: pong's own, and the main that game/README.md shows.
	for _, name := range []string{"pong.go", "spec.go", "bot.go"} {
		src, err := os.ReadFile(filepath.Join(root, "game/pong", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), regexp.MustCompile(`(?m)^package pong$`).ReplaceAll(src, []byte("package main")))
	}
	readme, err := os.ReadFile(filepath.Join(root, "game/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	main := regexp.MustCompile("(?s)`main.go`, all of it:\n\n```go\n(.*?)```").FindSubmatch(readme)
	if main == nil {
		t.Fatal("game/README.md shows no main.go")
	}
	if lines := strings.Count(string(main[1]), "\n"); lines > 10 {
		t.Fatalf("the main of an own game has %d lines, at most 10 are promised", lines)
	}
	write(t, filepath.Join(dir, "main.go"), main[1])
	write(t, filepath.Join(dir, "go.mod"), []byte("module example.com/mygame\n\ngo 1.26\n\nrequire skirmish v0.0.0\n\nreplace skirmish => "+root+"\n"))
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), sums)

	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", "mygame", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), filepath.Join(dir, "mygame"), "--dev", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"))
	stdout, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	run.Stderr = &logged
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	page := ""
	for lines := bufio.NewScanner(stdout); page == "" && lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "Play:"); ok {
			page = strings.TrimSpace(url)
		}
	}
	if page == "" {
		t.Fatalf("no page was printed; the log says\n%s", logged.String())
	}
	playPong(t, page)

	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v\n%s", err, logged.String())
	}
}

// playPong gets a seat by quick play and moves its paddle against a bot.
func playPong(t *testing.T, page string) {
	t.Helper()
	res, err := http.Post(page+"v1/quickplay", "application/json", strings.NewReader(`{"game":"pong","name":"Ann"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	var seat api.QuickPlay
	if err := json.Unmarshal(body, &seat); err != nil || seat.Token == "" {
		t.Fatalf("quick play: %s", body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, seat.URL, client.Options{Token: seat.Token})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	paddle, ok := client.KindIndex(c.Plan(), "paddle")
	if !ok {
		t.Fatalf("the plan has no paddle: %+v", c.Plan().Kinds)
	}
	kind := &c.Plan().Kinds[paddle]
	at := func() (y float64, ok bool) {
		var s protocol.State
		if !c.State(&s) {
			return 0, false
		}
		for i, k := range s.Rows.Kinds {
			if seatOf, _ := client.Value(kind, s.Rows.Row(i), "seat"); k == paddle && uint16(seatOf) == seat.Seat {
				return client.Value(kind, s.Rows.Row(i), "y")
			}
		}
		return 0, false
	}
	until(t, "an own paddle", func() bool { _, ok := at(); return ok })
	from, _ := at()
	until(t, "the paddle follows its player", func() bool {
		c.SendFields(map[string]float64{"move": 1})
		y, ok := at()
		return ok && y > from+20
	})
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
