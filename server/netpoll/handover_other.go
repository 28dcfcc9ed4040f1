//go:build !linux

package netpoll

import (
	"crypto/tls"
	"errors"
	"net"
)

// Duplicate returns another descriptor of a listening socket: on Linux alone.
func Duplicate(any) (fd int, err error) { return -1, errors.ErrUnsupported }

// Adopt is Listen on a socket that listens already: on Linux alone.
func Adopt(Driver, int, *tls.Config) (Listener, error) { return nil, errors.ErrUnsupported }

// AdoptNet is net.Listen on a socket that listens already: on Linux alone.
func AdoptNet(int) (net.Listener, error) { return nil, errors.ErrUnsupported }
