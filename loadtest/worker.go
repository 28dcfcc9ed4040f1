package main

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// job is what a worker process gets through its stdin. The end of stdin is the wish to stop.
type job struct {
	Config    Config
	Start     int64 // ns since the Unix epoch
	Share, Of int
}

// word is what a worker says through its stdout: how it goes, and at last what it has measured or why it could not.
type word struct {
	Cut     bool // the parent broke the work off: another worker has the fault to tell
	Live    *progress
	Outcome *outcome
	Fault   string
}

// progress is a live on its way through a pipe.
type progress struct {
	Joined, Gone, Errors, Cuts int
	States, Inputs             uint64
	Lag                        int64
	Ack                        *hdrhistogram.Snapshot
}

// runWorkers plays a run with several processes: copies of this one, each with its share of the matches.
func runWorkers(ctx context.Context, c *Config, status io.Writer, terminal bool) (*Report, error) {
	m := newMatchmaker(c.Server, c.AdminKey, c.Insecure)
	defer m.http.CloseIdleConnections()
	if _, err := m.do(ctx, "GET", "/v1/matches?limit=1", nil); err != nil { // before any process is started
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("the worker processes: %w", err)
	}
	start := nanos() + int64(workerDelay)
	crew := make([]*worker, c.Workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for i := range crew {
		w := &worker{number: i + 1, live: live{ack: newHistogram()}}
		crew[i] = w
		all.Go(func() {
			if w.err = w.run(ctx, self, &job{Config: *c, Start: start, Share: i, Of: c.Workers}); w.err != nil {
				cancel() // the others' figures are of no use without it
			}
		})
	}
	server, probes := new(serverFigures), []probe(nil)
	over := make(chan struct{})
	var watchers sync.WaitGroup
	watchers.Go(func() {
		watch(over, status, terminal, func(d time.Duration) string {
			v := live{ack: newHistogram()}
			for _, w := range crew {
				w.take(&v)
			}
			return v.line(c, start, d)
		})
	})
	step := newSeries(start, c.Warmup+c.Duration).step
	watchers.Go(func() { probes = probeServer(m, start, step, over) })
	watchers.Go(func() { server.measure(ctx, m, start+int64(c.Warmup), start+int64(c.Warmup+c.Duration), over) })
	all.Wait()
	close(over)
	watchers.Wait()
	var faults []error
	var outcomes []*outcome
	for _, w := range crew {
		if w.err != nil && !errors.Is(w.err, context.Canceled) {
			faults = append(faults, fmt.Errorf("worker %d: %w", w.number, w.err))
		}
		if w.outcome != nil {
			outcomes = append(outcomes, w.outcome)
		}
	}
	if len(faults) > 0 {
		return nil, faults[0]
	}
	if len(outcomes) < len(crew) {
		return nil, errors.New("a worker process gave no figures")
	}
	return newReport(c, outcomes, server, probes), nil
}

// measure reads the metrics at the window's begin and end, or earlier when it is over.
func (f *serverFigures) measure(ctx context.Context, m *matchmaker, begin, end int64, over <-chan struct{}) {
	until := func(at int64) bool {
		t := time.NewTimer(time.Duration(at - nanos()))
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-ctx.Done():
		case <-over:
		}
		return false
	}
	if until(begin) {
		f.begin(m)
		until(end)
	}
	f.end(m)
}

// worker is one process as its parent knows it.
type worker struct {
	number  int
	outcome *outcome
	err     error

	mu   sync.Mutex // guards live
	live live       // since the last take
}

func (w *worker) run(ctx context.Context, self string, j *job) error {
	cmd := exec.Command(self, workerCommand)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { in.Close() })
	defer stop()
	fault := json.NewEncoder(in).Encode(j)
	words := gob.NewDecoder(out)
	for w.outcome == nil && fault == nil {
		var v word
		switch err := words.Decode(&v); {
		case err != nil:
			fault = fmt.Errorf("it ended without figures: %w", err)
		case v.Cut:
			fault = context.Canceled
		case v.Fault != "":
			fault = errors.New(v.Fault)
		case v.Live != nil:
			w.hear(v.Live)
		}
		w.outcome = v.Outcome
	}
	in.Close()
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil && fault == nil {
		fault = err
	}
	return fault
}

func (w *worker) hear(p *progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live.joined, w.live.gone, w.live.errors, w.live.cuts = p.Joined, p.Gone, p.Errors, p.Cuts
	w.live.states += p.States
	w.live.inputs += p.Inputs
	w.live.lag = max(w.live.lag, p.Lag)
	w.live.ack.Merge(hdrhistogram.Import(p.Ack))
}

// take adds what the worker has said since the last time to v.
func (w *worker) take(v *live) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v.joined += w.live.joined
	v.gone += w.live.gone
	v.errors += w.live.errors
	v.cuts += w.live.cuts
	v.states += w.live.states
	v.inputs += w.live.inputs
	v.lag = max(v.lag, w.live.lag)
	v.ack.Merge(w.live.ack)
	w.live.states, w.live.inputs, w.live.lag = 0, 0, 0
	w.live.ack.Reset()
}

// work is the worker process: it plays its share of the job that comes through in, and tells through out.
func work(ctx context.Context, in io.Reader, out io.Writer) int {
	words := gob.NewEncoder(out)
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		words.Encode(word{Fault: "the job did not arrive: " + err.Error()})
		return exitFailed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process
		io.Copy(io.Discard, in)
		cancel()
	}()
	o, err := j.play(ctx, words)
	if err != nil {
		words.Encode(word{Fault: err.Error(), Cut: errors.Is(err, context.Canceled)})
		return exitFailed
	}
	if words.Encode(word{Outcome: o}) != nil {
		return exitFailed
	}
	return exitPass
}

func (j *job) play(ctx context.Context, words *gob.Encoder) (*outcome, error) {
	s, err := newSwarm(&j.Config, j.Share, j.Of)
	if err != nil {
		return nil, err
	}
	if len(s.plan) == 0 { // fewer matches than workers
		return idleOutcome(j, s), nil
	}
	s.start = j.Start
	over := make(chan struct{})
	var teller sync.WaitGroup
	o, err := s.play(ctx, new(serverFigures), func() {
		teller.Go(func() {
			ticking(j.Start, int64(publishEvery), over, func(int64) {
				v := live{ack: newHistogram()}
				s.take(&v)
				words.Encode(word{Live: &progress{v.joined, v.gone, v.errors, v.cuts, v.states, v.inputs, v.lag, v.ack.Export()}})
			})
		})
	})
	close(over)
	teller.Wait()
	return o, err
}

// idleOutcome is that of a worker without a match.
func idleOutcome(j *job, s *swarm) *outcome {
	c := &j.Config
	o := &outcome{Start: j.Start, End: j.Start + int64(c.Warmup+c.Duration), Aside: newFigures().pack()}
	for range s.spans {
		o.Books = append(o.Books, newFigures().pack())
	}
	rows := newSeries(j.Start, c.Warmup+c.Duration+leaveLimit)
	o.Rows, o.Step = rows.rows, rows.step
	return o
}
