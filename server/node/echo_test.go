package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"skirmish/server/node"
)

// echo starts the echo on a free port of loopback and returns its URL. Messages have 1 MiB at most.
func echo(t *testing.T, driver string) string {
	t.Helper()
	return echoUpTo(t, driver, 1<<20)
}

// echoUpTo is echo with messages of up to most bytes.
func echoUpTo(t *testing.T, driver string, most int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	cfg := node.DefaultEcho()
	cfg.Addr, cfg.Driver, cfg.MaxMessage, cfg.LogLevel = addr, driver, most, zerolog.ErrorLevel
	go func() { done <- node.RunEcho(ctx, cfg) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	until(t, "the echo listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "ws://" + addr + "/"
}

// drivers are those that this system has.
func drivers() []string {
	if runtime.GOOS == "linux" {
		return []string{node.DriverEpoll, node.DriverPortable}
	}
	return []string{node.DriverPortable}
}

func TestEcho(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			url := echo(t, driver)
			conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
				for kind, payload := range map[int][]byte{
					websocket.TextMessage:   []byte(strings.Repeat("ä", size/2) + strings.Repeat("x", size%2)),
					websocket.BinaryMessage: bytes.Repeat([]byte{0xFF}, size),
				} {
					if err := conn.WriteMessage(kind, payload); err != nil {
						t.Fatal(err)
					}
					got, back, err := conn.ReadMessage()
					if err != nil || got != kind || !bytes.Equal(back, payload) {
						t.Fatalf("%d bytes of kind %d came back as %d bytes of kind %d: %v", len(payload), kind, len(back), got, err)
					}
				}
			}
			t.Run("ping", func(t *testing.T) {
				answered := ""
				conn.SetPongHandler(func(data string) error { answered = data; return nil })
				conn.WriteMessage(websocket.PingMessage, []byte("are you there"))
				conn.WriteMessage(websocket.TextMessage, []byte("x"))
				if _, _, err := conn.ReadMessage(); err != nil || answered != "are you there" {
					t.Fatalf("pong %q, %v", answered, err)
				}
			})
			t.Run("close", func(t *testing.T) {
				conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4123, "enough"))
				_, _, err := conn.ReadMessage()
				if !websocket.IsCloseError(err, 4123) {
					t.Fatalf("%v, want the same code back", err)
				}
			})
		})
	}
}

func TestEchoRefusesWithTheRightCode(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			url := echo(t, driver)
			for name, story := range map[string]struct {
				send []byte
				code int
			}{
				"text that is not UTF-8":  {[]byte{0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28}, 1007},
				"a message over the size": {[]byte{0x82, 0xFF, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0}, 1009},
				"no mask":                 {[]byte{0x82, 0x01, 0x00}, 1002},
				"a reserved opcode":       {[]byte{0x83, 0x80, 0, 0, 0, 0}, 1002},
			} {
				t.Run(name, func(t *testing.T) {
					conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if _, err := conn.NetConn().Write(story.send); err != nil {
						t.Fatal(err)
					}
					conn.SetReadDeadline(time.Now().Add(10 * time.Second))
					_, _, err = conn.ReadMessage()
					if ce, ok := errors.AsType[*websocket.CloseError](err); !ok || ce.Code != story.code {
						t.Fatalf("%v, want close %d", err, story.code)
					}
				})
			}
		})
	}
}

// Many clients at once, each with messages in flight before it reads any, lose nothing.
func TestEchoPipelined(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			url := echo(t, driver)
			var wg sync.WaitGroup
			for c := range 20 {
				wg.Go(func() {
					conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					const n = 200
					for i := range n {
						if err := conn.WriteMessage(websocket.BinaryMessage, fmt.Appendf(nil, "%d-%d-%s", c, i, strings.Repeat(".", i*20))); err != nil {
							t.Error(err)
							return
						}
					}
					conn.SetReadDeadline(time.Now().Add(20 * time.Second))
					for i := range n {
						_, b, err := conn.ReadMessage()
						if want := fmt.Sprintf("%d-%d-%s", c, i, strings.Repeat(".", i*20)); err != nil || string(b) != want {
							t.Errorf("message %d of client %d: %v", i, c, err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
