package node

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// certificate is the TLS certificate of the game port. It is read again when its file has changed, so that a renewed one
// needs no restart.
type certificate struct {
	certFile, keyFile string
	log               zerolog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  time.Time // of the file that is loaded
	looked time.Time
}

// certificateLook is how often the file is looked at.
const certificateLook = 10 * time.Second

// newCertificate reads the files once, so that a fault shows at the start.
func newCertificate(certFile, keyFile string, log zerolog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	return c, nil
}

// config is TLS 1.2 and up, HTTP/1.1 only.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.get}
}

// get returns the newest certificate that could be read. Safe from any goroutine.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) > certificateLook {
		c.looked = now
		if info, err := os.Stat(c.certFile); err == nil && !info.ModTime().Equal(c.stamp) {
			if err := c.load(); err != nil {
				c.log.Error().Err(err).Msg("cannot read the renewed certificate, the old one stays")
			}
		}
	}
	return c.loaded, nil
}

// load reads both files.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	info, err := os.Stat(c.certFile)
	if err != nil {
		return err
	}
	c.loaded, c.stamp, c.looked = &pair, info.ModTime(), time.Now()
	return nil
}
