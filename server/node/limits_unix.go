//go:build unix

package node

import "golang.org/x/sys/unix"

// openFiles is how many descriptors this process may have; 0 when unknown. Go raises the soft limit to the hard one at
// its start.
func openFiles() int {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil || r.Cur > 1<<30 {
		return 0
	}
	return int(r.Cur)
}
