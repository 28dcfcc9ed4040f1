// Package unsound is read by a test, never built.
package unsound

import (
	"math/rand/v2"
	"os"
	wall "time"
)

type base struct{ Cooldown wall.Duration }

func step() {
	go os.Exit(rand.IntN(2))
	wall.Sleep(wall.Since(wall.Now()))
}
