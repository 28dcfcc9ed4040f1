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

// pool is a set of matches whose seats matchmakers race for.
type pool struct {
	r        *running
	ids      []string
	capacity int
	taken    []atomic.Int32 // seats that players hold, as far as they know, by match

	left, done, full, repeats atomic.Int64
}

func newPool(r *running, matches, capacity int) *pool {
	p := &pool{r: r, ids: make([]string, matches), capacity: capacity, taken: make([]atomic.Int32, matches)}
	for i := range p.ids {
		p.ids[i] = fmt.Sprint("pool-", i)
		r.create(map[string]any{"match_id": p.ids[i], "game": "race", "params": map[string]any{"length": 1000}, "capacity": map[string]any{"players": capacity}, "tick_rate": 100,
			"start": map[string]any{"when": "now"}, "timeouts": map[string]any{"empty_ms": 3600000}})
	}
	return p
}

// race has three matchmakers of so many workers reserve and join, so often in all. Each player leaves again.
func (p *pool) race(ctx context.Context, workers int, joins int64) {
	p.left.Store(joins)
	var wg sync.WaitGroup
	for maker := range 3 {
		hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
		for worker := range workers {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(maker), uint64(worker)))
				for n := 0; p.left.Add(-1) >= 0; n++ {
					if err := p.join(ctx, hc, rnd, fmt.Sprintf("p-%d-%d-%d", maker, worker, n)); err != nil {
						p.r.t.Error(err)
						return
					}
					p.done.Add(1)
				}
			})
		}
		defer hc.CloseIdleConnections()
	}
	wg.Wait()
}

// join reserves a seat for a player in any match that has one, sometimes says so twice, joins with its ticket and leaves.
func (p *pool) join(ctx context.Context, hc *http.Client, rnd *rand.Rand, player string) error {
	body := map[string]any{"seats": []map[string]any{{"player_id": player, "ttl_ms": 30000}}}
	for {
		i := rnd.IntN(len(p.ids))
		url, key := p.r.admin+"/v1/matches/"+p.ids[i]+"/seats", fmt.Sprint(player, "@", i)
		var got, again struct{ Seats []api.Seat }
		status, _, out, err := post(ctx, hc, url, key, body, &got)
		switch {
		case err != nil:
			return err
		case status == http.StatusConflict: // full: another one
			p.full.Add(1)
			continue
		case status != http.StatusCreated && status != http.StatusOK:
			return fmt.Errorf("%d %s", status, out)
		}
		if p.taken[i].Add(1) > int32(p.capacity) {
			return fmt.Errorf("%s is oversold", p.ids[i])
		}
		if rnd.IntN(4) == 0 {
			status, replayed, out, err := post(ctx, hc, url, key, body, &again)
			if err != nil || status != http.StatusOK || !replayed || again.Seats[0].Token != got.Seats[0].Token {
				return fmt.Errorf("a repeat: %d %v %s %v", status, replayed, out, err)
			}
			p.repeats.Add(1)
		}
		c, err := client.Dial(ctx, p.r.play, client.Options{Token: got.Seats[0].Token})
		if err != nil {
			return err
		}
		if w := c.Welcome(); w.MatchID != p.ids[i] || w.PlayerID != player || w.Seat != got.Seats[0].Seat {
			return fmt.Errorf("%s was welcomed as %s on seat %d of %s", player, w.PlayerID, w.Seat, w.MatchID)
		}
		p.taken[i].Add(-1)
		return c.Leave(ctx)
	}
}

// settled waits until nobody holds a seat any more.
func (p *pool) settled() {
	until(p.r.t, "every seat is free again", func() bool {
		for _, id := range p.ids {
			var m api.Match
			p.r.call("GET", p.r.admin+"/v1/matches/"+id, nil, http.StatusOK, &m)
			if m.OpenSeats != p.capacity || m.Players != 0 || m.Reserved != 0 {
				return false
			}
		}
		return true
	})
}

// Three matchmakers race for the seats of the same matches: 5,000 reserve-and-join over the real API and real sockets.
// Nothing is oversold, nothing leaks, and a repeat with the same key changes nothing.
func TestThreeMatchmakersRace(t *testing.T) {
	joins := int64(5000)
	if raceEnabled {
		joins = 1000 // make test plays all of them without the race detector as well
	}
	p := newPool(serve(t, nil, race{}), 12, 4)
	p.race(t.Context(), 8, joins)
	p.settled()
	t.Logf("%d reserve-and-join of three matchmakers; %d refused as full, %d repeats", p.done.Load(), p.full.Load(), p.repeats.Load())
	if p.done.Load() != joins {
		t.Errorf("%d of %d", p.done.Load(), joins)
	}
}

// How many reserve-and-join a second a node does for three matchmakers, the players' and the matchmakers' own work included.
func BenchmarkReserveAndJoin(b *testing.B) {
	p := newPool(serve(b, nil, race{}), 12, 4)
	b.ResetTimer()
	p.race(b.Context(), 8, int64(b.N))
	b.StopTimer()
	b.ReportMetric(float64(p.done.Load())/b.Elapsed().Seconds(), "joins/s")
	p.settled()
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
