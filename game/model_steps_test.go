//go:build !race

package game_test

// modelSteps are the actions of clients in all the storms together.
const modelSteps = 1_000_000
