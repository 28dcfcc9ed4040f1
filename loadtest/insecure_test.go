package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skirmish/server/node"
)

// selfSigned writes a certificate for 127.0.0.1 that nobody vouches for.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "skirmish"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestACertificateSignedByItselfIsTakenOnDemand(t *testing.T) {
	t.Parallel()
	server := serve(t, func(c *node.Config) { c.TLSCert, c.TLSKey = selfSigned(t) })
	c := small(server)
	c.Bots, c.Insecure = 4, true
	r := play(t, context.Background(), c)
	if !r.Pass || r.Joined != 4 || r.Delivery.Ratio < 0.9 {
		t.Errorf("%d bots joined, delivery %v, errors %v", r.Joined, r.Delivery.Ratio, r.Errors)
	}
	c = small(server)
	c.Bots = 4
	r = play(t, context.Background(), c)
	if r.Joined != 0 || r.Errors.Total != 4 {
		t.Errorf("without --insecure %d bots joined, errors %v", r.Joined, r.Errors)
	}
	for cause := range r.Errors.ByCause {
		if !strings.Contains(cause, "certificate") {
			t.Errorf("the cause is told as %q", cause)
		}
	}
}
