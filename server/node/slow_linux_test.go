package node_test

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/node"
)

// A client that takes a little over half of the stream: what it gets is whole, in order and young, it is told that it is slow, and at
// the match's end it gets the result and the Close behind all that was on its way.
func TestSlowClientOverRealSockets(t *testing.T) {
	for _, driver := range []string{"", node.DriverPortable} {
		t.Run(cmp.Or(driver, "default")+" driver", func(t *testing.T) {
			t.Parallel()
			slowClient(t, driver)
		})
	}
}

func slowClient(t *testing.T, driver string) {
	const (
		bots   = 31
		rate   = 30
		bite   = 500 // bytes at a time
		pause  = 50 * time.Millisecond
		plays  = 9 * time.Second
		behind = 30_000 // bytes that may be under way: one second's worth of the stream at the server, and what the sockets' buffers hold
	)
	r := serve(t, func(c *node.Config) { c.Driver = driver })
	seats := []map[string]any{{"player_id": "slow"}}
	for i := range bots {
		seats = append(seats, map[string]any{"player_id": fmt.Sprint("bot", i), "bot": true})
	}
	made := r.create(map[string]any{"game": "arena", "params": map[string]any{"rounds": 0}, "tick_rate": rate, "snapshot_rate": rate,
		"capacity": map[string]any{"players": bots + 1}, "seats": seats})
	addr := strings.TrimPrefix(r.game, "http://")
	// Set before the window is first told, or tens of kilobytes fit all the same.
	small := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		return errors.Join(err, set)
	}}
	conn, err := small.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := client.NewSession(client.Config{Host: addr, Token: made.Seats[0].Token})
	buf := make([]byte, bite)
	var anchor, age, worst time.Duration // since the Unix epoch, at tick 0
	var held time.Duration               // the longest time between two reads
	notices, read, begin, ended := 0, 0, time.Now(), false
	last := begin
	for {
		if out := s.Out(); len(out) > 0 {
			n, err := conn.Write(out)
			if s.Wrote(n); err != nil {
				t.Fatal(err)
			}
		}
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("after %d states: %v", s.Stats.States, err)
		}
		now := time.Now()
		held, last, read = max(held, now.Sub(last)), now, read+n
		for b := buf[:n]; len(b) > 0; {
			what, rest, bad := s.Feed(b, time.Now().UnixNano())
			if ce, ok := errors.AsType[*client.CloseError](bad); ok {
				if ce.Code != protocol.CloseMatchOver || string(s.Result.Reason) != "force" {
					t.Fatalf("closed with %v, result %+v; want 4000 and the result", ce, s.Result)
				}
				// A machine that is busy has made the client slower still, and stopped it at times.
				oldest := held + behind*now.Sub(begin)/time.Duration(read)
				t.Logf("%d states, the oldest %v old, %d notices; result and Close came", s.Stats.States, worst, notices)
				if s.Stats.Faults != 0 || s.Stats.Fulls != 1 || notices == 0 || worst > oldest {
					t.Errorf("%d faults, %d keyframes, %d notices, a state %v old; want 0, 1, some, at most %v", s.Stats.Faults, s.Stats.Fulls, notices, worst, oldest)
				}
				return
			}
			switch b = rest; what {
			case client.SignalNotice:
				if s.Notice.Kind == protocol.NoticeSlow {
					notices++
				}
			case client.SignalState:
				h := &s.State.Head
				at := time.Duration(h.Tick) * time.Second / rate
				if h.ServerTime != 0 {
					anchor = time.Duration(h.ServerTime)*time.Microsecond - at
				}
				age = time.Duration(time.Now().UnixNano()) - anchor - at
				worst = max(worst, age)
			}
		}
		if !ended && time.Since(begin) > plays {
			ended = true
			r.call("DELETE", r.admin+"/v1/matches/"+made.Match.MatchID+"?mode=force", nil, http.StatusNoContent, nil)
		}
		time.Sleep(pause) // it is that slow
	}
}
