//go:build unix

package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// checkFiles tells in one sentence when the connections of so many bots cannot all be opened.
func checkFiles(bots, connections int) error {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return nil // unknown: the first EMFILE tells
	}
	if need := uint64(connections + spareFiles); uint64(r.Cur) < need {
		return fmt.Errorf("%d bots need %d open files in a process and this one may have %d: raise it with \"ulimit -n %d\" or take fewer bots", bots, need, r.Cur, need)
	}
	return nil
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration { return usage(unix.RUSAGE_SELF) }

// childTime is what the children that have ended have used.
func childTime() time.Duration { return usage(unix.RUSAGE_CHILDREN) }

func usage(of int) time.Duration {
	var u unix.Rusage
	if unix.Getrusage(of, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
