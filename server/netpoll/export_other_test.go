//go:build !linux

package netpoll

// WithoutRings runs f: there are none.
func WithoutRings(f func()) { f() }
