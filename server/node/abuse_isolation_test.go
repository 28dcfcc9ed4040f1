//go:build linux

package node_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"skirmish/protocol"
	"skirmish/server/api"
)

// TestIsolation: a match that panics, spins, sleeps or eats memory ends alone or is named, and the others tick as before.
func TestIsolation(t *testing.T) {
	s := abuse(t, abuseConfig{})
	c := watchOver(s, 2, 4)
	before := s.stats()
	for _, story := range []struct {
		name   string
		do     int32
		code   int // with which its player is closed; 0: not at all
		within time.Duration
		says   []string // in the log
		hung   float64  // ticks named
		lost   float64  // matches abandoned
	}{
		{"panics", troublePanic, 4500, 5 * time.Second, []string{"match failed", "trouble", "goroutine"}, 0, 0},
		{"eats 512 MiB", troubleEat, 0, 4 * time.Second, nil, 0, 0},
		{"sleeps for 2 s", troubleSleep, 0, 4 * time.Second, []string{"a tick does not end", "time.Sleep"}, 1, 0},
		{"spins", troubleSpin, 4500, 15 * time.Second, []string{"a tick does not end", "spinForEver", "given up"}, 1, 1},
	} {
		t.Run(story.name, func(t *testing.T) {
			s.t, c.t = t, t
			quiet := c.quiet(time.Second)
			made := s.create(map[string]any{"game": "trouble", "seats": []map[string]any{{"player_id": "troubled"}, {"player_id": "late"}}})
			hung := s.metric("skirmish_ticks_hung_total")
			begin := time.Now()
			conn, err := enter(s, "127.8.0.1", made.Seats[0].Token)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			input := protocol.AppendInput(nil, &protocol.Input{FirstSeq: 1, Count: 1, Values: []int32{story.do}}, 1)
			if _, err := conn.Write(rawFrame(whole|opBinary, string(input))); err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(begin.Add(story.within))
			o := conn.drain()
			took := time.Since(begin)
			time.Sleep(time.Until(begin.Add(time.Second)))
			during := c.errors99(begin, time.Now())
			t.Logf("%-14s ended by %v %d after %v, control p99 %v quiet, %v then", story.name, o.end, o.code, took.Round(time.Millisecond), quiet.Round(10*time.Microsecond), during.Round(10*time.Microsecond))
			if story.code != 0 && (o.end != endedClose || o.code != story.code) || story.code == 0 && o.end != endedTimeout {
				t.Errorf("its player saw %.300v, want close %d", &o, story.code)
			}
			if during > quiet+controlSlack() {
				t.Errorf("the others' p99 went from %v to %v", quiet, during)
			}
			for _, want := range append(story.says, says(story.says, made.Match.MatchID)...) {
				if !strings.Contains(s.log.String(), want) {
					t.Errorf("the log does not say %q: %.3000s", want, s.log.String())
				}
			}
			if got := s.metric("skirmish_ticks_hung_total") - hung; got < story.hung || got > story.hung && !raceEnabled && !loaded() {
				t.Errorf("%v ticks were named, want %v", got, story.hung)
			}
			if got := s.metric("skirmish_abandoned_matches"); got != story.lost {
				t.Errorf("%v matches abandoned, want %v", got, story.lost)
			}
			if story.code == 0 {
				s.force(made.Match.MatchID)
				return
			}
			var res api.Result
			until(t, "a result", func() bool {
				return s.refused("GET", s.admin+"/v1/matches/"+made.Match.MatchID+"/result", nil, &res) == http.StatusOK
			})
			if res.Reason != "aborted" {
				t.Errorf("reason %q, want aborted", res.Reason)
			}
			late, err := enter(s, "127.8.0.2", made.Seats[1].Token)
			if err == nil {
				o := late.drain()
				late.Close()
				if o.code != 4404 {
					t.Errorf("a latecomer saw %.200v, want 4404", &o)
				}
			}
		})
	}
	s.t, c.t = t, t
	after := s.stats()
	t.Logf("before %+v, after %+v: the spinning goroutine is left", before, after)
	if after.Goroutines > before.Goroutines+8 || after.Files > before.Files+4 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// says adds the match's name to what the log must say of it.
func says(what []string, id string) []string {
	if len(what) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%q", id)}
}

// enter joins by ticket.
func enter(s *abused, from, token string) (*rawConn, error) {
	conn, err := dialFrom(from, hostOf(s.play))
	if err != nil {
		return nil, err
	}
	hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: token})
	if _, err = conn.Write(joined([]byte(rawHead), rawFrame(whole|opBinary, string(hello)))); err == nil {
		err = conn.upgraded()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
