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
	"strings"
	"syscall"
	"time"
)

const defaultDuration = time.Minute

// runner runs the emulator.
type runner struct {
	emulator   string // binary
	servers    string // folder of binaries
	link, way  string // only these, separated by commas; empty: all
	congestion string
	players    int // seats for players
	bots, runs int
	atOnce     int // runs at the same time, each in all ways
	duration   time.Duration
}

// figures are one run.
type figures struct {
	ClientFigures
	ServerFigures
}

// chosen tells whether a name is on a list; an empty list has all.
func chosen(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// table runs all and prints a line for each link and way, and what is kept of the promises.
func (r *runner) table(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "%d bots at %d Hz, %v each, medians of %d, %s\n", r.bots, tickRate, r.duration, r.runs, r.congestion)
	fmt.Fprintf(w, "%-8s %-9s %9s %9s %9s  %-9s %7s %7s %8s %6s %7s %7s %6s\n",
		"link", "way", "age p50", "p99 ms", "max", "connected", "states", "kbit/s", "skipped", "keyfr.", "notices", "RSS MiB", "missed")
	for i := range links {
		l := &links[i]
		if !chosen(r.link, l.name) {
			continue
		}
		all, err := r.measure(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		for j := range ways {
			runs := all[ways[j].name]
			if len(runs) == 0 {
				continue
			}
			f := median(runs)
			fmt.Fprintf(w, "%-8s %-9s %9.0f %9.0f %9.0f  %-9v %7d %7.0f %8.0f %6d %7d %7.1f %6.0f\n", l.name, ways[j].name,
				f.AgeP50, f.AgeP99, f.AgeMax, f.Connected, f.States, f.Kbit, f.Skipped, f.Keyframes, f.SlowNotice, f.GrowthMiB, f.MissedTicks)
		}
		l.judge(w, all)
	}
	return nil
}

// measure runs all ways of each run side by side, so that whatever else the machine does meets them alike.
func (r *runner) measure(ctx context.Context, l *link) (map[string][]*figures, error) {
	all := map[string][]*figures{}
	for j := range ways {
		if chosen(r.way, ways[j].name) {
			all[ways[j].name] = make([]*figures, r.runs)
		}
	}
	for first := 0; first < r.runs; first += r.atOnce {
		last := min(first+r.atOnce, r.runs)
		errs := make(chan error, len(all)*(last-first))
		for j := range ways {
			runs := all[ways[j].name]
			for i := first; i < last && runs != nil; i++ {
				go func() {
					f, err := r.run(ctx, l, &ways[j], i+1)
					if err != nil {
						err = fmt.Errorf("%s: %w", ways[j].name, err)
					}
					runs[i] = f
					errs <- err
				}()
			}
		}
		var err error
		for range cap(errs) {
			err = errors.Join(err, <-errs)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// judge prints what is promised of a link and whether it is kept.
func (l *link) judge(w io.Writer, all map[string][]*figures) {
	kept := func(ok bool) string {
		if ok {
			return "kept"
		}
		return "MISSED"
	}
	rule, blind := all["rule"], all["blind"]
	if rule != nil && l.most > 0 {
		p99 := median(rule).AgeP99
		fmt.Fprintf(w, "  %s: p99 %.0f ms of at most %.0f ms\n", kept(p99 <= l.most), p99, l.most)
	}
	if rule != nil && blind != nil && l.blow > 0 {
		var ratios []float64
		busy := 0
		for i := range rule {
			if rule[i].MissedTicks+blind[i].MissedTicks > 0 {
				busy++
				continue
			}
			ratios = append(ratios, rule[i].AgeP99/blind[i].AgeP99)
		}
		if len(ratios) == 0 {
			fmt.Fprintf(w, "  no verdict: ticks were missed in each pair of runs\n")
			return
		}
		slices.Sort(ratios)
		middle := (ratios[(len(ratios)-1)/2] + ratios[len(ratios)/2]) / 2
		fmt.Fprintf(w, "  %s: p99 %.2f times blind writing, of at most %.2f; median of %d pairs between %.2f and %.2f, %d left out for missed ticks\n",
			kept(middle <= l.blow), middle, l.blow, len(ratios), ratios[0], ratios[len(ratios)-1], busy)
	}
}

// median is the run whose age at p99 lies in the middle.
func median(runs []*figures) *figures {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *figures) int { return cmp.Compare(a.AgeP99, b.AgeP99) })
	return sorted[len(sorted)/2]
}

// run is one connection over one link. The seed of the link's faults is the run's number: every way meets the same.
func (r *runner) run(ctx context.Context, l *link, how *way, seed int) (*figures, error) {
	ctx, cancel := context.WithTimeout(ctx, warmUp+r.duration+runSlack)
	defer cancel()
	dir, err := r.emulate(ctx, l, how, seed, fmt.Sprintf("play -duration %v", r.duration))
	defer os.RemoveAll(dir)
	if err != nil {
		return nil, err
	}
	f := &figures{}
	return f, errors.Join(readFile(filepath.Join(dir, clientFile), &f.ClientFigures), readFile(filepath.Join(dir, serverFile), &f.ServerFigures))
}

// emulate runs a server on the one side of a link and a client's command on the other, and returns the folder with what
// both wrote, which is the caller's to remove.
func (r *runner) emulate(ctx context.Context, l *link, how *way, seed int, command string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "links"); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return dir, err
	}
	args := append(slices.Clone(l.args), "-q", "-seed", fmt.Sprint(seed), "-cc", r.congestion, "-port", fmt.Sprint(gamePort),
		"-a", fmt.Sprintf("exec %s serve -dir %s -server %s -driver %s -players %d -bots %d", self, dir, filepath.Join(r.servers, how.server), how.driver, r.players, r.bots),
		"-b", fmt.Sprintf("exec %s %s -dir %s", self, command, dir))
	cmd := exec.CommandContext(ctx, r.emulator, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopWait
	if err := cmd.Run(); err != nil {
		return dir, fmt.Errorf("%s: %w", filepath.Base(r.emulator), err)
	}
	return dir, nil
}

func readFile(name string, into any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
