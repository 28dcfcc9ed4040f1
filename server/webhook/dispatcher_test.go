package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/journal"
	"skirmish/server/webhook"
)

// rig is a dispatcher over a journal in memory.
type rig struct {
	t       *testing.T
	journal journal.Memory
	d       *webhook.Dispatcher
	dead    journal.Stream
	queue   journal.Stream
	secrets webhook.Secrets
	cfg     webhook.Config
	stop    func()
}

func quick() webhook.Config {
	return webhook.Config{Workers: 16, PerSink: 4, Timeout: 300 * time.Millisecond, First: 5 * time.Millisecond, Most: 40 * time.Millisecond, Age: time.Minute}
}

func newRig(t *testing.T, cfg webhook.Config) *rig {
	t.Helper()
	r := &rig{t: t, cfg: cfg}
	var err error
	if r.secrets, err = webhook.ParseSecrets("main:" + vectorSecret); err != nil {
		t.Fatal(err)
	}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// start runs a dispatcher on what the journal holds, as a process does.
func (r *rig) start() {
	r.t.Helper()
	r.queue, _ = r.journal.Open(r.t.Context(), journal.StreamConfig{Name: "HOOKS"})
	r.dead, _ = r.journal.Open(r.t.Context(), journal.StreamConfig{Name: "DEAD"})
	r.d = webhook.New(r.cfg, r.queue, r.dead, func() webhook.Secrets { return r.secrets }, zerolog.Nop(), nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.d.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
}

func (r *rig) add(lane string, n int, url string) {
	r.t.Helper()
	id := fmt.Sprintf("%s_%d", lane, n)
	body, _ := json.Marshal(webhook.Event{ID: id, Type: "match.ended", MatchID: lane, Seq: uint64(n), Data: json.RawMessage(`{}`)})
	err := r.d.Enqueue(r.t.Context(), &webhook.Delivery{ID: id, Type: "match.ended", Lane: lane, URL: url, SecretID: "main", Queued: time.Now(), Body: body})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) empty(what string) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		left, err := r.queue.List(r.t.Context(), 0, 10)
		if err == nil && len(left) == 0 && r.d.Pending() == 0 {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: %d are pending, the queue holds %d, %v", what, r.d.Pending(), len(left), err)
		}
	}
}

// sink notes what it has accepted. verdict decides on every request; 0 hangs up.
type sink struct {
	*httptest.Server
	verdict func() int

	mu    sync.Mutex
	ids   []string
	tries int
}

func newSink(t *testing.T, secrets webhook.Secrets, verdict func() int) *sink {
	s := &sink{verdict: verdict}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		at, _ := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
		want, _ := secrets.Sign("main", r.Header.Get("webhook-id"), time.Unix(at, 0), body)
		var e webhook.Event
		if json.Unmarshal(body, &e) != nil || e.ID != r.Header.Get("webhook-id") || r.Header.Get("webhook-signature") != want || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("a bad request: %v %s", r.Header, body)
		}
		status := s.verdict()
		s.mu.Lock()
		s.tries++
		if status/100 == 2 {
			s.ids = append(s.ids, e.ID)
		}
		s.mu.Unlock()
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ids...)
}

func ok() int { return 200 }

// A sink that fails in every way there is gets everything all the same, each lane in order.
func TestEverythingArrivesInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	r := newRig(t, quick())
	s := newSink(t, r.secrets, func() int {
		mu.Lock()
		defer mu.Unlock()
		return []int{200, 202, 204, 500, 503, 404, 302, 0}[rnd.IntN(8)]
	})
	const lanes, events = 30, 10
	for n := range events {
		for l := range lanes {
			r.add(fmt.Sprintf("m%d", l), n+1, s.URL)
		}
	}
	r.empty("300 events")
	next := map[string]int{}
	for _, id := range s.got() {
		lane, n, _ := strings.Cut(id, "_")
		if next[lane]++; n != strconv.Itoa(next[lane]) {
			t.Fatalf("%s came as number %d of its lane", id, next[lane])
		}
	}
	if len(s.got()) != lanes*events {
		t.Errorf("%d accepted", len(s.got()))
	}
}

// A sink that never answers and one that is down hold nobody else up.
func TestSlowSinkStallsNobody(t *testing.T) {
	cfg := quick()
	cfg.Workers, cfg.PerSink, cfg.Timeout = 8, 4, 2*time.Second
	r := newRig(t, cfg)
	release := make(chan struct{})
	slow := newSink(t, r.secrets, func() int { <-release; return 200 })
	defer close(release)
	good := newSink(t, r.secrets, ok)
	for l := range 100 {
		r.add(fmt.Sprintf("slow%d", l), 1, slow.URL)
		r.add(fmt.Sprintf("down%d", l), 1, "http://127.0.0.1:1/")
	}
	begin := time.Now()
	for l := range 100 {
		r.add(fmt.Sprintf("good%d", l), 1, good.URL)
	}
	for len(good.got()) < 100 {
		if time.Since(begin) > 1500*time.Millisecond {
			t.Fatalf("%d of 100 after %v", len(good.got()), time.Since(begin))
		}
		time.Sleep(time.Millisecond)
	}
}

// What a process leaves behind the next one delivers.
func TestNextProcessGoesOn(t *testing.T) {
	r := newRig(t, quick())
	var up atomic.Bool
	s := newSink(t, r.secrets, func() int {
		if up.Load() {
			return 200
		}
		return 500
	})
	for l := range 20 {
		r.add(fmt.Sprintf("m%d", l), 1, s.URL)
	}
	r.stop()
	up.Store(true)
	r.start()
	r.empty("after the restart")
	if len(s.got()) != 20 {
		t.Errorf("%d arrived", len(s.got()))
	}
}

func TestDeadLettersCanBeSeenAndSentAgain(t *testing.T) {
	cfg := quick()
	cfg.Age = 50 * time.Millisecond
	r := newRig(t, cfg)
	var status atomic.Int32
	status.Store(500)
	s := newSink(t, r.secrets, func() int { return int(status.Load()) })
	r.add("a", 1, s.URL)
	r.add("a", 2, s.URL)
	r.empty("given up")
	status.Store(http.StatusGone)
	r.add("b", 1, s.URL)
	r.empty("unwanted")
	letters, next, err := r.d.DeadLetters(t.Context(), 0, 2)
	if err != nil || len(letters) != 2 || next == 0 || letters[0].ID != "a_1" || letters[0].Tries < 2 || letters[0].Error != "the sink answered 500" || letters[0].Dead.IsZero() {
		t.Fatalf("%+v, next %d, %v", letters, next, err)
	}
	rest, next, err := r.d.DeadLetters(t.Context(), next, 2)
	if err != nil || len(rest) != 1 || next != 0 || rest[0].ID != "b_1" || rest[0].Tries != 1 {
		t.Fatalf("%+v, next %d, %v", rest, next, err)
	}
	status.Store(200)
	if n, err := r.d.Redeliver(t.Context(), "b_1"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	r.empty("sent again")
	if n, err := r.d.Redeliver(t.Context(), ""); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	r.empty("all sent again")
	if got := fmt.Sprint(s.got()); got != "[b_1 a_1 a_2]" {
		t.Errorf("arrived: %s", got)
	}
	if _, err := r.d.Redeliver(t.Context(), "b_1"); !errors.Is(err, webhook.ErrNoLetter) {
		t.Errorf("a letter that is gone: %v", err)
	}
}

// A signed event goes nowhere else, and an endless answer is not read.
func TestRedirectsAndEndlessAnswers(t *testing.T) {
	cfg := quick()
	cfg.Age = 30 * time.Millisecond
	r := newRig(t, cfg)
	other := newSink(t, r.secrets, ok)
	var asked atomic.Int32
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		http.Redirect(w, q, other.URL, http.StatusTemporaryRedirect)
	}))
	defer redirect.Close()
	r.add("a", 1, redirect.URL)
	r.empty("redirected")
	if letters, _, _ := r.d.DeadLetters(t.Context(), 0, 9); len(other.got()) != 0 || asked.Load() == 0 || len(letters) != 1 || letters[0].Error != "the sink answered 307" {
		t.Errorf("followed %v, asked %d, %+v", other.got(), asked.Load(), letters)
	}
	var written atomic.Int64
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		block := make([]byte, 64<<10)
		for {
			n, err := w.Write(block)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	r.add("b", 1, endless.URL)
	r.empty("an endless answer to a 200")
	if written.Load() > 64<<20 {
		t.Errorf("%d bytes were read", written.Load())
	}
}

// A store that fails now and then costs time and nothing else.
func TestQueueWithFaults(t *testing.T) {
	r := newRig(t, quick())
	s := newSink(t, r.secrets, ok)
	for l := range 50 {
		r.add(fmt.Sprintf("m%d", l), 1, s.URL)
	}
	r.empty("without faults")
	r.stop()
	var calls atomic.Int32
	r.journal.Fault = func(call string) error {
		if (call == "Read" || call == "List") && calls.Add(1)%2 == 1 {
			return errors.New("a fault of the disk")
		}
		return nil
	}
	r.start()
	for l := range 20 {
		r.add(fmt.Sprintf("n%d", l), 1, s.URL)
	}
	deadline := time.Now().Add(10 * time.Second)
	for r.d.Pending() > 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if len(s.got()) != 70 {
		t.Errorf("%d arrived", len(s.got()))
	}
}

// What an earlier process has left is delivered before what this one adds while it still reads the queue.
func TestTheQueueOfAnEarlierProcessGoesFirst(t *testing.T) {
	r := newRig(t, quick())
	s := newSink(t, r.secrets, func() int { return 200 })
	r.stop()
	r.add("m", 1, s.URL) // nobody delivers them
	r.add("m", 2, s.URL)
	r.d = webhook.New(r.cfg, r.queue, r.dead, func() webhook.Secrets { return r.secrets }, zerolog.Nop(), nil)
	r.add("m", 1, s.URL) // again, as after a crash
	r.add("m", 3, s.URL) // before Run has looked
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.d.Run(ctx) }()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	r.empty("all three")
	if got := strings.Join(s.got(), " "); got != "m_1 m_2 m_3" {
		t.Errorf("delivered in the order %s", got)
	}
}

// A process that dies before it has read a long queue to its end has delivered something, so that the next one reads less.
func TestALongQueueIsDeliveredWhileItIsRead(t *testing.T) {
	r := newRig(t, quick())
	s := newSink(t, r.secrets, func() int { return 200 })
	r.stop()
	for lane := range 300 {
		r.add(fmt.Sprintf("m%d", lane), 1, s.URL)
	}
	lists, rest := atomic.Int32{}, make(chan struct{})
	r.journal.Fault = func(call string) error {
		if call == "List" && lists.Add(1) == 2 {
			<-rest
		}
		return nil
	}
	r.start()
	different := func() int { // a request that took too long comes again
		ids := s.got()
		slices.Sort(ids)
		return len(slices.Compact(ids))
	}
	for deadline := time.Now().Add(10 * time.Second); different() < 256; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			close(rest)
			t.Fatalf("%d were delivered from the first page of the queue", different())
		}
	}
	if r.d.Pending() == 0 {
		t.Error("nothing is pending before the queue has been read")
	}
	close(rest)
	for deadline := time.Now().Add(10 * time.Second); r.d.Pending() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if different() != 300 {
		t.Errorf("%d of 300 were delivered", different())
	}
}
