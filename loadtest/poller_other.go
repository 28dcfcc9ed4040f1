//go:build !linux

package main

// newPoller makes the only poller of this system.
func newPoller(secure bool, serverName string) (poller, error) {
	return newPortable(serverName, secure), nil
}
