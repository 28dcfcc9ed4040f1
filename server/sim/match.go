package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"skirmish/server/api"
)

// match is one match as its matchmaker knows it. Run's goroutine owns it.
type match struct {
	w        *World
	id       string
	create   map[string]any // the request
	key      string         // of the request, may be empty
	capacity int
	length   time.Duration // until it finishes by itself
	life     *life         // of the node that runs it
	made     bool          // the node has said so
	doomed   bool          // the node died with it: it may have no result
	over     bool          // its result was given out
	joined   int           // players that were sent
	told     string        // its result as the API gave it out
	shown    string        // the game's own result as a player was told
	unsure   bool          // and the disk had not taken it by then
}

// newMatch draws a match and has it made.
func (w *World) newMatch() {
	m := &match{w: w, id: fmt.Sprintf("m-%d", len(w.matches)+1), capacity: 1 + w.rand.IntN(6)}
	w.matches = append(w.matches, m)
	rate := []int{5, 10, 10, 20}[w.rand.IntN(4)]
	m.length = w.between(3*time.Second, 25*time.Second)
	params := map[string]any{"ticks": int(m.length.Seconds() * float64(rate))}
	switch w.rand.IntN(10) {
	case 0:
		params["panic_at"] = 1 + w.rand.IntN(rate*10)
		w.fault("game panics")
	case 1, 2:
		params["slow_at"], params["slow_ms"] = 2+w.rand.IntN(rate*5), 10+w.rand.IntN(1500)
		w.fault("game is slow")
	}
	snapshots := rate
	if w.rand.IntN(3) == 0 && rate%2 == 0 {
		snapshots = rate / 2
	}
	spectators := w.rand.IntN(3)
	m.create = map[string]any{
		"match_id": m.id, "game": "probe", "params": params, "tick_rate": rate, "snapshot_rate": snapshots, "seed": w.rand.IntN(1 << 30),
		"capacity": map[string]int{"players": m.capacity, "spectators": spectators},
		"timeouts": map[string]int{"reconnect_ms": 1000 + w.rand.IntN(10_000), "no_show_ms": 10_000, "empty_ms": 8000},
		"webhook":  map[string]string{"url": hookURL, "secret_id": "main"},
	}
	if w.rand.IntN(2) == 0 {
		m.create["spectator_delay_ms"] = w.rand.IntN(3000)
	}
	switch w.rand.IntN(4) {
	case 0:
		m.create["start"] = map[string]any{"when": "now"}
	case 1:
		m.create["start"] = map[string]any{"when": "all_seated", "countdown_ms": w.rand.IntN(2000)}
	}
	first := m.seats(1 + w.rand.IntN(m.capacity))
	for range w.rand.IntN(spectators + 1) {
		s := m.seats(1)
		s[0]["role"] = "spectator"
		first = append(first, s...)
	}
	m.create["seats"] = first
	if w.rand.IntN(2) == 0 {
		m.key = "key-of-" + m.id
	}
	m.ask()
}

// seats asks for n seats for players who are new.
func (m *match) seats(n int) (out []map[string]any) {
	for range n {
		m.joined++
		out = append(out, map[string]any{"player_id": fmt.Sprintf("%s-p%d", m.id, m.joined), "ttl_ms": 1000 + m.w.rand.IntN(10_000)})
	}
	return out
}

// call does one request to the API on a goroutine of its own and has the answer looked at: status 0 when the node died
// or is down.
func (w *World) call(method, path string, body any, then func(status int, out []byte)) {
	w.callWith("", method, path, body, then)
}

// callWith is call with an Idempotency-Key.
func (w *World) callWith(key, method, path string, body any, then func(status int, out []byte)) {
	l := w.life
	if l == nil || l.node == nil {
		w.in(time.Millisecond, func() { then(0, nil) })
		return
	}
	var in []byte
	if body != nil {
		in = must(json.Marshal(body))
	}
	w.calls.Go(func() {
		r := must(http.NewRequest(method, "http://127.0.0.1:7351"+path, bytes.NewReader(in)))
		r.RemoteAddr, r.RequestURI = "127.0.0.1:9", path
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		a := &answer{status: http.StatusOK, header: http.Header{}}
		l.node.API().ServeHTTP(a, r)
		w.post(func() {
			status, out := a.status, a.body.Bytes()
			if l.dead.Load() {
				status, out = 0, nil
			}
			w.trace.add("api "+method+" "+path, status, out)
			then(status, out)
		})
	})
}

// answer is an http.ResponseWriter that keeps what it is given.
type answer struct {
	status int
	header http.Header
	body   bytes.Buffer
	begun  bool
}

func (a *answer) Header() http.Header { return a.header }
func (a *answer) WriteHeader(status int) {
	if !a.begun {
		a.begun, a.status = true, status
	}
}
func (a *answer) Write(p []byte) (int, error) {
	a.begun = true
	return a.body.Write(p)
}

// ask has the match made, again and again until the node has said yes or no.
func (m *match) ask() {
	w := m.w
	if w.healed.Load() {
		return
	}
	l := w.life
	w.callWith(m.key, "POST", "/v1/matches", m.create, func(status int, out []byte) {
		switch status {
		case 0: // perhaps it was made
			m.doomed = true
			w.in(w.between(100*time.Millisecond, 2*time.Second), m.ask)
		case http.StatusServiceUnavailable:
			w.did("matches refused for now")
			w.in(w.between(time.Second, 3*time.Second), m.ask)
		case http.StatusInternalServerError, http.StatusConflict:
			if status == 500 && w.spellAt(time.Now().Add(-time.Second), diskFails) == well && w.spellAt(time.Now(), diskFails) == well {
				w.Fail("%s: %d %s", m.id, status, out)
			}
			if status == 409 && !m.doomed {
				w.Fail("%s: its id is taken: %s", m.id, out)
			}
			w.in(w.between(time.Second, 3*time.Second), m.ask)
			if status == 409 { // made in a life that ended before it could say so
				m.made, m.over = true, true
			}
		case http.StatusCreated, http.StatusOK:
			if status == http.StatusOK && (m.key == "" || !m.doomed) {
				w.Fail("%s: it is said to be there already: %s", m.id, out)
			}
			m.begin(l, out)
		default:
			w.Fail("%s: %d %s", m.id, status, out)
		}
	})
}

// begin sends the players of a match that was made.
func (m *match) begin(l *life, out []byte) {
	w := m.w
	w.did("matches made")
	var made api.Created
	if err := json.Unmarshal(out, &made); err != nil {
		w.Fail("%s: %v in %s", m.id, err, out)
		return
	}
	m.made, m.doomed, m.life = true, l.dead.Load(), l
	w.say("%s is made", m.id)
	m.send(made.Seats)
	if m.key != "" {
		w.in(w.between(0, m.length), func() { m.repeat(out) })
	}
	w.in(w.between(500*time.Millisecond, 3*time.Second), m.look)
	for range w.rand.IntN(4) {
		w.in(w.between(0, m.length), m.interfere)
	}
}

// repeat does the request that has made the match once more: whatever has happened since, it makes nothing.
func (m *match) repeat(first []byte) {
	w := m.w
	if m.doomed || w.healed.Load() {
		return
	}
	w.callWith(m.key, "POST", "/v1/matches", m.create, func(status int, out []byte) {
		switch {
		case status == 0 || status == http.StatusServiceUnavailable || status == 500 && w.spellAt(time.Now(), diskFails) != well:
		case status != http.StatusOK || !bytes.Equal(out, first):
			w.Fail("%s: its request was answered with %s, and when it was repeated with %d %s", m.id, first, status, out)
		default:
			w.did("requests repeated")
		}
	})
}

// send lets players come to seats that were reserved.
func (m *match) send(seats []api.Seat) {
	w := m.w
	for i := range seats {
		p := w.newPlayer(m, &seats[i])
		w.in(w.between(0, 2*time.Second), p.join)
	}
}

// interfere is what a matchmaker may do in the middle of a match.
func (m *match) interfere() {
	w := m.w
	if m.over || m.doomed || w.healed.Load() {
		return
	}
	path := "/v1/matches/" + m.id
	expect := func(what string, codes ...int) func(int, []byte) {
		return func(status int, out []byte) {
			for _, c := range append(codes, 0, 404, 409, 503) { // down, over, or going down
				if status == c {
					w.did(what)
					return
				}
			}
			if status != 500 || w.spellAt(time.Now(), diskFails) == well {
				w.Fail("%s of %s: %d %s", what, m.id, status, out)
			}
		}
	}
	switch w.rand.IntN(9) {
	case 7, 8:
		w.quickPlay()
	case 0, 1:
		body := map[string]any{"seats": m.seats(1 + w.rand.IntN(2))}
		w.call("POST", path+"/seats", body, func(status int, out []byte) {
			var got struct{ Seats []api.Seat }
			if status == http.StatusCreated || status == http.StatusOK {
				if err := json.Unmarshal(out, &got); err != nil || len(got.Seats) == 0 {
					w.Fail("%s: seats: %v in %s", m.id, err, out)
				}
				m.send(got.Seats)
			}
			expect("seats added", 200, 201)(status, out)
		})
	case 2:
		if p := m.any(); p != nil {
			p.released = true // its thief as well
			w.call("DELETE", path+"/seats/"+p.id, nil, expect("seat taken away", 204))
		}
	case 3:
		if p := m.any(); p != nil {
			w.call("POST", path+"/seats/"+p.id+"/token", map[string]int{"ttl_ms": 5000}, expect("ticket renewed", 200, 201))
		}
	case 4:
		w.call("PATCH", path, map[string]any{"open": false, "metadata": map[string]string{"a": "b"}}, expect("match changed", 200))
	case 5:
		w.call("DELETE", path+"?mode=force", nil, expect("match ended by force", 204))
	case 6:
		w.call("DELETE", path+"?mode=graceful&grace_ms=2000", nil, expect("match ended with grace", 204, 202))
	}
}

// quickPlay lets somebody play who does not mind where.
func (w *World) quickPlay() {
	w.guests++
	body := map[string]any{"game": "probe", "seats": []map[string]any{{"player_id": fmt.Sprintf("guest-%d", w.guests), "ttl_ms": 5000}},
		"webhook": map[string]string{"url": hookURL, "secret_id": "main"}}
	w.call("POST", "/v1/matches:find_or_create", body, func(status int, out []byte) {
		switch {
		case status == 0 || status == http.StatusServiceUnavailable || status == 500 && w.spellAt(time.Now(), diskFails) != well:
			return
		case status != http.StatusCreated && status != http.StatusOK:
			w.Fail("find_or_create: %d %s", status, out)
			return
		}
		var got api.Created
		if err := json.Unmarshal(out, &got); err != nil || len(got.Seats) != 1 || got.Created != (status == http.StatusCreated) {
			w.Fail("find_or_create: %v in %d %s", err, status, out)
			return
		}
		for _, m := range w.matches {
			if m.id == got.Match.MatchID {
				w.did("guests sent to an open match")
				m.send(got.Seats)
				return
			}
		}
		w.did("guests sent to a match of their own")
		m := &match{w: w, id: got.Match.MatchID, capacity: got.Match.Capacity.Players, length: 20 * time.Second, made: true, life: w.life}
		w.matches = append(w.matches, m)
		m.send(got.Seats)
		w.in(w.between(500*time.Millisecond, 3*time.Second), m.look)
		w.in(w.between(0, m.length), m.interfere)
	})
}

// any is one of the match's players.
func (m *match) any() *player {
	var own []*player
	for _, p := range m.w.players {
		if p.match == m && !p.thief {
			own = append(own, p)
		}
	}
	if len(own) == 0 {
		return nil
	}
	return own[m.w.rand.IntN(len(own))]
}

// look asks for the match now and then, until its result is there.
func (m *match) look() {
	w := m.w
	if m.over || w.failed() {
		return
	}
	again := func() { w.in(w.between(500*time.Millisecond, 5*time.Second), m.look) }
	w.call("GET", "/v1/matches/"+m.id, nil, func(status int, out []byte) {
		switch status {
		case http.StatusOK:
			m.check(out)
		}
		unknown := status == http.StatusNotFound
		w.call("GET", "/v1/matches/"+m.id+"/result", nil, func(status int, out []byte) {
			if status == http.StatusOK {
				m.ended(out)
				return
			}
			if unknown && status == http.StatusNotFound && !m.doomed {
				w.Fail("%s is neither there nor has it a result: %s", m.id, out)
			}
			again()
		})
	})
}

// check holds what the API shows of a match against what must be.
func (m *match) check(out []byte) {
	w := m.w
	w.audit.checked("seats add up")
	var got api.Match
	if err := json.Unmarshal(out, &got); err != nil {
		w.Fail("%s: %v in %s", m.id, err, out)
		return
	}
	if got.Players < 0 || got.Reserved < 0 || got.OpenSeats < 0 || got.Players+got.Reserved+got.OpenSeats != m.capacity {
		w.Fail("%s: %d players, %d reserved, %d open, of %d seats", m.id, got.Players, got.Reserved, got.OpenSeats, m.capacity)
	}
	seats, names := map[uint16]bool{}, map[string]bool{}
	for _, s := range got.Seats {
		if seats[s.Seat] {
			w.Fail("%s: seat %d is there twice", m.id, s.Seat)
		}
		seats[s.Seat] = true
		switch s.State {
		case api.SeatReserved, api.SeatActive, api.SeatLost:
			if names[s.PlayerID] {
				w.Fail("%s: %s has two seats", m.id, s.PlayerID)
			}
			names[s.PlayerID] = true
		}
	}
}

// ended takes the result in.
func (m *match) ended(out []byte) {
	w := m.w
	w.audit.checked("a result does not change")
	text := strings.TrimSpace(string(out))
	if m.told != "" && m.told != text {
		w.Fail("%s had the result %s and has %s", m.id, m.told, text)
	}
	if m.told == "" {
		w.did("results given out")
	}
	m.told, m.over = text, true
}

// revived is told that the node has restored what it could: m is in its hands again.
func (m *match) revived(l *life) {
	if m.made && !m.over {
		m.w.did("matches restored")
		m.life = l
	}
}

// stopped is told that a life of the node is ended in order, after a grace: results are kept, if the disk takes them.
func (m *match) stopped(l *life, grace time.Duration) {
	now := time.Now()
	for at := now; at.Before(now.Add(grace + 20*time.Second)); at = at.Add(time.Second) {
		if m.life == l && m.w.spellAt(at, diskFails, diskFull, diskSlow) != well {
			m.doomed = true
		}
	}
}
