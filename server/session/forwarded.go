package session

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"skirmish/server/wsconn"
)

// forwardedFor is the header field in which proxies tell whom they speak for, nearest last.
const forwardedFor = "X-Forwarded-For"

// trusts tells whether addr is a proxy of ours, whose word on who its client is counts.
func (a *admission) trusts(addr netip.Addr) bool {
	for _, p := range a.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// clientOf is whom a trusted proxy speaks for: the nearest address in the list that is no trusted proxy itself. What stands
// before it is that client's own claim and is not looked at. ok = false: the list does not tell.
func (a *admission) clientOf(list string) (client netip.Addr, ok bool) {
	for list != "" {
		at := strings.LastIndexByte(list, ',')
		addr, good := parseHop(strings.TrimSpace(list[at+1:]))
		if !good {
			return netip.Addr{}, false
		}
		if !a.trusts(addr) {
			return addr, true
		}
		list = list[:max(at, 0)]
	}
	return netip.Addr{}, false
}

// parseHop reads an address with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// rename counts a connection in its handshake for client instead of the proxy that it came through, and holds client to the
// limits per address. A refusal is as in enter.
func (a *admission) rename(proxy, client netip.Addr, now time.Time) (status int, reason string) {
	c := a.addrs[proxy]
	c.connections--
	c.handshakes--
	a.total--
	a.handshakes--
	return a.enter(client, now)
}

// identify finds out who is behind a proxy, once the head is there. A refusal ends the handshake.
func (l *Lobby) identify(s *Session, now time.Time) *wsconn.Refusal {
	if !l.admission.trusts(s.remote) {
		return nil
	}
	list, ok := s.handshake.Field(forwardedFor)
	if !ok {
		return nil
	}
	client, ok := l.admission.clientOf(list)
	if !ok {
		return nil
	}
	status, reason := l.admission.rename(s.remote, client, now)
	s.remote = client
	if status == 0 {
		return nil
	}
	if reason == reasonTickets {
		l.metrics.Tickets.Limited.Inc()
	}
	return retryLater(status, reason)
}

// forwarded is a connection that tells its client's address instead of the proxy's.
type forwarded struct {
	net.Conn
	client net.Addr
}

func (f forwarded) RemoteAddr() net.Addr { return f.client }

// behindProxy shows net/http who is behind c.
func behindProxy(c net.Conn, client netip.Addr) net.Conn {
	at, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || at.AddrPort().Addr().Unmap().WithZone("") == client.WithZone("") {
		return c
	}
	return forwarded{c, net.TCPAddrFromAddrPort(netip.AddrPortFrom(client, uint16(at.Port)))}
}
