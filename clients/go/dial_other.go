//go:build !linux

package client

import "syscall"

// fastOpen is Linux's only.
func fastOpen(_, _ string, _ syscall.RawConn) error { return nil }
