package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// target is where the bots connect.
type target struct {
	to     netip.AddrPort
	host   string // Host header
	name   string // for TLS
	path   string
	secure bool
}

// resolve finds the address behind a game URL, IPv4 first.
func resolve(ctx context.Context, raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return target{}, fmt.Errorf("the game URL %q is not a ws:// or wss:// URL", cut(raw, 128))
	}
	t := target{host: u.Host, name: u.Hostname(), path: u.RequestURI(), secure: u.Scheme == "wss"}
	port := 80
	if t.secure {
		port = 443
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return target{}, fmt.Errorf("the game URL %q has no proper port", cut(raw, 128))
		}
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.name)
	if err != nil {
		return target{}, fmt.Errorf("the game URL's host %q is not known: %w", t.name, err)
	}
	best := addresses[0].Unmap()
	for _, a := range addresses {
		if a = a.Unmap(); a.Is4() {
			best = a
			break
		}
	}
	t.to = netip.AddrPortFrom(best, uint16(port))
	return t, nil
}

// tls is what a connection to the target needs, nil for a plain one. Insecure takes any certificate.
func (t *target) tls(insecure bool) *tls.Config {
	if !t.secure {
		return nil
	}
	return &tls.Config{ServerName: t.name, NextProtos: []string{"http/1.1"}, InsecureSkipVerify: insecure}
}

// sources are the addresses that bots of a loopback target bind, so that the server's limits per address hold for
// each of them as for a player. Any other target sees the one address that this machine has.
func sources(to netip.Addr) []netip.Addr {
	if !to.Is4() || !to.IsLoopback() {
		return nil
	}
	list := make([]netip.Addr, loopbackSources)
	for i := range list {
		list[i] = netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 2)})
	}
	return list
}
