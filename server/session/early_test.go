package session

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"skirmish/protocol"
	"skirmish/server/wsconn"
)

// taker notes the messages of a lobby, and refuses the one that says so.
type taker struct{ got []string }

func (k *taker) Message(_ *Lobby, _ *Session, m wsconn.Message, _ []byte) (bool, error) {
	k.got = append(k.got, string(m.Payload))
	if string(m.Payload) == "bad" {
		return false, errors.New("a bad hello")
	}
	return false, nil
}

func TestHelloWithTheHandshake(t *testing.T) {
	ask := func(protocols string) []byte {
		return []byte("GET /play HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " + protocols + "\r\n\r\n")
	}
	hello := func(msg string) string {
		return protocol.HelloSubprotocol + base64.RawURLEncoding.EncodeToString([]byte(msg))
	}
	for _, c := range []struct {
		name      string
		protocols string
		want      string // first line of the answer
		got       []string
		closed    bool
	}{
		{"a hello behind the name", "skirmish.v1, " + hello("hi"), "HTTP/1.1 101", []string{"hi", "next"}, false},
		{"a hello in front of it", hello("hi") + ", skirmish.v1", "HTTP/1.1 101", []string{"hi", "next"}, false},
		{"none", "skirmish.v1", "HTTP/1.1 101", []string{"next"}, false},
		{"a hello that is refused", "skirmish.v1, " + hello("bad"), "HTTP/1.1 101", []string{"bad"}, true},
		{"not base64url", "skirmish.v1, skirmish.hello.a~b", "HTTP/1.1 400", nil, true},
		{"padding bits that are not zero", "skirmish.v1, skirmish.hello.aR", "HTTP/1.1 400", nil, true},
		{"empty", "skirmish.v1, skirmish.hello.", "HTTP/1.1 400", nil, true},
		{"a hello alone", hello("hi"), "HTTP/1.1 400", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &taker{}
			h := newHall(t, k, nil)
			conn := h.connect()
			conn.in = appendMasked(ask(c.protocols), 0x82, []byte("next"))
			h.serve()
			out := string(conn.out)
			if !strings.HasPrefix(out, c.want) || strings.Contains(out, protocol.HelloSubprotocol) {
				t.Fatalf("answered %q, want %q and never the hello", out, c.want)
			}
			if strings.Join(k.got, " ") != strings.Join(c.got, " ") {
				t.Fatalf("messages %q, want %q", k.got, c.got)
			}
			h.after(CloseTimeout + time.Millisecond)
			if conn.closed != c.closed {
				t.Fatalf("closed %v, want %v", conn.closed, c.closed)
			}
		})
	}
}
