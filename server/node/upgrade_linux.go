package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/game"
)

// upgradeEnv tells a process that it takes over. Its descriptors are then, behind the standard ones: the game port, the admin
// port, a pipe that it answers on, and one that it is told on when the store is free.
const upgradeEnv = "SKIRMISH_UPGRADE"

const (
	gameDescriptor = 3 + iota
	adminDescriptor
	answerDescriptor
	orderDescriptor
)

// Words on the pipes.
const (
	wordReady   = "ready"
	wordGo      = "go"
	wordServing = "serving"
)

// child is the new process, as the old one sees it (successor).
type child struct {
	process int
	answers *bufio.Reader
	answer  *os.File
	order   *os.File
	once    sync.Once
}

// spawn starts the program again with the sockets, and returns when it is ready to take over.
func spawn(program string, s Sockets) (*child, error) {
	answerRead, answerWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	orderRead, orderWrite, err := os.Pipe()
	if err != nil {
		answerRead.Close()
		answerWrite.Close()
		return nil, err
	}
	c := &child{answer: answerRead, answers: bufio.NewReader(answerRead), order: orderWrite}
	// Not os.StartProcess: it makes the sockets blocking, which this process shares with its duplicates.
	c.process, err = syscall.ForkExec(program, os.Args, &syscall.ProcAttr{
		Env:   append(os.Environ(), upgradeEnv+"=1"),
		Files: []uintptr{0, 1, 2, uintptr(s.Game), uintptr(s.Admin), answerWrite.Fd(), orderRead.Fd()},
	})
	answerWrite.Close()
	orderRead.Close()
	if err != nil {
		c.answer.Close()
		c.order.Close()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	if err := c.expect(wordReady, upgradeReady); err != nil {
		c.giveUp()
		return nil, err
	}
	return c, nil
}

// expect waits for one word.
func (c *child) expect(word string, patience time.Duration) error {
	c.answer.SetReadDeadline(time.Now().Add(patience))
	got, err := c.answers.ReadString('\n')
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the new process is not %s within %v", word, patience)
	case err != nil:
		return fmt.Errorf("the new process has ended before it was %s; its log says why", word)
	case strings.TrimSpace(got) != word:
		return fmt.Errorf("the new process says %q instead of %q", strings.TrimSpace(got), word)
	}
	return nil
}

func (c *child) pid() int { return c.process }

func (c *child) hand() error {
	if _, err := c.order.WriteString(wordGo + "\n"); err != nil {
		return fmt.Errorf("tell the new process to go on: %w", err)
	}
	return c.expect(wordServing, upgradeServe)
}

func (c *child) giveUp() {
	c.once.Do(func() {
		syscall.Kill(c.process, syscall.SIGKILL)
		c.order.Close()
		c.answer.Close()
		var status syscall.WaitStatus
		syscall.Wait4(c.process, &status, 0, nil)
	})
}

// heir is the new process as it sees itself; nil in a process that takes nothing over.
type heir struct {
	answer *os.File
	order  *os.File
}

// inherit tells whether this process takes over, and with what.
func inherit() (*heir, *Sockets) {
	if os.Getenv(upgradeEnv) == "" {
		return nil, nil
	}
	os.Unsetenv(upgradeEnv)
	for fd := gameDescriptor; fd <= orderDescriptor; fd++ {
		unix.CloseOnExec(fd)
	}
	return &heir{answer: os.NewFile(answerDescriptor, "answers"), order: os.NewFile(orderDescriptor, "orders")},
		&Sockets{Game: gameDescriptor, Admin: adminDescriptor}
}

// take tells that the process is ready, and returns when the store is free.
func (h *heir) take() error {
	if h == nil {
		return nil
	}
	if _, err := h.answer.WriteString(wordReady + "\n"); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	word, err := bufio.NewReader(h.order).ReadString('\n')
	if err != nil || strings.TrimSpace(word) != wordGo {
		return errors.New("the process before goes on by itself")
	}
	return nil
}

// serving tells that the process before may end.
func (h *heir) serving() {
	if h != nil {
		h.answer.WriteString(wordServing + "\n") //nolint:errcheck // then it goes back, and finds the store taken
		h.answer.Close()
		h.order.Close()
	}
}

// watchUpgrades has a new process take over at SIGUSR2, until ctx is done.
func watchUpgrades(ctx context.Context, n *Node) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		if _, proceed, err := n.Upgrade(); err == nil {
			proceed()
		}
	}
}

// startSuccessor starts the new process and returns when it is ready.
func (n *Node) startSuccessor() (successor, error) {
	program := n.cfg.UpgradeBinary
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	s, err := n.sockets()
	if err != nil {
		return nil, err
	}
	n.log.Info().Str("program", program).Msg("starting the new process")
	notify(reloading())
	c, err := spawn(program, s)
	if err != nil {
		unix.Close(s.Game)
		unix.Close(s.Admin)
		notify("READY=1")
		return nil, err
	}
	n.spare = &s
	return c, nil
}

// reloading is what systemd is told while the new process is on its way.
func reloading() string {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) //nolint:errcheck // it is there
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000)
}

// serveOn is Run for the command line: on inherited sockets if there are any, and again on its own when a new process could not
// take over.
func serveOn(ctx context.Context, cfg Config, run func(context.Context, *Node) error, games ...game.Game) error {
	h, sockets := inherit()
	for {
		n, err := StartOn(Ground{sockets: sockets, heir: h}, cfg, games...)
		if err != nil {
			return err
		}
		n.prepare = n.startSuccessor
		watching, stop := context.WithCancel(ctx)
		go watchUpgrades(watching, n)
		err = run(ctx, n)
		stop()
		if !errors.Is(err, errWentBack) {
			return err
		}
		h, sockets = nil, n.spare
	}
}
