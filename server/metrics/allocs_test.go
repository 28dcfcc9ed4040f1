//go:build !race

package metrics_test

import (
	"testing"

	"skirmish/server/metrics"
)

func TestCountingAllocatesNothing(t *testing.T) {
	s := metrics.New()
	use(s)
	if n := testing.AllocsPerRun(200, func() { use(s) }); n > 0 {
		t.Errorf("counting costs %v allocations", n)
	}
}
