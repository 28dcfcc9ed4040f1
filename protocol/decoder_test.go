package protocol_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	. "skirmish/protocol"
)

func TestDecoderGoesOnAfterABadMessage(t *testing.T) {
	d := NewDecoder()
	ping := AppendPing(nil, &Ping{ID: 3, T0: 4})
	for _, h := range readGolden(t).Hostile {
		if h.Direction != "client" {
			continue
		}
		if code := closeCodeBy(d, h.Bytes, plans[h.Plan]); code != h.Close {
			t.Fatalf("%s: %d, not %d", h.Name, code, h.Close)
		}
		var m Ping
		if _, err := d.Begin(ping); err != nil || d.Ping(&m) != nil || m != (Ping{ID: 3, T0: 4}) {
			t.Fatalf("after %q a sound ping is %v, %v", h.Name, m, err)
		}
	}
}

func TestDecoderRefusesTheWrongMethod(t *testing.T) {
	d := NewDecoder()
	if _, err := d.Begin(AppendPing(nil, &Ping{ID: 3, T0: 4})); err != nil {
		t.Fatal(err)
	}
	if err := d.Hello(new(Hello)); !errors.Is(err, ErrMessage) {
		t.Errorf("a ping as hello: %v", err)
	}
	if _, err := d.Begin([]byte{0xc1}); err == nil {
		t.Fatal("c1 is a message")
	}
	if err := d.Bye(new(Bye)); !errors.Is(err, ErrMessage) {
		t.Errorf("nothing as bye: %v", err)
	}
}

func TestDecoderReusesTheValues(t *testing.T) {
	d, k := NewDecoder(), &plans["duel"].Input
	in := new(Input)
	for _, want := range [][]int32{{1, 2, 3, 4, 5, 6, 7, 8}, {-1, -2, 0, 9}} {
		msg := AppendInput(nil, &Input{FirstSeq: 9, Count: len(want) / 4, Values: want}, 4)
		if _, err := d.Begin(msg); err != nil {
			t.Fatal(err)
		}
		if err := d.Input(in, k); err != nil || in.Count != len(want)/4 || !slices.Equal(in.Values, want) {
			t.Fatalf("%v, %d inputs: %v", err, in.Count, in.Values)
		}
	}
	if _, err := d.Begin(pack(list{2, nil, 1, list{list{1, 2, 3, 4}, list{1, 2, 3, 999}}})); err != nil {
		t.Fatal(err)
	}
	if err := d.Input(in, k); err == nil || in.Count != 0 || len(in.Values) != 0 {
		t.Errorf("a bad message left %d inputs: %v", in.Count, in.Values)
	}
}

func TestMessageErrorTellsWhatIsWrong(t *testing.T) {
	d := NewDecoder()
	for _, c := range []struct {
		msg  any
		want string
	}{
		{list{3, 1, 1.5}, "protocol: bad ping: t0: wrong type"},
		{list{3, 1}, "protocol: bad ping: too few elements"},
		{list{9, 1}, "protocol: bad message: type: unknown"},
		{list{2, nil, 1, list{list{1, 2, 70000, 4}}}, "protocol: bad input: aim: out of range"},
	} {
		_, err := decodeClient(d, pack(c.msg), plans["duel"])
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, not %s", err, c.want)
		}
		if m, is := errors.AsType[*MessageError](err); !is || CloseCodeFor(m) != CloseBadMessage {
			t.Errorf("%v is no bad message", err)
		}
	}
	if CloseCodeFor(nil) != 0 || CloseCodeFor(ErrTooBig) != CloseTooBig || CloseCodeFor(errors.New("x")) != CloseInternal {
		t.Error("close codes of errors")
	}
}

// TestErrorsHoldNothingOfTheMessage: a token must not reach a log by way of an error.
func TestErrorsHoldNothingOfTheMessage(t *testing.T) {
	secret := "mt1.secret"
	for _, msg := range []any{
		list{1, 1, secret, "sdk"},
		list{1, 1, strings.Repeat(secret, 200), "sdk", 0},
		list{1, 1, secret, secret, -1},
		list{1, 1, list{secret, secret}, "sdk", 0},
	} {
		if _, err := decodeClient(NewDecoder(), pack(msg), nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

func TestDecodersRefuseOtherMessages(t *testing.T) {
	p := plans["duel"]
	decoders := map[Type]func(msg []byte) error{
		TypeWelcome: func(msg []byte) error { return DecodeWelcome(msg, new(Welcome)) },
		TypeEvent:   func(msg []byte) error { return DecodeEvent(msg, p, new(Event)) },
		TypeRoster:  func(msg []byte) error { return DecodeRoster(msg, new(Roster)) },
		TypePong:    func(msg []byte) error { return DecodePong(msg, new(Pong)) },
		TypeReply:   func(msg []byte) error { return DecodeReply(msg, new(Reply)) },
		TypeNotice:  func(msg []byte) error { return DecodeNotice(msg, new(Notice)) },
		TypeResult:  func(msg []byte) error { return DecodeResult(msg, new(Result)) },
		TypeError:   func(msg []byte) error { return DecodeError(msg, new(Error)) },
	}
	g := readGolden(t)
	for kind, decode := range decoders {
		for _, v := range g.Messages {
			if v.Direction == "server" && (v.Plan == "" || v.Plan == "duel") {
				if err := decode(v.Bytes); (err == nil) != (v.Type == kind) || err != nil && !errors.Is(err, ErrMessage) {
					t.Errorf("%v takes %s: %v", kind, v.Name, err)
				}
			}
		}
		for _, msg := range []string{"", "80", "c0", "91", "dc00"} {
			if err := decode(unhex(msg)); !errors.Is(err, ErrMessage) {
				t.Errorf("%v takes %q: %v", kind, msg, err)
			}
		}
	}
}
