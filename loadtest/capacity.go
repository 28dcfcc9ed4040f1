package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// capacity is a search for the most players that a server on one core holds while everybody is served as promised:
// delivery ≥ 99 %, p99 of the interval error under half a tick, p99 of the acknowledgement at most 1.5 ticks, nobody
// dropped, the generator on time.
type capacity struct {
	server        string // program
	rates         []int
	from, to      int           // players
	measure       time.Duration // of each run
	budget        time.Duration // for all of it
	serverCore    int
	generatorCore int
	json          string // file for the results

	self   string
	dir    string // for reports and the server's data
	out    io.Writer
	try    func(ctx context.Context, rate, n int) (*capacityProbe, error) // probe, but in tests
	probes []capacityProbe
	end    time.Time // of the time for the rate that is searched at
}

// capacityProbe is one run of the search, as --json writes it.
type capacityProbe struct {
	Rate    int     `json:"rate_hz"`
	Players int     `json:"players"`
	Holds   bool    `json:"holds"`
	Why     string  `json:"why,omitempty"`   // the first thing that gave way
	Tired   bool    `json:"generator_tired"` // it was the generator
	Report  *Report `json:"report"`
}

// capacityAnswer is what the search at one rate has come to.
type capacityAnswer struct {
	Rate       int     `json:"rate_hz"`
	Players    int     `json:"players"`
	LowerBound bool    `json:"lower_bound"` // the generator, the time or --to came first
	Why        string  `json:"why"`         // what gave way with more players
	ServerCPU  float64 `json:"server_cpu_us_per_snapshot"`
	Bytes      float64 `json:"bytes_per_snapshot"`
	FloorCPU   float64 `json:"floor_cpu_us_per_write"` // 0: unknown
	OverFloor  float64 `json:"over_floor"`
}

func capacityCommand() *cobra.Command {
	c := capacity{rates: []int{20, 60}, from: 1024, to: 8192, measure: 8 * time.Second, budget: 6 * time.Minute, generatorCore: 1}
	cmd := &cobra.Command{
		Use: "capacity", Short: "Search the most players that a server on one core holds",
		Long: `Starts the server on one core and this program on another, and searches the most players that are all served as
promised: delivery >= 99 %, p99 of |interval - period| under half a tick, p99 of input to acknowledged at most 1.5
ticks, nobody dropped, the generator on time. The answer held in two of three runs. When the generator is what gave
way, the answer is only a lower bound and says so. Beside it stands the floor: the CPU time of a bare write of as
many bytes to as many sockets, measured in the same run. Nothing else should run on the two cores.`,
		Args:         exactly(0, "flags only"),
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.out, c.try = cmd.OutOrStdout(), c.probe
			if err := c.check(); err != nil {
				return usageError{err}
			}
			return c.search(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.server, "server-binary", "", "the server's program (needed)")
	f.IntSliceVar(&c.rates, "rate", c.rates, "ticks per second to search at")
	f.IntVar(&c.from, "from", c.from, "players of the first run")
	f.IntVar(&c.to, "to", c.to, "most players to try")
	f.DurationVar(&c.measure, "measure", c.measure, "time that each run measures")
	f.DurationVar(&c.budget, "budget", c.budget, "time for the whole search: the answer is what held until then")
	f.IntVar(&c.serverCore, "server-core", c.serverCore, "core of the server")
	f.IntVar(&c.generatorCore, "generator-core", c.generatorCore, "core of the generator")
	f.StringVar(&c.json, "json", "", "write all runs as JSON to this file")
	return cmd
}

func (c *capacity) check() error {
	switch info, err := os.Stat(c.server); {
	case c.server == "":
		return errors.New("--server-binary: name the server's program, built with \"go build ./server\"")
	case err != nil:
		return fmt.Errorf("--server-binary: %w", err)
	case info.IsDir():
		return fmt.Errorf("--server-binary: %s is a folder", c.server)
	case c.serverCore == c.generatorCore:
		return errors.New("server and generator need a core each: --server-core and --generator-core are the same")
	case max(c.serverCore, c.generatorCore) >= runtime.NumCPU() || min(c.serverCore, c.generatorCore) < 0:
		return fmt.Errorf("cores %d and %d: this machine has 0 to %d; the search needs two", c.serverCore, c.generatorCore, runtime.NumCPU()-1)
	case c.from < capacityStep || c.to < c.from || c.to > maxPerAddress*loopbackSources:
		return fmt.Errorf("--from %d --to %d: from %d to %d players can be tried", c.from, c.to, capacityStep, maxPerAddress*loopbackSources)
	case c.measure < 2*time.Second:
		return fmt.Errorf("--measure %v is less than 2s", c.measure)
	case c.budget < time.Minute:
		return fmt.Errorf("--budget %v is less than 1m", c.budget)
	}
	for _, rate := range c.rates {
		if rate < 10 || rate > 120 {
			return fmt.Errorf("--rate %d is not in 10 to 120", rate)
		}
	}
	return nil
}

func (c *capacity) search(ctx context.Context) (err error) {
	if c.self, err = os.Executable(); err != nil {
		return err
	}
	if c.dir, err = os.MkdirTemp("", "skirmish-capacity-"); err != nil {
		return err
	}
	defer os.RemoveAll(c.dir)
	fmt.Fprintf(c.out, "Server on core %d, generator on core %d of %s.\n", c.serverCore, c.generatorCore, thisMachine().Processor)
	for _, core := range []int{c.serverCore, c.generatorCore} {
		if busy := coreBusy(core, time.Second); busy > 0.05 {
			fmt.Fprintf(c.out, "Core %d is %.0f %% busy with something else: the answer will be too low.\n", core, busy*100)
		}
	}
	begin := time.Now()
	answers := make([]capacityAnswer, 0, len(c.rates))
	for i, rate := range c.rates {
		c.end = begin.Add(c.budget * time.Duration(i+1) / time.Duration(len(c.rates)))
		best, why, err := c.most(ctx, rate)
		if err != nil {
			return err
		}
		answers = append(answers, c.answer(ctx, rate, best, why))
	}
	fmt.Fprintf(c.out, "\nAfter %s:\n", time.Since(begin).Round(time.Second))
	for i := range answers {
		fmt.Fprintln(c.out, answers[i].text())
	}
	if c.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(map[string]any{"schema": 1, "machine": thisMachine(), "answers": answers, "probes": c.probes}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.json, b, 0o644)
}

// probe is one run with a fresh server.
func (c *capacity) probe(ctx context.Context, rate, n int) (*capacityProbe, error) {
	s, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	sheet := filepath.Join(c.dir, "report.json")
	ramp := max(2*time.Second, time.Duration(n)*time.Second/capacityJoins)
	run := exec.CommandContext(ctx, c.self, "--server", "http://"+s.admin, "--bots", fmt.Sprint(n), "--rate", fmt.Sprint(rate), "--match-size", "16", "--scouts", "--stay-out",
		"--ramp", ramp.String(), "--warmup", (ramp + capacitySettle).String(), "--duration", c.measure.String(), "--json", sheet, "--no-color")
	var said strings.Builder
	run.Stdout, run.Stderr = io.Discard, &said
	if err := startOn(run, c.generatorCore); err != nil {
		return nil, fmt.Errorf("the generator: %w", err)
	}
	if err := run.Wait(); err != nil && run.ProcessState.ExitCode() != exitMissed {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("the run with %d players: %s", n, strings.TrimPrefix(lines[len(lines)-1], "loadtest: "))
	}
	r, err := readReport(sheet)
	if err != nil {
		return nil, err
	}
	p := capacityProbe{Rate: rate, Players: n, Report: r}
	p.judge()
	c.probes = append(c.probes, p)
	verdict := "holds"
	if !p.Holds {
		verdict = "FAILS: " + p.Why
	}
	fmt.Fprintf(c.out, "%6s at %d Hz  delivery %s, off the beat %s, acknowledged %s (p99), server %s and %.1f µs per snapshot, generator %s  %s\n",
		number(float64(n)), rate, percent(r.Delivery.Ratio), milliseconds(r.Times["interval_error"].P99), milliseconds(r.Times["ack"].P99),
		cores(r.Server), serverCost(r.Server), fmt.Sprintf("%.0f %%", r.Generator.CPUCores*100), verdict)
	return &p, nil
}

func cores(s *ServerReport) string {
	if s == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f %%", s.CPUSeconds/max(s.Seconds, 1e-3)*100)
}

func serverCost(s *ServerReport) float64 {
	if s == nil {
		return 0
	}
	return s.CPUPerState
}

// pinnedServer is a server on its core.
type pinnedServer struct {
	cmd   *exec.Cmd
	admin string
	read  chan struct{} // closed when its log has ended
}

func (c *capacity) start(ctx context.Context) (*pinnedServer, error) {
	data, err := os.MkdirTemp(c.dir, "data-")
	if err != nil {
		return nil, err
	}
	s := &pinnedServer{cmd: exec.CommandContext(ctx, c.server, "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--data-dir", data, "--log-level", "info", "--drain-timeout", "0s"), read: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(s.cmd, c.serverCore); err != nil {
		return nil, fmt.Errorf("the server: %w", err)
	}
	admin := make(chan string, 1)
	go func() { // ends with the server's log, which stop waits for
		defer close(s.read)
		lines, last := bufio.NewScanner(log), ""
		for lines.Scan() {
			var line struct{ Admin string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Admin != "" {
				select {
				case admin <- line.Admin:
				default:
				}
			}
			last = lines.Text()
		}
		select {
		case admin <- "!" + last:
		default:
		}
	}()
	select {
	case s.admin = <-admin:
		if fault, bad := strings.CutPrefix(s.admin, "!"); bad {
			s.stop()
			return nil, fmt.Errorf("the server did not start: %s", cut(fault, 256))
		}
		return s, nil
	case <-time.After(10 * time.Second):
		s.stop()
		return nil, errors.New("the server does not tell its admin address within 10 s")
	}
}

func (s *pinnedServer) stop() {
	s.cmd.Process.Signal(os.Interrupt)
	hard := time.AfterFunc(10*time.Second, func() { s.cmd.Process.Kill() })
	<-s.read
	s.cmd.Wait()
	hard.Stop()
}
