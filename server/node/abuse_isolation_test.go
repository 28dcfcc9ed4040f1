//go:build linux

package node_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/protocol"
	"skirmish/server/api"
)

// troubleStory is one match with a game that does something wrong somewhere.
type troubleStory struct {
	where, what string
	match       string
	closed      rawOutcome // what the other player in it saw
	took        time.Duration
}

func (y *troubleStory) name() string { return y.where + " " + y.what }

// act makes the match, seats a bystander and the troubled player, and brings the trouble about.
func (y *troubleStory) act(s *abused, i int, hook string) {
	t := s.t
	body := map[string]any{"game": "trouble", "params": map[string]any{"where": y.where, "what": y.what},
		"seats": []map[string]any{{"player_id": "bystander"}, {"player_id": troubled}}, "webhook": map[string]any{"url": hook, "secret_id": "main"}}
	ofBots := y.where == "bot" || y.where == "think"
	if ofBots {
		body["game"], body["seats"] = "trouble-"+y.where+"-"+y.what, []map[string]any{{"player_id": "bystander"}, {"player_id": "b", "bot": true}}
		delete(body, "params")
	}
	made := s.create(body)
	y.match = made.Match.MatchID
	bystander, err := enter(s, fmt.Sprintf("127.8.0.%d", i+1), made.Seats[0].Token)
	if err != nil {
		t.Errorf("%s: the bystander finds no seat: %v", y.name(), err)
		return
	}
	defer bystander.Close()
	begin := time.Now()
	bystander.SetDeadline(begin.Add(20 * time.Second))
	if !ofBots {
		conn, err := enter(s, fmt.Sprintf("127.8.1.%d", i+1), made.Seats[1].Token)
		if err != nil {
			t.Errorf("%s: no seat: %v", y.name(), err)
			return
		}
		defer conn.Close()
		over := make(chan struct{})
		defer func() { <-over }()
		conn.SetDeadline(begin.Add(20 * time.Second))
		if y.where == "leave" { // who leaves before the game has heard of it is none of the game's business
			if err := conn.awaitStates(3); err != nil {
				t.Errorf("%s: %v", y.name(), err)
			}
		}
		go func() { defer close(over); conn.drain() }()
		switch url := s.admin + "/v1/matches/" + y.match; y.where {
		case "request":
			ask := rawFrame(whole|opBinary, string(protocol.AppendRequest(nil, &protocol.Request{ID: 1, Op: 1})))
			go pump(conn, ask, 150*time.Millisecond, 2*time.Second) // the first ones may come before the game knows the player
		case "leave":
			conn.Write(rawFrame(whole|opBinary, string(protocol.AppendBye(nil, &protocol.Bye{}))))
		case "signal":
			s.request("POST", url+"/signal", map[string]any{"op": "x"}, nil)
		case "stop":
			s.request("DELETE", url+"?mode=force", nil, nil)
		}
		if asked := time.Since(begin); asked > 10*time.Second {
			t.Errorf("%s: the API answered after %v", y.name(), asked)
		}
	}
	y.closed = bystander.drain()
	y.took = time.Since(begin)
}

// judge checks what came of it.
func (y *troubleStory) judge(s *abused, hooks *sink) {
	t := s.t
	if y.closed.end != endedClose || y.closed.code != 4500 {
		t.Errorf("%s: the other player saw %.300v, want close 4500", y.name(), &y.closed)
	}
	var res api.Result
	until(t, y.name()+": a result", func() bool {
		return s.refused("GET", s.admin+"/v1/matches/"+y.match+"/result", nil, &res) == http.StatusOK
	})
	if res.State != api.MatchFailed || res.Reason != "aborted" {
		t.Errorf("%s: state %s, reason %s, want failed, aborted", y.name(), res.State, res.Reason)
	}
	until(t, y.name()+": a webhook", func() bool { return slices.Contains(hooks.types(y.match), "match.failed") })
	if y.what == "eat" {
		return // it is the memory guard that says what happened
	}
	points := map[string]string{"panic": ").do", "hang": "hangForEver", "spin": "spinForEver"}[y.what]
	if !s.logged(y.match, points) {
		t.Errorf("%s: no line of the log has the match and a stack with %s", y.name(), points)
	}
}

// logged tells whether a line of the log about the match has a stack in which that stands.
func (s *abused) logged(match, stack string) bool {
	for line := range strings.Lines(s.log.String()) {
		var l struct{ Match, Stack string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Match == match && strings.Contains(l.Stack, stack) && l.Stack != "" {
			return true
		}
	}
	return false
}

// TestIsolation: wherever a game panics or never returns from, its match ends alone: with 4500, a failed result, a webhook
// and the stack in the log; the others tick as before.
func TestIsolation(t *testing.T) {
	s := abuse(t, abuseConfig{})
	c := watchOver(s, 2, 4)
	hooks := newSink(t)
	before := s.stats()
	quiet := c.quiet(time.Second)

	var stories []*troubleStory
	hangs := 0
	for _, where := range []string{"admit", "join", "step", "frame", "private", "view", "request", "signal", "leave", "stop", "bot", "think"} {
		stories = append(stories, &troubleStory{where: where, what: "panic"}, &troubleStory{where: where, what: "hang"})
		hangs++
	}
	var wg sync.WaitGroup
	begin := time.Now()
	for i, y := range stories {
		wg.Go(func() { y.act(s, i, hooks.URL) })
	}
	for _, what := range []string{"panic", "hang"} {
		wg.Go(func() {
			status, body := s.request("POST", s.admin+"/v1/matches", map[string]any{"game": "trouble", "params": map[string]any{"where": "new", "what": what}}, nil)
			if took := time.Since(begin); status != http.StatusInternalServerError || took > 10*time.Second {
				t.Errorf("new, %s: %d after %v: %s", what, status, took, body)
			}
		})
	}
	hangs++
	wg.Wait()
	during := c.errors99(begin, time.Now())
	for _, y := range stories {
		y.judge(s, hooks)
		t.Logf("%-14s the other player closed with %d after %v", y.name(), y.closed.code, y.took.Round(10*time.Millisecond))
	}
	t.Logf("control p99 %v quiet, %v meanwhile", quiet.Round(10*time.Microsecond), during.Round(10*time.Microsecond))
	if during > quiet+controlSlack() {
		t.Errorf("the others' p99 went from %v to %v", quiet, during)
	}
	if got := s.metric("skirmish_abandoned_matches"); got != float64(hangs) {
		t.Errorf("%v goroutines abandoned, want %d", got, hangs)
	}
	if status, body := s.request("GET", s.admin+"/readyz", nil, nil); status != http.StatusOK {
		t.Errorf("/readyz: %d %s; goroutines that wait burn nothing", status, body)
	}
	hooks.CloseClientConnections() // which the server keeps for the next webhooks
	var after abuseStats
	defer func() { t.Logf("before %+v, after %+v, %d goroutines are lost", before, after, hangs) }()
	until(t, "all but the lost goroutines are back", func() bool {
		after = s.stats()
		return after.Goroutines <= before.Goroutines+hangs+12 && after.Files <= before.Files+4
	})
}

// TestSlowTickIsNamed: a tick of 2 s is named, with its match and its stack, and forgiven.
func TestSlowTickIsNamed(t *testing.T) {
	s := abuse(t, abuseConfig{})
	y := &troubleStory{where: "step", what: "sleep"}
	made := s.create(map[string]any{"game": "trouble", "params": map[string]any{"where": y.where, "what": y.what}, "seats": []map[string]any{{"player_id": "a"}, {"player_id": "b"}}})
	for i, seat := range made.Seats {
		conn, err := enter(s, fmt.Sprintf("127.8.2.%d", i+1), seat.Token)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	until(t, "the tick is named", func() bool { return s.logged(made.Match.MatchID, "time.Sleep") })
	var m api.Match
	until(t, "it goes on", func() bool {
		s.call("GET", s.admin+"/v1/matches/"+made.Match.MatchID, nil, http.StatusOK, &m)
		return m.Tick > 10
	})
	if n := s.metric("skirmish_ticks_hung_total"); n < 1 || m.State != api.MatchRunning {
		t.Errorf("%v ticks named, the match is %s", n, m.State)
	}
}

// TestMatchThatEatsMemory: near the limit of the process the match that holds most is ended, and nobody else notices.
func TestMatchThatEatsMemory(t *testing.T) {
	const limit = 256 << 20
	s := abuse(t, abuseConfig{MemoryLimit: limit})
	c := watchOver(s, 2, 4)
	hooks := newSink(t)
	quiet := c.quiet(time.Second)
	peak, stop := watchMemory(s)
	y := &troubleStory{where: "step", what: "eat"}
	begin := time.Now()
	y.act(s, 0, hooks.URL)
	during := c.errors99(begin, time.Now())
	stop()
	most := <-peak
	t.Logf("closed with %d after %v; %d MiB resident at most, the limit is %d; control p99 %v quiet, %v meanwhile", y.closed.code, y.took.Round(10*time.Millisecond), most>>20, limit>>20,
		quiet.Round(10*time.Microsecond), during.Round(10*time.Microsecond))
	y.judge(s, hooks)
	if !strings.Contains(s.log.String(), "the match that holds most of it is ended") {
		t.Errorf("the log does not say why: %.2000s", s.log.String())
	}
	if during > quiet+controlSlack() {
		t.Errorf("the others' p99 went from %v to %v", quiet, during)
	}
	if !raceEnabled && most > limit*3/2 {
		t.Errorf("the process grew to %d MiB under a limit of %d", most>>20, limit>>20)
	}
	until(t, "the memory is back", func() bool { return s.stats().Heap < limit/4 })
	s.create(map[string]any{"game": "race"})
}

var (
	spinners   = flag.Int("spinners", 1, "TestSpinningMatches: matches that spin")
	processors = flag.Int("processors", 0, "TestSpinningMatches: GOMAXPROCS of the server; 0: as many as there are")
)

// TestSpinningMatches: matches that never return and burn a core each are given up; the others tick on, and the node takes no
// new matches once half of its cores are lost.
func TestSpinningMatches(t *testing.T) {
	s := abuse(t, abuseConfig{Processors: *processors})
	c := watchOver(s, 2, 4)
	hooks := newSink(t)
	c.quiet(time.Second) // it has just started
	quiet := c.quiet(time.Second)
	var stories []*troubleStory
	for range *spinners {
		stories = append(stories, &troubleStory{where: "step", what: "spin"})
	}
	var wg sync.WaitGroup
	begin := time.Now()
	for i, y := range stories {
		wg.Go(func() { y.act(s, i, hooks.URL) })
	}
	wg.Wait()
	meanwhile := c.errors99(begin, time.Now())
	after := c.quiet(2 * time.Second)
	for _, y := range stories {
		y.judge(s, hooks)
	}
	t.Logf("%d spin: given up after %v; control p99 %v quiet, %v until then, %v afterwards", *spinners, stories[0].took.Round(10*time.Millisecond), quiet.Round(10*time.Microsecond), meanwhile.Round(10*time.Microsecond), after.Round(10*time.Microsecond))
	if worst := max(meanwhile, after); worst > quiet+controlSlack() {
		t.Errorf("the others' p99 went from %v to %v", quiet, worst)
	}
	if n := loweredThreads(t, s.pid); n != *spinners {
		t.Errorf("%d threads of %d have been lowered", n, *spinners)
	}
	// Up to two cores one spinner is half of them.
	status, body := s.request("GET", s.admin+"/readyz", nil, nil)
	if want := s.metric(`go_sched_gomaxprocs_threads`) - float64(*spinners); (2*float64(*spinners) >= want) != (status == http.StatusServiceUnavailable) {
		t.Errorf("/readyz: %d %s, of %v processors", status, body, want)
	}
	if status == http.StatusServiceUnavailable {
		if status := s.refused("POST", s.admin+"/v1/matches", map[string]any{"game": "race"}, nil); status != http.StatusServiceUnavailable {
			t.Errorf("a new match: %d", status)
		}
	}
}

// loweredThreads counts the threads of a process that run only where a core has nothing else to do.
func loweredThreads(t *testing.T, pid int) (n int) {
	t.Helper()
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 38 && fields[38] == strconv.Itoa(unix.SCHED_IDLE) { // the 41st is its policy, the 3rd comes first
			n++
		}
	}
	return n
}

// awaitStates reads on until n states of the match have come.
func (c *rawConn) awaitStates(n int) error {
	for n > 0 {
		m, err := c.frame()
		if err != nil {
			return err
		}
		if typ, _ := protocol.ServerType([]byte(m.payload)); typ == protocol.TypeSnapshot || typ == protocol.TypeDelta {
			n--
		}
	}
	return nil
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
