//go:build !race

package node_test

// raceEnabled tells that the race detector slows everything down.
const raceEnabled = false
