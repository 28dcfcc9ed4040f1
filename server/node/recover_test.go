package node_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/journal"
	"skirmish/server/node"
)

// create makes a match.
func (v *victim) create(t *testing.T, body map[string]any) *api.Created {
	t.Helper()
	var c api.Created
	v.must(t, "POST", "/v1/matches", body, http.StatusCreated, &c)
	return &c
}

// A player is thrown out by kill -9 and finds its match where it was, its seat, and its place in the race.
func TestKilledNodeGoesOnWithItsMatches(t *testing.T) {
	t.Parallel()
	dir, s := t.TempDir(), newSink(t)
	v := start(t, dir)
	made := v.create(t, map[string]any{
		"match_id": "phoenix", "game": "race", "params": map[string]any{"length": 1000}, "metadata": map[string]string{"cup": "gold"},
		"seats":    []map[string]any{{"player_id": "ann"}, {"player_id": "bob"}, {"player_id": "late", "ttl_ms": 60000}},
		"timeouts": map[string]any{"reconnect_ms": 10000},
		"webhook":  map[string]any{"url": s.URL, "secret_id": "main"},
	})
	ann, err := client.Dial(t.Context(), v.play, client.Options{Token: made.Seats[0].Token})
	if err != nil {
		t.Fatal(err)
	}
	bob, err := client.Dial(t.Context(), v.play, client.Options{Token: made.Seats[1].Token})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		ann.SendFields(map[string]float64{"push": 1})
	}
	until(t, "both play", func() bool { return raced(ann, made.Seats[0].Seat) >= 20 && ticks(bob) > 50 })
	before, seen := ticks(ann), raced(ann, made.Seats[0].Seat)
	until(t, "100 ms pass", func() bool { return ticks(ann) > before+5 }) // what is older must be there again
	v.kill()
	began := time.Now()
	at := ticks(ann)
	v = start(t, dir)
	resume := ann.Resumption()
	resume.LastEventSeq += 3 // as if it had seen what is undone
	back, err := client.Dial(t.Context(), v.play, client.Options{Resume: resume})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	until(t, "ann sees her match", func() bool { return ticks(back) > 0 })
	t.Logf("killed at tick %d, seen again %v later at tick %d", at, time.Since(began).Round(time.Millisecond), ticks(back))
	if now := ticks(back); now < before {
		t.Errorf("tick %d was seen 100 ms before the kill, and the match goes on at %d", before, now)
	}
	if got := raced(back, made.Seats[0].Seat); got != seen {
		t.Errorf("ann had %d and has %d", seen, got)
	}
	back.SendFields(map[string]float64{"push": 1})
	until(t, "her inputs count", func() bool { return raced(back, made.Seats[0].Seat) == seen+1 })
	late, err := client.Dial(t.Context(), v.play, client.Options{Token: made.Seats[2].Token})
	if err != nil {
		t.Fatalf("a ticket from before the kill: %v", err)
	}
	defer late.Close()
	if _, err := client.Dial(t.Context(), v.play, client.Options{Token: made.Seats[1].Token}); closeCode(err) != protocol.CloseBadTicket {
		t.Errorf("a ticket that was used before the kill: %v, want 4401", err)
	}
	var m api.Match
	v.must(t, "GET", "/v1/matches/phoenix", nil, http.StatusOK, &m)
	if m.State != "running" || m.Metadata["cup"] != "gold" || m.Players != 3 {
		t.Errorf("%+v", m)
	}
	v.must(t, "DELETE", "/v1/matches/phoenix?mode=force", nil, http.StatusNoContent, nil)
	until(t, "its end is told", func() bool { return slices.Contains(s.types("phoenix"), "match.ended") })
	last := uint64(0)
	for _, e := range s.events() {
		if e.Seq <= last {
			t.Errorf("event %s has number %d behind %d", e.Type, e.Seq, last)
		}
		last = e.Seq
	}
	if types := s.types("phoenix"); !slices.Contains(types, "seat.lost") || !slices.Contains(types, "seat.resumed") {
		t.Errorf("told %v", types)
	}
}

// What cannot go on ends as failed, and its result says why.
func TestMatchesThatCannotGoOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before string // option of the node that is killed
		after  string
		damage func(t *testing.T, dir string)
		want   string // the failure, empty: it goes on
	}{
		{name: "the same program"},
		{name: "a newer version that restores the older one", after: "2 restores"},
		{name: "a newer version", after: "2", want: "It is of race 1, and this is race 2."},
		{name: "another program", after: "no race", want: `This server has no game "race".`},
		{name: "without a journal", before: "off", want: "The node was killed and the match had no journal."},
		{name: "journal switched off", after: "off", want: "The node was killed and does not restore matches: --durability is off."},
		{name: "a journal that makes no sense", damage: spoil, want: "Its journal cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, s := t.TempDir(), newSink(t)
			v := startAs(t, dir, c.before)
			made := v.create(t, map[string]any{
				"match_id": "m", "game": "race", "params": map[string]any{"length": 1000}, "seats": []map[string]any{{"player_id": "ann"}},
				"webhook": map[string]any{"url": s.URL, "secret_id": "main", "events": []string{"match.*"}},
			})
			ann, err := client.Dial(t.Context(), v.play, client.Options{Token: made.Seats[0].Token})
			if err != nil {
				t.Fatal(err)
			}
			until(t, "ann plays", func() bool { return ticks(ann) > 10 })
			v.kill()
			if c.damage != nil {
				c.damage(t, dir)
			}
			v = startAs(t, dir, c.after)
			if c.want == "" {
				back, err := client.Dial(t.Context(), v.play, client.Options{Resume: ann.Resumption()})
				if err != nil {
					t.Fatal(err)
				}
				defer back.Close()
				until(t, "ann plays on", func() bool { return ticks(back) > 20 })
				v.must(t, "DELETE", "/v1/matches/m?mode=force", nil, http.StatusNoContent, nil)
				until(t, "its end is told", func() bool { return slices.Contains(s.types("m"), "match.ended") })
				return
			}
			until(t, "its end is told", func() bool { return slices.Contains(s.types("m"), "match.failed") })
			var r api.Result
			v.must(t, "GET", "/v1/matches/m/result", nil, http.StatusOK, &r)
			if r.State != "failed" || r.Reason != "aborted" || !strings.HasPrefix(r.Failure, c.want) || len(r.Players) != 1 {
				t.Errorf("%+v", r)
			}
			if _, err := client.Dial(t.Context(), v.play, client.Options{Resume: ann.Resumption()}); closeCode(err) != protocol.CloseNoMatch {
				t.Errorf("a resume: %v, want 4404", err)
			}
			v.kill() // nothing is told anew, and nothing goes on
			v = startAs(t, dir, "")
			until(t, "all is told", func() bool {
				var info api.NodeInfo
				v.must(t, "GET", "/v1/node", nil, http.StatusOK, &info)
				return info.Webhooks.Pending == 0
			})
			ends := map[string]bool{} // an event may be told twice over a kill, with the same id
			for _, e := range s.events() {
				if e.Type == "match.failed" {
					ends[e.ID] = true
				}
			}
			if got := s.types("m"); len(ends) != 1 || got[len(got)-1] != "match.failed" {
				t.Errorf("told %v", got)
			}
		})
	}
}

// tamper opens a stream of a node that does not run.
func tamper(t *testing.T, dir, stream string, f func(journal.Stream)) {
	t.Helper()
	j, err := journal.OpenNATS(t.Context(), journal.Options{Dir: filepath.Join(dir, "nats"), MaxStore: node.DefaultStoreBytes})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s, err := j.Open(t.Context(), journal.StreamConfig{Name: stream, MaxBytes: 1 << 20, Unsynced: stream == "INPUTS"})
	if err != nil {
		t.Fatal(err)
	}
	f(s)
}

// spoil has the newest checkpoint of every match make no sense.
func spoil(t *testing.T, dir string) {
	t.Helper()
	tamper(t, dir, "INPUTS", func(s journal.Stream) {
		l, held, err := journal.OpenLog(t.Context(), s, journal.LogConfig{})
		if err != nil || len(held) < 2 {
			t.Fatalf("%d keys, %v", len(held), err)
		}
		for key := range held {
			l.Checkpoint(key, []byte("\x02{}nonsense"))
		}
		if err := l.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A match whose result is on the disk is over, also when the process died before it could tidy up behind it.
func TestKilledBetweenResultAndTidyingUp(t *testing.T) {
	t.Parallel()
	dir, s := t.TempDir(), newSink(t)
	v := start(t, dir)
	v.create(t, map[string]any{"match_id": "m", "game": "race", "start": map[string]any{"when": "now"}, "timeouts": map[string]any{"empty_ms": 3600000},
		"webhook": map[string]any{"url": s.URL, "secret_id": "main", "events": []string{"match.*"}}})
	var m api.Match
	until(t, "it ticks", func() bool { v.must(t, "GET", "/v1/matches/m", nil, http.StatusOK, &m); return m.Tick > 5 })
	v.kill()
	var kept journal.Record
	tamper(t, dir, "MATCHES", func(s journal.Stream) {
		all, err := s.List(t.Context(), 0, 10)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d records, %v", len(all), err)
		}
		kept = all[0]
	})
	v = start(t, dir)
	v.must(t, "DELETE", "/v1/matches/m?mode=force", nil, http.StatusNoContent, nil)
	until(t, "its end is told", func() bool { return slices.Contains(s.types("m"), "match.ended") })
	var before, after api.Result
	v.must(t, "GET", "/v1/matches/m/result", nil, http.StatusOK, &before)
	v.kill()
	tamper(t, dir, "MATCHES", func(s journal.Stream) { // as if it had not been deleted
		if _, err := s.Append(t.Context(), "m", "again", kept.Data); err != nil {
			t.Fatal(err)
		}
	})
	v = start(t, dir)
	v.must(t, "GET", "/v1/matches/m/result", nil, http.StatusOK, &after)
	if before.EndedAt != after.EndedAt {
		t.Errorf("it ended %v and then %v", before.EndedAt, after.EndedAt)
	}
	if status, _, _ := v.ask(t.Context(), "GET", "/v1/matches/m", "", nil); status != http.StatusNotFound {
		t.Errorf("a match that is over goes on: %d", status)
	}
	v.kill()
	tamper(t, dir, "MATCHES", func(s journal.Stream) {
		if all, err := s.List(t.Context(), 0, 10); err != nil || len(all) != 0 {
			t.Errorf("%d records are left, %v", len(all), err)
		}
	})
}

// raced is how far a player has come.
func raced(c *client.Client, seat uint16) int {
	var s protocol.State
	if !c.State(&s) {
		return -1
	}
	for i := range s.Rows.IDs {
		if s.Rows.IDs[i] == uint32(seat) {
			return int(s.Rows.Row(i)[0])
		}
	}
	return -1
}
