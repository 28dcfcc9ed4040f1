package netpoll_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"skirmish/server/netpoll"
	"skirmish/server/sim/network"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// kind is a driver under test, with the client that goes with it.
type kind struct {
	name   string
	driver netpoll.Driver
	tls    *tls.Config // nil: plain
	dial   func(addr string) (wire, error)
}

// wire is the plain connection of a client, on TCP or on what stands in for it.
type wire interface {
	net.Conn
	CloseWrite() error
	SetLinger(sec int) error
	SetReadBuffer(bytes int) error
}

func dialTCP(addr string) (wire, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return nc.(*net.TCPConn), nil
}

// dialMemory dials on a network in memory, over a link.
func dialMemory(host *network.Host, link network.Link) func(addr string) (wire, error) {
	return func(addr string) (wire, error) {
		link.Seed++
		return host.DialStream(netip.MustParseAddrPort(addr), netip.MustParseAddr("127.0.0.1"), link)
	}
}

// kinds are the drivers on this system's sockets.
func kinds(t *testing.T) []kind {
	best, err := netpoll.Open("")
	if err != nil {
		t.Fatal(err)
	}
	all := []kind{
		{"portable", netpoll.NewPortable(), nil, dialTCP},
		{"portable with TLS", netpoll.NewPortable(), &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, dialTCP},
	}
	if best.Name() != netpoll.Portable {
		all = append(all, kind{best.Name(), best, nil, dialTCP})
	}
	return all
}

// inMemory are the network of the simulation, near and far: it is as good as its word only if it keeps the same contract.
func inMemory() []kind {
	near, far := network.New(), network.New()
	return []kind{
		{"memory", near.Host(), nil, dialMemory(near.Host(), network.Link{})},
		{"memory, far away", far.Host(), nil, dialMemory(far.Host(), network.Link{Delay: time.Millisecond, Jitter: time.Millisecond, Piece: 5000})},
	}
}

// table is a listener and the set that watches it, for one story.
type table struct {
	*testing.T
	kind
	l      netpoll.Listener
	set    netpoll.Set
	events []netpoll.Event
	buf    []byte
}

func newTable(t *testing.T, k kind) *table {
	t.Helper()
	l, err := k.driver.Listen("127.0.0.1:0", k.tls)
	if err != nil {
		t.Fatal(err)
	}
	tb := &table{T: t, kind: k, l: l, events: make([]netpoll.Event, 64), buf: make([]byte, 64<<10)}
	t.Cleanup(func() { l.Close() })
	tb.set = tb.newSet()
	if err := tb.set.Listen(l); err != nil {
		t.Fatal(err)
	}
	return tb
}

func (t *table) newSet() netpoll.Set {
	t.Helper()
	s, err := t.driver.NewSet()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// client is the other end: a TCP connection, perhaps with TLS on it.
type client struct {
	net.Conn
	tcp wire
}

func (c client) CloseWrite() error { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// reset closes by RST.
func (c client) reset() {
	_ = c.tcp.SetLinger(0)
	c.tcp.Close()
}

func (t *table) dial() client {
	t.Helper()
	nc, err := t.kind.dial(t.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := client{nc, nc}
	if t.tls != nil {
		c.Conn = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
		if err := c.Conn.(*tls.Conn).Handshake(); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.tcp.Close() })
	return c
}

// accept waits for the listener and takes the next connection.
func (t *table) accept() netpoll.Conn {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		c, err := t.l.Accept()
		if err == nil {
			t.Cleanup(func() { c.Close() })
			return c
		}
		if !errors.Is(err, netpoll.ErrAgain) {
			t.Fatal(err)
		}
		n, err := t.set.Wait(t.events, deadline)
		if n == 0 || err != nil {
			t.Fatalf("no connection arrives: %d events, %v", n, err)
		}
	}
}

// pair is both ends of a connection that is in set, if there is one.
func (t *table) pair(set netpoll.Set) (client, netpoll.Conn) {
	t.Helper()
	cl := t.dial()
	c := t.accept()
	if set != nil {
		t.must(set.Add(c))
	}
	return cl, c
}

func (t *table) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await waits until set reports c as wanted says, and nothing else.
func (t *table) await(set netpoll.Set, c netpoll.Conn, wanted func(netpoll.Event) bool) netpoll.Event {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		n, err := set.Wait(t.events, deadline)
		if n == 0 || err != nil {
			t.Fatalf("nothing happens: %d events, %v", n, err)
		}
		for _, e := range t.events[:n] {
			if e.Conn != c {
				t.Fatalf("an event of another connection: %+v", e)
			}
			if wanted(e) {
				return e
			}
		}
	}
}

func readable(e netpoll.Event) bool { return e.Readable }
func writable(e netpoll.Event) bool { return e.Writable }

// quiet asserts that set has nothing to tell.
func (t *table) quiet(set netpoll.Set) {
	t.Helper()
	n, err := set.Wait(t.events, time.Now().Add(20*time.Millisecond))
	if n != 0 || err != nil {
		t.Fatalf("%d events, %v: %+v", n, err, t.events[:n])
	}
}

// read waits for want on c, which is in set.
func (t *table) read(set netpoll.Set, c netpoll.Conn, want string) {
	t.Helper()
	got := ""
	for len(got) < len(want) {
		n, _, err := c.Read(t.buf)
		if errors.Is(err, netpoll.ErrAgain) {
			t.await(set, c, readable)
			continue
		}
		t.must(err)
		got += string(t.buf[:n])
	}
	if got != want {
		t.Fatalf("read %q, want %q", got, want)
	}
	if _, _, err := c.Read(t.buf); !errors.Is(err, netpoll.ErrAgain) {
		t.Fatalf("after everything was read: %v", err)
	}
}

// descriptors is the number of open ones, −1 where it cannot be told.
func descriptors() int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(d)
}

// leavesNothing runs story and asserts that no goroutine and no descriptor is left of it.
func leavesNothing(t *testing.T, story func(t *testing.T)) {
	before, ignore := descriptors(), goleak.IgnoreCurrent()
	t.Run("story", story)
	goleak.VerifyNone(t, ignore)
	for deadline := time.Now().Add(patience); descriptors() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors before, %d after", before, descriptors())
		}
	}
}

// TestMain opens what the runtime opens once and keeps, so that it is not taken for a leak.
func TestMain(m *testing.M) {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
	netpoll.Batching() // a ring that stays
	os.Exit(m.Run())
}

func certificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
