package session

import (
	"net/netip"
	"time"
)

// admission counts connections per address and in all, and decides at the accept who may come in. It belongs to
// the lobby.
type admission struct {
	max            int  // connections in all
	exemptLoopback bool // loopback addresses have no limits of their own
	total          int
	handshakes     int
	addrs          map[netip.Addr]*addrCount
}

// addrCount is what one address holds.
type addrCount struct {
	connections int
	handshakes  int
	fresh       bucket
}

// enter counts a new connection, in its handshake. A refusal names the HTTP status and the reason; the connection is counted
// all the same until leave.
func (a *admission) enter(addr netip.Addr, now time.Time) (status int, reason string) {
	c := a.addrs[addr]
	if c == nil {
		c = &addrCount{}
		a.addrs[addr] = c
	}
	a.total++
	a.handshakes++
	c.connections++
	c.handshakes++
	switch {
	case a.total > a.max:
		return 503, "the server is full"
	case a.handshakes > MaxPendingHandshakes:
		return 503, "too many handshakes at once"
	case a.exemptLoopback && addr.IsLoopback():
		return 0, ""
	case c.connections > MaxConnectionsPerAddr:
		return 429, "too many connections from this address"
	case c.handshakes > MaxPendingHandshakesPerAddr:
		return 429, "too many handshakes at once from this address"
	case !c.fresh.take(now, 1, NewConnectionsPerSecond, NewConnectionsBurst):
		return 429, "too many new connections from this address"
	}
	return 0, ""
}

// settled ends the handshake of a connection that stays counted.
func (a *admission) settled(addr netip.Addr) {
	a.handshakes--
	a.addrs[addr].handshakes--
}

// leave forgets a connection; an address without any is kept only as long as its bucket remembers something.
func (a *admission) leave(addr netip.Addr, now time.Time) {
	a.total--
	c := a.addrs[addr]
	c.connections--
	if c.connections == 0 && !c.fresh.full.After(now) {
		delete(a.addrs, addr)
	}
}

// sweep forgets addresses that hold nothing any more.
func (a *admission) sweep(now time.Time) {
	for addr, c := range a.addrs {
		if c.connections == 0 && !c.fresh.full.After(now) {
			delete(a.addrs, addr)
		}
	}
}
