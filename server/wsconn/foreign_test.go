package wsconn_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"skirmish/server/wsconn"
)

// serve echoes on conn until the client closes or errs.
func serve(conn net.Conn) error {
	defer conn.Close()
	var h wsconn.Handshake
	p := make([]byte, 1000)
	for {
		n, err := conn.Read(p)
		if err != nil {
			return err
		}
		if done, err := h.Feed(p[:n]); err != nil {
			return err
		} else if done {
			break
		}
	}
	if _, err := conn.Write(wsconn.AppendUpgrade(nil, h.Request(), "skirmish.v1")); err != nil {
		return err
	}
	var r wsconn.Reader
	r.Init(wsconn.ReaderLimits{MessageBytes: 1 << 20, Fragments: -1, Text: true})
	for rest := h.Rest(); ; {
		m, behind, err := r.Next(rest)
		rest = behind
		switch {
		case err != nil:
			return err
		case m.Op == wsconn.OpNone:
			n, err := conn.Read(p)
			if err != nil {
				return err
			}
			rest = p[:n]
			continue
		case m.Op == wsconn.OpClose:
			_, err := conn.Write(wsconn.AppendClose(nil, m.Code, string(m.Payload)))
			return err
		case m.Op == wsconn.OpPing:
			m.Op = wsconn.OpPong
		}
		if _, err := conn.Write(wsconn.AppendFrame(nil, m.Op, m.Payload)); err != nil {
			return err
		}
	}
}

// TestForeignClient: gorilla's client on the other end of a pipe.
func TestForeignClient(t *testing.T) {
	end, other := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- serve(other) }()
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return end, nil }, Subprotocols: []string{"skirmish.v1"}, WriteBufferSize: 128}
	c, answer, err := dialer.Dial("ws://example.com/play", nil)
	if err != nil {
		t.Fatal(err, answer)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if c.Subprotocol() != "skirmish.v1" {
		t.Errorf("sub-protocol %q", c.Subprotocol())
	}
	var wg sync.WaitGroup
	pongs := 0
	c.SetPongHandler(func(s string) error {
		if s != "are you there" {
			return fmt.Errorf("pong %q", s)
		}
		pongs++
		return nil
	})
	for i, size := range []int{0, 1, 125, 126, 127, 1000, 65535, 65536, 300000} {
		for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
			payload := bytes.Repeat([]byte("κ"), size)[:size/2*2]
			wg.Go(func() {
				_ = c.WriteControl(websocket.PingMessage, []byte("are you there"), time.Time{})
				_ = c.WriteMessage(kind, payload) // in fragments of the small write buffer
			})
			got, p, err := c.ReadMessage()
			wg.Wait()
			if err != nil || got != kind || !bytes.Equal(p, payload) {
				t.Fatalf("%d bytes, kind %d: kind %d, %d bytes, %v", size, kind, got, len(p), err)
			}
			if pongs != 2*i+kind {
				t.Fatalf("%d pongs", pongs)
			}
		}
	}
	go func() {
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, strings.Repeat("x", 123)), time.Time{})
	}()
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 4001) {
		t.Errorf("close: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("the server's end: %v", err)
	}
}
