package wsconn_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"skirmish/server/wsconn"
)

// twinHandshake: what we take for a web socket is one for net/http as well (its target aside, which there must be a
// flawless URL), and our answer is the library's. The library gets a plain request with the same key, because it
// knows no lists.
func twinHandshake(t *testing.T, head []byte) {
	t.Helper()
	_, behind, _ := bytes.Cut(head, []byte("\r\n"))
	theirs, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader("GET / HTTP/1.1\r\n"), bytes.NewReader(behind))))
	if err != nil {
		t.Fatalf("net/http does not take it: %v", err)
	}
	var h wsconn.Handshake
	if done, err := h.Feed(head); !done || err != nil {
		t.Fatal(done, err)
	}
	r := h.Request()
	if theirs.Host != r.Host || theirs.Header.Get("Origin") != r.Origin || theirs.ContentLength > 0 {
		t.Fatalf("net/http reads %+v, we %+v", theirs, r)
	}
	var answer bytes.Buffer
	if _, err := ws.Upgrade(readWriter{strings.NewReader(with("Sec-WebSocket-Key: " + r.Key)), &answer}); err != nil {
		t.Fatalf("the library does not take it: %v", err)
	}
	want, err := http.ReadResponse(bufio.NewReader(&answer), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wsconn.AppendUpgrade(nil, r, ""))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != want.StatusCode || !reflect.DeepEqual(got.Header, want.Header) {
		t.Fatalf("answer %d %v, the library's %d %v", got.StatusCode, got.Header, want.StatusCode, want.Header)
	}
}

type readWriter struct {
	r io.Reader
	w io.Writer
}

func (rw readWriter) Read(p []byte) (int, error)  { return rw.r.Read(p) }
func (rw readWriter) Write(p []byte) (int, error) { return rw.w.Write(p) }

func TestHandshakeAgainstTheLibrary(t *testing.T) {
	for _, c := range handshakes() {
		if c.status == 0 {
			t.Run(c.name, func(t *testing.T) { twinHandshake(t, []byte(c.head)) })
		}
	}
}

// TestFramesAgainstTheLibrary: our frames are the bytes of the library, at every length where their form changes.
func TestFramesAgainstTheLibrary(t *testing.T) {
	for op, code := range map[wsconn.Op]ws.OpCode{wsconn.OpText: ws.OpText, wsconn.OpBinary: ws.OpBinary, wsconn.OpPing: ws.OpPing, wsconn.OpPong: ws.OpPong} {
		for _, n := range []int{0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 1000, 65534, 65535, 65536, 65537, 70000} {
			if op >= wsconn.OpPing && n > 125 {
				continue
			}
			payload := make([]byte, n)
			for i := range payload {
				payload[i] = byte(i * 7)
			}
			want := append([]byte("before"), ws.MustCompileFrame(ws.NewFrame(code, true, payload))...)
			if got := wsconn.AppendFrame([]byte("before"), op, payload); !bytes.Equal(got, want) {
				t.Errorf("op %d, %d bytes: %.40x, want %.40x", op, n, got, want)
			}
		}
	}
	for _, reason := range []string{"", "match over", string(bytes.Repeat([]byte("x"), 123))} {
		want := ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(4000, reason)))
		if got := wsconn.AppendClose(nil, 4000, reason); !bytes.Equal(got, want) {
			t.Errorf("close %q: %x, want %x", reason, got, want)
		}
	}
}

func TestLongControlFramePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a ping of 126 bytes was made")
		}
	}()
	wsconn.AppendFrame(nil, wsconn.OpPing, make([]byte, 126))
}
