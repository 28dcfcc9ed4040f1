package node_test

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
	"skirmish/server/node"
)

// What a state says of the newest input is what happened to it: it came so long before its tick as lead_ms tells, and
// the ticks behind it had none.
func TestLeadIsMeasuredFromTheArrival(t *testing.T) {
	for _, driver := range []string{"", node.DriverPortable} {
		t.Run(cmp.Or(driver, "default")+" driver", func(t *testing.T) {
			t.Parallel()
			leadIsMeasured(t, driver)
		})
	}
}

func leadIsMeasured(t *testing.T, driver string) {
	const (
		rate   = 20
		period = time.Second / rate
		inputs = 40
		warm   = 3 // periods between two inputs
	)
	r := serve(t, func(c *node.Config) { c.Driver = driver }, beacon{})
	made := r.create(map[string]any{"game": "beacon", "tick_rate": rate, "snapshot_rate": rate, "seats": []map[string]any{{"player_id": "a"}}})
	states := make(chan protocol.StateHead, 64*inputs)
	c := r.dial(made.Seats[0].Token, client.Options{OnState: func(s *protocol.State) { states <- s.Head }})

	first := <-states // a snapshot: it tells when its tick was due
	due := func(tick uint32) time.Time {
		return time.UnixMicro(int64(first.ServerTime)).Add(time.Duration(tick-first.Tick) * period)
	}
	type sent struct {
		tick uint32 // that shall use it
		lead time.Duration
	}
	var all []sent // by number − 1
	tick := first.Tick + 4
	for range inputs {
		offset := 4*time.Millisecond + rand.N(period-8*time.Millisecond)
		time.Sleep(time.Until(due(tick).Add(-offset))) // the moment is the point here
		lead := time.Until(due(tick))
		if _, err := c.Send(0); err != nil {
			t.Fatal(err)
		}
		if lead <= time.Millisecond { // overslept
			tick++
			lead += period
		}
		all = append(all, sent{tick, lead})
		tick += warm
	}

	var errors []time.Duration
	used := 0
	for last := tick; ; {
		h := <-states
		if h.Tick > last {
			break
		}
		if h.Ack == 0 {
			continue
		}
		in := all[h.Ack-1]
		fresh := h.Flags&protocol.FlagInputMissing == 0
		if fresh != (h.Tick == in.tick) {
			t.Logf("tick %d: ack %d, which was meant for tick %d, fresh %v", h.Tick, h.Ack, in.tick, fresh)
			errors = append(errors, period)
			continue
		}
		if fresh {
			used++
		}
		errors = append(errors, (time.Duration(h.LeadMS)*time.Millisecond - in.lead).Abs())
	}
	slices.Sort(errors)
	median, p95 := errors[len(errors)/2], errors[len(errors)*95/100]
	t.Logf("lead_ms is off by %v at the median, %v at p95, over %d states", median, p95, len(errors))
	if median > 2*time.Millisecond {
		t.Errorf("lead_ms is off by %v, at most 2 ms are allowed", median)
	}
	if used < inputs*8/10 {
		t.Errorf("%d of %d inputs were used on their own tick", used, inputs)
	}
	until(t, "the metrics count every input as on time", func() bool {
		return r.metric(`skirmish_inputs_total{status="on_time"}`) == fmt.Sprint(inputs)
	})
}

// metric is one value of the page of metrics; a match adds its figures four times a second.
func (r *running) metric(series string) string {
	r.t.Helper()
	res, err := http.Get(r.admin + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			return v
		}
	}
	return ""
}
