//go:build !linux || plainsockets

package netpoll

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// controlListener: TCP_USER_TIMEOUT is a thing of Linux.
func controlListener(_, _ string, _ syscall.RawConn) error { return nil }

// kernel knows nothing of a connection's way out: its send buffer is small instead, so that what does not fit waits in
// front of it, where it is seen.
type kernel struct{}

func (*kernel) init(nc net.Conn) {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if t, ok := nc.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(sendBufferBytes) // without it a slow link's states are older, nothing else
	}
}

func (*kernel) queued() int { return 0 }

func (*kernel) roundTrip() (smoothed, least time.Duration) { return 0, 0 }
