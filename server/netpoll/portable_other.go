//go:build !linux

package netpoll

import "syscall"

// controlListener: TCP_USER_TIMEOUT is a thing of Linux.
func controlListener(_, _ string, _ syscall.RawConn) error { return nil }
