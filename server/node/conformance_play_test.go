package node_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"skirmish/protocol"
	"skirmish/server/node"
)

// playCases are the stories that the game port ends otherwise than the echo, or must end alike before a hello and in the
// middle of a match.
func playCases() (all []wsCase) {
	ping := protocol.AppendPing(nil, &protocol.Ping{ID: 7, T0: 1})
	add := func(name string, send []byte, code int, _ ...rawMessage) {
		all = append(all, wsCase{name: name, send: send, code: code, cut: len(send) <= 600})
	}
	controls(func(name string, send []byte, code int, back ...rawMessage) {
		if code != 0 {
			add(name, noText(send), code)
		}
	})
	reserved(func(name string, send []byte, code int, back ...rawMessage) {
		if len(back) == 0 && !strings.Contains(name, "text") && !strings.Contains(name, "inside") && !strings.Contains(name, "1000 bytes in") && !strings.Contains(name, "head alone") {
			add(name, send, code)
		}
	})
	closings(func(name string, send []byte, code int, back ...rawMessage) {
		if len(back) == 0 && !strings.Contains(name, "inside") {
			add(name, send, code)
		}
	})
	add("text", rawFrame(whole|opText, "x"), 1003)
	add("text, its head alone", rawFrame(whole|opText, "x")[:2], 1003)
	add("text that is none", rawFrame(whole|opText, "\xff"), 1003)
	add("a fragment of text", rawFrame(opText, "x"), 1003)
	for _, n := range []uint64{protocol.MaxMessageBytes + 1, 65535, 65536, 1 << 32, 1<<63 - 1} {
		add(fmt.Sprintf("a length of %d, its head alone", n), rawLength(whole|opBinary, n), 1009)
		add(fmt.Sprintf("a length of %d, in a fragment", n), joined(rawFrame(opBinary, ""), rawLength(opContinuation, n)), 1009)
	}
	run := rawFrame(opBinary, "")
	for range 15 {
		run = append(run, rawFrame(opContinuation, "")...)
	}
	add("17 fragments", append(run, rawFrame(opContinuation, "")...), 1009)
	add("1,000 fragments", append(rawFrame(opBinary, ""), []byte(strings.Repeat(string(rawFrame(opContinuation, "")), 1000))...), 1009)
	add("a stray continuation", rawFrame(whole|opContinuation, ""), 1002)
	add("a message inside a message", joined(rawFrame(opBinary, "x"), rawFrame(whole|opBinary, string(ping))), 1002)
	add("a close inside a message", joined(rawFrame(opBinary, "x"), rawClose(1000, "")), 1000)
	return all
}

// noText makes binary messages of the text around a case: the play path takes no text.
func noText(send []byte) []byte {
	if len(send) > 0 && send[0] == whole|opText {
		send = append([]byte(nil), send...)
		n := 6 + int(send[1]&0x7F)
		return send[n:]
	}
	return send
}

// TestConformanceOfTheGamePort: the same before a hello and in the middle of a match, where frames of the match stand between.
func TestConformanceOfTheGamePort(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			r := serve(t, func(c *node.Config) { c.Driver = driver }, race{})
			addr := hostOf(r.play)

			y := &rawTally{t: t, name: "before hello, " + driver}
			suite(y, playCases(), func(c *wsCase, how cutting) (rawOutcome, string) {
				o, fault := c.echoed(addr, how)
				return o, fault
			})
			y.print()

			seats := newSeats(t, r, 2*conformanceAtOnce)
			y = &rawTally{t: t, name: "in a match, " + driver}
			suite(y, playCases(), func(c *wsCase, how cutting) (rawOutcome, string) { return seats.played(addr, c, how) })
			y.print()
			if t.Failed() {
				return
			}
			for _, id := range seats.matches {
				var m struct{ State string }
				r.call("GET", r.admin+"/v1/matches/"+id, nil, http.StatusOK, &m)
				if m.State != "running" {
					t.Errorf("match %s is %s afterwards", id, m.State)
				}
			}
		})
	}
}

// seats are seats in matches that many connections take in turn, by ticket first, by resume token afterwards.
type seats struct {
	matches []string
	hellos  chan []byte
}

func newSeats(t *testing.T, r *running, n int) *seats {
	t.Helper()
	s := &seats{hellos: make(chan []byte, n)}
	for len(s.hellos) < n {
		var players []map[string]any
		for i := range 8 {
			players = append(players, map[string]any{"player_id": fmt.Sprint("p", i)})
		}
		made := r.create(map[string]any{"game": "race", "params": map[string]any{"length": 100000}, "seats": players})
		s.matches = append(s.matches, made.Match.MatchID)
		for _, seat := range made.Seats {
			s.hellos <- takeSeat(t, hostOf(r.play), seat.Token)
		}
	}
	return s
}

// takeSeat trades a ticket, which is good once, for a hello that resumes its seat.
func takeSeat(t *testing.T, addr, token string) []byte {
	t.Helper()
	conn, err := rawDial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: token})
	if _, err = conn.Write(joined([]byte(rawHead), rawFrame(whole|opBinary, string(hello)))); err == nil {
		if err = conn.upgraded(); err == nil {
			hello, err = conn.welcomed(hello)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return hello
}

// welcomed reads the welcome and returns the hello with which its seat can be resumed.
func (c *rawConn) welcomed(hello []byte) ([]byte, error) {
	first, err := c.frame()
	if err != nil {
		return hello, err
	}
	var w protocol.Welcome
	if err := protocol.DecodeWelcome([]byte(first.payload), &w); err != nil {
		return hello, fmt.Errorf("%x %q: %w", first.op, first.payload, err)
	}
	return protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Resume: w.ResumeToken}), nil
}

// played takes a seat, sends the case there and gives the seat on.
func (s *seats) played(addr string, c *wsCase, how cutting) (o rawOutcome, fault string) {
	hello := <-s.hellos
	defer func() { s.hellos <- hello }()
	conn, err := rawDial(addr)
	if err != nil {
		return rawOutcome{end: endedGarbage, err: err}, "no connection"
	}
	defer conn.Close()
	opening := joined([]byte(rawHead), rawFrame(whole|opBinary, string(hello)))
	if how.piped {
		opening = append(opening, c.send...)
	}
	if _, err := conn.Write(opening); err != nil {
		return rawOutcome{end: endOf(err), err: err}, "the opening could not be sent"
	}
	if err := conn.upgraded(); err != nil {
		return rawOutcome{end: endOf(err), err: err}, "no upgrade"
	}
	if how.piped { // the fault may be found before the welcome is written
		o = conn.drain()
		o.frames = nil
		return o, c.judge(&o, c.code)
	}
	if hello, err = conn.welcomed(hello); err != nil {
		return rawOutcome{end: endOf(err), err: err}, "no welcome"
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, p := range how.cut(c.send) {
			if _, err := conn.Write(p); err != nil {
				return
			}
		}
	}()
	o = conn.drain()
	conn.Close()
	<-sent
	o.frames = nil // of the match
	return o, c.judge(&o, c.code)
}

// Foreign suites are rough: many connections at once, huge messages in thousands of fragments, chopped, and all of it at
// the same time.
func TestConformanceUnderLoad(t *testing.T) {
	connections, size := 300, 200_000
	if raceEnabled {
		connections = 60
	}
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			addr := hostOf(echo(t, driver))
			var wg sync.WaitGroup
			room := make(chan struct{}, 60) // more would not get their frames through in the time that the server gives them
			for i := range connections {
				room <- struct{}{}
				wg.Go(func() {
					defer func() { <-room }()
					payload := strings.Repeat(string(binary.BigEndian.AppendUint32(nil, uint32(i))), size/4)
					run := rawFrame(opBinary, "")
					for at := 0; at < size; at += 1000 + i {
						run = append(run, rawFrame(opContinuation, payload[at:min(size, at+1000+i)])...)
						if at%7 == 0 {
							run = append(run, rawFrame(whole|opPing, "")...)
						}
					}
					run = append(run, rawFrame(whole|opContinuation, "")...)
					c := wsCase{name: fmt.Sprint("connection ", i), send: run}
					o, _ := c.echoed(addr, cutting{cut: func(b []byte) [][]byte { return pieces(b, 997) }})
					if o.end != endedClose || o.code != 1000 || len(o.frames) == 0 || o.frames[len(o.frames)-1].payload != payload {
						t.Errorf("%s: %.200v", c.name, &o)
					}
				})
			}
			wg.Wait()
		})
	}
}

// The echo's own limit, 16 MiB by default, in one frame and in 16,384 fragments. Under the race detector it is 1 MiB: nobody
// would be done in time.
func TestConformanceOfHugeMessages(t *testing.T) {
	most := node.DefaultEchoMessage
	if raceEnabled {
		most = 1 << 20
	}
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			addr := hostOf(echoUpTo(t, driver, int64(most)))
			payload := strings.Repeat("0123456789ABCDEF", most/16)
			run := rawFrame(opText, payload[:1024])
			for at := 1024; at < len(payload); at += 1024 {
				first := byte(opContinuation)
				if at+1024 == len(payload) {
					first |= whole
				}
				run = append(run, rawFrame(first, payload[at:at+1024])...)
			}
			y := &rawTally{t: t, name: "the most, " + driver}
			all := []wsCase{
				{name: "the most text, in fragments of 1 KiB", send: run, back: []rawMessage{{opText, payload}}},
				{name: "the most in a frame", send: rawFrame(whole|opBinary, payload), back: []rawMessage{{opBinary, payload}}},
				{name: "one byte more", send: rawLength(whole|opBinary, uint64(most)+1), code: 1009},
			}
			for i := range all {
				for _, how := range []cutting{cuttings[0], {name: "in chops of 997 bytes", cut: func(b []byte) [][]byte { return pieces(b, 997) }}} {
					begin := time.Now()
					o, fault := all[i].echoed(addr, how)
					if len(o.frames) > 0 {
						o.frames[0].payload = o.frames[0].payload[:20]
					}
					y.add(all[i].name+", "+how.name, &o, time.Since(begin), fault)
				}
			}
			y.print()
		})
	}
}
