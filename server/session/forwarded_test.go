package session

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestWhoIsBehindAProxy(t *testing.T) {
	a := admission{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, story := range []struct{ name, list, client string }{
		{"one", "203.0.113.7", "203.0.113.7"},
		{"with a port", "203.0.113.7:443", "203.0.113.7"},
		{"IPv6", "2001:db8::1", "2001:db8::1"},
		{"IPv6 with a port", "[2001:db8::1]:443", "2001:db8::1"},
		{"IPv4 in IPv6", "::ffff:203.0.113.7", "203.0.113.7"},
		{"a zone makes no other client", "fe80::1%eth0", "fe80::1"},
		{"through two of our own", "203.0.113.7, 10.1.1.1, 10.2.2.2", "203.0.113.7"},
		{"what the client claims does not count", "198.51.100.1, 127.0.0.1, 203.0.113.7", "203.0.113.7"},
		{"not even nonsense before it", "<script>, 203.0.113.7", "203.0.113.7"},
		{"our own alone", "10.1.1.1", ""},
		{"nonsense", "unknown", ""},
		{"nonsense nearest", "203.0.113.7, unknown", ""},
		{"nothing", "", ""},
		{"an empty end", "203.0.113.7,", ""},
	} {
		t.Run(story.name, func(t *testing.T) {
			client, ok := a.clientOf(story.list)
			if ok != (story.client != "") || ok && client.String() != story.client {
				t.Fatalf("%v %v, want %q", client, ok, story.client)
			}
		})
	}
}

// headFrom is a good head that a proxy hands on.
func headFrom(list string) string {
	return strings.Replace(goodHead, "Host: x\r\n", "Host: x\r\nX-Forwarded-For: "+list+"\r\n", 1)
}

func TestLobbyBehindAProxy(t *testing.T) {
	knock := func(h *hall, head string) *memConn {
		c := h.connect()
		c.in = []byte(head)
		h.serve()
		return c
	}
	upgraded := func(c *memConn) bool { return strings.HasPrefix(string(c.out), "HTTP/1.1 101") }
	const proxy = "192.0.2.0/24" // where every memConn comes from
	t.Run("from a trusted network the limits are each client's own", func(t *testing.T) {
		h := newHall(t, &Echo{}, func(c *LobbyConfig) {
			c.MaxConnections, c.TrustedProxies = 10_000, []netip.Prefix{netip.MustParsePrefix(proxy)}
		})
		for i := range 2 * NewConnectionsBurst {
			if c := knock(h, headFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i % 200)}).String())); !upgraded(c) {
				t.Fatalf("client %d: %q", i, c.out)
			}
		}
		for i := range NewConnectionsBurst {
			if c := knock(h, headFrom("198.51.100.9")); !upgraded(c) {
				t.Fatalf("connection %d of one client: %q", i, c.out)
			}
		}
		if c := knock(h, headFrom("198.51.100.9")); !strings.HasPrefix(string(c.out), "HTTP/1.1 429") {
			t.Fatalf("the client beyond its burst: %q", c.out)
		}
		if c := knock(h, headFrom("198.51.100.10")); !upgraded(c) {
			t.Fatalf("another client pays for it: %q", c.out)
		}
		if c := knock(h, goodHead); !upgraded(c) {
			t.Fatalf("the proxy's own check: %q", c.out)
		}
		for _, s := range append([]*Session(nil), h.lobby.sessions...) {
			h.lobby.gone(s, h.now)
		}
		h.lobby.admission.sweep(h.now.Add(time.Hour))
		if a := &h.lobby.admission; a.total != 0 || a.handshakes != 0 || len(a.addrs) != 0 {
			t.Fatalf("left over: %d connections, %d handshakes, %d addresses", a.total, a.handshakes, len(a.addrs))
		}
	})
	t.Run("from anywhere else the header changes nothing", func(t *testing.T) {
		h := newHall(t, &Echo{}, func(c *LobbyConfig) {
			c.MaxConnections, c.TrustedProxies = 10_000, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		})
		refused := 0
		for i := range NewConnectionsBurst + 50 {
			if c := knock(h, headFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}).String())); !upgraded(c) {
				refused++
			}
		}
		if refused != 50 {
			t.Fatalf("%d of 50 connections beyond the burst were refused", refused)
		}
	})
}
