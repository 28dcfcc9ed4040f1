package pong_test

import (
	"testing"

	"skirmish/game"
	"skirmish/game/gametest"
	"skirmish/game/pong"
)

func TestConformance(t *testing.T) {
	gametest.Run(t, func() game.Game { return pong.Game{} }, gametest.Options{})
}
