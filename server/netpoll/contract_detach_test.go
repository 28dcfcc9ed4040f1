package netpoll_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// oneConn is a listener for net/http that has one connection to give.
type oneConn struct {
	net.Listener
	conns chan net.Conn
}

func (l oneConn) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l oneConn) Close() error   { return nil }
func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// readBefore is a connection of which something has been read already.
type readBefore struct {
	net.Conn
	r io.Reader
}

func (c readBefore) Read(p []byte) (int, error) { return c.r.Read(p) }

func detach(t *table) {
	set := t.newSet()
	cl, c := t.pair(set)
	c.SetOwner(t)
	io.WriteString(cl, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel")
	t.await(set, c, readable)
	n, _, err := c.Read(t.buf[:7])
	t.must(err)
	nc, err := c.Detach()
	t.must(err)
	if c.Owner() != nil {
		t.Error("a detached connection has an owner")
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close afterwards: %v", err)
	}
	if _, _, err := c.Read(t.buf[7:]); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read afterwards: %v", err)
	}
	if err := set.Add(c); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Add afterwards: %v", err)
	}
	t.quiet(set)
	io.WriteString(cl, "lo")

	l := oneConn{conns: make(chan net.Conn, 1)}
	l.conns <- readBefore{nc, io.MultiReader(bytes.NewReader(bytes.Clone(t.buf[:n])), nc)}
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Connection", "close")
		w.Write(append([]byte(r.URL.Path+" "), body...))
	})}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	response, err := http.ReadResponse(bufio.NewReader(cl), nil)
	t.must(err)
	body, err := io.ReadAll(response.Body)
	t.must(err)
	response.Body.Close()
	if response.StatusCode != 200 || string(body) != "/echo hello" {
		t.Errorf("net/http answers %d %q", response.StatusCode, body)
	}
	close(l.conns)
	<-done
	server.Close()
}

func detachMute(t *table) {
	cl, c := t.pair(nil)
	nc, err := c.Detach() // nothing has arrived: whatever reads for c must be ended first
	t.must(err)
	defer nc.Close()
	cl.Write([]byte("later"))
	p := make([]byte, 5)
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(nc, p); err != nil || string(p) != "later" {
		t.Errorf("read %q, %v", p, err)
	}
	nc.Write([]byte("back"))
	if _, err := io.ReadFull(cl, p[:4]); err != nil || string(p[:4]) != "back" {
		t.Errorf("the client reads %q, %v", p, err)
	}
}
