package session

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/server/metrics"
)

// sleeper is a game whose New does not return before it is told to.
type sleeper struct {
	counter
	wake chan struct{}
}

func (s *sleeper) New(ctx context.Context, m *game.Match) (game.Sim, error) {
	<-s.wake
	return s.counter.New(ctx, m)
}

// A game that makes no match in time: its maker hears of it, the goroutine is counted and found again.
func TestNewThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &sleeper{wake: make(chan struct{})}
		registry, err := game.NewRegistry(g)
		if err != nil {
			t.Fatal(err)
		}
		def, _ := registry.Lookup("counter")
		var log strings.Builder
		procs := runtime.GOMAXPROCS(0)
		strays := NewStrays(&metrics.New().Hangs)
		cfg := RoomConfig{Definition: def, Strays: strays, Match: game.Match{ID: "m", Game: "counter", TickRate: 20, SnapshotRate: 20, Players: 2}}
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // whoever asked has left; the stray must not be overlooked
		if _, err := newEngine(ctx, &cfg, zerolog.New(&log)); !errors.Is(err, ErrNewHangs) || time.Since(begin) != NewTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if !strings.Contains(log.String(), "sleeper).New") {
			t.Errorf("the log does not say where it is: %s", log.String())
		}
		if n := strays.Burning(); strays.lost != 1 || n != 0 || runtime.GOMAXPROCS(0) != procs+1 {
			t.Errorf("%d lost, %d burning, %d processors of %d", strays.lost, n, runtime.GOMAXPROCS(0), procs)
		}
		close(g.wake)
		synctest.Wait()
		if strays.lost != 0 || runtime.GOMAXPROCS(0) != procs {
			t.Errorf("%d lost, %d processors of %d", strays.lost, runtime.GOMAXPROCS(0), procs)
		}
	})
}

func TestRuns(t *testing.T) {
	for stack, want := range map[string]bool{"goroutine 1 [running]:\nmain": true, "goroutine 1 [runnable]:": true, "goroutine 1 [chan receive, 2 minutes]:": false, "goroutine 7 [sleep]:": false, "": false} {
		if runs([]byte(stack)) != want {
			t.Errorf("%q: %v", stack, !want)
		}
	}
}
