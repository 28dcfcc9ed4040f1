//go:build linux

package node_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// controlSlack is how much worse the control players may fare under abuse before a test fails: the promise on a machine
// that has time for it, less strictly where others work on it or the race detector does. The figures are printed as they are.
func controlSlack() time.Duration {
	const promise = 5 * time.Millisecond
	switch {
	case raceEnabled:
		return 40 * promise
	case loaded():
		return 10 * promise
	}
	return promise
}

// loaded tells whether more wants to run on this machine than it has processors for.
func loaded() bool {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return true
	}
	first, _, _ := strings.Cut(string(b), " ")
	load, err := strconv.ParseFloat(first, 64)
	return err != nil || load > float64(runtime.NumCPU())/2
}
