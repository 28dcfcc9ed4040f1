package client_test

import (
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"skirmish/protocol"
)

// peer is one connection of a foreign server: gorilla's frames, our protocol.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
	d    *protocol.Decoder

	early []byte // a hello that came with the handshake and was not read yet
}

// serve runs script for every connection of a server and returns its URL. The server ends with the test.
func serve(t *testing.T, script func(p *peer)) string {
	t.Helper()
	s := newServer(t, script)
	s.Start()
	return "ws" + strings.TrimPrefix(s.URL, "http") + "/play"
}

// serveTLS is serve behind TLS, with a certificate that only the pool vouches for.
func serveTLS(t *testing.T, script func(p *peer)) (url string, pool *x509.CertPool) {
	t.Helper()
	s := newServer(t, script)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that clients break off
	s.StartTLS()
	pool = x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return "wss" + strings.TrimPrefix(s.URL, "https") + "/play", pool
}

// newServer is a server yet to be started.
func newServer(t *testing.T, script func(p *peer)) *httptest.Server {
	up := websocket.Upgrader{Subprotocols: []string{protocol.Subprotocol}}
	var wg sync.WaitGroup
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1) // before the upgrade: until then the server's Close waits for this handler
		defer wg.Done()
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		p := &peer{t: t, conn: conn, d: protocol.NewDecoder()}
		for _, offered := range websocket.Subprotocols(r) {
			if text, ok := strings.CutPrefix(offered, protocol.HelloSubprotocol); ok {
				p.early, _ = base64.RawURLEncoding.DecodeString(text)
			}
		}
		script(p)
	}))
	t.Cleanup(func() { s.Close(); wg.Wait() })
	return s
}

func (p *peer) send(msg []byte) { p.conn.WriteMessage(websocket.BinaryMessage, msg) }

func (p *peer) close(code int, reason string) {
	p.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
	p.conn.ReadMessage() // the answer
}

// next reads messages up to one of type want, which it leaves in the decoder. False: the connection ended.
func (p *peer) next(want protocol.Type) bool {
	for {
		msg := p.early
		if p.early = nil; msg == nil {
			var err error
			if _, msg, err = p.conn.ReadMessage(); err != nil {
				return false
			}
		}
		got, err := p.d.Begin(msg)
		if err != nil {
			p.t.Errorf("the client sent a malformed message: %v", err)
			return false
		}
		if got == want {
			return true
		}
		if got == protocol.TypePing {
			var m protocol.Ping
			if p.d.Ping(&m) == nil {
				p.send(protocol.AppendPong(nil, &protocol.Pong{ID: m.ID, T0: m.T0, T1: 6_000_000, T2: 6_000_000}))
			}
		}
	}
}

// greet takes the hello and answers with the welcome and a first snapshot.
func (p *peer) greet() (h protocol.Hello) {
	if !p.next(protocol.TypeHello) {
		return
	}
	if err := p.d.Hello(&h); err != nil {
		p.t.Error(err)
	}
	w := welcome()
	w.EventSeq = h.LastEventSeq
	p.send(protocol.AppendWelcome(nil, w))
	p.send(snapshot(101, 0, rows(2, 10)))
	return h
}
