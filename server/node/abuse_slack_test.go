//go:build linux

package node_test

import "time"

// controlSlack is how much worse the control players may fare under abuse before a test fails: the promise, where -offenders
// says that the machine has time for nothing else; else what nobody but a stalled server reaches. The figures are printed as
// they are.
func controlSlack() time.Duration {
	if *offenders == 0 {
		return 500 * time.Millisecond
	}
	return 5 * time.Millisecond
}

// lenient tells whether the server may lose its patience with offenders who have had no time for their offence.
func lenient() bool { return *offenders == 0 && (raceEnabled || loaded()) }
