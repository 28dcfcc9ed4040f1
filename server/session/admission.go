package session

import (
	"net/netip"
	"time"
)

// reasonTickets is what an address is told whose tickets were bad too often.
const reasonTickets = "too many refused tickets from this address"

// admission counts connections per address and in all, and decides at the accept who may come in. It belongs to
// the lobby.
type admission struct {
	max            int            // connections in all
	exemptLoopback bool           // loopback addresses have no limits of their own
	proxies        []netip.Prefix // nor have these: many clients come through them
	total          int
	handshakes     int
	addrs          map[netip.Addr]*addrCount
}

// addrCount is what one address holds.
type addrCount struct {
	connections int
	handshakes  int
	fresh       bucket
	refused     []time.Time // when its newest tickets were not good, a ring of MaxRefusedTickets
	nextRefused int
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
	case a.exemptLoopback && addr.IsLoopback(), a.trusts(addr):
		return 0, ""
	case c.barred(now):
		return 429, reasonTickets
	case c.connections > MaxConnectionsPerAddr:
		return 429, "too many connections from this address"
	case c.handshakes > MaxPendingHandshakesPerAddr:
		return 429, "too many handshakes at once from this address"
	case !c.fresh.take(now, 1, NewConnectionsPerSecond, NewConnectionsBurst):
		return 429, "too many new connections from this address"
	}
	return 0, ""
}

// overrun tells that so many connections beyond the cap wait for their refusals that a further one is closed without a word:
// each holds a descriptor, and those are reserved for everything that is no player.
func (a *admission) overrun() bool { return a.total > a.max+MaxRefusals }

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
	if c.forgettable(now) {
		delete(a.addrs, addr)
	}
}

// ticketRefused notes that a ticket from this address was not good.
func (a *admission) ticketRefused(addr netip.Addr, now time.Time) {
	c := a.addrs[addr]
	if c == nil {
		return
	}
	if len(c.refused) < MaxRefusedTickets {
		c.refused = append(c.refused, now)
		return
	}
	c.refused[c.nextRefused] = now
	c.nextRefused = (c.nextRefused + 1) % MaxRefusedTickets
}

// barred tells whether the address has shown too many bad tickets lately.
func (c *addrCount) barred(now time.Time) bool {
	return len(c.refused) == MaxRefusedTickets && now.Sub(c.refused[c.nextRefused]) < RefusedTicketsWindow
}

// forgettable tells whether nothing need be remembered of an address.
func (c *addrCount) forgettable(now time.Time) bool {
	if c.connections > 0 || c.fresh.full.After(now) {
		return false
	}
	for _, at := range c.refused {
		if now.Sub(at) < RefusedTicketsWindow {
			return false
		}
	}
	return true
}

// sweep forgets addresses that hold nothing any more.
func (a *admission) sweep(now time.Time) {
	for addr, c := range a.addrs {
		if c.forgettable(now) {
			delete(a.addrs, addr)
		}
	}
}
