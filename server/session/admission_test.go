package session

import (
	"net/netip"
	"testing"
	"time"
)

func TestAdmission(t *testing.T) {
	now := time.Unix(1000, 0)
	addr := netip.MustParseAddr("192.0.2.1")
	loop := netip.MustParseAddr("127.0.0.1")

	t.Run("the 101st new connection at once is too many", func(t *testing.T) {
		a := admission{max: 1000, addrs: map[netip.Addr]*addrCount{}}
		for i := range NewConnectionsBurst {
			if status, reason := a.enter(addr, now); status != 0 {
				t.Fatalf("connection %d: %d %s", i, status, reason)
			}
			a.settled(addr)
		}
		if status, _ := a.enter(addr, now); status != 429 {
			t.Fatalf("status %d, want 429", status)
		}
		if status, _ := a.enter(netip.MustParseAddr("192.0.2.2"), now); status != 0 {
			t.Fatal("another address pays for it")
		}
	})
	t.Run("20 handshakes of one address may be pending", func(t *testing.T) {
		a := admission{max: 1000, addrs: map[netip.Addr]*addrCount{}}
		for range MaxPendingHandshakesPerAddr {
			a.enter(addr, now)
		}
		if status, _ := a.enter(addr, now); status != 429 {
			t.Fatalf("status %d, want 429", status)
		}
	})
	t.Run("1,000 handshakes may be pending in all", func(t *testing.T) {
		a := admission{max: 100_000, addrs: map[netip.Addr]*addrCount{}}
		of := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
		for i := range MaxPendingHandshakes {
			if status, reason := a.enter(of(i), now); status != 0 {
				t.Fatalf("handshake %d: %d %s", i, status, reason)
			}
		}
		if status, _ := a.enter(of(MaxPendingHandshakes), now); status != 503 {
			t.Fatalf("status %d, want 503", status)
		}
		for i := range 2 {
			a.settled(of(i))
		}
		if status, reason := a.enter(of(MaxPendingHandshakes+1), now); status != 0 {
			t.Fatalf("behind two that are done: %d %s", status, reason)
		}
	})
	t.Run("ten bad tickets within a minute bar an address for the rest of it", func(t *testing.T) {
		a := admission{max: 1000, addrs: map[netip.Addr]*addrCount{}}
		for i := range MaxRefusedTickets {
			at := now.Add(time.Duration(i) * 5 * time.Second)
			if status, reason := a.enter(addr, at); status != 0 {
				t.Fatalf("bad ticket %d: %d %s", i, status, reason)
			}
			a.settled(addr)
			a.ticketRefused(addr, at)
			a.leave(addr, at)
		}
		at := now.Add(50 * time.Second)
		a.sweep(at)
		if status, reason := a.enter(addr, at); status != 429 || reason != reasonTickets {
			t.Fatalf("%d %q, want 429", status, reason)
		}
		a.settled(addr)
		a.leave(addr, at)
		if status, _ := a.enter(netip.MustParseAddr("192.0.2.2"), at); status != 0 {
			t.Fatal("another address pays for it")
		}
		if status, reason := a.enter(addr, now.Add(61*time.Second)); status != 0 {
			t.Fatalf("a minute after the first one: %d %s", status, reason)
		}
		a.settled(addr)
		a.leave(addr, now.Add(61*time.Second))
		a.sweep(now.Add(time.Hour))
		if a.addrs[addr] != nil {
			t.Fatal("the address is never forgotten")
		}
	})
	t.Run("256 connections of one address", func(t *testing.T) {
		a := admission{max: 1000, addrs: map[netip.Addr]*addrCount{}}
		for i := range MaxConnectionsPerAddr {
			at := now.Add(time.Duration(i) * time.Second)
			if status, reason := a.enter(addr, at); status != 0 {
				t.Fatalf("connection %d: %d %s", i, status, reason)
			}
			a.settled(addr)
		}
		if status, _ := a.enter(addr, now.Add(time.Hour)); status != 429 {
			t.Fatalf("status %d, want 429", status)
		}
	})
	t.Run("loopback is exempt by configuration only", func(t *testing.T) {
		for _, exempt := range []bool{false, true} {
			a := admission{max: 1000, exemptLoopback: exempt, addrs: map[netip.Addr]*addrCount{}}
			refused := 0
			for range 300 {
				if status, _ := a.enter(loop, now); status != 0 {
					refused++
				}
				a.settled(loop)
			}
			if (refused == 0) != exempt {
				t.Fatalf("exempt %v: %d refused", exempt, refused)
			}
		}
	})
	t.Run("the cap holds for everybody", func(t *testing.T) {
		a := admission{max: 2, exemptLoopback: true, addrs: map[netip.Addr]*addrCount{}}
		a.enter(loop, now)
		a.enter(loop, now)
		if status, _ := a.enter(loop, now); status != 503 {
			t.Fatalf("status %d, want 503", status)
		}
	})
	t.Run("nothing is remembered of those who left", func(t *testing.T) {
		a := admission{max: 1000, addrs: map[netip.Addr]*addrCount{}}
		for i := range 100 {
			ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			a.enter(ip, now)
			a.settled(ip)
			a.leave(ip, now)
		}
		a.sweep(now.Add(time.Minute))
		if a.total != 0 || a.handshakes != 0 || len(a.addrs) != 0 {
			t.Fatalf("left over: %d connections, %d handshakes, %d addresses", a.total, a.handshakes, len(a.addrs))
		}
	})
}
