//go:build !linux

package main

import (
	"errors"
	"net"
)

// cut is Linux's, as the emulator is.
func cut(net.Conn, int) error { return errors.ErrUnsupported }
