// Package sound is read by a test, never built.
package sound

import "time"

type base struct{ Cooldown time.Duration }

const second = time.Second

type hunter struct{ base }
