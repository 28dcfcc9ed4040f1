//go:build !linux

package netpoll

// timer is what only Linux has.
type timer struct{}

func (*timer) open() bool { return false }
func (*timer) set(int64)  {}
func (*timer) wait() bool { return false }
func (*timer) close()     {}
