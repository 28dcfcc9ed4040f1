package sim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"skirmish/server/api"
)

// healTime is how long everything may take to come right once nothing fails any more.
const healTime = 20 * time.Minute

// heal lets everything come right, and checks what must hold then: every match has one result, told to its sink; nobody
// sits anywhere; nothing is left.
func (w *World) heal() {
	if w.failed() {
		w.abandon()
		return
	}
	w.say("everything heals")
	w.healed.Store(true)
	begun := time.Now()
	late := func() bool { return time.Since(begun) > healTime }
	w.loop(func() bool { return w.life != nil && w.life.node != nil || late() })
	for _, m := range w.matches {
		if m.made && !m.over {
			w.call("DELETE", "/v1/matches/"+m.id+"?mode=force", nil, func(int, []byte) {})
		}
	}
	pending := -1
	var ask func()
	ask = func() {
		w.call("GET", "/v1/node", nil, func(status int, out []byte) {
			var info api.NodeInfo
			if status == http.StatusOK && json.Unmarshal(out, &info) == nil {
				pending = info.Webhooks.Pending
			}
			w.in(5*time.Second, ask)
		})
	}
	ask()
	settled := func() bool {
		if pending != 0 {
			return false
		}
		for _, m := range w.matches {
			if m.made && !m.doomed && (!m.over || w.sink.resultOf(m.id) == "") {
				return false
			}
		}
		return true
	}
	w.loop(func() bool { return settled() || late() })
	if !settled() {
		w.Fail("not all is settled %v after the last fault: %d webhooks wait", healTime, pending)
	}
	w.audit.checked("every match has its result")
	for _, m := range w.matches {
		m.settle()
	}
	w.loop(func() bool { return time.Since(begun) > time.Minute }) // connections are closed by now
	w.abandon()
}

// settle checks what is left of a match.
func (m *match) settle() {
	w := m.w
	if !m.made || w.failed() {
		return
	}
	asked := false
	w.call("GET", "/v1/matches/"+m.id+"/result", nil, func(status int, out []byte) {
		asked = true
		text := strings.TrimSpace(string(out))
		sunk := w.sink.resultOf(m.id)
		var r api.Result
		switch {
		case status == http.StatusNotFound:
			if !m.doomed || m.told != "" || sunk != "" {
				w.Fail("%s has no result any more; it was given out as %q, told to the sink as %q", m.id, m.told, sunk)
			}
			if m.shown != "" && !m.unsure {
				w.Fail("%s has no result, and its players were told %s", m.id, m.shown)
			}
			w.did("matches that died with the node")
			return
		case status != http.StatusOK:
			w.Fail("%s: its result: %d %s", m.id, status, text)
			return
		case sunk != text:
			w.Fail("%s: the sink was told %q, the API says %s", m.id, sunk, text)
		case m.told != "" && m.told != text:
			w.Fail("%s: its result was %s and is %s", m.id, m.told, text)
		}
		if err := json.Unmarshal(out, &r); err != nil {
			w.Fail("%s: %v in %s", m.id, err, out)
		}
		if m.shown != "" && string(r.Result) != m.shown {
			w.Fail("%s: its players were told %s, its result says %s", m.id, m.shown, r.Result)
		}
		w.did("results settled")
	})
	w.loop(func() bool { return asked })
}

// resultOf is what the sink was told of a match's end.
func (s *sink) resultOf(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result[id]
}

// abandon ends the players and the node, and checks that nothing is left.
func (w *World) abandon() {
	clean := !w.failed()
	for _, p := range w.players {
		p.gone = true
		if p.conn != nil {
			p.conn.Close()
			p.conn = nil
		}
	}
	w.healed.Store(true)
	for _, l := range w.lives {
		l.stop()
		select {
		case <-l.ended:
		case <-time.After(5 * time.Minute):
			w.Fail("the node does not stop, in life %d", l.number)
			return
		}
		if open := l.host.Open(); clean && open > 0 {
			w.Fail("%d connections of life %d are left", open, l.number)
		}
		w.bury(l)
	}
	w.calls.Wait()
}
