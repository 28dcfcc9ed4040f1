package protocol_test

import (
	"errors"
	"testing"

	. "skirmish/protocol"
)

// longestFuzz keeps the twins' recursion and the fuzzer's patience within bounds, in bytes.
const longestFuzz = 2000

// FuzzClientMessage holds Decoder to its twin: both take a message and agree on its value, or both refuse.
func FuzzClientMessage(f *testing.F) {
	g := readGolden(f)
	for _, v := range g.Messages {
		if v.Direction == "client" {
			f.Add([]byte(v.Bytes))
		}
	}
	for _, h := range g.Hostile {
		if h.Direction == "client" {
			f.Add([]byte(h.Bytes))
		}
	}
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, msg []byte) {
		if len(msg) > longestFuzz {
			return
		}
		for _, name := range []string{"duel", "edge", "bare"} {
			p := plans[name]
			m, err := decodeClient(d, msg, p)
			if h, is := m.(*Hello); is && err == nil && h.Version != Version {
				continue // the rest is not looked at
			}
			want, wantErr := twinClient(msg, p)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%s: %v, not %v", name, err, wantErr)
			}
			if err != nil {
				if !errors.Is(err, ErrMessage) || CloseCodeFor(err) != CloseBadMessage {
					t.Fatal(err)
				}
				continue
			}
			if got, want := jsonText(jsonOf(m, p)), jsonText(jsonOf(want, p)); got != want {
				t.Fatalf("%s, not %s", got, want)
			}
		}
	})
}

// FuzzServerMessage decodes what is no state: what is taken encodes and decodes to the same again.
func FuzzServerMessage(f *testing.F) {
	for _, v := range readGolden(f).Messages {
		if v.Direction == "server" && v.Type != TypeWelcome {
			f.Add([]byte(v.Bytes))
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, name := range []string{"duel", "bare"} {
			again(t, msg, plans[name])
		}
	})
}

// FuzzWelcome decodes welcomes with any plan. The plan's hash is set right, for no mutation would hit it.
func FuzzWelcome(f *testing.F) {
	for _, name := range planNames() {
		f.Add(AppendPlan(nil, plans[name]))
		f.Add(widen(AppendPlan(nil, plans[name])))
	}
	for _, h := range readGolden(f).Hostile {
		m := new(Welcome)
		if t, err := ServerType(h.Bytes); err == nil && t == TypeWelcome && DecodeWelcome(h.Bytes, m) != nil {
			f.Add([]byte(h.Bytes))
		}
	}
	f.Fuzz(func(t *testing.T, plan []byte) {
		again(t, plan, plans["bare"])
		again(t, pack(welcomeWith(13, raw(plan))), plans["bare"])
	})
}

// again decodes a message; if that works, the message that is encoded from the value must give the same
// value.
func again(t *testing.T, msg []byte, p *Plan) {
	kind, err := ServerType(msg)
	if err != nil || kind == TypeSnapshot || kind == TypeDelta {
		return
	}
	m, err := decodeServer(msg, p)
	if err != nil {
		if !errors.Is(err, ErrMessage) {
			t.Fatal(err)
		}
		return
	}
	if w, is := m.(*Welcome); is {
		w.PlanHash = w.Plan.Hash() // the bytes may have been in another form
	}
	second, err := decodeServer(encode(m, p), p)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jsonText(jsonOf(second, p)), jsonText(jsonOf(m, p)); got != want {
		t.Fatalf("%s, not %s", got, want)
	}
}

// FuzzStateApply holds State to its twin over two messages, first any one, then any other.
func FuzzStateApply(f *testing.F) {
	g := readGolden(f)
	for _, q := range g.Sequences {
		for i, s := range q.Steps {
			f.Add([]byte(q.Steps[max(i-1, 0)].Bytes), []byte(s.Bytes))
		}
	}
	for _, h := range g.Hostile {
		if len(h.Before) > 0 {
			f.Add([]byte(h.Before[0]), []byte(h.Bytes))
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first)+len(second) > longestFuzz {
			return
		}
		for _, name := range planNames() {
			s := &State{Plan: plans[name]}
			w := &twinState{plan: plans[name]}
			for _, msg := range [][]byte{first, second, first} {
				applyBoth(t, s, w, msg)
			}
			skimAlong(t, plans[name], first, second, first)
		}
	})
}

// FuzzStatePlan applies a state under any plan that a welcome may bring.
func FuzzStatePlan(f *testing.F) {
	for _, q := range readGolden(f).Sequences {
		for i, s := range q.Steps {
			f.Add(AppendPlan(nil, plans[q.Plan]), []byte(q.Steps[max(i-1, 0)].Bytes), []byte(s.Bytes))
		}
	}
	f.Fuzz(func(t *testing.T, plan, first, second []byte) {
		if len(plan)+len(first)+len(second) > longestFuzz {
			return
		}
		m := new(Welcome)
		if DecodeWelcome(pack(welcomeWith(13, raw(plan))), m) != nil {
			return
		}
		s := &State{Plan: m.Plan}
		w := &twinState{plan: m.Plan}
		applyBoth(t, s, w, first)
		applyBoth(t, s, w, second)
	})
}

func applyBoth(t *testing.T, s *State, w *twinState, msg []byte) {
	err, wantErr := s.Apply(msg), w.apply(msg)
	if got, want := outcome(err), outcome(wantErr); got != want && !(got == "refused" && wantErr == errTwin) {
		// A delta against another baseline is not read to its end.
		if !(got == "baseline" && wantErr == errTwin) {
			t.Fatalf("%x: %v, not %v", msg, err, wantErr)
		}
	}
	if err := w.same(s); err != nil {
		t.Fatalf("%x: %v", msg, err)
	}
}
