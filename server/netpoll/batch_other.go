//go:build !linux

package netpoll

// ring is what only Linux has.
type ring struct{}

func (*ring) open() {}

func (*ring) drop() {}

func (*ring) ready() bool { return false }

func (*ring) read([]Conn, func(Conn, []byte, int64, error)) bool { return false }

func (*ring) write([]Write) bool { return false }
