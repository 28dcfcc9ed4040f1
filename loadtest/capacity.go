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
	from, to      int // players
	measure       time.Duration
	serverCore    int
	generatorCore int
	json          string // file for the results

	self   string
	dir    string // for reports and the server's data
	out    io.Writer
	try    func(ctx context.Context, rate, n int) (*capacityProbe, error) // probe, but in tests
	probes []capacityProbe
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

func capacityCommand() *cobra.Command {
	c := capacity{rates: []int{20, 60}, from: 512, to: 8192, measure: 10 * time.Second, generatorCore: 1}
	cmd := &cobra.Command{
		Use: "capacity", Short: "Search the most players that a server on one core holds",
		Long: `Starts the server on one core and this program on another, and searches the most players that are all served as
promised: delivery >= 99 %, p99 of |interval - period| under half a tick, p99 of input to acknowledged at most 1.5
ticks, nobody dropped, the generator on time. The answer held in two of three runs. When the generator is what gave
way, the answer is only a lower bound and says so. Nothing else should run on the two cores.`,
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
	var answers []string
	for _, rate := range c.rates {
		best, why, err := c.most(ctx, rate)
		if err != nil {
			return err
		}
		answers = append(answers, c.answer(rate, best, why))
	}
	fmt.Fprintln(c.out)
	for _, a := range answers {
		fmt.Fprintln(c.out, a)
	}
	if c.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(map[string]any{"schema": 1, "machine": thisMachine(), "probes": c.probes}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.json, b, 0o644)
}

// most searches at one rate: doubles until something gives way, halves the gap until it is under a twentieth, and
// confirms.
func (c *capacity) most(ctx context.Context, rate int) (best int, why *capacityProbe, err error) {
	once := func(n int) (bool, error) {
		p, err := c.try(ctx, rate, n)
		if err == nil && !p.Holds {
			why = p
		}
		return err == nil && p.Holds, err
	}
	holds := func(n int) (bool, error) { // once more before it counts as failed: the machine has its moments
		if ok, err := once(n); ok || err != nil {
			return ok, err
		}
		return once(n)
	}
	low, high := 0, 0
	for n := c.from; high == 0; n = min(2*n, c.to) {
		ok, err := holds(n)
		switch {
		case err != nil:
			return 0, nil, err
		case !ok:
			high = n
		case n == c.to:
			return n, nil, nil
		default:
			low = n
		}
	}
	for high-low > max(capacityStep, high/20) {
		n := (low + high) / 2 / capacityStep * capacityStep
		if n <= low || n >= high {
			break
		}
		ok, err := holds(n)
		if err != nil {
			return 0, nil, err
		}
		if ok {
			low = n
		} else {
			high = n
		}
	}
	for low > 0 { // it held once: it has to hold in two of three
		again, held := 0, 1
		for ; again < 2 && held < 2; again++ {
			ok, err := once(low)
			if err != nil {
				return 0, nil, err
			}
			if ok {
				held++
			}
		}
		if held == 2 {
			return low, why, nil
		}
		low = (low - max(capacityStep, low/20)) / capacityStep * capacityStep
		if ok, err := holds(max(low, capacityStep)); err != nil || !ok && low <= capacityStep {
			return 0, why, err
		}
	}
	return 0, why, nil
}

func (c *capacity) answer(rate, best int, why *capacityProbe) string {
	s := fmt.Sprintf("%d Hz: one core holds %s players", rate, number(float64(best)))
	for i := range c.probes {
		if p := &c.probes[i]; p.Rate == rate && p.Players == best && p.Holds {
			s += fmt.Sprintf(" (server %.1f µs per snapshot)", p.Report.Server.CPUPerState)
			break
		}
	}
	switch {
	case why == nil:
		s = strings.Replace(s, "holds ", "holds at least ", 1) + ", the most that was tried"
	case why.Tired:
		s = strings.Replace(s, "holds ", "holds at least ", 1) + fmt.Sprintf("; with %s the generator gave way first: %s", number(float64(why.Players)), why.Why)
	default:
		s += fmt.Sprintf("; with %s: %s", number(float64(why.Players)), why.Why)
	}
	return s
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
	run := exec.CommandContext(ctx, c.self, "--server", "http://"+s.admin, "--bots", fmt.Sprint(n), "--rate", fmt.Sprint(rate), "--match-size", "16",
		"--ramp", ramp.String(), "--duration", c.measure.String(), "--json", sheet, "--no-color")
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

// judge holds the report against the gate. The generator comes first: when it is late, nothing else can be told.
func (p *capacityProbe) judge() {
	r := p.Report
	tick := 1e3 / float64(p.Rate)
	lag, beat, ack := r.Times["lag"], r.Times["interval_error"], r.Times["ack"]
	switch {
	case lag.P99 >= tick/2:
		p.Tired, p.Why = true, fmt.Sprintf("the generator was %s late (p99), half a tick is %s", milliseconds(lag.P99), milliseconds(tick/2))
	case r.Errors.Total > 0 || r.Joined < p.Players:
		p.Why = fmt.Sprintf("%d errors, %d of %d joined", r.Errors.Total, r.Joined, p.Players)
	case r.EndedEarly != "" || r.Server == nil:
		p.Why = "it ended early, or without the server's figures"
	case r.Delivery.Ratio < 0.99:
		p.Why = "delivery " + percent(r.Delivery.Ratio)
	case beat.P99 >= tick/2:
		p.Why = fmt.Sprintf("%s off the beat (p99), half a tick is %s", milliseconds(beat.P99), milliseconds(tick/2))
	case ack.Count == 0 || ack.P99 > 1.5*tick:
		p.Why = fmt.Sprintf("acknowledged after %s (p99), 1.5 ticks are %s", milliseconds(ack.P99), milliseconds(1.5*tick))
	default:
		p.Holds = true
	}
	if !p.Holds && !p.Tired && r.Generator.CPUCores > 0.97 { // on time, but with nothing left
		p.Tired, p.Why = true, p.Why+fmt.Sprintf(", the generator's core at %.0f %%", r.Generator.CPUCores*100)
	}
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
