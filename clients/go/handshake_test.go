package client_test

import (
	"errors"
	"strings"
	"testing"

	client "skirmish/clients/go"
)

func TestHandshakeAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(good string) string
		status int
		want   string // part of the reason; empty: accepted
	}{
		{"proper", func(s string) string { return s }, 0, ""},
		{"several tokens", func(s string) string {
			return strings.Replace(s, "Connection: Upgrade", "connection: keep-alive, UPGRADE", 1)
		}, 0, ""},
		{"refused with a sentence", func(string) string {
			return "HTTP/1.1 400 Bad Request\r\nContent-Length: 22\r\nConnection: close\r\n\r\nno sub-protocol here.\nmore"
		}, 400, "no sub-protocol here."},
		{"full, chunked", func(string) string {
			return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfull\r\n0\r\n\r\n"
		}, 503, "full"},
		{"refused without a body", func(string) string { return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" }, 404, "Not Found"},
		{"not HTTP", func(string) string { return "SSH-2.0-x\r\n\r\n" }, 0, "not HTTP"},
		{"endless head", func(string) string { return "HTTP/1.1 101 X\r\nA: " + strings.Repeat("a", 9000) }, 0, "8 KiB"},
		{"endless body", func(string) string {
			return "HTTP/1.1 400 Bad\r\nContent-Length: 9999999999999\r\n\r\n" + strings.Repeat("a", 9000)
		}, 400, "Bad Request"},
		{"foreign key", func(s string) string { return strings.Replace(s, "Accept: ", "Accept: x", 1) }, 0, "Accept"},
		{"no upgrade", func(s string) string { return strings.Replace(s, "Upgrade: websocket", "Upgrade: h2c", 1) }, 0, "upgrade"},
		{"no connection", func(s string) string { return strings.Replace(s, "Connection: Upgrade", "Connection: close", 1) }, 0, "Connection"},
		{"other sub-protocol", func(s string) string { return strings.Replace(s, "skirmish.v1", "skirmish.v9", 1) }, 0, "skirmish.v1"},
		{"extension", func(s string) string {
			return strings.Replace(s, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1)
		}, 0, "extension"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{1, 3, 1 << 16} {
				s := client.NewSession(client.Config{Host: "h", Token: "t"})
				p := []byte(c.answer(string(accept(t, s))))
				err := feedErr(s, p, n, func(client.Signal) {})
				if c.want == "" {
					if err != nil || len(s.Out()) == 0 {
						t.Fatalf("in pieces of %d: %v", n, err)
					}
					continue
				}
				e, _ := errors.AsType[*client.RefusedError](err)
				if e == nil || e.Status != c.status || !strings.Contains(e.Reason, c.want) {
					t.Errorf("in pieces of %d: %v, want %d %q", n, err, c.status, c.want)
				}
			}
		})
	}
	t.Run("body to the end of the stream", func(t *testing.T) {
		s := client.NewSession(client.Config{Token: "t"})
		if err := feedErr(s, []byte("HTTP/1.1 426 Upgrade Required\r\n\r\nuse version 13"), 5, nil); err != nil {
			t.Fatal(err)
		}
		if e, _ := errors.AsType[*client.RefusedError](s.End(nil)); e == nil || e.Status != 426 || e.Reason != "use version 13" {
			t.Errorf("%+v", e)
		}
	})
}
