//go:build unix

package node

import (
	"os"
	"syscall"
)

// hangupSignal has the ticket keys read again.
var hangupSignal os.Signal = syscall.SIGHUP
