package api_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"skirmish/server/api"
)

// listen serves a handler on loopback until the test ends.
func listen(t *testing.T, h http.Handler) (*http.Server, string) {
	t.Helper()
	s := api.NewServer(h, log.New(io.Discard, "", 0))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() { s.Close(); <-done })
	return s, l.Addr().String()
}

// raw sends bytes and returns the status line.
func raw(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		return err.Error()
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

func TestServerHasItsLimits(t *testing.T) {
	s, addr := listen(t, admin(&fake{}))
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 10*time.Second || s.WriteTimeout != 10*time.Second || s.IdleTimeout == 0 {
		t.Errorf("%+v", s)
	}
	head := "GET /livez HTTP/1.1\r\nHost: " + addr + "\r\n"
	pad := func(total int) string {
		return head + "X: " + strings.Repeat("x", total-len(head)-len("X: \r\n\r\n")) + "\r\n\r\n"
	}
	for story, c := range map[string]struct{ text, want string }{
		"in order":         {head + "\r\n", "HTTP/1.1 200 OK"},
		"a head of 16 KiB": {pad(api.MaxHeadBytes), "HTTP/1.1 200 OK"},
		"a larger head":    {pad(2 * api.MaxHeadBytes), "HTTP/1.1 431 Request Header Fields Too Large"},
		"413 at once":      {"POST /v1/matches HTTP/1.1\r\nHost: " + addr + "\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n\r\n", "HTTP/1.1 413 Request Entity Too Large"},
		"HTTP/2 preface":   {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 Bad Request"},
	} {
		if got := raw(t, addr, c.text); got != c.want {
			t.Errorf("%s: %s", story, got)
		}
	}
}

func TestRefusedBodyIsNotWaitedFor(t *testing.T) {
	_, addr := listen(t, admin(&fake{}, "key"))
	// The body never comes. Without a key nobody waits for it.
	begin := time.Now()
	got := raw(t, addr, fmt.Sprintf("POST /v1/matches HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n", addr))
	if got != "HTTP/1.1 401 Unauthorized" || time.Since(begin) > 2*time.Second {
		t.Errorf("%s after %v", got, time.Since(begin))
	}
}
