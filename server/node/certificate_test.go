package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// writeCertificate writes a certificate with that serial number, and its key.
func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The next file must have another time, however coarse the file system's are.
	at := time.Unix(1_700_000_000+serial, 0)
	if err := os.Chtimes(cert, at, at); err != nil {
		t.Fatal(err)
	}
}

// A renewed certificate is used without a restart; one that cannot be read leaves the old one in place, and is named.
func TestCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		writeCertificate(t, cert, key, 1)
		c, err := newCertificate(cert, key, zerolog.New(&log))
		if err != nil {
			t.Fatal(err)
		}
		serial := func() int64 {
			t.Helper()
			pair, err := c.config().GetCertificate(nil)
			if err != nil {
				t.Fatal(err)
			}
			return pair.Leaf.SerialNumber.Int64()
		}
		writeCertificate(t, cert, key, 2)
		if got := serial(); got != 1 {
			t.Errorf("certificate %d within %v", got, certificateLook)
		}
		time.Sleep(certificateLook + time.Millisecond)
		if got := serial(); got != 2 {
			t.Errorf("certificate %d, want the renewed one", got)
		}
		if err := os.WriteFile(cert, []byte("half a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(certificateLook + time.Millisecond)
		if got := serial(); got != 2 || !strings.Contains(log.String(), "cannot read the renewed certificate") {
			t.Errorf("certificate %d; the log says %q", got, log.String())
		}
		writeCertificate(t, cert, key, 3)
		time.Sleep(certificateLook + time.Millisecond)
		if got := serial(); got != 3 {
			t.Errorf("certificate %d, want the one that was renewed at last", got)
		}
	})
}
