//go:build linux

package node_test

import "time"

// controlSlack is how much worse the control players may fare under abuse before a test fails: the promise, on a machine that
// has time for it; what nobody but a stalled server reaches, where others work on the machine or the race detector does. The
// figures are printed as they are.
func controlSlack() time.Duration {
	if lenient() {
		return 500 * time.Millisecond
	}
	return 5 * time.Millisecond
}

// lenient tells whether times mean little here. Whoever gives -offenders says that they do.
func lenient() bool { return *offenders == 0 && (raceEnabled || loaded()) }
