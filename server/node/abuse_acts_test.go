//go:build linux

package node_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"skirmish/protocol"
)

// What offenders do. Each returns how it ended for them: a close code, an HTTP status, EOF, RST.

func mute(o *offender) string {
	c, err := o.dial()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	return refusal(c)
}

func slowHead(o *offender) string {
	c, err := o.dial()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	go func() {
		for i := range rawHead {
			if _, err := io.WriteString(c, rawHead[i:i+1]); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return refusal(c)
}

func halfHead(o *offender) string {
	c, err := o.knock(rawHead[:100])
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	return refusal(c)
}

func giantHead(o *offender) string {
	c, err := o.dial()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	go io.WriteString(c, headPlus("X-Padding: "+strings.Repeat("x", 1<<20)))
	return refusal(c)
}

func noHello(o *offender) string {
	c, err := o.open()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	return ended(c)
}

func halfHello(o *offender) string {
	c, err := o.open()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	c.Write(rawFrame(whole|opBinary, strings.Repeat("x", 100))[:50])
	return ended(c)
}

func halfFrame(o *offender) string {
	o.conn.Write(rawFrame(whole|opBinary, strings.Repeat("x", 100))[:50])
	return ended(o.conn)
}

func drippedFrame(o *offender) string {
	go func() {
		for _, p := range pieces(rawFrame(whole|opBinary, strings.Repeat("x", 1000)), 1) {
			if _, err := o.conn.Write(p); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return ended(o.conn)
}

func drippedFragments(o *offender) string {
	go func() {
		o.conn.Write(rawFrame(opBinary, ""))
		for range 14 {
			time.Sleep(600 * time.Millisecond)
			if _, err := o.conn.Write(rawFrame(opContinuation, "x")); err != nil {
				return
			}
		}
	}()
	return ended(o.conn)
}

func apiHalfHead(o *offender) string {
	c, err := dialFrom(o.from, strings.TrimPrefix(o.s.admin, "http://"))
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	io.WriteString(c, "GET /v1/matches HTTP/1.1\r\nHost: localhost\r\nX-")
	return refusal(c)
}

func apiGiant(o *offender) string {
	c, err := dialFrom(o.from, strings.TrimPrefix(o.s.admin, "http://"))
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	io.WriteString(c, "POST /v1/matches HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n\r\n")
	go io.WriteString(c, strings.Repeat(" ", 1<<20))
	return refusal(c)
}

func giantHello(o *offender) string {
	c, err := o.open()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	return pumped(c, append(rawLength(whole|opBinary, 1<<62), make([]byte, 1<<10)...), 10*time.Millisecond, 300*time.Millisecond)
}

func giantFrame(o *offender) string {
	return pumped(o.conn, append(rawLength(whole|opBinary, 1<<30), make([]byte, 1<<10)...), 10*time.Millisecond, 300*time.Millisecond)
}

func manyFragments(o *offender) string {
	run := rawFrame(opBinary, "")
	for range 5000 {
		run = append(run, rawFrame(opContinuation, "")...)
	}
	o.conn.Write(run)
	return ended(o.conn)
}

func pingHello(o *offender) string {
	c, err := o.open()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	return pumped(c, joined(manyOf(rawFrame(whole|opPing, strings.Repeat("x", 125)), 50)...), 10*time.Millisecond, time.Second)
}

func pongHello(o *offender) string {
	c, err := o.open()
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	return pumped(c, joined(manyOf(rawFrame(whole|opPong, strings.Repeat("x", 125)), 50)...), 10*time.Millisecond, time.Second)
}

func pingFlood(o *offender) string {
	return pumped(o.conn, joined(manyOf(rawFrame(whole|opPing, "x"), 50)...), 20*time.Millisecond, 2*time.Second)
}

func gamePingFlood(o *offender) string {
	ping := protocol.AppendPing(nil, &protocol.Ping{ID: 1, T0: 1})
	return pumped(o.conn, joined(manyOf(rawFrame(whole|opBinary, string(ping)), 50)...), 20*time.Millisecond, 2*time.Second)
}

func manyOf(b []byte, n int) (all [][]byte) {
	for range n {
		all = append(all, b)
	}
	return all
}

// input is a good input of the crowd.
func input(seq uint32) []byte {
	return rawFrame(whole|opBinary, string(protocol.AppendInput(nil, &protocol.Input{FirstSeq: seq, Count: 1, Values: []int32{1}}, 1)))
}

// inputFlood sends ten times what is allowed.
func inputFlood(o *offender) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		seq := uint32(0)
		for end := time.Now().Add(8 * time.Second); time.Now().Before(end); <-tick.C {
			var run []byte
			for range 20 {
				seq++
				run = append(run, input(1+seq%30)...)
			}
			if _, err := o.conn.Write(run); err != nil {
				return
			}
		}
	}()
	end := ended(o.conn)
	o.conn.Close()
	<-done
	return end
}

// pongFlood is held to 32 KiB a second: the rest waits in the socket, which does not end it.
func pongFlood(o *offender) string {
	b := joined(manyOf(rawFrame(whole|opPong, strings.Repeat("x", 125)), 20)...)
	read := make(chan string, 1)
	go func() { read <- ended(o.conn) }()
	o.conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	pump(o.conn, b, 10*time.Millisecond, 2*time.Second)
	select {
	case end := <-read:
		return end
	default:
	}
	o.conn.reset()
	<-read
	return "held"
}

func neverRead(o *offender) string {
	o.conn.Conn.(*net.TCPConn).SetReadBuffer(4096)
	for i := range 30 {
		if _, err := o.conn.Write(input(uint32(i + 1))); err != nil {
			return "write: " + nameOf(endOf(err))
		}
		time.Sleep(100 * time.Millisecond)
	}
	o.conn.reset()
	return "held"
}

func slowRead(o *offender) string {
	o.conn.Conn.(*net.TCPConn).SetReadBuffer(4096)
	b := make([]byte, 10)
	for range 30 {
		if _, err := io.ReadFull(o.conn.Conn, b); err != nil {
			return nameOf(endOf(err))
		}
		time.Sleep(100 * time.Millisecond)
	}
	o.conn.reset()
	return "held"
}

// resets comes back twenty times by its resume token and resets in the middle of a message.
func resets(o *offender) string {
	hello, err := o.conn.welcomed(nil)
	if err != nil {
		return "no welcome"
	}
	for range 20 {
		o.conn.Write(rawFrame(whole|opBinary, strings.Repeat("x", 100))[:30])
		o.conn.reset()
		time.Sleep(50 * time.Millisecond)
		c, err := o.knock(rawHead + string(rawFrame(whole|opBinary, string(hello))))
		if err != nil {
			return "no connection"
		}
		o.conn = c
		if err := c.upgraded(); err != nil {
			return "no upgrade"
		}
		if hello, err = c.welcomed(hello); err != nil {
			return fmt.Sprintf("no welcome: %v", err)
		}
	}
	return "20 resets"
}

// connectReset resets before, in and behind the handshake.
func connectReset(o *offender) string {
	for i := range 20 {
		c, err := o.knock(rawHead[:i*len(rawHead)/19])
		if err != nil {
			return "no connection"
		}
		c.reset()
		time.Sleep(50 * time.Millisecond)
	}
	return "20 resets"
}

// storm connects ten times in a row; what is let in says nonsense.
func storm(o *offender) string {
	let := false
	for range 10 {
		c, err := o.knock(rawHead + string(rawFrame(whole|opBinary, "nonsense")))
		if err != nil {
			continue
		}
		res, err := c.answer()
		if err != nil {
			c.Close()
			return "answer: " + nameOf(endOf(err))
		}
		switch res.StatusCode {
		case 101:
			let = true
			if end := ended(c); end != "4400" {
				c.Close()
				return end
			}
		case 429, 503:
		default:
			c.Close()
			return res.Status
		}
		c.Close()
	}
	if let {
		return "let in"
	}
	return "refused"
}

func sawLimit(result string) func(*abused) string {
	return func(s *abused) string {
		if s.metric(`skirmish_handshakes_total{result="`+result+`"}`) < 500 {
			return "the limits per address let nearly all in"
		}
		return ""
	}
}

// forged shows a ticket that nobody signed.
func forged(o *offender) string {
	time.Sleep(time.Duration(o.i/10) * 10 * time.Millisecond)
	hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: "mt1.k.AAAA.BBBB"})
	c, err := o.knock(rawHead + string(rawFrame(whole|opBinary, string(hello))))
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	res, err := c.answer()
	if err != nil {
		return nameOf(endOf(err))
	}
	if res.StatusCode != 101 {
		return fmt.Sprint(res.StatusCode)
	}
	return ended(c)
}

func sawTickets(s *abused) string {
	if n := s.metric(`skirmish_tickets_total{result="limited"}`); n == 0 {
		return fmt.Sprintf("only %v were told that their address is barred", n)
	}
	return ""
}

// replay sends inputs again, then far ahead of time.
func replay(o *offender) string {
	o.conn.Write(joined(input(1), input(2), input(3)))
	for range 10 {
		o.conn.Write(joined(input(1), input(2), input(3)))
	}
	for _, seq := range []uint32{1000, 1 << 31, 1<<32 - 1} {
		o.conn.Write(input(seq))
	}
	return ended(o.conn)
}

// bombs are short messages that promise long ones.
func bombs(o *offender) string {
	all := []string{
		strings.Repeat("\x91", 4000),
		"\x94\x02\xdd\xff\xff\xff\xff",
		"\x92\x02\xdf\xff\xff\xff\xff",
		"\xdd\xff\xff\xff\xff\x02",
		"\x94\x04\x01\x02\xc6\xff\xff\xff\xff",
		"\x93\x03\xdb\xff\xff\xff\xff\x01",
		"\x94\x02\x92\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01\x00\x01\x91\x91\x01",
		"\x93\x03\x01\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
		"\xc9\xff\xff\xff\xff\x01",
		strings.Repeat("\x81\x01", 2000),
	}
	for i := range 5 {
		o.conn.Write(rawFrame(whole|opBinary, all[(o.i+i)%len(all)]))
	}
	return ended(o.conn)
}

// mutants are good messages with a few bytes changed.
func mutants(o *offender) string {
	rnd := rand.New(rand.NewPCG(uint64(o.i), 5))
	var run []byte
	for range 60 {
		run = append(run, rawFrame(whole|opBinary, string(mutate(rnd, goodMessages()[rnd.IntN(5)])))...)
	}
	bye := protocol.AppendBye(nil, &protocol.Bye{Code: 0})
	o.conn.Write(append(run, rawFrame(whole|opBinary, string(bye))...))
	return ended(o.conn)
}

// mutantFrames are good frames with a few bytes changed, then a Close frame; what is left unfinished by it ends in time.
func mutantFrames(o *offender) string {
	rnd := rand.New(rand.NewPCG(uint64(o.i), 6))
	run := input(1)
	for range 10 {
		run = append(run, mutate(rnd, rawFrame(whole|opBinary, string(goodMessages()[rnd.IntN(5)])))...)
	}
	o.conn.Write(append(run, rawClose(1000, "")...))
	o.conn.Conn.(*net.TCPConn).CloseWrite()
	return ended(o.conn)
}
