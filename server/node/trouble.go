package node

import (
	"fmt"
	"runtime"
)

// trouble tells why the node takes no new matches for now, empty when it does. Matches that run go on, players come back, and
// whoever looks at /readyz sends new matches elsewhere.
func (m *matches) trouble() string {
	if reason := m.store.trouble(); reason != "" {
		return reason
	}
	if reason := m.memory.trouble(); reason != "" {
		return reason
	}
	// Nothing ends them but the process. Half of the cores lost is too much for a node that should be restarted anyway.
	if n := m.strays.Burning(); 2*n >= runtime.NumCPU() {
		return fmt.Sprintf("%d matches that were given up still burn a processor each: restart it", n)
	}
	return ""
}
