package main

import (
	"testing"
)

// tell plays a scenario against a real node.
func tell(t *testing.T, text string) *Report {
	t.Helper()
	return play(t, t.Context(), settled(t, text, "--server", serve(t, nil)))
}

func TestAStormIsNoError(t *testing.T) {
	r := tell(t, `
match_size: 8
warmup: 400ms
stages: [{name: up, ramp: 300ms, bots: 16}, {name: held, hold: 2700ms}]
storms: [{at: 1s, share: 100%, within: 200ms, away: 300ms}]
`)
	if r.Resumed != 16 || r.Joined != 16 || r.Errors.Total != 0 || r.Times["resume"].Count != 16 || r.Closes["4001"] != 16 {
		t.Errorf("%d of %d are back, errors %v, closes %v", r.Resumed, r.Joined, r.Errors, r.Closes)
	}
	if r.Times["interval"].Max > 900 { // being away is no interval
		t.Errorf("an interval of %v ms", r.Times["interval"].Max)
	}
	if len(r.Stages) != 2 || r.Stages[0].Joined+r.Stages[1].Joined != 16 || r.Stages[1].Resumed != 16 || r.Stages[0].Times["ack"].Count != 0 {
		t.Errorf("%+v", r.Stages)
	}
}

func TestStagesAndSecondsAddUp(t *testing.T) {
	r := tell(t, `
match_size: 8
warmup: 500ms
stages: [{ramp: 300ms, bots: 8}, {hold: 1200ms}, {ramp: 300ms, bots: 16}, {hold: 1200ms}, {down: 500ms, bots: 0}]
`)
	var acks int64
	var received uint64
	for _, s := range r.Stages {
		acks += s.Times["ack"].Count
		received += s.Delivery.Received
	}
	if acks != r.Times["ack"].Count || received != r.Delivery.Received || received == 0 {
		t.Errorf("%d acks of %d, %d snapshots of %d", acks, r.Times["ack"].Count, received, r.Delivery.Received)
	}
	joins, ends, snapshots := 0, 0, 0.0
	for _, s := range r.Series.Seconds {
		joins += int(s.Joins)
		ends += int(s.Ends)
		snapshots += s.Snapshots
	}
	if joins != 16 || r.Errors.Total != 0 || snapshots < float64(received) {
		t.Errorf("%d joins, %d ends, %.0f snapshots in the seconds, errors %v", joins, ends, snapshots, r.Errors)
	}
	if r.Stages[2].Joined != 8 || r.Series.Seconds[1].Server == nil {
		t.Errorf("%+v", r.Stages[2])
	}
}

func TestOffendersAreNoErrorsAndNoPlayers(t *testing.T) {
	t.Parallel()
	r := tell(t, `
match_size: 16
warmup: 400ms
seed: 3
stages: [{ramp: 200ms, bots: 48}, {hold: 4800ms}]
behaviours: {idle: 10%, slow: {share: 10%, rate: 2kB}, malformed: {share: 30%, after: 300ms}, flood: {share: 10%, after: 300ms}}
`)
	if r.Errors.Total != 0 {
		t.Errorf("errors %v", r.Errors)
	}
	broke, flooded := 0, 0
	for _, e := range r.Endings {
		switch {
		case !e.Expected:
			t.Errorf("%+v", e)
		case e.Who == "rule breaker" && e.Code != 4001:
			broke += e.Count
		case e.Who == "flooder" && e.Code != 4001:
			flooded += e.Count
		}
	}
	if broke < 8 || flooded < 2 {
		t.Errorf("%d rule breakers and %d flooders were ended: %v", broke, flooded, r.Endings)
	}
}

func TestLinksAreFelt(t *testing.T) {
	t.Parallel()
	r := tell(t, `
match_size: 8
warmup: 1s
stages: [{ramp: 200ms, bots: 8}, {hold: 2800ms}]
networks: [{share: 100%, delay: 60ms}]
`)
	if join, rtt := r.Times["join"], r.Times["rtt"]; join.P50 < 235 || rtt.P50 < 119 || r.Errors.Total != 0 { // TCP's and the upgrade's round trips
		t.Errorf("join %+v, ping %+v, errors %v", join, rtt, r.Errors)
	}
	if ack := r.Times["ack"]; ack.P50 < 119 {
		t.Errorf("ack %+v", ack)
	}
}

func TestScoutsComeAndGo(t *testing.T) {
	r := tell(t, `
match_size: 4
warmup: 400ms
scouts: true
sessions: {length: fixed, mean: 1s, vanish: 30%}
stages: [{ramp: 600ms, bots: 12}, {hold: 3400ms}]
`)
	if r.Joined < 24 || r.Errors.Total != 0 || r.Counts.Asked != 0 || !r.Config.Scouts {
		t.Errorf("%d joined, errors %v, %d keyframes for faults", r.Joined, r.Errors, r.Counts.Asked)
	}
	if ack := r.Times["ack"]; ack.Count < 400 {
		t.Errorf("ack %+v: players that do not scout are measured as well", ack)
	}
}

func TestSpectatorsAreNoPlayers(t *testing.T) {
	r := tell(t, `
match_size: 8
warmup: 1500ms
spectators: 12
params: '{"mode": "teams"}'
stages: [{ramp: 200ms, bots: 16}, {hold: 2800ms}]
`)
	w := r.Spectators
	if r.Joined != 16 || r.Players != 16 || r.Errors.Total != 0 || w == nil || w.Joined != 24 {
		t.Fatalf("%d of %d players joined, spectators %+v, errors %v", r.Joined, r.Players, w, r.Errors)
	}
	if w.Delivery.Expected < 300 || w.Delivery.Ratio < 0.5 || w.Times["age"].Count == 0 || r.Times["join"].Count != 16 {
		t.Errorf("%+v", w)
	}
}

func TestMarksmenAreCountedByTheirNetworks(t *testing.T) {
	r := tell(t, `
match_size: 16
warmup: 1s
stages: [{ramp: 100ms, bots: 16}, {hold: 4900ms}]
behaviours: {marksmen: 100%}
networks: [{name: near, share: 50%, delay: 500us}, {name: far, share: 50%, delay: 30ms}]
thresholds: [aim_gap<=100%]
`)
	if len(r.Aim) != 2 || r.Aim[0].Network != "near" || r.Aim[1].Delay != 60 || r.Errors.Total != 0 || !r.Pass {
		t.Fatalf("%+v, errors %v, %+v", r.Aim, r.Errors, r.Thresholds)
	}
	for _, a := range r.Aim {
		if a.Shots < 3 || a.Hits > a.Shots {
			t.Errorf("%+v", a)
		}
	}
}
