package game_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"skirmish/game"
	"skirmish/protocol"
)

// drain reads the events of a viewer as "seq:text".
func drain(t *testing.T, e *game.Engine, v *game.Viewer) (got []string) {
	t.Helper()
	for {
		msg, ok, err := e.NextEvent(v)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return got
		}
		var ev protocol.Event
		if err := protocol.DecodeEvent(msg, e.Definition().Plan, &ev); err != nil {
			t.Fatal(err)
		}
		var say SayEvent
		e.Definition().LoadEvent(ev.Op, ev.Values, &say)
		got = append(got, fmt.Sprintf("%d:%s", ev.Seq, say.Text))
	}
}

// says emits a text in each step, to nobody but the seat if it is not 0.
func says(text string, to game.Seat, times int) *toy {
	g := &toy{}
	g.hooks.step = func(t *game.Tick) {
		for range times {
			t.Emit(t.Player(to), &SayEvent{Seat: to, Text: text})
		}
	}
	return g
}

func TestEventsReachWhomTheyConcern(t *testing.T) {
	g := &toy{}
	g.hooks.step = func(t *game.Tick) {
		t.Emit(nil, &SayEvent{Text: "all"})
		t.Emit(t.Player(1), &SayEvent{Text: "one"})
		t.Emit(t.Player(2), &SayEvent{Text: "two"})
	}
	e := newToy(t, g, nil)
	join(t, e, 1)
	join(t, e, 2)
	one, spectator := e.NewViewer(1), e.NewViewer(0)
	tick(e, 2)
	late := e.NewViewer(2)
	if n, _ := one.Behind(); n != 4 {
		t.Errorf("seat 1 is behind by %d", n)
	}
	for _, c := range []struct {
		name string
		v    *game.Viewer
		want []string
	}{
		{"seat 1", one, []string{"1:all", "2:one", "4:all", "5:one"}},
		{"a spectator", spectator, []string{"1:all", "4:all"}},
		{"who came later", late, nil},
		{"seat 1 again", one, nil},
	} {
		if got := drain(t, e, c.v); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s gets %v, want %v", c.name, got, c.want)
		}
		if n, b := c.v.Behind(); n != 0 || b != 0 {
			t.Errorf("%s is behind by %d", c.name, n)
		}
	}
	late.Skip(3) // a resumed connection that has seen 3
	if got, want := drain(t, e, late), []string{"4:all", "6:two"}; !reflect.DeepEqual(got, want) {
		t.Errorf("after Skip %v, want %v", got, want)
	}
	late.Skip(4e9) // a client that claims the future
	tick(e, 1)
	if got := drain(t, e, late); len(got) != 2 {
		t.Errorf("after a Skip beyond the last %v", got)
	}
}

func TestEventsAreLost(t *testing.T) {
	t.Run("beyond 1,024", func(t *testing.T) {
		e := newToy(t, says("hi", 0, 1), nil)
		v, w := e.NewViewer(0), e.NewViewer(0)
		tick(e, game.MaxEvents)
		if n, _ := v.Behind(); n != game.MaxEvents {
			t.Fatalf("behind by %d", n)
		}
		if got := drain(t, e, v); len(got) != game.MaxEvents {
			t.Fatalf("got %d", len(got))
		}
		tick(e, 1)
		if got := drain(t, e, v); len(got) != 1 || got[0] != "1025:hi" {
			t.Errorf("got %v", got)
		}
		if _, _, err := e.NextEvent(w); !errors.Is(err, game.ErrEventsLost) {
			t.Errorf("one too many: %v", err)
		}
		w.Skip(1)
		if got := drain(t, e, w); len(got) != game.MaxEvents {
			t.Errorf("from the oldest on: %d", len(got))
		}
	})
	t.Run("beyond 256 KiB", func(t *testing.T) {
		g := &toy{}
		text := strings.Repeat("x", 256)
		type Long struct {
			A, B, C, D string
		}
		g.spec = func(s *game.Spec) { s.Events = []any{Long{}} }
		g.hooks.step = func(t *game.Tick) { t.Emit(nil, &Long{text, text, text, text}) }
		e := newToy(t, g, nil)
		v := e.NewViewer(0)
		tick(e, 240)
		if n, bytes := v.Behind(); n != 240 || bytes < 240*1024 || bytes > game.MaxEventsBytes {
			t.Fatalf("behind by %d, %d bytes", n, bytes)
		}
		tick(e, 100)
		n, bytes := v.Behind()
		if bytes > game.MaxEventsBytes || bytes < game.MaxEventsBytes-2048 {
			t.Errorf("%d events of %d bytes are kept", n, bytes)
		}
		if _, _, err := e.NextEvent(v); !errors.Is(err, game.ErrEventsLost) {
			t.Errorf("beyond the bytes: %v", err)
		}
	})
}

func TestEventTextsAreCut(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"as it is", "as it is"},
		{strings.Repeat("a", 40), strings.Repeat("a", 40)},
		{strings.Repeat("a", 41), strings.Repeat("a", 40)},
		{strings.Repeat("a", 39) + "ö", strings.Repeat("a", 39)}, // never in the middle of a rune
		{"ok\xffbad", "ok"},
		{"a\uFFFDb", "a\uFFFDb"}, // the replacement character itself is a character
		{strings.Repeat("\uFFFD", 20), strings.Repeat("\uFFFD", 13)},
		{"", ""},
	} {
		e := newToy(t, says(c.in, 0, 1), nil)
		v := e.NewViewer(0)
		tick(e, 1)
		if got := drain(t, e, v); len(got) != 1 || got[0] != "1:"+c.want {
			t.Errorf("%q became %q, want %q", c.in, got, c.want)
		}
	}
}

// Who is cut off before the first event resumes behind event 0; what was told to the seat's last player is not for it.
func TestAPlayerIsToldNothingFromBeforeItCame(t *testing.T) {
	e := newToy(t, says("private", 1, 1), nil)
	join(t, e, 1)
	tick(e, 3)
	e.Leave(1, game.ReasonLeft)
	tick(e, 1)
	join(t, e, 1)
	v := e.NewViewer(1)
	v.Skip(0)
	if got := drain(t, e, v); len(got) != 0 {
		t.Errorf("it is told %v", got)
	}
	tick(e, 1)
	saved, err := e.SaveState()
	if err != nil {
		t.Fatal(err)
	}
	v.Skip(0)
	if got := drain(t, e, v); len(got) != 1 {
		t.Errorf("it is told %v, want what was for it", got)
	}
	again := newToy(t, says("private", 1, 1), nil)
	if err := again.LoadState(saved); err != nil {
		t.Fatal(err)
	}
	tick(again, 1)
	v = again.NewViewer(1)
	v.Skip(0)
	if v.Seen() < 4 {
		t.Errorf("behind a checkpoint it goes on behind event %d", v.Seen())
	}
}
