package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
)

// A match whose game takes the process along goes on twice. The third time it has failed, its result says why, and nobody
// else has lost anything.
func TestMatchThatKillsTheProcess(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    int
		light bool
	}{{name: "in a tick", at: 40}, {name: "by an input", light: true}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			v := start(t, dir)
			clock(t, v)
			request := map[string]any{"match_id": "bomb", "game": "bomb", "params": map[string]any{"at": c.at}, "timeouts": map[string]any{"empty_ms": 3600000}}
			if c.light {
				request["seats"] = []map[string]any{{"player_id": "ann"}}
			} else {
				request["start"] = map[string]any{"when": "now"}
			}
			made := v.create(t, request)
			options := client.Options{}
			if c.light {
				options.Token = made.Seats[0].Token
			}
			for range 3 {
				if c.light {
					ann, err := client.Dial(t.Context(), v.play, options)
					if err != nil {
						t.Fatal(err)
					}
					defer ann.Close()
					until(t, "ann plays", func() bool { return ticks(ann) > 0 })
					written(t, v)
					options = client.Options{Resume: ann.Resumption()}
					for range 3 {
						ann.SendFields(map[string]float64{"fuse": 1})
					}
				}
				if err := v.cmd.Wait(); err == nil || !strings.Contains(err.Error(), "exit status 7") {
					t.Fatalf("the process ended with %v", err)
				}
				v = start(t, dir)
			}
			var r api.Result
			v.must(t, "GET", "/v1/matches/bomb/result", nil, http.StatusOK, &r)
			if want := "The node has died 3 times in a row while the game was at work, the last time in tick "; r.State != "failed" || !strings.HasPrefix(r.Failure, want) {
				t.Errorf("%+v", r)
			}
			var before, after api.Match
			v.must(t, "GET", "/v1/matches/clock", nil, http.StatusOK, &before)
			until(t, "the other match goes on", func() bool {
				v.must(t, "GET", "/v1/matches/clock", nil, http.StatusOK, &after)
				return after.Tick > before.Tick
			})
		})
	}
}

// A node that is killed while it restores its matches, again and again, loses none.
func TestKilledWhileItRestores(t *testing.T) {
	const matches = 8
	dir := t.TempDir()
	v := start(t, dir)
	var players []*client.Client
	var pushed [matches]int
	for i := range matches {
		made := v.create(t, map[string]any{"match_id": fmt.Sprint("m-", i), "game": "race", "params": map[string]any{"length": 1000}, "seats": []map[string]any{{"player_id": "ann"}}})
		c, err := client.Dial(t.Context(), v.play, client.Options{Token: made.Seats[0].Token})
		if err != nil {
			t.Fatal(err)
		}
		players = append(players, c)
		for range i + 1 {
			c.SendFields(map[string]float64{"push": 1})
		}
		until(t, "its pushes count", func() bool { pushed[i] = raced(c, 1); return pushed[i] > 0 })
	}
	seen := make([]uint32, matches)
	for i, c := range players {
		seen[i], pushed[i] = ticks(c), raced(c, 1)
	}
	until(t, "100 ms pass", func() bool { return ticks(players[0]) > seen[0]+6 }) // what is older must be there again
	v.kill()
	for range 2 {
		killAtWork(t, dir, 3)
	}
	v = start(t, dir)
	for i, old := range players {
		back, err := client.Dial(t.Context(), v.play, client.Options{Resume: old.Resumption()})
		if err != nil {
			t.Fatalf("match %d: %v", i, err)
		}
		defer back.Close()
		until(t, "the match goes on", func() bool { return ticks(back) > seen[i] })
		if got := raced(back, 1); got < pushed[i] {
			t.Errorf("match %d: its car was at %d and is at %d", i, pushed[i], got)
		}
	}
}

// killAtWork starts the node, whose games take their time to be restored, and kills it when so many of them have begun.
func killAtWork(t *testing.T, dir string, many int) {
	t.Helper()
	cmd := victimCommand(t, dir, "2 slow")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	begun := map[string]bool{}
	until(t, "matches are being restored", func() bool {
		places, _ := os.ReadFile(filepath.Join(dir, "at-work"))
		for ; len(places) >= 64; places = places[64:] {
			if binary.LittleEndian.Uint32(places) == 1<<32-1 {
				begun[string(bytes.TrimRight(places[4:64], "\x00"))] = true
			}
		}
		return len(begun) >= many
	})
}

// written waits until what has happened by now is on the disk, which takes 100 ms at the most: on the clock of a match that ticks.
func written(t *testing.T, v *victim) {
	t.Helper()
	tick := func() uint32 {
		var m api.Match
		v.must(t, "GET", "/v1/matches/clock", nil, http.StatusOK, &m)
		return m.Tick
	}
	now := tick()
	until(t, "it is on the disk", func() bool { return tick() > now+8 })
}

// clock makes the match that written looks at.
func clock(t *testing.T, v *victim) {
	t.Helper()
	v.create(t, map[string]any{"match_id": "clock", "game": "race", "start": map[string]any{"when": "now"}, "timeouts": map[string]any{"empty_ms": 3600000}})
}

// Who waits for a match to begin waits for it in the next process as well: for the same players, and for a whole countdown.
func TestStartRulesOverAKill(t *testing.T) {
	dir := t.TempDir()
	v := start(t, dir)
	const countdown = 700 * time.Millisecond
	made := v.create(t, map[string]any{
		"match_id": "m", "game": "race", "params": map[string]any{"length": 1000}, "start": map[string]any{"when": "all_seated", "countdown_ms": countdown.Milliseconds()},
		"seats": []map[string]any{{"player_id": "ann", "ttl_ms": 60000}, {"player_id": "bob", "ttl_ms": 60000}}, "timeouts": map[string]any{"reconnect_ms": 20000},
	})
	clock(t, v)
	state := func() (m api.Match) { v.must(t, "GET", "/v1/matches/m", nil, http.StatusOK, &m); return m }
	sit := func(o client.Options, players int) *client.Client {
		c, err := client.Dial(t.Context(), v.play, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		until(t, "everybody sits", func() bool { return state().Players == players })
		return c
	}
	ann := sit(client.Options{Token: made.Seats[0].Token}, 1)
	written(t, v)
	v.kill()
	v = start(t, dir)
	ann = sit(client.Options{Resume: ann.Resumption()}, 1)
	if m := state(); m.State != "waiting" || m.Reserved != 1 {
		t.Errorf("without bob: %+v", m)
	}
	bob := sit(client.Options{Token: made.Seats[1].Token}, 2)
	written(t, v)
	began := state().State != "waiting" // on a machine that is too slow for this test
	v.kill()
	v = start(t, dir)
	restarted := time.Now()
	sit(client.Options{Resume: ann.Resumption()}, 2)
	sit(client.Options{Resume: bob.Resumption()}, 2)
	until(t, "the match begins", func() bool { return state().State == "running" })
	if wait := time.Since(restarted); !began && wait < countdown {
		t.Errorf("the countdown was %v and is over after %v", countdown, wait)
	}
}

// Events that a player has missed are there in the next process: each once, in order.
func TestEventsOutliveAKill(t *testing.T) {
	dir := t.TempDir()
	v := start(t, dir)
	made := v.create(t, map[string]any{"match_id": "m", "game": "beacon", "seats": []map[string]any{{"player_id": "ann"}}, "timeouts": map[string]any{"reconnect_ms": 20000}})
	clock(t, v)
	var mu sync.Mutex
	var heard []int32
	options := client.Options{Token: made.Seats[0].Token, OnEvent: func(e *protocol.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Op == 0 {
			heard = append(heard, e.Values[0].Int)
		}
	}}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(heard) }
	ann, err := client.Dial(t.Context(), v.play, options)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "ann hears", func() bool { return count() >= 10 })
	ann.Close()
	before := count()
	written(t, v)
	v.kill()
	v = start(t, dir)
	options.Token, options.Resume = "", ann.Resumption()
	back, err := client.Dial(t.Context(), v.play, options)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "ann hears on", func() bool { return count() >= before+20 })
	back.Close()
	mu.Lock()
	defer mu.Unlock()
	for i := range heard {
		if heard[i] != heard[0]+int32(i) {
			t.Fatalf("of %d events before the kill and %d after it, number %d follows %d", before, len(heard)-before, heard[i], heard[i-1])
		}
	}
}
