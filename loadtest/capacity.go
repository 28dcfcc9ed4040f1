package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
)

// capacity is a search for the most players that a server on one core holds while everybody is served as promised:
// delivery ≥ 99 %, p99 of the interval error under half a tick, p99 of the acknowledgement at most 1.5 ticks, nobody
// dropped, the generator on time.
type capacity struct {
	server        string // program
	rates         []int
	to            int           // players, the most to try
	measure       time.Duration // of each run that a figure is taken from; those that only find the way are shorter
	budget        time.Duration // for all of it
	serverCore    int
	generatorCore int
	json          string // file for the results

	self   string
	dir    string // for reports and the server's data
	out    io.Writer
	try    func(ctx context.Context, rate, n int, measure time.Duration) (*capacityProbe, error) // probe, but in tests
	probes []*capacityProbe
}

// capacityProbe is one run of the search, as --json writes it.
type capacityProbe struct {
	Rate    int     `json:"rate_hz"`
	Players int     `json:"players"`
	Holds   bool    `json:"holds"`
	Why     string  `json:"why,omitempty"`           // the first thing that gave way
	Tired   bool    `json:"generator_tired"`         // it was the generator
	Memory  float64 `json:"server_bytes_per_player"` // resident, beyond what the server had before they came; 0 unknown
	Foreign float64 `json:"foreign_cores"`           // used by something else meanwhile
	Report  *Report `json:"report"`                  // nil: the generator broke off
}

func capacityCommand() *cobra.Command {
	c := capacity{rates: []int{20, 60}, to: 8192, measure: 10 * time.Second, budget: 8 * time.Minute, generatorCore: 1}
	cmd := &cobra.Command{
		Use: "capacity", Short: "Search the most players that a server on one core holds",
		Long: `Starts the server on one core and this program on another, and searches the most players that are all served as
promised: delivery >= 99 %, p99 of |interval - period| under half a tick, p99 of input to acknowledged at most 1.5
ticks, nobody dropped, the generator on time. Short runs find the way, the answer held in two of three long ones. When
the generator is what gave way, the answer is only a lower bound and says so. On the way it measures the server's CPU
for each snapshot against the floor of the same run, the bare write of as many bytes to as many sockets; how far
snapshots come off their beat at half a core and at nine tenths; and memory. Nothing else should run on the two cores.`,
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
	f.IntVar(&c.to, "to", c.to, "most players to try")
	f.DurationVar(&c.measure, "measure", c.measure, "time that is measured in the runs that figures are taken from")
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
	case c.to < capacityStep || c.to > maxPerAddress*loopbackSources:
		return fmt.Errorf("--to %d: %d to %d players can be tried", c.to, capacityStep, maxPerAddress*loopbackSources)
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
	if err := checkFiles(c.to, c.to); err != nil {
		return err
	}
	if c.self, err = os.Executable(); err != nil {
		return err
	}
	if c.dir, err = os.MkdirTemp("", "skirmish-capacity-"); err != nil {
		return err
	}
	defer os.RemoveAll(c.dir)
	fmt.Fprintf(c.out, "Server on core %d, generator on core %d of %s. At most %s and a little.\n",
		c.serverCore, c.generatorCore, thisMachine().Processor, clockText(c.budget.Seconds()))
	for _, core := range []int{c.serverCore, c.generatorCore} {
		if busy := coreBusy(core, time.Second); busy > 0.05 {
			fmt.Fprintf(c.out, "Core %d is %.0f %% busy with something else: the answer will be too low.\n", core, busy*100)
		}
	}
	begin := time.Now()
	answers := make([]*capacityAnswer, 0, len(c.rates))
	for i, rate := range c.rates {
		s := climb{capacity: c, rate: rate, high: c.to + capacityStep, end: begin.Add(c.budget * time.Duration(i+1) / time.Duration(len(c.rates)))}
		a, err := s.answer(ctx)
		if err != nil {
			return err
		}
		answers = append(answers, a)
	}
	fmt.Fprintf(c.out, "\nAfter %s:\n\n", clockText(time.Since(begin).Seconds()))
	printAnswers(c.out, answers)
	if c.json == "" {
		return nil
	}
	b, err := json.MarshalIndent(map[string]any{"schema": 2, "machine": thisMachine(), "answers": answers, "probes": c.probes}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.json, b, 0o644)
}
