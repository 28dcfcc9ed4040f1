//go:build !linux

package main

import "crypto/tls"

// newPoller makes the only poller of this system.
func newPoller(secure *tls.Config) (poller, error) {
	return newPortable(secure), nil
}
