//go:build race

package game_test

// modelSteps are the actions of clients in all the storms together; the race detector takes ten times as long.
const modelSteps = 100_000
