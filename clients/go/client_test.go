package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(t *testing.T, url string, o client.Options) *client.Client {
	t.Helper()
	if o.Token == "" && o.Resume.Token == "" {
		o.Token = "mt1.t"
	}
	c, err := client.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestAClientPlaysAMatch(t *testing.T) {
	url := serve(t, func(p *peer) {
		if h := p.greet(); h.Token != "mt1.t" {
			t.Errorf("hello %+v", h)
		}
		p.send(protocol.AppendRoster(nil, &protocol.Roster{Seq: 1, Entries: []protocol.RosterEntry{{Seat: 3, Name: "three"}}}))
		var in protocol.Input
		if !p.next(protocol.TypeInput) || p.d.Input(&in, &plan.Input) != nil || in.Values[0] != -5 || in.Values[1] != 25 || in.BaseTick != 101 {
			t.Errorf("input %+v", in)
		}
		p.send(protocol.AppendEvent(nil, plan, &protocol.Event{Seq: 1, Tick: 102, Values: []protocol.Value{{Int: 3}, {Text: "boom"}}}))
		p.send(delta(102, 101, in.FirstSeq, rows(2, 10), rows(2, 16), 0))
		var r protocol.Request
		if !p.next(protocol.TypeRequest) || p.d.Request(&r) != nil || r.Op != 7 {
			t.Errorf("request %+v", r)
		}
		p.send(protocol.AppendReply(nil, &protocol.Reply{ID: r.ID, Payload: append([]byte("to "), r.Payload...)}))
		p.send(protocol.AppendResult(nil, &protocol.Result{Reason: "finished", Payload: []byte(`{"winner":3}`)}))
		p.close(4000, "over")
	})
	events := make(chan string, 1)
	moved := make(chan float64, 10)
	c := dial(t, url, client.Options{
		OnEvent: func(e *protocol.Event) { events <- e.Values[1].Text },
		OnState: func(s *protocol.State) {
			if s.Head.Ack == 1 {
				x, _ := client.Value(&s.Plan.Kinds[s.Rows.Kinds[0]], s.Rows.Row(0), "x")
				moved <- x
			}
		},
	})
	for c.Link().Stats.States == 0 { // an input names the newest state: wait for it
		time.Sleep(time.Millisecond)
	}
	if seq, err := c.SendFields(map[string]float64{"ax": -5, "turn": 2.5}); err != nil || seq != 1 {
		t.Fatal(seq, err)
	}
	if x := <-moved; x != 2 {
		t.Errorf("x = %v units, want 2", x)
	}
	if e := <-events; e != "boom" {
		t.Errorf("event %q", e)
	}
	var st protocol.State
	if !c.State(&st) || !st.Rows.Equal(rows(2, 16)) {
		t.Errorf("state %+v", st)
	}
	if r := c.Roster(); len(r) != 1 || r[0].Name != "three" {
		t.Errorf("roster %+v", r)
	}
	status, out, err := c.Request(t.Context(), 7, []byte("you"))
	if status != protocol.ReplyOK || string(out) != "to you" || err != nil {
		t.Errorf("reply %d %q %v", status, out, err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Errorf("a match that is over is no error: %v", err)
	}
	if r, ok := c.Result(); !ok || string(r.Payload) != `{"winner":3}` {
		t.Errorf("result %+v", r)
	}
	if _, err := c.Send(0, 0); err == nil {
		t.Error("an input after the end")
	}
}

func TestInputsAreCheckedBeforeTheyAreSent(t *testing.T) {
	url := serve(t, func(p *peer) { p.greet(); p.next(protocol.TypeBye); p.close(4001, "") })
	c := dial(t, url, client.Options{})
	for name, send := range map[string]func() (uint32, error){
		"too few":       func() (uint32, error) { return c.Send(1) },
		"out of range":  func() (uint32, error) { return c.Send(128, 0) },
		"unknown field": func() (uint32, error) { return c.SendFields(map[string]float64{"az": 1}) },
		"above scale":   func() (uint32, error) { return c.SendFields(map[string]float64{"turn": 10.1}) },
	} {
		if _, err := send(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := c.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Errorf("leaving is no error: %v", err)
	}
}

func TestDialTellsWhyNot(t *testing.T) {
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "the server is full", http.StatusServiceUnavailable)
	}))
	defer full.Close()
	used := serve(t, func(p *peer) { p.next(protocol.TypeHello); p.close(4401, "ticket used") })
	mute := serve(t, func(p *peer) { p.next(protocol.TypeBye) })

	_, err := client.Dial(t.Context(), full.URL, client.Options{Token: "t"})
	if e, _ := errors.AsType[*client.RefusedError](err); e == nil || e.Status != 503 || e.Reason != "the server is full" || e.RetryAfter != 2*time.Second {
		t.Errorf("full: %v", err)
	}
	_, err = client.Dial(t.Context(), used, client.Options{Token: "t"})
	if e, _ := errors.AsType[*client.CloseError](err); e == nil || e.Code != 4401 || e.Reason != "ticket used" || client.Retryable(e.Code) {
		t.Errorf("used ticket: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err = client.Dial(ctx, mute, client.Options{Token: "t"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("mute: %v", err)
	}
	for _, o := range []client.Options{{}, {Token: "a", Resume: client.Resume{Token: "b"}}, {Token: strings.Repeat("a", 2000)}} {
		if _, err = client.Dial(t.Context(), mute, o); err == nil {
			t.Errorf("options %+v", o)
		}
	}
	for _, url := range []string{"ftp://x", "ws://", "::"} {
		if _, err = client.Dial(t.Context(), url, client.Options{Token: "t"}); err == nil {
			t.Errorf("url %q", url)
		}
	}
}

func TestABrokenConnectionIsResumed(t *testing.T) {
	hellos := make(chan protocol.Hello, 4)
	first := make(chan struct{}, 1)
	first <- struct{}{}
	url := serve(t, func(p *peer) {
		hellos <- p.greet()
		select {
		case <-first:
			p.send(protocol.AppendEvent(nil, plan, &protocol.Event{Seq: 8, Values: []protocol.Value{{Int: 1}, {}}}))
			p.next(protocol.TypeInput) // then cut the socket without a word
		default:
			p.send(protocol.AppendEvent(nil, plan, &protocol.Event{Seq: 8, Values: []protocol.Value{{Int: 1}, {}}}))
			p.send(protocol.AppendEvent(nil, plan, &protocol.Event{Seq: 9, Values: []protocol.Value{{Int: 2}, {}}}))
			p.close(4002, "kicked")
		}
	})
	var seen []uint32
	got := make(chan struct{}, 4)
	lost := make(chan error, 4)
	c := dial(t, url, client.Options{
		AutoResume: true,
		OnEvent:    func(e *protocol.Event) { seen = append(seen, e.Seq); got <- struct{}{} },
		OnLost:     func(err error) { lost <- err },
	})
	<-got
	if _, err := c.Send(1, 1); err != nil {
		t.Fatal(err)
	}
	err := c.Wait(t.Context())
	if e, _ := errors.AsType[*client.CloseError](err); e == nil || e.Code != 4002 {
		t.Errorf("ended with %v", err)
	}
	if <-hellos; len(hellos) != 1 {
		t.Fatalf("%d hellos followed the first", len(hellos))
	}
	if h := <-hellos; h.Resume != "rt1.x" || h.LastEventSeq != 8 {
		t.Errorf("second hello %+v", h)
	}
	if e, _ := errors.AsType[*client.CloseError](<-lost); e == nil || e.Code != protocol.CloseAbnormal {
		t.Errorf("lost with %v", e)
	}
	if len(seen) != 2 || seen[1] != 9 {
		t.Errorf("events %v, want each once", seen)
	}
}

// A server that was killed and restored its match has undone what this client has seen of the last moment.
func TestUndoneEventsComeAnew(t *testing.T) {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	event := func(seq uint32, killer int64) []byte {
		return protocol.AppendEvent(nil, plan, &protocol.Event{Seq: seq, Values: []protocol.Value{{Int: int32(killer)}, {}}})
	}
	url := serve(t, func(p *peer) {
		var h protocol.Hello
		p.next(protocol.TypeHello)
		p.d.Hello(&h)
		w := welcome()
		w.Tick -= h.LastEventSeq // behind what was seen, if anything was
		w.EventSeq = min(h.LastEventSeq, 6)
		p.send(protocol.AppendWelcome(nil, w))
		select {
		case <-first:
			p.send(snapshot(101, 0, rows(2, 10)))
			p.send(event(6, 1))
			p.send(event(8, 1))
			p.next(protocol.TypeInput)
		default:
			p.send(snapshot(99, 0, rows(2, 10)))
			p.send(event(7, 2))
			p.send(event(8, 2))
			p.close(4002, "kicked")
		}
	})
	var seen []string
	got := make(chan struct{}, 4)
	c := dial(t, url, client.Options{AutoResume: true, OnEvent: func(e *protocol.Event) {
		seen = append(seen, fmt.Sprint(e.Seq, " by ", e.Values[0].Int))
		got <- struct{}{}
	}})
	<-got
	<-got
	if _, err := c.Send(1, 1); err != nil {
		t.Fatal(err)
	}
	if e, _ := errors.AsType[*client.CloseError](c.Wait(t.Context())); e == nil || e.Code != 4002 {
		t.Errorf("ended with %v", e)
	}
	if want := "[6 by 1 8 by 1 7 by 2 8 by 2]"; fmt.Sprint(seen) != want {
		t.Errorf("events %v, want %s", seen, want)
	}
}

func TestCloseEndsAClientThatResumes(t *testing.T) {
	url := serve(t, func(p *peer) { p.greet() })
	lost := make(chan struct{}, 1)
	dials := 0
	c := dial(t, url, client.Options{AutoResume: true, OnLost: func(error) { lost <- struct{}{} },
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials++; dials > 1 {
				<-ctx.Done() // a network that is gone
				return nil, ctx.Err()
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}})
	<-lost
	c.Close()
	if err := c.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// A connection that cuts every read and write into single bytes.
type crumbs struct{ net.Conn }

func (c crumbs) Read(p []byte) (int, error) { return c.Conn.Read(p[:1]) }
func (c crumbs) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := c.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

func TestBytesOneByOne(t *testing.T) {
	url := serve(t, func(p *peer) {
		p.greet()
		p.next(protocol.TypeInput)
		p.close(1012, "restart")
	})
	c := dial(t, url, client.Options{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return crumbs{conn}, err
	}})
	if _, err := c.Send(1, 2); err != nil {
		t.Fatal(err)
	}
	if e, _ := errors.AsType[*client.CloseError](c.Wait(t.Context())); e == nil || e.Code != 1012 {
		t.Errorf("%v", e)
	}
}

func TestManyGoroutinesSend(t *testing.T) {
	const n = 200
	url := serve(t, func(p *peer) {
		p.greet()
		var in protocol.Input
		for want := uint32(1); want <= 4*n; want++ {
			if !p.next(protocol.TypeInput) || p.d.Input(&in, &plan.Input) != nil || in.FirstSeq != want {
				t.Errorf("input %d, want %d", in.FirstSeq, want)
				return
			}
		}
		p.close(4000, "")
	})
	c := dial(t, url, client.Options{})
	for range 4 {
		go func() {
			for range n {
				c.Send(1, 1)
			}
		}()
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

var _ io.Closer = (*client.Client)(nil)

func TestTickPacesTheInputs(t *testing.T) {
	got := make(chan uint32, 100)
	url := serve(t, func(p *peer) {
		p.greet()
		for p.next(protocol.TypeInput) {
			var in protocol.Input
			if p.d.Input(&in, &plan.Input) != nil {
				return
			}
			got <- in.FirstSeq
		}
	})
	c := dial(t, url, client.Options{})
	begun := time.Now()
	for range 5 {
		if err := c.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Send(1, 2)
	}
	if d := time.Since(begun); d < 190*time.Millisecond || d > time.Second {
		t.Errorf("5 inputs at 20 Hz took %v", d)
	}
	for want := uint32(1); want <= 5; want++ {
		if seq := <-got; seq != want {
			t.Errorf("input %d, want %d", seq, want)
		}
	}
	c.Close()
	if err := c.Tick(t.Context()); err == nil {
		t.Error("a closed client has no ticks")
	}
}

func TestTLS(t *testing.T) {
	url, pool := serveTLS(t, func(p *peer) {
		p.greet()
		p.next(protocol.TypeInput)
		p.send(protocol.AppendResult(nil, &protocol.Result{Reason: "finished"}))
		p.close(4000, "over")
	})
	for name, config := range map[string]*tls.Config{
		"a certificate that nobody vouches for": nil,
		"another server's certificate":          {RootCAs: pool, ServerName: "elsewhere.example"},
	} {
		_, err := client.Dial(t.Context(), url, client.Options{Token: "mt1.t", TLS: config})
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, config := range map[string]*tls.Config{
		"a certificate that the pool vouches for": {RootCAs: pool},
		"any certificate":                         {InsecureSkipVerify: true},
	} {
		c := dial(t, url, client.Options{TLS: config})
		if _, err := c.Send(1, 2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.Wait(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
