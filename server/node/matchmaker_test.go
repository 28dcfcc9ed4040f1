package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/server/api"
	"skirmish/server/node"
)

// post does one request with an Idempotency-Key; err is of the connection alone.
func post(ctx context.Context, c *http.Client, url, key string, body any, into any) (status int, replayed bool, out []byte, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, false, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return 0, false, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, false, nil, err
	}
	defer res.Body.Close()
	out, err = io.ReadAll(res.Body)
	if err == nil && into != nil && res.StatusCode < 300 {
		err = json.Unmarshal(out, into)
	}
	return res.StatusCode, res.Header.Get("Idempotency-Replayed") == "true", out, err
}

// Three matchmakers race for the seats of the same matches: 5,000 reserve-and-join over the real API and real sockets.
// Nothing is oversold, nothing leaks, and a repeat with the same key changes nothing.
func TestThreeMatchmakersRace(t *testing.T) {
	const matches, capacity, joins, workers = 12, 4, 5000, 8
	r := serve(t, nil, race{})
	ids := make([]string, matches)
	taken := make([]atomic.Int32, matches) // seats that players of the test hold, as far as they know
	for i := range ids {
		ids[i] = fmt.Sprint("pool-", i)
		r.create(map[string]any{"match_id": ids[i], "game": "race", "params": map[string]any{"length": 1000}, "capacity": map[string]any{"players": capacity}, "tick_rate": 100,
			"start": map[string]any{"when": "now"}, "timeouts": map[string]any{"empty_ms": 3600000}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var left, done, full, repeats atomic.Int64
	left.Store(joins)
	begin := time.Now()
	var wg sync.WaitGroup
	for maker := range 3 {
		hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
		for worker := range workers {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(maker), uint64(worker)))
				for n := 0; left.Add(-1) >= 0; n++ {
					player := fmt.Sprintf("p-%d-%d-%d", maker, worker, n)
					for {
						i := rnd.IntN(matches)
						key := fmt.Sprint(player, "@", i)
						body := map[string]any{"seats": []map[string]any{{"player_id": player, "ttl_ms": 30000}}}
						var got, again struct{ Seats []api.Seat }
						status, _, out, err := post(ctx, hc, r.admin+"/v1/matches/"+ids[i]+"/seats", key, body, &got)
						if err != nil {
							t.Error(err)
							return
						}
						if status == http.StatusConflict { // full: another one
							full.Add(1)
							continue
						}
						if status != http.StatusCreated && status != http.StatusOK {
							t.Errorf("%d %s", status, out)
							return
						}
						if taken[i].Add(1) > capacity {
							t.Errorf("%s is oversold", ids[i])
						}
						if rnd.IntN(4) == 0 {
							status, replayed, out, err := post(ctx, hc, r.admin+"/v1/matches/"+ids[i]+"/seats", key, body, &again)
							if err != nil || status != 200 || !replayed || again.Seats[0].Token != got.Seats[0].Token {
								t.Errorf("a repeat: %d %v %s %v", status, replayed, out, err)
							}
							repeats.Add(1)
						}
						c, err := client.Dial(ctx, r.play, client.Options{Token: got.Seats[0].Token})
						if err != nil {
							t.Error(err)
							return
						}
						if w := c.Welcome(); w.MatchID != ids[i] || w.PlayerID != player || w.Seat != got.Seats[0].Seat {
							t.Errorf("%s was welcomed as %s on seat %d of %s", player, w.PlayerID, w.Seat, w.MatchID)
						}
						taken[i].Add(-1)
						if err := c.Leave(ctx); err != nil {
							t.Error(err)
							return
						}
						done.Add(1)
						break
					}
				}
			})
		}
	}
	wg.Wait()
	took := time.Since(begin)
	until(t, "every seat is free again", func() bool {
		for _, id := range ids {
			var m api.Match
			r.call("GET", r.admin+"/v1/matches/"+id, nil, http.StatusOK, &m)
			if m.OpenSeats != capacity || m.Players != 0 || m.Reserved != 0 {
				return false
			}
		}
		return true
	})
	t.Logf("%d reserve-and-join of three matchmakers in %.1f s; %d refused as full, %d repeats", done.Load(), took.Seconds(), full.Load(), repeats.Load())
	if done.Load() != joins {
		t.Errorf("%d of %d", done.Load(), joins)
	}
}

// A small matchmaker pairs 1,000 players in parallel and checks every result, read and told.
func TestMatchmakerPairsAThousandPlayers(t *testing.T) {
	const players, atOnce = 1000, 24
	s := newSink(t)
	r := hooked(t, func(c *node.Config) { c.Webhooks.PerSink = 16 })
	queue := make(chan string, players)
	for i := range players {
		queue <- fmt.Sprint("player-", i)
	}
	close(queue)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var mu sync.Mutex
	winners := map[string]string{} // by match
	var wg sync.WaitGroup
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	begin := time.Now()
	var pairing sync.Mutex
	for range atOnce {
		wg.Go(func() {
			for {
				pairing.Lock()
				a, b := <-queue, <-queue
				pairing.Unlock()
				if b == "" {
					return
				}
				var made api.Created
				status, _, out, err := post(ctx, hc, r.admin+"/v1/matches", a+b, map[string]any{
					"game": "race", "params": map[string]any{"length": 3}, "capacity": map[string]any{"players": 2}, "open": false,
					"seats":   []map[string]any{{"player_id": a, "team": 1}, {"player_id": b, "team": 2}},
					"start":   map[string]any{"when": "all_seated", "min_players": 2},
					"webhook": map[string]any{"url": s.URL, "secret_id": "main", "events": []string{"match.ended"}},
				}, &made)
				if err != nil || status != http.StatusCreated {
					t.Errorf("%d %s %v", status, out, err)
					return
				}
				if err := play(ctx, r, &made, a); err != nil {
					t.Errorf("%s: %v", made.Match.MatchID, err)
					return
				}
				mu.Lock()
				winners[made.Match.MatchID] = a
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if len(winners) != players/2 {
		t.Fatalf("%d matches", len(winners))
	}
	for id, winner := range winners {
		var res api.Result
		r.call("GET", r.admin+"/v1/matches/"+id+"/result", nil, http.StatusOK, &res)
		if string(res.Result) != `{"winner":"`+winner+`"}` || res.Reason != "finished" || len(res.Players) != 2 || res.Players[0].Team != 1 || res.Players[1].Team != 2 {
			t.Errorf("%s: %+v, want %s", id, res, winner)
		}
	}
	until(t, "500 webhooks", func() bool { return len(s.events()) == players/2 })
	for _, e := range s.events() {
		var res api.Result
		if err := json.Unmarshal(e.Data, &res); err != nil || string(res.Result) != `{"winner":"`+winners[e.MatchID]+`"}` {
			t.Errorf("told of %s: %s", e.MatchID, e.Data)
		}
	}
	t.Logf("%d players in %d matches, made, played and ended in %.1f s", players, len(winners), took.Seconds())
}

// play has both players of a match connect, and the first win.
func play(ctx context.Context, r *running, made *api.Created, winner string) error {
	var both [2]*client.Client
	for i, seat := range made.Seats {
		c, err := client.Dial(ctx, r.play, client.Options{Token: seat.Token})
		if err != nil {
			return err
		}
		defer c.Close()
		both[i] = c
	}
	for range 3 {
		if _, err := both[0].SendFields(map[string]float64{"push": 1}); err != nil {
			return err
		}
	}
	for _, c := range both {
		if err := c.Wait(ctx); err != nil {
			return err
		}
		res, ok := c.Result()
		if want := `{"winner":"` + winner + `"}`; !ok || string(res.Payload) != want {
			return fmt.Errorf("a player was told %s, want %s", res.Payload, want)
		}
	}
	return nil
}
