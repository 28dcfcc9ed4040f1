//go:build !unix

package node

import "os"

// hangupSignal: there is none here; the file is looked at all the same.
var hangupSignal os.Signal
