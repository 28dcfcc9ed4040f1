package netpoll

import (
	"os"

	"golang.org/x/sys/unix"
)

// timer is a timerfd in Go's own poller.
type timer struct {
	file  *os.File
	fd    int
	count [8]byte
}

func (t *timer) open() bool {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return false
	}
	t.fd, t.file = fd, os.NewFile(uintptr(fd), "timerfd")
	return true
}

// set has it ring in ns from now, once.
func (t *timer) set(ns int64) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, ns))}
	_ = unix.TimerfdSettime(t.fd, 0, &spec, nil) // it fails only where it is closed
}

// wait waits for the next ring; false: it is closed.
func (t *timer) wait() bool {
	_, err := t.file.Read(t.count[:])
	return err == nil
}

func (t *timer) close() { _ = t.file.Close() }
