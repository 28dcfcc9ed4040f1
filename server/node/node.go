// Package node is the composition root: it wires sockets, matches and the API together, and starts and stops them in
// order. An own server is a main that calls Main with its games.
package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"skirmish/clients"
	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/journal"
	"skirmish/server/metrics"
	"skirmish/server/netpoll"
	"skirmish/server/session"
	"skirmish/server/ticket"
	"skirmish/server/wsconn"
)

// PlayPath is where the WebSocket is.
const PlayPath = "/play"

// shutdownTimeout bounds the end of the HTTP servers; a request in the middle is cut then.
const shutdownTimeout = 2 * time.Second

// Node is one running server.
type Node struct {
	cfg       Config
	id        string
	log       zerolog.Logger
	metrics   *metrics.Set
	started   time.Time
	secrets   *secrets
	draining  atomic.Bool
	drainBy   atomic.Int64 // Unix ns; 0: not draining by order of the API
	goodbye   chan time.Duration
	handover  chan successor
	upgrading atomic.Bool // a successor is being made, or there is one
	heir      *heir
	prepare   func() (successor, error) // starts a process that can take over; nil: nobody can
	spare     *Sockets                  // in case that the new process does not come up
	unlock    func()
	store     *store
	matches   *matches
	gate      *session.Gate
	lobby     *session.Lobby
	driver    netpoll.Driver
	game      netpoll.Listener
	plain     *session.PlainListener
	admin     net.Listener
	public    *http.Server
	api       *http.Server
}

// Run serves the games until ctx is done, then ends every match, tells every player and returns nil. An error is one
// sentence for the operator.
func Run(ctx context.Context, cfg Config, games ...game.Game) error {
	n, err := Start(cfg, games...)
	if err != nil {
		return err
	}
	return n.Serve(ctx)
}

// Start opens the ports and wires everything. Nothing is served before Serve.
func Start(cfg Config, games ...game.Game) (*Node, error) { return StartOn(Ground{}, cfg, games...) }

// StartOn is Start on a ground of the caller's.
func StartOn(ground Ground, cfg Config, games ...game.Game) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	registry, err := game.NewRegistry(games...)
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, started: time.Now(), log: newLogger(ground.log(), cfg.LogLevel, cfg.LogConsole), metrics: metrics.New(), goodbye: make(chan time.Duration, 1),
		handover: make(chan successor, 1), heir: ground.heir}
	if err := n.listen(&ground); err != nil {
		n.close()
		return nil, err
	}
	if n.unlock, err = ground.take(&cfg); err != nil {
		n.close()
		return nil, fmt.Errorf("--data-dir %s: %w", cfg.DataDir, err)
	}
	if err := n.identify(&ground); err != nil {
		n.close()
		return nil, fmt.Errorf("--data-dir %s: %w", cfg.DataDir, err)
	}
	if n.store, err = openStore(&ground, &n.cfg, n.secrets.hooks.get, n.id, n.metrics, n.log); err != nil {
		n.close()
		return nil, err
	}
	if err := n.wire(&ground, registry); err != nil {
		n.close()
		return nil, err
	}
	if err := n.recover(); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// identify makes the node the one that it was before: by its name and by the keys of its tickets.
func (n *Node) identify(ground *Ground) (err error) {
	if n.id, err = ground.nodeID(&n.cfg); err != nil {
		return err
	}
	n.secrets, err = openSecrets(&n.cfg, n.log)
	return err
}

// recover opens the journal of the matches and goes on with what is in it.
func (n *Node) recover() error {
	var held map[string][]journal.Entry
	if n.cfg.Durability == DurabilityJournal {
		var err error
		if held, err = n.store.openInputs(n.matches.gather, n.matches.replays.writeMarked); err != nil {
			return fmt.Errorf("open the store: %w", err)
		}
		n.matches.tickets.log = n.store.inputs
		n.gate.Burnt = n.matches.tickets.burnt
	}
	return n.matches.recover(n.store.ctx, held)
}

// listen opens both ports.
func (n *Node) listen(ground *Ground) error {
	var err error
	if n.driver, err = ground.driver(&n.cfg); err != nil {
		return err
	}
	var tlsConfig *tls.Config
	if n.cfg.TLSCert != "" {
		cert, err := newCertificate(n.cfg.TLSCert, n.cfg.TLSKey, n.log)
		if err != nil {
			return err
		}
		tlsConfig = cert.config()
	}
	if n.game, err = ground.play(&n.cfg, n.driver, tlsConfig); err != nil {
		return listenError("--addr", n.cfg.Addr, err)
	}
	if n.admin, err = ground.listen(&n.cfg); err != nil {
		return listenError("--admin-addr", n.cfg.AdminAddr, err)
	}
	n.matches = &matches{}
	return nil
}

// wire connects the parts.
func (n *Node) wire(ground *Ground, registry *game.Registry) error {
	m := n.matches
	m.nodeID, m.url, m.registry, m.metrics, m.log = n.id, n.playURL(), registry, n.metrics, n.log
	m.finding = map[string]*sync.Mutex{}
	for _, name := range registry.Names() {
		m.finding[name] = &sync.Mutex{}
	}
	var err error
	dataDir := n.cfg.DataDir
	if ground.Journal != nil {
		dataDir = "" // nothing is kept in a folder
	}
	if m.replays, err = openReplays(dataDir, n.cfg.ReplayBytes, registry, n.log); err != nil {
		return fmt.Errorf("--data-dir %s: %w", dataDir, err)
	}
	m.strays, m.memory = session.NewStrays(&n.metrics.Hangs), newMemoryGuard(n.cfg.MemoryLimit, m.all, n.log)
	if n.cfg.Durability == DurabilityOff {
		dataDir = "" // no match comes again
	}
	m.witness = openWitness(dataDir, n.log)
	m.keys, m.draining, m.entries, m.store = n.keys, n.draining.Load, map[string]*entry{}, n.store

	n.gate = &session.Gate{Node: n.id, Keys: n.keys, Room: m.room, Draining: n.draining.Load, Metrics: n.metrics, Log: n.log}
	n.plain = session.NewPlainListener(n.game.Addr())
	proxies, err := n.cfg.proxies()
	if err != nil {
		return err
	}
	n.lobby, err = session.NewLobby(session.LobbyConfig{
		Path: PlayPath, Subprotocol: protocol.Subprotocol, Origins: n.cfg.AllowOrigins, TrustedProxies: proxies,
		MaxConnections: maxConnections(n.cfg.MaxConnections), ExemptLoopback: n.cfg.NoLoopbackLimits,
		Frames:       wsconn.ReaderLimits{MessageBytes: protocol.MaxMessageBytes},
		FirstMessage: session.HelloTimeout,
	}, n.driver, n.game, n.gate, n.plain.Give, n.metrics, n.log)
	if err != nil {
		return err
	}
	n.metrics.TellMatches(m.punctuality)
	m.lobby, m.tickets = n.lobby, &burntTickets{burned: &n.gate.Burned}

	errorLog := stdlog.New(n.log.With().Str("part", "http").Logger(), "", 0)
	public, err := api.NewPublic(api.PublicConfig{
		Matches: m, QuickPlay: n.cfg.QuickPlay, Files: clients.FS(), PublicURL: n.cfg.PublicURL, TLS: n.cfg.TLSCert != "",
		AllowOrigins: n.cfg.AllowOrigins, NoLoopbackLimits: n.cfg.NoLoopbackLimits, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.public = api.NewServer(public, errorLog)
	// A connection that began as plain HTTP stays it: a proxy that re-uses one for an upgrade would get nowhere.
	n.public.SetKeepAlivesEnabled(false)
	n.api = api.NewServer(api.NewAdmin(api.AdminConfig{
		Matches: m, Node: n, Events: n.store.feed, Webhooks: letters{n.store.hooks}, Keys: n.secrets.admin.get,
		Answers: n.store.answers, Ready: n.ready, Metrics: n.metrics.Handler(), Log: n.log,
	}), errorLog)
	return nil
}

// Serve runs until ctx is done or Shutdown has drained the node, then stops in order: no new matches, every match ended and
// every player told, the sockets closed, the HTTP servers last so that probes and results can still be read.
func (n *Node) Serve(ctx context.Context) error {
	matchCtx, endMatches := context.WithCancelCause(context.Background())
	defer endMatches(nil)
	lobbyCtx, closeLobby := context.WithCancel(context.Background())
	defer closeLobby()
	failed := make(chan error, 3)
	n.matches.ctx = matchCtx

	var serving sync.WaitGroup
	n.store.run()
	n.matches.resume()
	serving.Go(func() { n.matches.watch(lobbyCtx) })
	serving.Go(func() { n.secrets.watch(lobbyCtx) })
	serving.Go(func() { n.matches.replays.run(lobbyCtx) })
	serving.Go(func() { n.matches.memory.run(lobbyCtx) })
	serving.Go(func() { failed <- n.lobby.Run(lobbyCtx) })
	serving.Go(func() { failed <- ended(n.public.Serve(n.plain)) })
	serving.Go(func() { failed <- ended(n.api.Serve(n.admin)) })
	n.greet()
	n.store.emit(n.store.own, "node.ready", time.Now(), struct{}{})
	n.heir.serving()
	notify(fmt.Sprintf("READY=1\nMAINPID=%d", os.Getpid()))

	var err error
	select {
	case to := <-n.handover:
		return n.handOver(to, &serving, endMatches, closeLobby)
	case <-ctx.Done():
		notify("STOPPING=1")
	case deadline := <-n.goodbye:
		notify("STOPPING=1")
		n.drain(ctx, deadline)
	case err = <-failed:
	}
	n.log.Info().Msg("stopping")
	if !n.draining.Swap(true) {
		n.store.emit(n.store.own, "node.draining", time.Now(), struct{}{})
	}
	endMatches(errShutdown)
	giveUp := time.AfterFunc(saveLast, n.store.stop) // a disk that takes nothing must not keep the process
	n.matches.close()
	giveUp.Stop()
	n.store.feed.Close()
	closeLobby()
	shutCtx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	n.public.Shutdown(shutCtx)
	n.plain.Close()
	n.api.Shutdown(shutCtx)
	serving.Wait()
	n.store.close()
	n.unlock()
	n.log.Info().Msg("stopped")
	return err
}

// ended is nil for a server that was shut down.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// close gives up what Start had opened.
func (n *Node) close() {
	if n.game != nil {
		n.game.Close()
	}
	if n.admin != nil {
		n.admin.Close()
	}
	if n.store != nil {
		n.store.close()
	}
	if n.unlock != nil {
		n.unlock()
	}
}

// Addr is the game port's address, AdminAddr that of the API: with port 0 in the configuration, what the system chose.
func (n *Node) Addr() net.Addr      { return n.game.Addr() }
func (n *Node) AdminAddr() net.Addr { return n.admin.Addr() }

// API is what the admin port serves: matchmaking, probes and metrics.
func (n *Node) API() http.Handler { return n.api.Handler }

func (n *Node) keys() *ticket.Keyring { return n.secrets.tickets.get() }

// ready tells why the node takes no new matches.
func (n *Node) ready() error {
	if n.draining.Load() {
		return errors.New("it goes away")
	}
	if reason := n.matches.trouble(); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// playURL is where players connect.
func (n *Node) playURL() string {
	if n.cfg.PublicURL != "" {
		return n.cfg.PublicURL
	}
	scheme := "ws"
	if n.cfg.TLSCert != "" {
		scheme = "wss"
	}
	return scheme + "://" + reachable(n.game.Addr()) + PlayPath
}

// pageURL is the page beside the address where players connect.
func pageURL(play string) string {
	return strings.TrimSuffix(strings.Replace(play, "ws", "http", 1), PlayPath) + "/"
}

// reachable is addr as a client on this machine dials it.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// greet says where everything is.
func (n *Node) greet() {
	n.log.Info().Str("node", n.id).Int("pid", os.Getpid()).Stringer("game", n.game.Addr()).Stringer("admin", n.admin.Addr()).
		Str("driver", n.driver.Name()).Bool("io_uring", netpoll.Batching()).Strs("games", n.matches.registry.Names()).Msg("serving")
	if n.secrets.own {
		n.log.Info().Msg("there is neither SKIRMISH_TICKET_KEY nor --ticket-keys-file: tickets are signed with the node's own key")
	}
	if n.cfg.Dev {
		fmt.Fprintf(os.Stdout, "\n  Play:  %s\n  API:   http://%s/v1/matches\n\n", pageURL(n.playURL()), n.admin.Addr())
	}
}

// newLogger logs JSON on w, or on standard error for eyes.
func newLogger(w io.Writer, level zerolog.Level, console bool) zerolog.Logger {
	if console {
		w = zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: time.TimeOnly, NoColor: !term.IsTerminal(int(os.Stderr.Fd()))}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// listenError says what to do about a port that cannot be opened.
func listenError(flag, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s %s: the port is in use; stop what listens there or choose another with %s", flag, addr, flag)
	}
	return fmt.Errorf("%s %s: %w", flag, addr, err)
}

// maxConnections is the configured bound, or less when the system allows less.
func maxConnections(configured int) int {
	if files := openFiles(); files > 0 {
		return max(1, min(configured, files-session.ReservedDescriptors))
	}
	return configured
}
