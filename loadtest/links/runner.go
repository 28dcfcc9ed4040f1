package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const defaultDuration = time.Minute

// runner runs the emulator.
type runner struct {
	emulator   string // binary
	servers    string // folder of binaries
	link, way  string // only these; empty: all
	congestion string
	bots, runs int
	duration   time.Duration
}

// figures are one run.
type figures struct {
	ClientFigures
	ServerFigures
}

// table runs all and prints a line for each link and way, and what is kept of the promises.
func (r *runner) table(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "%d bots at %d Hz, %v each, median of %d, %s\n", r.bots, tickRate, r.duration, r.runs, r.congestion)
	fmt.Fprintf(w, "%-8s %-9s %9s %9s %9s  %-9s %7s %7s %8s %6s %7s %7s %6s\n",
		"link", "way", "age p50", "p99 ms", "max", "connected", "states", "kbit/s", "skipped", "keyfr.", "notices", "RSS MiB", "missed")
	for i := range links {
		l := &links[i]
		if r.link != "" && r.link != l.name {
			continue
		}
		p99 := map[string]float64{}
		for j := range ways {
			if r.way != "" && r.way != ways[j].name {
				continue
			}
			f, err := r.median(ctx, l, &ways[j])
			if err != nil {
				return fmt.Errorf("%s, %s: %w", l.name, ways[j].name, err)
			}
			p99[ways[j].name] = f.AgeP99
			fmt.Fprintf(w, "%-8s %-9s %9.0f %9.0f %9.0f  %-9v %7d %7.0f %8.0f %6d %7d %7.1f %6.0f\n", l.name, ways[j].name,
				f.AgeP50, f.AgeP99, f.AgeMax, f.Connected, f.States, f.Kbit, f.Skipped, f.Keyframes, f.SlowNotice, f.GrowthMiB, f.MissedTicks)
		}
		l.judge(w, p99)
	}
	return nil
}

// judge prints what is promised of a link and whether it is kept.
func (l *link) judge(w io.Writer, p99 map[string]float64) {
	kept := func(ok bool) string {
		if ok {
			return "kept"
		}
		return "MISSED"
	}
	rule, measured := p99["rule"]
	blind, compared := p99["blind"]
	if measured && l.most > 0 {
		fmt.Fprintf(w, "  %s: p99 %.0f ms of at most %.0f ms\n", kept(rule <= l.most), rule, l.most)
	}
	if measured && compared && l.blow > 0 {
		fmt.Fprintf(w, "  %s: p99 %.2f times blind writing, of at most %.2f\n", kept(rule <= l.blow*blind), rule/blind, l.blow)
	}
}

// median is the run whose age at p99 lies in the middle.
func (r *runner) median(ctx context.Context, l *link, how *way) (*figures, error) {
	all := make([]*figures, r.runs)
	for i := range all {
		var err error
		if all[i], err = r.run(ctx, l, how, i+1); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b *figures) int { return cmp.Compare(a.AgeP99, b.AgeP99) })
	return all[len(all)/2], nil
}

// run is one connection over one link. The seed of the link's faults is the run's number: every way meets the same.
func (r *runner) run(ctx context.Context, l *link, how *way, seed int) (*figures, error) {
	dir, err := os.MkdirTemp("", "links")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, warmUp+r.duration+runSlack)
	defer cancel()
	args := append(slices.Clone(l.args), "-q", "-seed", fmt.Sprint(seed), "-cc", r.congestion, "-port", fmt.Sprint(gamePort),
		"-a", fmt.Sprintf("exec %s serve -dir %s -server %s -driver %s -bots %d", self, dir, filepath.Join(r.servers, how.server), how.driver, r.bots),
		"-b", fmt.Sprintf("exec %s play -dir %s -duration %v", self, dir, r.duration))
	cmd := exec.CommandContext(ctx, r.emulator, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWait
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(r.emulator), err)
	}
	f := &figures{}
	return f, errors.Join(readFile(filepath.Join(dir, clientFile), &f.ClientFigures), readFile(filepath.Join(dir, serverFile), &f.ServerFigures))
}

func readFile(name string, into any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
