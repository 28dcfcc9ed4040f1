//go:build linux

package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"skirmish/protocol"
)

// selfSigned writes a certificate for loopback and its key, and returns their files and a client's configuration.
func selfSigned(t *testing.T) (cert, key string, client *tls.Config) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := x509.NewCertPool()
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(chain)
	for file, b := range map[string][]byte{cert: chain, key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key, &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"http/1.1"}}
}

// TestAbuseTLS: hundreds who never greet, or greet by something else, keep nobody from playing, and are gone after 5 s.
func TestAbuseTLS(t *testing.T) {
	cert, key, config := selfSigned(t)
	s := abuse(t, abuseConfig{Cert: cert, Key: key})
	addr := hostOf(s.play)
	t.Run("versions", func(t *testing.T) {
		for version, works := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			c := config.Clone()
			c.MinVersion, c.MaxVersion = version, version
			conn, err := tls.Dial("tcp", addr, c)
			if (err == nil) != works {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
			if err == nil {
				if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
					t.Errorf("ALPN %q", got)
				}
				conn.Close()
			}
		}
	})

	made := s.create(map[string]any{"game": "race", "params": map[string]any{"length": 1 << 30}, "seats": []map[string]any{{"player_id": "calm"}}})
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	calm := newRawConn(conn)
	hello := protocol.AppendHello(nil, &protocol.Hello{Version: protocol.Version, Token: made.Seats[0].Token})
	if _, err = calm.Write(joined([]byte(rawHead), rawFrame(whole|opBinary, string(hello)))); err == nil {
		err = calm.upgraded()
	}
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var gaps []time.Duration
	over := make(chan error, 1)
	go func() {
		for last := time.Now(); ; {
			m, err := calm.frame()
			if err != nil {
				over <- err
				return
			}
			if m.op == opPing {
				calm.Write(rawFrame(whole|opPong, m.payload))
			}
			if typ, _ := protocol.ServerType([]byte(m.payload)); typ == protocol.TypeDelta {
				now := time.Now()
				mu.Lock()
				gaps = append(gaps, (now.Sub(last) - time.Second/controlHz).Abs())
				mu.Unlock()
				last = now
			}
		}
	}()
	p99 := func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if len(gaps) == 0 {
			t.Error("no state came")
			return 0
		}
		slices.Sort(gaps)
		worst := gaps[len(gaps)*99/100]
		gaps = gaps[:0]
		return worst
	}
	time.Sleep(time.Second)
	quiet := p99()
	base := s.stats()

	says := map[string]string{"mute": "", "no TLS": rawHead, "half a greeting": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half", "a record of 64 KiB": "\x16\x03\x01\xff\xff", "zeros": string(make([]byte, 500))}
	ends := map[string]map[string]int{}
	for name := range says {
		ends[name] = map[string]int{}
	}
	var wg sync.WaitGroup
	begin := time.Now()
	i := 0
	for name, say := range says {
		for range atOnce(100) {
			i++
			from := fmt.Sprintf("127.70.%d.%d", i/250, i%250+1)
			wg.Go(func() {
				end := "no connection"
				if c, err := dialFrom(from, addr); err == nil {
					io.WriteString(c, say)
					_, err := io.Copy(io.Discard, c)
					if end = "EOF"; err != nil {
						end = nameOf(endOf(err))
					}
					c.Close()
				}
				mu.Lock()
				ends[name][end]++
				mu.Unlock()
			})
		}
	}
	wg.Wait()
	took := time.Since(begin)
	abused := p99()
	for name := range says {
		t.Logf("TLS, %-20s %3d  %-30s %8v → %8v", name, atOnce(100), told(ends[name]), quiet.Round(10*time.Microsecond), abused.Round(10*time.Microsecond))
		for end := range ends[name] {
			if end != "EOF" && end != "RST" {
				t.Errorf("%s: ended by %s", name, end)
			}
		}
	}
	if took < 4*time.Second || took > 30*time.Second {
		t.Errorf("the mute were gone after %v, want about 5 s", took)
	}
	if abused > quiet+controlSlack() {
		t.Errorf("the player's p99 went from %v to %v", quiet, abused)
	}
	select {
	case err := <-over:
		t.Errorf("the player's connection ended: %v", err)
	default:
	}
	until(t, "all came back", func() bool {
		st := s.stats()
		return st.Files <= base.Files+1 && st.Goroutines <= base.Goroutines+4
	})
}

// TestAbuseBeyondTheCap: connections beyond the cap are told so before the upgrade, and when to come back; those within it do
// not notice, and who leaves makes room.
func TestAbuseBeyondTheCap(t *testing.T) {
	const most = 40
	s := abuse(t, abuseConfig{MaxConnections: most})
	c := watchOver(s, 2, 4)
	quiet := c.quiet(500 * time.Millisecond)
	begin := time.Now()
	var mu sync.Mutex
	var held []*rawConn
	refused := 0
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			conn, err := dialFrom(fmt.Sprintf("127.71.%d.%d", i/250, i%250+1), hostOf(s.play))
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, rawHead)
			res, err := conn.answer()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil: // beyond those who are told
				conn.Close()
			case res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
				refused++
				conn.Close()
			case res.StatusCode == http.StatusSwitchingProtocols:
				held = append(held, conn)
			default:
				t.Errorf("answer %d %v", res.StatusCode, res.Header)
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Until(begin.Add(700 * time.Millisecond))) // long enough to be measured
	t.Logf("of 400 connections %d were let in, %d told to come back, control p99 %v → %v", len(held), refused, quiet, c.errors99(begin, time.Now()))
	if len(held) != most-8 || refused < 200 {
		t.Errorf("%d let in, %d refused; want %d let in beside the 8 control players", len(held), refused, most-8)
	}
	for _, conn := range held {
		conn.reset()
	}
	until(t, "there is room again", func() bool {
		conn, err := dialFrom("127.71.9.9", hostOf(s.play))
		if err != nil {
			return false
		}
		defer conn.reset()
		io.WriteString(conn, rawHead)
		return conn.upgraded() == nil
	})
}

// TestAbuseOutOfDescriptors: a server that can accept nobody any more neither spins nor stops: its matches go on, and whoever
// waits is let in once there are descriptors again.
func TestAbuseOutOfDescriptors(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			const span = time.Second
			s := abuse(t, abuseConfig{Driver: driver})
			c := watchOver(s, 2, 4)
			c.quiet(span)
			base, used := s.stats(), s.processorTime()
			quiet := c.quiet(span)
			idle := s.processorTime() - used

			s.tell("exhaust")
			var waiting []*rawConn
			for i := range 200 {
				conn, err := dialFrom(fmt.Sprintf("127.72.0.%d", i+1), hostOf(s.play)) // the system takes it in, as long as its queue lasts
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				io.WriteString(conn, rawHead)
				waiting = append(waiting, conn)
			}
			used = s.processorTime()
			without := c.quiet(span)
			busy := s.processorTime() - used
			s.tell("release")
			let := 0
			for _, conn := range waiting {
				if err := conn.upgraded(); err != nil {
					t.Errorf("one who waited: %v", err)
					continue
				}
				let++
			}
			t.Logf("%d of %d who waited were let in; control p99 %v quiet, %v without descriptors; processor time in %v: %v quiet, %v without", let, len(waiting), quiet.Round(10*time.Microsecond), without.Round(10*time.Microsecond), span, idle, busy)
			if busy > 2*idle+span/4 {
				t.Errorf("without descriptors the server used %v of processor time in %v, %v before", busy, span, idle)
			}
			if without > quiet+controlSlack() {
				t.Errorf("the control players' p99 went from %v to %v", quiet, without)
			}
			for _, conn := range waiting {
				conn.reset()
			}
			until(t, "all came back", func() bool {
				st := s.stats()
				return st.Files <= base.Files+2 && st.Goroutines <= base.Goroutines+4
			})
		})
	}
}
