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
	"strings"
	"time"
)

// probe is one run with a fresh server.
func (c *capacity) probe(ctx context.Context, rate, n int, measure time.Duration) (*capacityProbe, error) {
	p := &capacityProbe{Rate: rate, Players: n}
	begin, busy, own := time.Now(), c.busy(), childTime()
	if err := c.run(ctx, p, measure); err != nil {
		return nil, err
	}
	p.Foreign = max(0, (c.busy()-busy)-(childTime()-own).Seconds()) / time.Since(begin).Seconds()
	c.probes = append(c.probes, p)
	p.print(c.out)
	return p, nil
}

// busy is what the two cores have done so far, s.
func (c *capacity) busy() (s float64) {
	for _, core := range []int{c.serverCore, c.generatorCore} {
		total, idle := coreTimes(core)
		s += (total - idle) / 100 // USER_HZ
	}
	return s
}

func (c *capacity) run(ctx context.Context, p *capacityProbe, measure time.Duration) error {
	s, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	empty, err := newMatchmaker("http://"+s.admin, "", false).scrape(ctx)
	if err != nil {
		return err
	}
	if p.Report, err = c.load(ctx, s.admin, p.Rate, p.Players, measure); err != nil {
		if ctx.Err() != nil || len(c.probes) == 0 { // else it is the load that breaks it
			return fmt.Errorf("the run with %d players: %w", p.Players, err)
		}
		p.Why = err.Error()
		return nil
	}
	p.judge()
	if r := p.Report; r.Server != nil && r.Joined > 0 {
		p.Memory = (r.Server.ResidentBytes - empty["process_resident_memory_bytes"]) / float64(r.Joined)
	}
	return nil
}

// load plays n players against a server from the generator's core. Inputs wait half a tick for theirs, the mean of
// clients that know nothing of ticks; and they carry the acknowledgement of the snapshot before, as a client's do whose
// network has any delay. By the usual whole tick each would leave just before the next snapshot, which at 20 Hz is
// after the 40 ms that Linux lets an acknowledgement wait: half of all packets would be nothing but those.
func (c *capacity) load(ctx context.Context, admin string, rate, n int, measure time.Duration) (*Report, error) {
	sheet := filepath.Join(c.dir, "report.json")
	ramp := max(2*time.Second, time.Duration(n)*time.Second/capacityJoins)
	run := exec.CommandContext(ctx, c.self, "--server", "http://"+admin, "--bots", fmt.Sprint(n), "--rate", fmt.Sprint(rate), "--match-size", "16", "--scouts", "--stay-out",
		"--lead", (time.Second / time.Duration(2*rate)).String(), "--ramp", ramp.String(), "--warmup", (ramp + capacitySettle).String(), "--duration", measure.String(), "--json", sheet, "--no-color")
	var said strings.Builder
	run.Stdout, run.Stderr = io.Discard, &said
	if err := startOn(run, c.generatorCore); err != nil {
		return nil, fmt.Errorf("the generator: %w", err)
	}
	if err := run.Wait(); err != nil && run.ProcessState.ExitCode() != exitMissed {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return nil, errors.New(strings.TrimPrefix(lines[len(lines)-1], "loadtest: "))
	}
	return readReport(sheet)
}

func (p *capacityProbe) print(w io.Writer) {
	verdict := "holds"
	if !p.Holds {
		verdict = "FAILS: " + p.Why
	}
	figures := ""
	if r := p.Report; r != nil {
		figures = fmt.Sprintf("  server %s at %s, generator %.0f %% at %.1f µs; delivery %s, off the beat %s, acknowledged %s (p99)", coreText(p.core()), snapshotCost(r.Server),
			r.Generator.CPUCores*100, r.Generator.CPUPerPair, percent(r.Delivery.Ratio), milliseconds(r.Times["interval_error"].P99), milliseconds(r.Times["ack"].P99))
	}
	if p.Foreign > 2*capacityForeign {
		verdict += fmt.Sprintf(" (something else took %.0f %% of a core)", p.Foreign*100)
	}
	fmt.Fprintf(w, "%6s at %d Hz%s  %s\n", number(float64(p.Players)), p.Rate, figures, verdict)
}

// core is the part of its core that the server used, 0: unknown.
func (p *capacityProbe) core() float64 {
	if p.Report == nil || p.Report.Server == nil || p.Report.Server.Seconds <= 0 {
		return 0
	}
	return p.Report.Server.CPUSeconds / p.Report.Server.Seconds
}

func coreText(share float64) string {
	if share == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.0f %%", share*100)
}

func snapshotCost(s *ServerReport) string {
	if s == nil {
		return "unknown"
	}
	return microseconds(s.CPUPerState)
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
