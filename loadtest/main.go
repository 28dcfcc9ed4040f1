package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerCommand { // it ends by its stdin, not by the terminal's Ctrl-C
		signal.Ignore(os.Interrupt)
		os.Exit(work(context.Background(), os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second one kills
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a fault of the caller's flags: exit code 2.
type usageError struct{ error }

// run is the command. The report goes to stdout, the status and faults to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code := exitPass
	cmd := command(func(c *Config) error {
		pass, err := execute(ctx, c, stdout, stderr)
		if err == nil && !pass {
			code = exitMissed
		}
		return err
	})
	cmd.AddCommand(diffCommand(), htmlCommand(), capacityCommand())
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "loadtest: %v\n", err)
		if _, ok := errors.AsType[usageError](err); ok {
			fmt.Fprintln(stderr, "See loadtest --help.")
			return exitUsage
		}
		return exitFailed
	}
	return code
}

// command declares the flags.
func command(run func(*Config) error) *cobra.Command {
	c := DefaultConfig()
	var thresholds []string
	cmd := &cobra.Command{
		Use:   "loadtest [scenario.yaml]",
		Short: "Play arena matches with thousands of bots and measure what they see",
		Long: `Creates matches on a server, plays the arena in them with its own bots, and reports percentiles.

A threshold is metric.statistic<bound with < <= > or >=.
  times    ` + `ack wait join resume gap undone interval interval_error age lag   with ` + statNames + `
  numbers  delivery and own_tick (0.99 or 99%), errors, cuts, lost_seats, missed_ticks, bytes_down, bytes_up
           (per player and second)

A scenario file describes stages, arrivals, sessions, storms, networks and misbehaviour; loadtest/scenarios has
examples. Flags override it.

Exit codes: 0 all thresholds hold, 99 one was missed, 2 wrong flags, 1 it could not run.
The admin key comes from SKIRMISH_ADMIN_KEY.`,
		Example: `  loadtest --bots 1000 --ramp 10s --duration 30s
  loadtest --bots 640 --rate 20 --threshold 'ack.p99<75ms' --threshold 'delivery>=99%' --json report.json
  loadtest loadtest/scenarios/churn.yaml --bots 200 --html report.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("unknown argument %q: one scenario at a time", cut(args[1], 64))}
			}
			return nil
		},
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, text := range thresholds {
				t, err := ParseThreshold(text)
				if err != nil {
					return usageError{err}
				}
				c.Thresholds = append(c.Thresholds, t)
			}
			if len(args) > 0 {
				s, err := loadScenario(args[0])
				if err != nil {
					return usageError{err}
				}
				s.apply(&c, cmd.Flags().Changed)
			}
			c.AdminKey = os.Getenv("SKIRMISH_ADMIN_KEY")
			if err := c.Validate(); err != nil {
				return usageError{err}
			}
			return run(&c)
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := cmd.Flags()
	f.StringVar(&c.Server, "server", c.Server, "URL of the server's admin port")
	f.StringVar(&c.GameURL, "game-url", c.GameURL, "ws:// or wss:// URL to play at (default: what the server gives)")
	f.IntVar(&c.Bots, "bots", c.Bots, "number of bots")
	f.IntVar(&c.MatchSize, "match-size", c.MatchSize, fmt.Sprintf("bots per match, %d to %d", minMatchSize, maxMatchSize))
	f.IntVar(&c.Spectators, "spectators", 0, "spectators of each match, besides the bots")
	f.StringVar(&c.Params, "params", "", "JSON object of the game's own settings, such as {\"mode\":\"teams\"}")
	f.IntVar(&c.Rate, "rate", c.Rate, "ticks, snapshots and inputs per second, 10 to 120")
	f.DurationVar(&c.Ramp, "ramp", c.Ramp, "time over which the bots join")
	f.DurationVar(&c.Duration, "duration", c.Duration, "time that is measured, after the warm-up")
	f.DurationVar(&c.Warmup, "warmup", c.Warmup, "time from the start that is not measured (default: ramp + 2s)")
	f.StringArrayVar(&thresholds, "threshold", nil, "bound that must hold, repeatable (default errors<=0 and cuts<=0)")
	f.StringVar(&c.JSON, "json", "", "write the report as JSON to this file, - for stdout")
	f.StringVar(&c.CSV, "csv", "", "write the run second by second to this file")
	f.StringVar(&c.HTML, "html", "", "write the report as one page with curves to this file")
	f.DurationVar(&c.Lead, "lead", 0, "how long inputs are to wait at the server for their tick, besides twice the jitter (default one tick)")
	f.BoolVar(&c.Insecure, "insecure", false, "take any certificate of an https:// or wss:// server, such as one signed by itself")
	f.IntVar(&c.Workers, "workers", c.Workers, "processes that play, each with --loops threads")
	f.IntVar(&c.Loops, "loops", c.Loops, "threads that play")
	f.StringVar(&c.IO, "io", "", "how sockets are driven: ring (io_uring), epoll or portable (default the first that this system has)")
	f.BoolVar(&c.Scouts, "scouts", false, "cheap load: one bot of each match decodes what it sees and the others play by that; all are measured")
	f.BoolVar(&c.StayOut, "stay-out", false, "bots do not come back when their connection is cut: a cut is an error")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of bots and matches")
	f.BoolVar(&c.NoColor, "no-color", false, "no colours and no rewritten line")
	f.StringVar(&c.CPUProfile, "cpuprofile", "", "write a CPU profile of the generator to this file")
	f.Lookup("warmup").DefValue = ""
	f.Lookup("lead").DefValue = ""
	f.SortFlags = false
	return cmd
}

// execute runs and reports; pass tells whether all thresholds hold.
func execute(ctx context.Context, c *Config, stdout, stderr io.Writer) (pass bool, err error) {
	outputs := []struct { // created before the run: a file that cannot be written is known at once
		flag, path string
		write      func(*Report, io.Writer) error
		file       *os.File
	}{
		{"--json", c.JSON, (*Report).writeJSON, nil},
		{"--csv", c.CSV, (*Report).writeCSV, nil},
		{"--html", c.HTML, (*Report).writeHTML, nil},
	}
	for i := range outputs {
		o := &outputs[i]
		if o.path == "" || o.path == "-" {
			continue
		}
		if o.file, err = os.Create(o.path); err != nil {
			return false, usageError{fmt.Errorf("%s: %w", o.flag, err)}
		}
		defer o.file.Close()
	}
	if c.CPUProfile != "" {
		p, err := os.Create(c.CPUProfile)
		if err != nil {
			return false, usageError{fmt.Errorf("--cpuprofile: %w", err)}
		}
		defer p.Close()
		if err := pprof.StartCPUProfile(p); err != nil {
			return false, err
		}
		defer pprof.StopCPUProfile()
	}
	r, err := runSwarm(ctx, c, stderr, isTerminal(stderr) && !c.NoColor)
	if err != nil {
		return false, err
	}
	out := io.Writer(stdout)
	for i := range outputs {
		o := &outputs[i]
		var fault error
		switch {
		case o.path == "-":
			fault, out = o.write(r, stdout), stderr
		case o.file != nil:
			if fault = o.write(r, o.file); fault == nil {
				fault = o.file.Close()
			}
		}
		if fault != nil && err == nil {
			err = fmt.Errorf("%s: %w", o.flag, fault)
		}
	}
	r.print(out, style(isTerminal(out) && !c.NoColor && os.Getenv("NO_COLOR") == ""))
	return r.Pass, err
}

func (r *Report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
