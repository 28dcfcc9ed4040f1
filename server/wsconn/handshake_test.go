package wsconn_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"skirmish/server/wsconn"
)

// good is a flawless request, line by line.
var good = []string{
	"GET /play HTTP/1.1",
	"Host: example.com:7350",
	"Upgrade: websocket",
	"Connection: keep-alive, Upgrade",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	"Sec-WebSocket-Version: 13",
	"Sec-WebSocket-Protocol: skirmish.v2, skirmish.v1",
	"Origin: https://example.com",
}

// with is the good request in which the line that begins like one of these is replaced by it ("Name:" alone
// removes it); a line that begins like none is added.
func with(lines ...string) string {
	head := append([]string(nil), good...)
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ":")
		found := false
		for i, old := range head {
			if i > 0 && strings.HasPrefix(old, name+":") {
				if head[i] = l; value == "" {
					head = append(head[:i], head[i+1:]...)
				}
				found = true
				break
			}
		}
		if !found {
			head = append(head, l)
		}
	}
	return strings.Join(head, "\r\n") + "\r\n\r\n"
}

// also is the good request with further lines.
func also(lines ...string) string {
	return strings.Join(append(append([]string(nil), good...), lines...), "\r\n") + "\r\n\r\n"
}

// asking is the good request with another request line.
func asking(line string) string {
	return line + strings.TrimPrefix(also(), good[0])
}

// padded is the good request with a head of n bytes.
func padded(n int) string {
	return also("X-Padding: " + strings.Repeat("x", n-len(also("X-Padding: "))))
}

func fields(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("X-%d: y", i))
	}
	return lines
}

type handshake struct {
	name   string
	head   string
	status int // 0: a web socket; 200: for the web server
}

func handshakes() []handshake {
	return []handshake{
		{"flawless", also(), 0},
		{"without an origin", with("Origin:"), 0},
		{"without a sub-protocol", with("Sec-WebSocket-Protocol:"), 0},
		{"two Connection lines, one of them right", strings.Replace(also(), "Connection: keep-alive, Upgrade", "Connection: keep-alive\r\nConnection: UPGRADE", 1), 0},
		{"names and tokens in any case", strings.NewReplacer("Upgrade: websocket", "uPGRADE: WebSocket", "Sec-WebSocket", "SEC-websocket", "Host", "hOST").Replace(also()), 0},
		{"several Upgrade tokens", with("Upgrade: h2c, websocket"), 0},
		{"two Upgrade lines", also("Upgrade: h2c"), 0},
		{"two sub-protocol lines", also("Sec-WebSocket-Protocol: chat"), 0},
		{"extensions are passed over", also("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), 0},
		{"tabs around a value", with("Upgrade:\t websocket \t"), 0},
		{"Content-Length 0", also("Content-Length: 0"), 0},
		{"an absolute target", asking("GET http://example.com/play?x=1 HTTP/1.1"), 0},
		{"a query", asking("GET /play?a=b HTTP/1.1"), 0},
		{"bytes above ASCII in a value", also("X-Name: J\xc3\xb6rg"), 0},
		{"Host as an IPv6 address", with("Host: [::1]:7350"), 0},
		{"a head of 8 KiB", padded(8 << 10), 0},
		{"64 lines", also(fields(64 - len(good))...), 0},
		{"a target of 2 KiB", asking("GET /" + strings.Repeat("x", 2047) + " HTTP/1.1"), 0},
		{"16 sub-protocols", with("Sec-WebSocket-Protocol: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"), 0},

		{"a page", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"a page by HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200},
		{"a HEAD", "HEAD /index.html HTTP/1.1\r\nHost: x\r\n\r\n", 200},
		{"a POST with a body", "POST /v1/quickplay HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 200},
		{"a POST in chunks", "POST /v1/quickplay HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 200},
		{"another upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200},

		{"a head of 8 KiB and one", padded(8<<10 + 1), 431},
		{"a head without an end", also()[:200] + strings.Repeat("x", 9000), 431},
		{"65 lines", also(fields(65 - len(good))...), 431},
		{"a page with 65 lines", "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 64) + "\r\n", 431},
		{"a target beyond 2 KiB", asking("GET /" + strings.Repeat("x", 2048) + " HTTP/1.1"), 414},
		{"a line without an end", strings.Repeat("G", 9000), 414},
		{"a long line, ended by LF alone", "GET /" + strings.Repeat("x", 2100) + "\n\n", 414},
		{"a page with a long target", "GET /" + strings.Repeat("x", 3000) + " HTTP/1.1\r\n\r\n", 414},

		{"POST", asking("POST /play HTTP/1.1"), 405},
		{"get", asking("get /play HTTP/1.1"), 405},
		{"HTTP/1.0", asking("GET /play HTTP/1.0"), 505},
		{"HTTP/2.0", asking("GET /play HTTP/2.0"), 505},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"HTTP/1.2", "GET / HTTP/1.2\r\n\r\n", 505},
		{"no version", asking("GET /play"), 400},
		{"a broken version", asking("GET /play HTTP/11"), 400},
		{"another protocol", asking("GET /play SMTP/1.1"), 400},
		{"two spaces", asking("GET  /play HTTP/1.1"), 400},
		{"a space in the target", asking("GET /play it HTTP/1.1"), 400},
		{"a space behind the version", asking("GET /play HTTP/1.1 "), 400},
		{"no method", asking(" /play HTTP/1.1"), 400},
		{"an odd method", asking("G(T /play HTTP/1.1"), 400},
		{"an empty line first", "\r\n" + also(), 400},
		{"bytes above ASCII in the target", asking("GET /pl\xc3\xa4y HTTP/1.1"), 400},
		{"a control character in the target", asking("GET /pl\x00ay HTTP/1.1"), 400},
		{"a fragment in the target", asking("GET /play#x HTTP/1.1"), 400},
		{"an asterisk as target", asking("GET * HTTP/1.1"), 400},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},

		{"no Host", with("Host:"), 400},
		{"an empty Host", with("Host: "), 400},
		{"two Hosts", also("Host: example.com:7350"), 400},
		{"an odd Host", with("Host: a/b"), 400},
		{"no Upgrade, but a key", with("Upgrade:"), 400},
		{"Upgrade to something else, but a key", with("Upgrade: h2c"), 400},
		{"the token inside another", with("Upgrade: websockets"), 400},
		{"no Connection", with("Connection:"), 400},
		{"Connection without the token", with("Connection: keep-alive"), 400},
		{"no version header", with("Sec-WebSocket-Version:"), 426},
		{"version 8", with("Sec-WebSocket-Version: 8"), 426},
		{"version 013", with("Sec-WebSocket-Version: 013"), 426},
		{"version 13, 8", with("Sec-WebSocket-Version: 13, 8"), 426},
		{"two versions", also("Sec-WebSocket-Version: 13"), 400},
		{"no key", with("Sec-WebSocket-Key:"), 400},
		{"an empty key", with("Sec-WebSocket-Key: "), 400},
		{"a short key", with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"), 400},
		{"a long key", with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAAAA=="), 400},
		{"a key of 17 octets", with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA="), 400},
		{"a key that is not base64", with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!=="), 400},
		{"two keys", also("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"a broken sub-protocol", with("Sec-WebSocket-Protocol: a b"), 400},
		{"a sub-protocol twice", with("Sec-WebSocket-Protocol: a, a"), 400},
		{"17 sub-protocols", with("Sec-WebSocket-Protocol: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"), 400},
		{"two origins", also("Origin: https://example.com"), 400},
		{"an empty origin", with("Origin: "), 400},
		{"a body", also("Content-Length: 5"), 400},
		{"two lengths", also("Content-Length: 0", "Content-Length: 0"), 400},
		{"chunks", also("Transfer-Encoding: chunked"), 400},
		{"identity", also("Transfer-Encoding: identity"), 400},

		{"a space before the colon", also("X-Name : x"), 400},
		{"no colon", also("X-Name"), 400},
		{"no name", also(": x"), 400},
		{"a folded line", also("X-Name: x", " y"), 400},
		{"a folded line first", strings.Replace(also(), "Host", " Host", 1), 400},
		{"a bare CR in a value", also("X-Name: a\rb"), 400},
		{"a bare LF as line end", strings.Replace(also(), "\r\nUpgrade", "\nUpgrade", 1), 400},
		{"a bare LF as last line", strings.TrimSuffix(also(), "\r\n") + "\n", 400},
		{"a zero in a value", also("X-Name: a\x00b"), 400},
		{"a DEL in a value", also("X-Name: a\x7fb"), 400},
		{"a page with a bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
	}
}

// outcome is all that a Handshake says.
type outcome struct {
	Done    bool
	Status  int
	Reason  string
	Request wsconn.Request
	Rest    string
}

func shake(t *testing.T, pieces ...[]byte) (o outcome) {
	t.Helper()
	var h wsconn.Handshake
	var rest []byte
	for i, p := range pieces {
		done, err := h.Feed(p)
		if r, ok := errors.AsType[*wsconn.Refusal](err); ok {
			return outcome{Status: r.Status, Reason: r.Reason}
		} else if err != nil {
			t.Fatalf("not a refusal: %v", err)
		}
		if done {
			rest = bytes.Join(pieces[i+1:], nil)
			if !bytes.Equal(append(bytes.Clone(h.Raw()), rest...), bytes.Join(pieces, nil)) {
				t.Fatalf("Raw has lost something: %q", h.Raw())
			}
			o = outcome{Done: true, Request: *h.Request(), Rest: string(h.Rest()) + string(rest)}
			return o
		}
	}
	return o
}

func TestHandshake(t *testing.T) {
	behind := string(client(fin, ws.OpBinary, "pipelined"))
	for _, c := range handshakes() {
		t.Run(c.name, func(t *testing.T) {
			head := []byte(c.head + behind)
			o := shake(t, head)
			switch {
			case c.status == 0 && (!o.Done || !o.Request.Upgrade):
				t.Fatalf("refused: %+v", o)
			case c.status == 200 && (!o.Done || o.Request.Upgrade):
				t.Fatalf("not for the web server: %+v", o)
			case c.status >= 400 && o.Status != c.status:
				t.Fatalf("got %+v, want %d", o, c.status)
			case o.Done && !strings.HasSuffix(o.Rest, behind):
				t.Fatalf("pipelined bytes are lost: %q", o.Rest)
			}
			if got := shake(t, bytes.SplitAfter(head, nil)...); !reflect.DeepEqual(got, o) {
				t.Fatalf("byte by byte: got %+v, want %+v", got, o)
			}
			rnd := rand.New(rand.NewPCG(uint64(len(head)), 3))
			for range 20 {
				if got := shake(t, cutAtRandom(rnd, head)...); !reflect.DeepEqual(got, o) {
					t.Fatalf("cut at random: got %+v, want %+v", got, o)
				}
			}
		})
	}
}

func TestHandshakeTellsTheRequest(t *testing.T) {
	var h wsconn.Handshake
	if done, err := h.Feed([]byte(asking("GET wss://example.com/play?room=1 HTTP/1.1"))); !done || err != nil {
		t.Fatal(done, err)
	}
	r := h.Request()
	want := wsconn.Request{Method: "GET", Target: "wss://example.com/play?room=1", Path: "/play", Query: "room=1",
		Host: "example.com:7350", Origin: "https://example.com", Key: "dGhlIHNhbXBsZSBub25jZQ==",
		Protocols: []string{"skirmish.v2", "skirmish.v1"}, Upgrade: true}
	if !reflect.DeepEqual(*r, want) {
		t.Errorf("got %+v, want %+v", *r, want)
	}
	if !r.Offers("skirmish.v1") || r.Offers("skirmish") {
		t.Error("Offers is wrong")
	}
	if v, ok := h.Field("x-none"); ok || v != "" {
		t.Errorf("a field that is not there: %q", v)
	}
	h = wsconn.Handshake{}
	if done, err := h.Feed([]byte(also("X-Forwarded-For: 192.0.2.1", "x-forwarded-for:\t192.0.2.2 "))); !done || err != nil {
		t.Fatal(done, err)
	}
	if v, ok := h.Field("X-Forwarded-For"); !ok || v != "192.0.2.1, 192.0.2.2" {
		t.Errorf("X-Forwarded-For = %q", v)
	}
}

func TestHandshakeUnfinished(t *testing.T) {
	for i := range len(also()) {
		if o := shake(t, []byte(also()[:i])); o.Done || o.Status != 0 {
			t.Fatalf("%d bytes: %+v", i, o)
		}
	}
}

// TestHandshakeAnswerStays: what comes behind a decision changes nothing and is not kept.
func TestHandshakeAnswerStays(t *testing.T) {
	var h wsconn.Handshake
	_, _ = h.Feed([]byte("GET / HTTP/3.0\r\n"))
	if done, err := h.Feed(make([]byte, 1<<20)); done || err == nil || len(h.Raw()) > 100 {
		t.Error(done, err, len(h.Raw()))
	}
	h = wsconn.Handshake{}
	_, _ = h.Feed([]byte(also()))
	if done, err := h.Feed(make([]byte, 1<<20)); !done || err != nil || len(h.Raw()) != len(also()) {
		t.Error(done, err, len(h.Raw()))
	}
}

func FuzzHandshake(f *testing.F) {
	for _, h := range handshakes() {
		f.Add([]byte(h.head), uint64(len(h.head)))
	}
	f.Fuzz(func(t *testing.T, head []byte, seed uint64) {
		o := shake(t, head)
		if o.Done && (len(o.Request.Target) > wsconn.MaxTargetBytes || len(head)-len(o.Rest) > wsconn.MaxHeadBytes) {
			t.Fatalf("beyond the limits: %+v", o)
		}
		if got := shake(t, cutAtRandom(rand.New(rand.NewPCG(seed, 4)), head)...); !reflect.DeepEqual(got, o) {
			t.Fatalf("cut at random: got %+v, want %+v", got, o)
		}
		if o.Done && o.Request.Upgrade {
			twinHandshake(t, head[:len(head)-len(o.Rest)])
		}
	})
}
