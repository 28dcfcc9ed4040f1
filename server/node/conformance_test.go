package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// conformanceMessage is the echo's largest message in these tests.
const conformanceMessage = 1 << 20

// conformanceAtOnce is how many cases run side by side.
const conformanceAtOnce = 16

// cutting is one way to send a stream.
type cutting struct {
	name  string
	piped bool // in one write with the handshake
	cut   func(b []byte) [][]byte
}

var cuttings = []cutting{
	{name: "at once", cut: func(b []byte) [][]byte { return [][]byte{b} }},
	{name: "behind the handshake", piped: true, cut: func(b []byte) [][]byte { return [][]byte{b} }},
	{name: "byte by byte", cut: func(b []byte) [][]byte { return pieces(b, 1) }},
	{name: "in odd pieces", cut: oddPieces},
}

// oddPieces cuts at random, the same way each time.
func oddPieces(b []byte) (out [][]byte) {
	rnd := rand.New(rand.NewPCG(uint64(len(b)), 77))
	for len(b) > 0 {
		n := min(len(b), 1+rnd.IntN(max(2, len(b)/3)))
		out, b = append(out, b[:n]), b[n:]
	}
	return out
}

// TestConformance: RFC 6455 over raw TCP, on both drivers. Every error of the client ends in a Close frame with the right
// code, none in a silent drop or a reset.
func TestConformance(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			addr := hostOf(echo(t, driver))
			y := &rawTally{t: t, name: "frames, " + driver}
			suite(y, conformanceCases(conformanceMessage), func(c *wsCase, how cutting) (rawOutcome, string) { return c.echoed(addr, how) })
			y.print()
		})
	}
}

// hostOf is the host:port of a ws:// URL.
func hostOf(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	return host
}

// suite runs every case in every cutting that suits it. Under the race detector every fifth of them has to do: make test runs
// them all without it as well.
func suite(y *rawTally, all []wsCase, run func(*wsCase, cutting) (rawOutcome, string)) {
	type job struct {
		c   *wsCase
		how cutting
	}
	jobs := make(chan job)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range conformanceAtOnce {
		wg.Go(func() {
			for j := range jobs {
				begin := time.Now()
				o, fault := run(j.c, j.how)
				mu.Lock()
				y.add(j.c.name+", "+j.how.name, &o, time.Since(begin), fault)
				mu.Unlock()
			}
		})
	}
	suitable := 0
	for i := range all {
		for _, how := range cuttings {
			if !all[i].cut && how.name != "at once" && !(how.piped && len(all[i].send) < 100_000) {
				continue
			}
			if suitable++; !raceEnabled || suitable%5 == 0 {
				jobs <- job{&all[i], how}
			}
		}
	}
	close(jobs)
	wg.Wait()
}

// echoed runs one case against an echo; fault is what went wrong.
func (c *wsCase) echoed(addr string, how cutting) (o rawOutcome, fault string) {
	conn, err := rawDial(addr)
	if err != nil {
		return rawOutcome{end: endedGarbage, err: err}, "no connection"
	}
	defer conn.Close()
	stream, want := c.send, c.code
	if want == 0 {
		stream, want = joined(c.send, rawClose(1000, "")), 1000
	}
	if how.piped {
		stream = joined([]byte(rawHead), stream)
	} else if _, err := conn.Write([]byte(rawHead)); err != nil {
		return rawOutcome{end: endOf(err), err: err}, "the handshake could not be sent"
	}
	sent := make(chan struct{})
	send := func() {
		defer close(sent)
		for _, p := range how.cut(stream) {
			if _, err := conn.Write(p); err != nil {
				return // the server may have ended it by now; what it said is what counts
			}
		}
	}
	if how.piped {
		go send()
	}
	if err := conn.upgraded(); err != nil {
		return rawOutcome{end: endOf(err), err: err}, "no upgrade"
	}
	if !how.piped {
		go send()
	}
	o = conn.drain()
	conn.Close()
	<-sent
	return o, c.judge(&o, want)
}

// judge compares.
func (c *wsCase) judge(o *rawOutcome, want int) string {
	switch {
	case o.end != endedClose:
		return fmt.Sprintf("ended by %v, want a Close frame with %d", o.end, want)
	case o.code != want:
		return fmt.Sprintf("closed with %d, want %d", o.code, want)
	case c.code >= 1002 && c.code != 1005 && len(c.send) > 0 && o.reason == "" && !slices.ContainsFunc(closedByPeer, func(s string) bool { return strings.HasPrefix(c.name, s) }):
		return "closed without a reason"
	case !slices.Equal(o.frames, c.back):
		return fmt.Sprintf("%d frames came back, want %d, or others", len(o.frames), len(c.back))
	}
	return ""
}

// closedByPeer are the cases whose code is the client's own, given back.
var closedByPeer = []string{"close 1", "close 3", "close 4", "text, close", "ping, close"}
