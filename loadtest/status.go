package main

import (
	"fmt"
	"io"
	"time"
)

// watch shows how the run goes until it is over: one line rewritten every second on a terminal, else a line every 5 s.
func watch(over <-chan struct{}, w io.Writer, terminal bool, status func(time.Duration) string) {
	every := plainEvery
	if terminal {
		every = time.Second
	}
	t := time.NewTicker(every)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-over:
			if terminal {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		case now := <-t.C:
			line := status(now.Sub(last))
			last = now
			if terminal {
				fmt.Fprintf(w, "\r%s\x1b[K", line)
			} else {
				fmt.Fprintln(w, line)
			}
		}
	}
}

// status is one line about the time since the last one.
func (s *swarm) status(d time.Duration) string {
	v := live{ack: newHistogram()}
	s.take(&v)
	return v.line(s.config, s.start, d)
}

// take adds what the loops tell to v.
func (s *swarm) take(v *live) {
	for _, l := range s.loops {
		l.take(v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.faults {
		v.errors += n
	}
}

// line shows v, of the last d, for people.
func (v *live) line(c *Config, start int64, d time.Duration) string {
	now := nanos()
	begin, end := start+int64(c.Warmup), start+int64(c.Warmup+c.Duration)
	phase, left := "over", time.Duration(0)
	switch {
	case now < begin:
		phase, left = "warm-up", time.Duration(begin-now)
	case now < end:
		phase, left = "measuring", time.Duration(end-now)
	}
	ack := "ack -"
	if v.ack.TotalCount() > 0 {
		ack = fmt.Sprintf("ack %s p50 %s p99", milliseconds(float64(v.ack.ValueAtQuantile(50))/1e3), milliseconds(float64(v.ack.ValueAtQuantile(99))/1e3))
	}
	cuts := ""
	if v.cuts > 0 {
		cuts = fmt.Sprintf(" | cut %d", v.cuts)
	}
	return fmt.Sprintf("%s %.0fs | bots %d/%d | %s snapshots/s %s inputs/s | %s | lag %s | errors %d%s",
		phase, left.Seconds(), v.joined-v.gone, c.Bots,
		number(float64(v.states)/d.Seconds()), number(float64(v.inputs)/d.Seconds()), ack, milliseconds(float64(v.lag)/1e6), v.errors, cuts)
}
