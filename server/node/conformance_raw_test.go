package node_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The raw end of a connection: bytes out as the test wants them, and what came back told apart to the last detail.

// Opcodes (RFC 6455, 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// rawPatience is how long a raw connection waits for anything.
const rawPatience = 20 * time.Second

// rawHead asks for a WebSocket; the sub-protocol is the game's, which the echo passes over.
const rawHead = "GET /play HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: skirmish.v1\r\n\r\n"

// rawAccept is the answer to that key, as RFC 6455, 1.3, has it.
const rawAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// rawFrame is a client's frame: first byte as given, masked, length in its shortest form.
func rawFrame(first byte, payload string) []byte {
	return rawFrameMasked(first, payload, [4]byte{0x37, 0xFA, 0x21, 0x3D})
}

func rawFrameMasked(first byte, payload string, mask [4]byte) []byte {
	b := append(rawLength(first, uint64(len(payload))), mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

// rawLength is a masked frame's head as far as the length.
func rawLength(first byte, n uint64) []byte {
	switch {
	case n < 126:
		return []byte{first, 0x80 | byte(n)}
	case n < 65536:
		return []byte{first, 0x80 | 126, byte(n >> 8), byte(n)}
	}
	return binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, n)
}

// rawClose is a Close frame.
func rawClose(code uint16, reason string) []byte {
	return rawFrame(0x80|opClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// rawEnd is how a connection ended.
type rawEnd int

const (
	endedClose   rawEnd = iota // a Close frame, then the end of the stream
	endedSilent                // the end of the stream, and no Close frame
	endedReset                 // RST
	endedTimeout               // not at all
	endedGarbage               // something that is no frame of a server
)

func (e rawEnd) String() string {
	return [...]string{"Close", "a silent drop", "a reset", "no end", "garbage"}[e]
}

// rawMessage is a frame that came back.
type rawMessage struct {
	op      byte
	payload string
}

// rawOutcome is all that came back.
type rawOutcome struct {
	frames []rawMessage // without the Close
	code   int          // of the Close frame; 1005: it had none; 0: there was no Close frame
	reason string
	end    rawEnd
	err    error
}

func (o *rawOutcome) String() string {
	var b strings.Builder
	for i, f := range o.frames {
		if i == 5 {
			fmt.Fprintf(&b, "… %d in all ", len(o.frames))
			break
		}
		fmt.Fprintf(&b, "[%x %d bytes %.20q] ", f.op, len(f.payload), f.payload)
	}
	return fmt.Sprintf("%sended by %v, code %d %q, %v", b.String(), o.end, o.code, o.reason, o.err)
}

// rawConn is one connection.
type rawConn struct {
	net.Conn
	in *bufio.Reader
}

func rawDial(addr string) (*rawConn, error) {
	c, err := net.DialTimeout("tcp", addr, rawPatience)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(rawPatience))
	return newRawConn(c), nil
}

func newRawConn(c net.Conn) *rawConn { return &rawConn{Conn: c, in: bufio.NewReaderSize(c, 4<<10)} }

// answer reads the HTTP answer.
func (c *rawConn) answer() (*http.Response, error) { return http.ReadResponse(c.in, nil) }

// upgraded reads the answer 101 and checks it.
func (c *rawConn) upgraded() error {
	res, err := c.answer()
	if err != nil {
		return fmt.Errorf("no answer to the handshake: %w", err)
	}
	h := res.Header
	if res.StatusCode != http.StatusSwitchingProtocols || h.Get("Sec-WebSocket-Accept") != rawAccept ||
		!strings.EqualFold(h.Get("Upgrade"), "websocket") || !strings.EqualFold(h.Get("Connection"), "upgrade") || h.Get("Sec-WebSocket-Extensions") != "" {
		return fmt.Errorf("answer %d %v", res.StatusCode, h)
	}
	return nil
}

// errNotAServer says that a frame is none that a server may send.
var errNotAServer = errors.New("not a frame of a server")

// frame reads one frame and holds it to the rules for servers: whole, unmasked, nothing reserved, shortest length.
func (c *rawConn) frame() (m rawMessage, err error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(c.in, head[:2]); err != nil {
		return m, err
	}
	first, n, shortest := head[0], uint64(head[1]), uint64(0)
	switch n {
	case 126:
		_, err = io.ReadFull(c.in, head[:2])
		n, shortest = uint64(binary.BigEndian.Uint16(head)), 126
	case 127:
		_, err = io.ReadFull(c.in, head)
		n, shortest = binary.BigEndian.Uint64(head), 65536
	}
	if err != nil {
		return m, err
	}
	m.op = first & 0x0F
	control := m.op >= opClose
	if first&0xF0 != 0x80 || head[1]&0x80 != 0 && shortest == 0 || n < shortest || n > 1<<30 || control && n > 125 || m.op == opContinuation || m.op > opPong || m.op > opBinary && m.op < opClose {
		return m, fmt.Errorf("%w: % x", errNotAServer, append([]byte{first}, head...))
	}
	payload := make([]byte, n)
	if _, err = io.ReadFull(c.in, payload); err != nil {
		return m, err
	}
	m.payload = string(payload)
	return m, nil
}

// drain reads to the end, in which it tells a Close frame, the end of the stream and a reset apart.
func (c *rawConn) drain() (o rawOutcome) {
	for {
		m, err := c.frame()
		if err == nil && o.code != 0 {
			o.end, o.err = endedGarbage, fmt.Errorf("a frame behind the Close frame: %x", m.op)
			return o
		}
		if err != nil {
			o.end, o.err = endOf(err), err
			if o.end == endedSilent && o.code != 0 {
				o.end, o.err = endedClose, nil
			}
			return o
		}
		if m.op != opClose {
			o.frames = append(o.frames, m)
			continue
		}
		if o.code = 1005; len(m.payload) >= 2 {
			o.code, o.reason = int(m.payload[0])<<8|int(m.payload[1]), m.payload[2:]
		}
	}
}

// endOf tells the ends of a connection apart.
func endOf(err error) rawEnd {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return endedReset
	case errors.Is(err, os.ErrDeadlineExceeded):
		return endedTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return endedSilent
	}
	return endedGarbage
}

// reset ends the connection by RST.
func (c *rawConn) reset() {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

// rawTally counts what a suite found.
type rawTally struct {
	t                             *testing.T
	name                          string
	cases, failed, silent, resets int
	slowest                       time.Duration
	slowestName                   string
	reported                      int
}

// add takes in one case; fault is empty when it went as it must.
func (y *rawTally) add(name string, o *rawOutcome, took time.Duration, fault string) {
	y.cases++
	if took > y.slowest {
		y.slowest, y.slowestName = took, name
	}
	switch o.end {
	case endedSilent:
		y.silent++
	case endedReset:
		y.resets++
	}
	if fault == "" {
		return
	}
	y.failed++
	if y.reported++; y.reported <= 20 {
		y.t.Errorf("%s: %s: %s; got %v", y.name, name, fault, o)
	}
}

// print says what was tried and what was found.
func (y *rawTally) print() {
	y.t.Logf("%-22s %5d cases, %d failed, %d silent drops, %d resets (slowest %v: %s)",
		y.name, y.cases, y.failed, y.silent, y.resets, y.slowest.Round(time.Millisecond), y.slowestName)
}

// pieces cuts b into chops of n bytes.
func pieces(b []byte, n int) (out [][]byte) {
	for len(b) > n {
		out, b = append(out, b[:n]), b[n:]
	}
	return append(out, b)
}

// joined is all parts in one.
func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
