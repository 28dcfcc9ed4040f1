package node

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"skirmish/server/journal"
	"skirmish/server/netpoll"
)

// Ground is what a node stands on. The zero value is the system's own: its sockets, and NATS as the configuration says.
// A simulation puts its own network and disk in their place.
type Ground struct {
	// Driver opens the game port. nil: the one that Config.Driver names.
	Driver netpoll.Driver
	// Admin is the listener of the API. nil: one on Config.AdminAddr.
	Admin net.Listener
	// Journal keeps what outlives the node, which closes it. nil: NATS; then DataDir is taken as well.
	Journal journal.Journal
	// NodeID is the node's name. Empty: the one that is kept in DataDir.
	NodeID string
	// Log is where the log goes. nil: standard error.
	Log io.Writer

	sockets *Sockets // to listen on, of the process before
	heir    *heir    // of that process: the data folder is free when it says so
}

// log is where the log goes.
func (g *Ground) log() io.Writer {
	if g.Log != nil {
		return g.Log
	}
	return os.Stderr
}

// driver is the one that opens the game port.
func (g *Ground) driver(cfg *Config) (netpoll.Driver, error) {
	if g.Driver != nil {
		return g.Driver, nil
	}
	return netpoll.Open(cfg.ChooseDriver())
}

// play opens the game port.
func (g *Ground) play(cfg *Config, d netpoll.Driver, tlsConfig *tls.Config) (netpoll.Listener, error) {
	if g.sockets != nil {
		return netpoll.Adopt(d, g.sockets.Game, tlsConfig)
	}
	return d.Listen(cfg.Addr, tlsConfig)
}

// listen opens the API's port.
func (g *Ground) listen(cfg *Config) (net.Listener, error) {
	if g.Admin != nil {
		return g.Admin, nil
	}
	if g.sockets != nil {
		return netpoll.AdoptNet(g.sockets.Admin)
	}
	return net.Listen("tcp", cfg.AdminAddr)
}

// take makes DataDir the node's own, where anything is kept in it.
func (g *Ground) take(cfg *Config) (unlock func(), err error) {
	if g.Journal != nil {
		return func() {}, nil
	}
	if err := g.heir.take(); err != nil {
		return nil, err
	}
	return lockDataDir(cfg.DataDir)
}

// nodeID is the node's name.
func (g *Ground) nodeID(cfg *Config) (string, error) {
	if g.NodeID != "" {
		return g.NodeID, nil
	}
	return nodeID(cfg.DataDir)
}

// open opens the journal. What NATS says goes to the log.
func (g *Ground) open(ctx context.Context, cfg *Config, log zerolog.Logger) (journal.Journal, error) {
	if g.Journal != nil {
		return g.Journal, nil
	}
	return journal.OpenNATS(ctx, journal.Options{
		URL: cfg.NATSURL, Dir: filepath.Join(cfg.DataDir, "nats"), MaxStore: cfg.StoreBytes,
		Log: func(level, text string) {
			l, err := zerolog.ParseLevel(level)
			if err != nil {
				l = zerolog.WarnLevel
			}
			log.WithLevel(l).Str("part", "store").Msg(text)
		},
	})
}
