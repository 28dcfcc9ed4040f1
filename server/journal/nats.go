package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options say where NATS is.
type Options struct {
	// URL of a NATS server with JetStream, such as nats://nats.example.net:4222. Empty: one in this process, which does not
	// listen and keeps its files in Dir.
	URL string
	Dir string
	// MaxStore bounds the files of the embedded server, in bytes; the streams share it.
	MaxStore int64
	// Log takes what NATS has to say, level "warn" or "error". It is called from several goroutines. nil: nobody.
	Log func(level, text string)
}

// Bounds of the embedded server, and patience.
const (
	maxMemory    = 16 << 20         // of JetStream's memory store, which no stream of ours uses
	readyTimeout = 20 * time.Second // to recover the streams at the start
	callTimeout  = 5 * time.Second  // of one request to JetStream
	consumeAgain = time.Second      // after which a refused record comes again
	ackWait      = 10 * time.Second // after which a record that was given out and lost on its way comes again; those behind it wait
	probeBytes   = 1 << 20          // what a disk must take before the store is opened anew
	reviveEvery  = time.Second      // a store that has failed is opened anew at most this often
)

// NATS is a Journal on JetStream.
type NATS struct {
	opts   Options
	broken atomic.Bool  // the embedded store has given up writing, as JetStream does when the disk is full
	dials  atomic.Int64 // how often the connection was made anew

	mu      sync.Mutex
	server  *natsserver.Server // nil: external
	conn    *nats.Conn
	js      jetstream.JetStream
	streams map[string]StreamConfig
	revived time.Time
	closed  bool
}

// OpenNATS starts or connects to NATS. An error is one sentence for the operator.
func OpenNATS(ctx context.Context, o Options) (*NATS, error) {
	n := &NATS{opts: o, streams: map[string]StreamConfig{}}
	if n.opts.Log == nil {
		n.opts.Log = func(string, string) {}
	}
	if err := n.connect(); err != nil {
		return nil, err
	}
	return n, nil
}

// connect starts the embedded server or dials the external one.
func (n *NATS) connect() (err error) {
	options := []nats.Option{
		nats.Name("skirmish"), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectBufSize(-1), // a record is refused while there is no connection; its owner asks again
		nats.ReconnectHandler(func(*nats.Conn) { n.dials.Add(1) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { n.opts.Log("warn", err.Error()) }),
	}
	url := n.opts.URL
	if url == "" {
		if n.server, err = startServer(n.opts, n.overheard); err != nil {
			return err
		}
		url = n.server.ClientURL()
		options = append(options, nats.InProcessServer(n.server))
	} else {
		options = append(options, nats.Timeout(callTimeout))
	}
	if n.conn, err = nats.Connect(url, options...); err != nil {
		n.stop()
		return fmt.Errorf("connect to NATS at %s: %w", withoutUser(url), err)
	}
	if n.js, err = jetstream.New(n.conn); err != nil {
		n.stop()
		return fmt.Errorf("ask NATS for JetStream: %w", err)
	}
	return nil
}

// withoutUser is a URL as it may be logged.
func withoutUser(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	return scheme + "://" + rest
}

// startServer runs NATS in this process: no port, no signal handler, every write synced.
func startServer(o Options, log serverLog) (*natsserver.Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the store's folder: %w", err)
	}
	s, err := natsserver.NewServer(&natsserver.Options{
		ServerName: "skirmish", DontListen: true, NoSigs: true, NoSystemAccount: false,
		JetStream: true, StoreDir: o.Dir, SyncAlways: true,
		JetStreamMaxMemory: maxMemory, JetStreamMaxStore: o.MaxStore,
		MaxPayload: MaxRecordBytes + 64<<10,
	})
	if err != nil {
		return nil, fmt.Errorf("make the embedded NATS: %w", err)
	}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if !s.ReadyForConnections(readyTimeout) {
		s.Shutdown()
		return nil, errors.New("the embedded NATS was not ready in time")
	}
	if !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, fmt.Errorf("the store in %s cannot be opened: is the disk full, or is another server using it?", o.Dir)
	}
	return s, nil
}

// stop ends the connection and the embedded server.
func (n *NATS) stop() {
	if n.conn != nil {
		n.conn.Close()
	}
	if n.server != nil {
		n.server.Shutdown()
		n.server.WaitForShutdown()
	}
	n.conn, n.js, n.server = nil, nil, nil
}

// Close ends it (Journal).
func (n *NATS) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	n.stop()
	return nil
}

// stream returns the JetStream that is to be asked now.
func (n *NATS) stream() (jetstream.JetStream, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.js == nil {
		return nil, ErrClosed
	}
	return n.js, nil
}

// overheard takes what the embedded server has to say. A stream that has met a failing write takes nothing any more until the
// server is started anew; it says so here and nowhere else.
func (n *NATS) overheard(level, text string) {
	if lower := strings.ToLower(text); strings.Contains(lower, "critical write error") || strings.Contains(lower, "no space left") {
		if n.broken.Swap(true) {
			return // said already
		}
	}
	n.opts.Log(level, text)
}

// writable tells whether the disk of the embedded server takes a block.
func (n *NATS) writable() bool {
	f, err := os.CreateTemp(n.opts.Dir, "probe-*")
	if err != nil {
		return false
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, probeBytes))
	return errors.Join(err, f.Sync(), f.Close()) == nil
}

// revive starts the embedded server anew when it has given up and the disk takes things again.
func (n *NATS) revive(ctx context.Context) {
	n.mu.Lock()
	defer n.mu.Unlock()
	well := n.server != nil && n.server.JetStreamEnabled() && !n.broken.Load()
	if n.opts.URL != "" || n.closed || well || time.Since(n.revived) < reviveEvery || !n.writable() {
		return
	}
	n.revived = time.Now()
	n.broken.Store(false)
	n.stop()
	if err := n.connect(); err != nil {
		n.opts.Log("error", err.Error())
		return
	}
	for _, c := range n.streams {
		if _, err := n.js.CreateOrUpdateStream(ctx, streamConfig(c)); err != nil {
			n.opts.Log("error", fmt.Sprintf("open the stream %s: %v", c.Name, err))
		}
	}
	n.opts.Log("warn", "the store was opened anew")
}

// Open returns the stream of that name (Journal).
func (n *NATS) Open(ctx context.Context, c StreamConfig) (Stream, error) {
	js, err := n.stream()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := js.CreateOrUpdateStream(ctx, streamConfig(c)); err != nil {
		return nil, fmt.Errorf("open the stream %s: %w", c.Name, err)
	}
	n.mu.Lock()
	n.streams[c.Name] = c
	n.mu.Unlock()
	return &natsStream{n: n, name: streamName(c.Name), prefix: subject(c.Name)}, nil
}

func streamConfig(c StreamConfig) jetstream.StreamConfig {
	persist := jetstream.DefaultPersistMode
	if c.Unsynced {
		persist = jetstream.AsyncPersistMode // takes the stream out of the server's SyncAlways
	}
	discard := jetstream.DiscardNew
	if c.DropOldest {
		discard = jetstream.DiscardOld
	}
	return jetstream.StreamConfig{
		Name: streamName(c.Name), Subjects: []string{subject(c.Name) + "*"},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: discard,
		MaxBytes: c.MaxBytes, MaxAge: c.MaxAge, MaxMsgSize: MaxRecordBytes + 4<<10, Duplicates: duplicates(c.MaxAge),
		AllowDirect: true, PersistMode: persist,
	}
}

// duplicates is DuplicateWindow, or less where records do not live as long.
func duplicates(maxAge time.Duration) time.Duration {
	if maxAge > 0 {
		return min(maxAge, DuplicateWindow)
	}
	return DuplicateWindow
}

func streamName(name string) string { return "SKIRMISH_" + name }
func subject(name string) string    { return "skirmish." + strings.ToLower(name) + "." }

// serverLog passes on what the embedded server has to say, if it matters.
type serverLog func(level, text string)

func (l serverLog) Noticef(string, ...any)            {}
func (l serverLog) Debugf(string, ...any)             {}
func (l serverLog) Tracef(string, ...any)             {}
func (l serverLog) Warnf(format string, args ...any)  { l("warn", fmt.Sprintf(format, args...)) }
func (l serverLog) Errorf(format string, args ...any) { l("error", fmt.Sprintf(format, args...)) }
func (l serverLog) Fatalf(format string, args ...any) { l("error", fmt.Sprintf(format, args...)) }
