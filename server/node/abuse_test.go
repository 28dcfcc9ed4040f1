//go:build linux

package node_test

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"skirmish/server/node"
)

// offence is one way to abuse a server, tried by many at once.
type offence struct {
	name    string
	n       int  // offenders
	seated  bool // each has a seat in a match before it begins
	shared  int  // addresses they share; 0: each has its own
	act     func(*offender) string
	want    []string               // how it may end
	andSees func(s *abused) string // what else must be so afterwards; empty: it is
}

// offender is one of them.
type offender struct {
	s     *abused
	i     int
	from  string // its address
	token string
	conn  *rawConn // seated: it has joined
	wave  *wave
}

// wave is a few offences at the same time.
type wave struct {
	name     string
	offences []offence
}

// waves are all of LIMITS that can be tried from outside.
func waves() []wave {
	return []wave{
		{"idlers", []offence{
			{name: "mute sockets", n: 150, act: mute, want: []string{"408"}},
			{name: "mute sockets, 40 of each address", n: 80, shared: 2, act: mute, want: []string{"408", "429"}},
			{name: "heads of a byte at a time", n: 150, act: slowHead, want: []string{"408"}},
			{name: "half heads", n: 150, act: halfHead, want: []string{"408"}},
			{name: "no hello", n: 150, act: noHello, want: []string{"4408"}},
			{name: "half a frame before hello", n: 150, act: halfHello, want: []string{"4408"}},
			{name: "half a frame in a match", n: 150, seated: true, act: halfFrame, want: []string{"4408"}},
			{name: "a frame of a byte at a time", n: 150, seated: true, act: drippedFrame, want: []string{"4408"}},
			{name: "fragments that do not end", n: 150, seated: true, act: drippedFragments, want: []string{"4408"}},
			{name: "heads to the API that do not end", n: 100, act: apiHalfHead, want: []string{"EOF", "400", "408"}},
		}},
		{"giants", []offence{
			{name: "2^62 bytes declared before hello", n: 200, act: giantHello, want: []string{"1009"}},
			{name: "1 GiB declared in a match, and sent", n: 200, seated: true, act: giantFrame, want: []string{"1009"}},
			{name: "thousands of fragments", n: 200, seated: true, act: manyFragments, want: []string{"1009"}},
			{name: "bodies of 1 MiB to the API", n: 100, act: apiGiant, want: []string{"413"}},
			{name: "heads of 1 MiB", n: 100, act: giantHead, want: []string{"431"}},
		}},
		{"pings", []offence{
			{name: "pings before hello", n: 150, act: pingHello, want: []string{"1008"}},
			{name: "pings in a match", n: 150, seated: true, act: pingFlood, want: []string{"1008"}},
			{name: "game pings in a match", n: 150, seated: true, act: gamePingFlood, want: []string{"1008"}},
		}},
		{"inputs", []offence{
			{name: "inputs without end", n: 200, seated: true, act: inputFlood, want: []string{"4429"}},
			{name: "pongs without end", n: 100, seated: true, act: pongFlood, want: []string{"held"}},
			{name: "pongs without end before hello", n: 100, act: pongHello, want: []string{"1008"}},
		}},
		{"readers", []offence{
			{name: "never readers", n: 200, seated: true, act: neverRead, want: []string{"held"}},
			{name: "readers of 100 bytes a second", n: 200, seated: true, act: slowRead, want: []string{"held"}},
		}},
		{"comings and goings", []offence{
			{name: "resets in mid-message", n: 200, seated: true, act: resets, want: []string{"20 resets"}},
			{name: "connects and resets", n: 200, act: connectReset, want: []string{"20 resets"}},
		}},
		{"storms", []offence{
			{name: "4,000 connections of 20 addresses", n: 400, shared: 20, act: storm, want: []string{"refused", "let in"}, andSees: sawLimit("limited")},
			{name: "forged tickets of 10 addresses", n: 200, shared: 10, act: forged, want: []string{"4401", "429"}, andSees: sawTickets},
		}},
		{"messages", []offence{
			{name: "inputs replayed, then far ahead", n: 150, seated: true, act: replay, want: []string{"4400"}},
			{name: "msgpack bombs", n: 150, seated: true, act: bombs, want: []string{"4400"}},
			{name: "mutants of messages", n: 300, seated: true, act: mutants, want: []string{"4400", "4001", "1008", "4429", "1009"}},
			{name: "mutants of frames", n: 300, seated: true, act: mutantFrames, want: []string{"1000", "1001", "1002", "1003", "1009", "4400", "4001", "4408", "1008", "EOF"}},
		}},
	}
}

// On a machine that has nothing else to do, each abuse by itself and by as many as the promise says:
//
//	go test ./server/node -v -run 'TestAbuse$' -args -offenders 500
var offenders = flag.Int("offenders", 0, "TestAbuse: try each abuse alone, by so many at once, and hold every figure to its promise; 0: several abuses together, by hundreds")

// alone makes a wave of each abuse.
func alone(all []wave, n int) (each []wave) {
	for _, w := range all {
		for _, o := range w.offences {
			o.n = n
			each = append(each, wave{w.name + ": " + o.name, []offence{o}})
		}
	}
	return each
}

// TestAbuse tries what LIMITS forbids, hundreds at once, while control players in other matches note how regularly their
// states arrive. It prints one line for each abuse.
func TestAbuse(t *testing.T) {
	s := abuse(t, abuseConfig{Driver: node.DriverEpoll})
	all := waves()
	if *offenders > 0 {
		all = alone(all, *offenders)
	}
	run(t, s, all, 20)
}

// The portable driver has the same limits.
func TestAbusePortable(t *testing.T) {
	s := abuse(t, abuseConfig{Driver: node.DriverPortable})
	var some []wave
	for _, w := range waves() {
		if w.name != "idlers" && w.name != "inputs" && w.name != "readers" {
			some = append(some, w)
		}
	}
	run(t, s, some, 60)
}

// tooLate are the ends of offenders that had no time for their offence, on a machine that is busy with other things: the server
// lost its patience with them first.
var tooLate = []string{"4408", "408", "EOF", "no connection"}

// atOnce is how many offenders try at once: the race detector leaves time for fewer.
func atOnce(n int) int {
	if raceEnabled {
		return (n + 4) / 5
	}
	return n
}

// run tries the waves. Addresses of the offenders are 127.net….
func run(t *testing.T, s *abused, all []wave, block int) {
	c := watchOver(s, 2, 4)
	c.quiet(500 * time.Millisecond)
	t.Logf("%-36s %5s  %-40s %19s %9s %14s", "abuse", "tried", "ended", "control p99", "memory", "all back after")
	for i := range all {
		w := &all[i]
		t.Run(w.name, func(t *testing.T) {
			s.t, c.t = t, t
			w.run(t, s, c, fmt.Sprintf("127.%d", block+i))
			s.t = t
		})
	}
	s.t, c.t = t, t
}

// run is one wave: seats, a quiet while, the offenders, what they left.
func (w *wave) run(t *testing.T, s *abused, c *onlookers, block string) {
	base := s.stats()
	groups, matches := w.seat(s, block)
	quiet := c.quiet(700 * time.Millisecond)
	memory := s.resident()
	peak, stop := watchMemory(s)

	busy := lenient()
	used, begin := s.processorTime(), time.Now()
	ends := make([]map[string]int, len(w.offences))
	var mu sync.Mutex
	var wg sync.WaitGroup
	total := 0
	for g, offenders := range groups {
		ends[g] = map[string]int{}
		for _, o := range offenders {
			total++
			wg.Go(func() {
				time.Sleep(time.Duration(o.i%100) * 2 * time.Millisecond) // nobody's offenders come in one instant
				end := w.offences[g].act(o)
				if o.conn != nil {
					o.conn.Close()
				}
				mu.Lock()
				ends[g][end]++
				mu.Unlock()
			})
		}
	}
	newcomer := w.newcomer(s)
	wg.Wait()
	time.Sleep(time.Until(begin.Add(700 * time.Millisecond)))
	abusedP99 := c.errors99(begin, time.Now())
	used = s.processorTime() - used
	stop()
	grown := max(0, <-peak-memory)

	for _, id := range matches {
		s.force(id)
	}
	back, took := w.back(s, base)
	busy = busy || lenient()
	for g := range w.offences {
		o := &w.offences[g]
		t.Logf("%-36s %5d  %-40s %8v → %7v %5d MiB %9v (%+d fd, %+d go, %+d KiB)", o.name, atOnce(o.n), told(ends[g]), quiet.Round(10*time.Microsecond), abusedP99.Round(10*time.Microsecond),
			grown>>20, took.Round(10*time.Millisecond), back.Files-base.Files, back.Goroutines-base.Goroutines, (back.Heap-base.Heap)>>10)
		for end, n := range ends[g] {
			if !slices.Contains(o.want, end) && !(busy && slices.Contains(tooLate, end)) {
				t.Errorf("%s: %d ended by %s, want %v", o.name, n, end, o.want)
			}
		}
		if o.andSees != nil && !busy {
			if fault := o.andSees(s); fault != "" {
				t.Errorf("%s: %s", o.name, fault)
			}
		}
	}
	t.Logf("%-36s a newcomer was let in after %v; the server used %v of processor time in all", "", newcomer.Round(time.Millisecond), used)
	if later := c.quiet(300 * time.Millisecond); later > quiet {
		quiet = later
	}
	if abusedP99 > quiet+controlSlack() {
		t.Errorf("the control players' p99 went from %v to %v", quiet, abusedP99)
	}
	bound := max(1, (total+499)/500) * 32 << 20
	if raceEnabled {
		bound *= 8
	}
	if grown > bound {
		t.Errorf("the server grew by %d MiB under %d offenders", grown>>20, total)
	}
	if *offenders > 0 && took > time.Second {
		t.Errorf("all came back after %v", took)
	}
	if !back.backFrom(base) {
		t.Errorf("not all came back: %+v before, %+v after", base, back)
	}
}

// seat makes the offenders, those with seats seated.
func (w *wave) seat(s *abused, block string) (groups [][]*offender, matches []string) {
	s.t.Helper()
	for g := range w.offences {
		o := &w.offences[g]
		var group []*offender
		for i := range atOnce(o.n) {
			at := i
			if o.shared > 0 {
				at = i % o.shared
			}
			group = append(group, &offender{s: s, i: i, wave: w, from: fmt.Sprintf("%s.%d.%d", block, g*8+at/250, at%250+1)})
		}
		if o.seated {
			matches = append(matches, seatAll(s, group))
		}
		groups = append(groups, group)
	}
	return groups, matches
}

// seatAll seats the offenders in one match.
func seatAll(s *abused, group []*offender) (match string) {
	s.t.Helper()
	var seats []map[string]any
	for i := range group {
		seats = append(seats, map[string]any{"player_id": fmt.Sprint("offender-", i)})
	}
	made := s.create(map[string]any{"game": "crowd", "capacity": map[string]any{"players": len(group)}, "seats": seats, "timeouts": map[string]any{"empty_ms": 60_000}})
	var wg sync.WaitGroup
	room := make(chan struct{}, 16)
	for i, o := range group {
		o.token = made.Seats[i].Token
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			var err error
			if o.conn, err = enter(s, o.from, o.token); err != nil {
				s.t.Errorf("an offender finds no seat: %v", err)
			}
		})
	}
	wg.Wait()
	return made.Match.MatchID
}

// newcomer is how long somebody who means no harm needs from the first packet to the welcome meanwhile.
func (w *wave) newcomer(s *abused) time.Duration {
	made := s.create(map[string]any{"game": "race", "seats": []map[string]any{{"player_id": "newcomer"}}})
	defer s.force(made.Match.MatchID)
	begin := time.Now()
	conn, err := enter(s, "127.10.0.1", made.Seats[0].Token)
	if err != nil {
		s.t.Errorf("a newcomer is kept out: %v", err)
		return 0
	}
	defer conn.Close()
	if _, err := conn.welcomed(nil); err != nil {
		s.t.Errorf("a newcomer is kept out: %v", err)
	}
	return time.Since(begin)
}

// backFrom tells whether all is given back but what the server may keep: a ring and an idle connection of the API's, what is
// at work at any moment, and the newest blocks of the journal's streams, which stay in memory for a while, 8 MiB each at most.
func (st abuseStats) backFrom(base abuseStats) bool {
	return st.Files <= base.Files+2 && st.Goroutines <= base.Goroutines+8 && st.Heap <= base.Heap+16<<20
}

// back waits until what the offenders took is given back.
func (w *wave) back(s *abused, base abuseStats) (st abuseStats, took time.Duration) {
	begin := time.Now()
	for {
		st = s.stats()
		took = time.Since(begin)
		if st.backFrom(base) || took > 30*time.Second {
			return st, took
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// watchMemory notes the most memory that the server holds until stop.
func watchMemory(s *abused) (peak chan int, stop func()) {
	peak, end := make(chan int, 1), make(chan struct{})
	go func() {
		most := 0
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, s.resident())
			case <-end:
				peak <- most
				return
			}
		}
	}()
	return peak, func() { close(end) }
}

// told is "4408 × 250, EOF × 1".
func told(ends map[string]int) string {
	var parts []string
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		parts = append(parts, fmt.Sprintf("%s × %d", end, ends[end]))
	}
	return strings.Join(parts, ", ")
}

// dial connects from the offender's address.
func (o *offender) dial() (*rawConn, error) { return dialFrom(o.from, hostOf(o.s.play)) }

// knock connects and sends b.
func (o *offender) knock(b string) (*rawConn, error) {
	c, err := o.dial()
	if err == nil {
		_, err = c.Write([]byte(b))
	}
	if err != nil && c != nil {
		c.Close()
	}
	return c, err
}

// open shakes hands, and says no hello.
func (o *offender) open() (*rawConn, error) {
	c, err := o.knock(rawHead)
	if err == nil {
		err = c.upgraded()
	}
	return c, err
}

// ended names the end of a WebSocket connection.
func ended(c *rawConn) string {
	o := c.drain()
	if o.end == endedClose {
		return fmt.Sprint(o.code)
	}
	return nameOf(o.end)
}

func nameOf(e rawEnd) string {
	return map[rawEnd]string{endedSilent: "EOF", endedReset: "RST", endedTimeout: "no end", endedGarbage: "garbage"}[e]
}

// refusal names the answer to a head, if a clean end comes behind it.
func refusal(c *rawConn) string {
	res, err := c.answer()
	if err != nil {
		return nameOf(endOf(err))
	}
	return fmt.Sprint(res.StatusCode)
}

// pump writes b every so often until the connection takes no more or the time is over.
func pump(c net.Conn, b []byte, every, most time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for end := time.Now().Add(most); time.Now().Before(end); <-tick.C {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// pumped pumps beside reading to the end.
func pumped(c *rawConn, b []byte, every, most time.Duration) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		pump(c, b, every, most)
	}()
	end := ended(c)
	c.Close()
	<-done
	return end
}
