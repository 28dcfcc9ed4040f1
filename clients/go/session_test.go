package client_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// story is a whole connection behind the 101, with what it signals.
func story() (stream []byte, signals []client.Signal) {
	a, b := rows(4, 10), rows(5, 12)
	add := func(what client.Signal, p []byte) {
		stream = append(stream, p...)
		if what != client.SignalNone {
			signals = append(signals, what)
		}
	}
	add(client.SignalWelcome, message(protocol.AppendWelcome(nil, welcome())))
	add(client.SignalRoster, message(protocol.AppendRoster(nil, &protocol.Roster{Seq: 1, Entries: []protocol.RosterEntry{
		{Seat: 3, PlayerID: "p3", Name: "three", State: protocol.SeatActive}, {Seat: 1, PlayerID: "p1", Name: "one"}}})))
	add(client.SignalState, message(snapshot(101, 0, a)))
	add(client.SignalNone, frame(ws.OpPing, true, []byte("hi")))
	d := delta(102, 101, 0, a, b, b.CRC())
	add(client.SignalNone, frame(ws.OpBinary, false, d[:3]))
	add(client.SignalNone, frame(ws.OpPing, true, []byte("between")))
	add(client.SignalNone, frame(ws.OpContinuation, false, nil))
	add(client.SignalState, frame(ws.OpContinuation, true, d[3:]))
	add(client.SignalEvent, message(protocol.AppendEvent(nil, plan, &protocol.Event{Seq: 4, Tick: 102, Values: []protocol.Value{{Int: 3}, {Text: "boom"}}})))
	add(client.SignalReply, message(protocol.AppendReply(nil, &protocol.Reply{ID: 1, Payload: []byte("yes")})))
	add(client.SignalNotice, message(protocol.AppendNotice(nil, &protocol.Notice{Kind: protocol.NoticeSlow})))
	add(client.SignalRoster, message(protocol.AppendRoster(nil, &protocol.Roster{Seq: 2, Entries: []protocol.RosterEntry{{Seat: 2, Name: "two"}}})))
	add(client.SignalResult, message(protocol.AppendResult(nil, &protocol.Result{Reason: "finished", Payload: []byte(`{}`)})))
	return stream, signals
}

func TestAnyCutOfTheStreamTellsTheSame(t *testing.T) {
	stream, want := story()
	for _, n := range []int{1, 2, 3, 5, 7, 64, 1000, 1 << 20} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := client.NewSession(client.Config{Host: "h", Token: "mt1.t"})
			all := append(accept(t, s), stream...)
			got := feed(t, s, all, n)
			if !slices.Equal(got, append([]client.Signal{client.SignalOpen}, want...)) {
				t.Errorf("signals %v, want %v", got, want)
			}
			if !s.State.Rows.Equal(rows(5, 12)) || s.State.Head.Tick != 102 || s.State.Private[0] != 5 {
				t.Errorf("state %+v", s.State)
			}
			if s.Event.Seq != 4 || s.Event.Values[1].Text != "boom" {
				t.Errorf("event %+v", s.Event)
			}
			if len(s.Roster) != 3 || s.Roster[1].Name != "two" || s.Roster[2].Name != "three" {
				t.Errorf("roster %+v", s.Roster)
			}
			if string(s.Result.Payload) != "{}" || s.Stats.BytesIn != uint64(len(all)) {
				t.Errorf("result %+v, %d bytes in", s.Result, s.Stats.BytesIn)
			}
			out := sent(t, s)
			if len(out) != 3 || out[0].Header.OpCode != ws.OpBinary || string(out[1].Payload) != "hi" || out[2].Header.OpCode != ws.OpPong || string(out[2].Payload) != "between" {
				t.Errorf("put out %v, want the hello and two pongs", out)
			}
			if err := feedErr(s, closing(4000, "over"), n, nil); closeCode(err) != 4000 || err != s.Err() {
				t.Errorf("ended with %v", err)
			}
			if out := sent(t, s); len(out) != 1 || out[0].Header.OpCode != ws.OpClose {
				t.Errorf("a Close must be answered, got %v", out)
			}
		})
	}
}

func closeCode(err error) protocol.CloseCode {
	if e, ok := errors.AsType[*client.CloseError](err); ok {
		return e.Code
	}
	return 0
}

func TestHelloSaysWhoComes(t *testing.T) {
	for _, c := range []struct {
		name   string
		config client.Config
		want   protocol.Hello
	}{
		{"ticket", client.Config{Token: "mt1.t", SDK: "mine/2"}, protocol.Hello{Version: 1, Token: "mt1.t", SDK: "mine/2"}},
		{"resume", client.Config{Resume: client.Resume{Token: "rt1.r", LastEventSeq: 9}}, protocol.Hello{Version: 1, Resume: "rt1.r", LastEventSeq: 9, SDK: "skirmish-go/1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := client.NewSession(c.config)
			feed(t, s, accept(t, s), 1000)
			d := protocol.NewDecoder()
			f := sent(t, s)
			if _, err := d.Begin(f[0].Payload); err != nil {
				t.Fatal(err)
			}
			var m protocol.Hello
			if err := d.Hello(&m); err != nil || m != c.want {
				t.Errorf("hello %+v, %v", m, err)
			}
		})
	}
}

func TestHelloWithTheHandshake(t *testing.T) {
	s := client.NewSession(client.Config{Token: "mt1.t", SDK: "mine/2", Early: true})
	_, after, _ := strings.Cut(string(s.Out()), "Sec-WebSocket-Protocol: skirmish.v1, skirmish.hello.")
	text, _, ok := strings.Cut(after, "\r\n")
	msg, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("no hello in %q: %v", s.Out(), err)
	}
	d, m := protocol.NewDecoder(), protocol.Hello{}
	if _, err := d.Begin(msg); err != nil {
		t.Fatal(err)
	}
	if err := d.Hello(&m); err != nil || m != (protocol.Hello{Version: 1, Token: "mt1.t", SDK: "mine/2"}) {
		t.Errorf("hello %+v, %v", m, err)
	}
	feed(t, s, accept(t, s), 1000)
	if f := sent(t, s); len(f) != 0 {
		t.Errorf("behind the handshake came %v", f)
	}
}

func TestFaultyStatesAskForAKeyframe(t *testing.T) {
	a, b := rows(4, 10), rows(4, 12)
	for _, c := range []struct {
		name string
		bad  []byte
		want protocol.KeyframeReason
	}{
		{"unknown baseline", delta(103, 102, 0, a, b, 0), protocol.KeyframeBase},
		{"wrong checksum", delta(102, 101, 0, a, b, 77), protocol.KeyframeCRC},
		{"cut off", delta(102, 101, 0, a, b, 0)[:14], protocol.KeyframeDecode},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := playing(t)
			feed(t, s, message(snapshot(101, 0, a)), 1000)
			if got := feed(t, s, message(c.bad), 1000); len(got) != 0 {
				t.Errorf("a faulty state signalled %v", got)
			}
			feed(t, s, message(delta(104, 102, 0, a, b, 0)), 1000) // passed over without asking again
			f := sent(t, s)
			if len(f) != 1 {
				t.Fatalf("put out %d frames, want one keyframe request", len(f))
			}
			d := protocol.NewDecoder()
			var m protocol.Keyframe
			if _, err := d.Begin(f[0].Payload); err != nil {
				t.Fatal(err)
			}
			if err := d.Keyframe(&m); err != nil || m.Reason != c.want {
				t.Errorf("keyframe %+v, %v", m, err)
			}
			got := feed(t, s, message(snapshot(105, 0, b)), 1000)
			if !slices.Equal(got, []client.Signal{client.SignalState}) || !s.State.Rows.Equal(b) {
				t.Errorf("not healed: %v", got)
			}
			if s.Stats.Faults != 1 || s.Stats.Stale != 1 {
				t.Errorf("stats %+v", s.Stats)
			}
		})
	}
}

func TestHostileServers(t *testing.T) {
	welcomeAgain := message(protocol.AppendWelcome(nil, welcome()))
	for _, c := range []struct {
		name string
		p    []byte
		want protocol.CloseCode
	}{
		{"masked", []byte{0x82, 0x81, 1, 2, 3, 4, 5}, 1002},
		{"reserved bit", []byte{0xc2, 0}, 1002},
		{"reserved opcode", []byte{0x83, 0}, 1002},
		{"text", frame(ws.OpText, true, []byte("hi")), 1003},
		{"stray continuation", frame(ws.OpContinuation, true, nil), 1002},
		{"new message within a fragmented one", append(frame(ws.OpBinary, false, []byte{1}), frame(ws.OpBinary, true, nil)...), 1002},
		{"long ping", []byte{0x89, 126, 0, 126}, 1002},
		{"fragmented ping", []byte{0x09, 0}, 1002},
		{"length not minimal", []byte{0x82, 126, 0, 125}, 1002},
		{"long length not minimal", []byte{0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0}, 1002},
		{"length 2^63", []byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, 1009},
		{"a byte over 1 MiB", []byte{0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 1}, 1009},
		{"fragments over 1 MiB", append(frame(ws.OpBinary, false, make([]byte, 1<<20)), 0x00, 1), 1009},
		{"half a close code", []byte{0x88, 1, 3}, 1002},
		{"close 1005", closing(1005, ""), 1002},
		{"close reason not UTF-8", closing(1000, "\xff"), 1007},
		{"close without code", []byte{0x88, 0}, 1005},
		{"close 4002", closing(4002, "out"), 4002},
		{"second welcome", welcomeAgain, 4400},
		{"empty message", message(nil), 4400},
		{"message of no kind", message([]byte{0x92, 0x7f, 1}), 4400},
		{"not an array", message([]byte{0xc0}), 4400},
		{"event of no kind", message([]byte{0x95, 0x23, 1, 1, 9, 0x90}), 4400},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{1, 1 << 20} {
				s := playing(t)
				err := feedErr(s, c.p, n, func(client.Signal) {})
				if closeCode(err) != c.want {
					t.Errorf("in pieces of %d: ended with %v, want %d", n, err, c.want)
				}
				if out := sent(t, s); len(out) != 1 || out[0].Header.OpCode != ws.OpClose {
					t.Errorf("no Close was put out")
				}
				if _, _, again := s.Feed([]byte{0x89, 0}, 1); again != err {
					t.Errorf("an ended session took more: %v", again)
				}
			}
		})
	}
	t.Run("message before the welcome", func(t *testing.T) {
		s := client.NewSession(client.Config{Token: "t"})
		err := feedErr(s, append(accept(t, s), message(snapshot(101, 0, rows(1, 1)))...), 1000, func(client.Signal) {})
		if closeCode(err) != 4400 {
			t.Error(err)
		}
	})
	t.Run("error explains the close", func(t *testing.T) {
		s := playing(t)
		p := message(protocol.AppendError(nil, &protocol.Error{Code: 4503, Message: "full", Fatal: true, RetryAfterMS: 1500}))
		err := feedErr(s, append(p, closing(4503, "")...), 1000, func(client.Signal) {})
		e, _ := errors.AsType[*client.CloseError](err)
		if e == nil || e.Reason != "full" || e.RetryAfter != 1500*time.Millisecond || !client.Retryable(e.Code) {
			t.Errorf("%+v", e)
		}
	})
}

func TestInputsAreNumberedAndAcknowledged(t *testing.T) {
	s := playing(t)
	for i := range int64(5) {
		if seq := s.Input([]int32{1, 2}, 1000+i); seq != uint32(i)+1 {
			t.Fatalf("number %d", seq)
		}
	}
	d := protocol.NewDecoder()
	var m protocol.Input
	for i, f := range sent(t, s) {
		if _, err := d.Begin(f.Payload); err != nil {
			t.Fatal(err)
		}
		if err := d.Input(&m, &plan.Input); err != nil || m.FirstSeq != uint32(i+1) || m.Count != 1 || m.Values[1] != 2 {
			t.Errorf("input %+v, %v", m, err)
		}
	}
	acked := func(tick, ack uint32) (uint32, uint32) {
		feed(t, s, message(snapshot(tick, ack, rows(1, 1))), 1000)
		return s.Acked()
	}
	if a, b := acked(101, 0); a <= b {
		t.Errorf("acked %d to %d of none", a, b)
	}
	if a, b := acked(102, 3); a != 1 || b != 3 {
		t.Errorf("acked %d to %d, want 1 to 3", a, b)
	}
	if a, b := acked(103, 3); a <= b {
		t.Errorf("acked %d to %d twice", a, b)
	}
	if at, ok := s.SentAt(3); !ok || at != 1002 {
		t.Errorf("input 3 was sent at %d, %v", at, ok)
	}
	if _, ok := s.SentAt(6); ok {
		t.Error("input 6 was not sent")
	}
	t.Run("numbers of an earlier connection are gone on with", func(t *testing.T) {
		if a, b := acked(104, 900); a <= b {
			t.Errorf("acked %d to %d, which were not sent here", a, b)
		}
		if seq := s.Input([]int32{0, 0}, 1); seq != 901 {
			t.Errorf("next number %d, want 901", seq)
		}
	})
	t.Run("a hostile ack is bounded", func(t *testing.T) {
		if a, b := acked(105, ^uint32(0)); a <= b {
			t.Errorf("acked %d to %d", a, b)
		}
	})
	t.Run("a resume goes on within the server's limit", func(t *testing.T) {
		for range 100 {
			s.Input([]int32{0, 0}, 1)
		}
		if r := s.Resumption(); r.NextInput != 900+40 || r.Token != "rt1.x" {
			t.Errorf("%+v", r)
		}
	})
}

func TestPongsSetTheClock(t *testing.T) {
	s := playing(t)
	feed(t, s, message(snapshot(120, 0, rows(1, 1))), 1000)
	if _, ok := s.Age(5); ok {
		t.Error("an age without a clock")
	}
	pong := func(id uint32, t1, t2 uint64) []byte {
		return message(protocol.AppendPong(nil, &protocol.Pong{ID: id, T1: t1, T2: t2}))
	}
	at := func(p []byte, µs int64) client.Signal {
		what, _, err := s.Feed(p, µs*1000)
		if err != nil {
			t.Fatal(err)
		}
		return what
	}
	s.Ping(1_000_000) // 1,000 µs
	if what := at(pong(1, 6_000_500, 6_000_700), 3200); what != client.SignalPong {
		t.Fatalf("signal %d", what)
	}
	if s.Clock.RTT != 2000 || s.Clock.Offset != 6_000_600-2100 {
		t.Errorf("clock %+v", s.Clock)
	}
	if what := at(pong(1, 0, 0), 4000); what != client.SignalNone {
		t.Error("a pong was taken twice")
	}
	s.Ping(10_000_000)
	at(pong(2, 6_030_000, 6_030_000), 50_000) // a slow one does not spoil the offset
	if s.Clock.RTT != 40_000 || s.Clock.MinRTT != 2000 || s.Clock.Offset != 5_998_500 {
		t.Errorf("clock %+v", s.Clock)
	}
	// Tick 120 is 6,000,000 µs on the server, 1,500 here.
	if age, ok := s.Age(4_500_000); !ok || age != 3*time.Millisecond {
		t.Errorf("age %v", age)
	}
}

func TestEndOfStream(t *testing.T) {
	s := playing(t)
	cause := errors.New("cable")
	err := s.End(cause)
	if closeCode(err) != protocol.CloseAbnormal || !errors.Is(err, cause) || !client.Retryable(1006) {
		t.Error(err)
	}
}
