//go:build !linux

package main

import (
	"crypto/tls"
	"fmt"
)

// newPoller makes the only poller of this system.
func newPoller(kind string, secure *tls.Config) (poller, error) {
	if kind != "" && kind != pollPortable {
		return nil, fmt.Errorf("--io %s: this system has none, leave it out", kind)
	}
	return newPortable(secure), nil
}
