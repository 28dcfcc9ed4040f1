package node

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
	"skirmish/server/ticket"
	"skirmish/server/webhook"
)

// Defaults and bounds of Config.
const (
	DefaultAddr           = ":7350"
	DefaultAdminAddr      = "127.0.0.1:7351"
	DefaultDataDir        = ".skirmish"
	DefaultMaxConnections = 100_000
	DefaultStoreBytes     = 1 << 30
	DefaultReplayBytes    = 1 << 30
	MinStoreBytes         = 16 << 20
	MinMemoryLimit        = 64 << 20
	MaxMaxConnections     = 1_000_000
	MinAdminKeyBytes      = 32 // off loopback
)

// What happens to matches whose process is killed, as flags and configuration name it.
const (
	DurabilityJournal = "journal" // the next start goes on with them
	DurabilityOff     = "off"     // the next start tells that they failed
)

// Drivers of package netpoll, as flags and configuration name them.
const (
	DriverEpoll    = "epoll"    // Linux, without TLS
	DriverPortable = "portable" // everywhere
)

// Config is what a node is made of. Default has the defaults; Validate tells what cannot be.
type Config struct {
	// Addr is the game port: WebSocket at /play, the web client, quick play. Default DefaultAddr.
	Addr string
	// AdminAddr is the port of the matchmaking API, probes, metrics and profiles. Default DefaultAdminAddr.
	AdminAddr string
	// AdminKeys are the bearer keys of the admin port, several while they rotate. Without any it answers to
	// loopback alone, and must listen there. Off loopback each has MinAdminKeyBytes at least.
	AdminKeys []api.Key
	// AdminKeysFile holds further admin keys, one per line, '#' begins a comment. It is read again when it has changed, and
	// on SIGHUP. Default none.
	AdminKeysFile string
	// TicketKeys sign and verify tickets, the first one signs. Default none: a key of the node's own,
	// made once and kept in DataDir.
	TicketKeys []ticket.Key

	// TicketKeysFile holds further ticket keys, one per line as in SKIRMISH_TICKET_KEY; its keys go before TicketKeys. It is
	// read as AdminKeysFile is. Default none.
	TicketKeysFile string

	// NATSURL is a NATS server with JetStream that keeps results and webhooks, such as nats://nats.example.net:4222.
	// Default empty: one inside the process, which does not listen and keeps its files in DataDir.
	NATSURL string
	// Durability is DurabilityJournal or DurabilityOff: whether matches go on after the process was killed. Default
	// DurabilityJournal.
	Durability string
	// ReplayBytes bounds the replays that are kept in DataDir, the oldest make room; 0: none are. Default DefaultReplayBytes.
	ReplayBytes int64
	// StoreBytes bounds the results and webhooks that are kept, MinStoreBytes and up. Default DefaultStoreBytes.
	StoreBytes int64
	// WebhookSecrets sign webhooks, by the id that matchmakers name; two of one id sign side by side. Default none.
	WebhookSecrets webhook.Secrets
	// WebhookSecretsFile holds further ones, one per line as in SKIRMISH_WEBHOOK_SECRETS. It is read as AdminKeysFile is.
	// Default none.
	WebhookSecretsFile string
	// WebhookURL gets the events of every match and of the node, signed with the secret WebhookSecretID; WebhookEvents
	// are the types that it wants, none: all. Default none.
	WebhookURL, WebhookSecretID string
	WebhookEvents               []string
	// Webhooks is how they are delivered. Default webhook.Default.
	Webhooks webhook.Config

	// MemoryLimit is how many bytes the process may take, MinMemoryLimit and up. Near it the match that holds most memory
	// is ended, and no new ones are taken if none holds much. Default 0: what GOMEMLIMIT says, or nine tenths of what the
	// machine or the container has.
	MemoryLimit int64

	// DataDir is where the node keeps what outlives it. Made when missing. Default DefaultDataDir.
	DataDir string
	// Driver is DriverEpoll, DriverPortable or empty: epoll where it can be. See ChooseDriver.
	Driver string
	// TLSCert and TLSKey are PEM files: both or none. With them the game port speaks TLS, by the portable driver.
	TLSCert, TLSKey string
	// PublicURL is where players connect if that is not this machine's own address: ws:// or wss:// with
	// the path /play. Default empty: made of the request's host, or of Addr.
	PublicURL string
	// AllowOrigins are the web origins besides the node's own whose pages may connect, such as
	// https://example.net. Clients that send no origin are no browsers and always may.
	AllowOrigins []string
	// TrustedProxies are the networks, such as 10.0.0.0/8, whose X-Forwarded-For says who a client is: the limits per
	// address are the client's then. Default none: nobody's is looked at.
	TrustedProxies []string
	// MaxConnections bounds the sockets of the game port; the limit on open files less 512 does so as well.
	// 1 to MaxMaxConnections, default DefaultMaxConnections.
	MaxConnections int
	// NoLoopbackLimits takes loopback addresses out of the limits per address, for load tests. Default false.
	NoLoopbackLimits bool
	// QuickPlay lets anybody who reaches the game port join and create matches. Default false.
	QuickPlay bool

	// DrainTimeout is how long SIGTERM lets matches go on before they are ended: 0 to MaxDrainTimeout, 0: not at all. Default
	// DefaultDrainTimeout; under --dev 0.
	DrainTimeout time.Duration

	// UpgradeBinary is the program that takes over at SIGUSR2, on Linux. Default empty: the file of this one, which may be a newer
	// one by then.
	UpgradeBinary string

	// LogLevel is the least level that is logged. Default zerolog.InfoLevel.
	LogLevel zerolog.Level
	// LogConsole logs for eyes instead of JSON. Default false.
	LogConsole bool
	// Dev is true under --dev, which sets QuickPlay, LogConsole and NoLoopbackLimits: the node tells where
	// to play. Default false.
	Dev bool
}

// Default returns the configuration of a node that is told nothing.
func Default() Config {
	return Config{
		Addr:           DefaultAddr,
		AdminAddr:      DefaultAdminAddr,
		DataDir:        DefaultDataDir,
		StoreBytes:     DefaultStoreBytes,
		Durability:     DurabilityJournal,
		ReplayBytes:    DefaultReplayBytes,
		Webhooks:       webhook.Default(),
		MaxConnections: DefaultMaxConnections,
		DrainTimeout:   DefaultDrainTimeout,
		LogLevel:       zerolog.InfoLevel,
	}
}

// Validate tells all faults at once, each with its flag, or nil.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if _, err := splitAddr(c.Addr); err != nil {
		fault("--addr %q: %w", c.Addr, err)
	}
	admin, err := splitAddr(c.AdminAddr)
	switch keys, keysErr := c.adminKeys(); {
	case err != nil:
		fault("--admin-addr %q: %w", c.AdminAddr, err)
	case keysErr != nil:
		fault("%s: %w", cmp.Or(flagName("--admin-keys-file", c.AdminKeysFile), "SKIRMISH_ADMIN_KEY"), keysErr)
	case !isLoopback(admin) && len(keys) == 0:
		fault("--admin-addr %q is not on loopback: set SKIRMISH_ADMIN_KEY to a secret of at least %d bytes, or listen on %s",
			c.AdminAddr, MinAdminKeyBytes, DefaultAdminAddr)
	}
	if _, err := ticketKeys(c.TicketKeysFile, c.TicketKeys); err != nil && c.hasTicketKeys() {
		fault("%s: %w", cmp.Or(flagName("--ticket-keys-file", c.TicketKeysFile), "SKIRMISH_TICKET_KEY"), err)
	}
	if c.NATSURL != "" {
		if u, err := url.Parse(c.NATSURL); err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss" {
			fault("--nats-url: want nats://host:port or tls://host:port")
		}
	}
	if c.Durability != DurabilityJournal && c.Durability != DurabilityOff {
		fault("--durability: %q is neither %s nor %s", c.Durability, DurabilityOff, DurabilityJournal)
	}
	if c.StoreBytes < MinStoreBytes {
		fault("--store-bytes %s: must be %s or more", formatBytes(c.StoreBytes), formatBytes(MinStoreBytes))
	}
	if c.MemoryLimit != 0 && c.MemoryLimit < MinMemoryLimit {
		fault("--memory-limit %s: must be %s or more, or 0 for what there is", formatBytes(c.MemoryLimit), formatBytes(MinMemoryLimit))
	}
	if c.WebhookURL != "" {
		if err := webhook.CheckURL(c.WebhookURL); err != nil {
			fault("--webhook-url: %w", err)
		}
	}
	if _, err := c.webhookSecrets(); err != nil {
		fault("%s: %w", cmp.Or(flagName("--webhook-secrets-file", c.WebhookSecretsFile), "SKIRMISH_WEBHOOK_SECRETS"), err)
	}
	for _, kind := range c.WebhookEvents {
		if !webhook.ValidType(kind) {
			fault("--webhook-event %q: there is no such event; there are %s, and all of a kind as in seat.*", kind, strings.Join(webhook.Types, ", "))
		}
	}
	if c.DataDir == "" {
		fault("--data-dir: must not be empty")
	}
	if err := checkDriver(c.Driver, c.TLSCert != ""); err != nil {
		fault("--driver: %w", err)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		fault("--tls-cert and --tls-key: give both or none")
	}
	for _, f := range [...]struct{ flag, file string }{{"--tls-cert", c.TLSCert}, {"--tls-key", c.TLSKey}} {
		if f.file == "" {
			continue
		}
		if _, err := os.Stat(f.file); err != nil {
			fault("%s: %w", f.flag, err)
		}
	}
	if err := checkPublicURL(c.PublicURL); err != nil {
		fault("--public-url %q: %w", c.PublicURL, err)
	}
	for _, origin := range c.AllowOrigins {
		if err := checkOrigin(origin); err != nil {
			fault("--allow-origin %q: %w", origin, err)
		}
	}
	if _, err := c.proxies(); err != nil {
		fault("--trusted-proxy: %w", err)
	}
	if c.MaxConnections < 1 || c.MaxConnections > MaxMaxConnections {
		fault("--max-connections %d: must be 1 to %d", c.MaxConnections, MaxMaxConnections)
	}
	if c.DrainTimeout < 0 || c.DrainTimeout > MaxDrainTimeout {
		fault("--drain-timeout %v: must be 0s to %v", c.DrainTimeout, MaxDrainTimeout)
	}
	if err := checkLevel(c.LogLevel); err != nil {
		fault("--log-level: %w", err)
	}
	return errors.Join(faults...)
}

// proxies reads TrustedProxies; an address alone stands for itself.
func (c *Config) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range c.TrustedProxies {
		if addr, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no network: want one such as 10.0.0.0/8 or 192.0.2.7", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// hasTicketKeys tells whether there are keys besides the node's own.
func (c *Config) hasTicketKeys() bool { return c.TicketKeysFile != "" || len(c.TicketKeys) > 0 }

// flagName is the flag of a file that is named, else empty.
func flagName(flag, file string) string {
	if file == "" {
		return ""
	}
	return flag
}

// webhooks is Webhooks, or the default for a Config that was not made by Default.
func (c *Config) webhooks() webhook.Config {
	if c.Webhooks == (webhook.Config{}) {
		return webhook.Default()
	}
	return c.Webhooks
}

// ChooseDriver is Driver, or what stands for an empty one: epoll on Linux without TLS, else portable.
func (c *Config) ChooseDriver() string { return chooseDriver(c.Driver, c.TLSCert != "") }

// EchoConfig is what the echo is made of: the node's own sockets and frames, with nothing behind them.
type EchoConfig struct {
	Addr       string // default DefaultEchoAddr
	Driver     string // as in Config
	MaxMessage int64  // bytes of one message, 1 to MaxEchoMessage, default DefaultEchoMessage
	LogLevel   zerolog.Level
}

// Defaults and bounds of EchoConfig.
const (
	DefaultEchoAddr    = "127.0.0.1:9001"
	DefaultEchoMessage = 16 << 20
	MaxEchoMessage     = 1 << 30
)

// DefaultEcho returns the configuration of an echo that is told nothing.
func DefaultEcho() EchoConfig {
	return EchoConfig{Addr: DefaultEchoAddr, MaxMessage: DefaultEchoMessage, LogLevel: zerolog.InfoLevel}
}

// Validate tells all faults at once, each with its flag, or nil.
func (c *EchoConfig) Validate() error {
	var faults []error
	if _, err := splitAddr(c.Addr); err != nil {
		faults = append(faults, fmt.Errorf("--addr %q: %w", c.Addr, err))
	}
	if err := checkDriver(c.Driver, false); err != nil {
		faults = append(faults, fmt.Errorf("--driver: %w", err))
	}
	if c.MaxMessage < 1 || c.MaxMessage > MaxEchoMessage {
		faults = append(faults, fmt.Errorf("--max-message: must be 1 byte to %s", formatBytes(MaxEchoMessage)))
	}
	if err := checkLevel(c.LogLevel); err != nil {
		faults = append(faults, fmt.Errorf("--log-level: %w", err))
	}
	return errors.Join(faults...)
}

// ChooseDriver is Driver, or epoll on Linux and portable elsewhere.
func (c *EchoConfig) ChooseDriver() string { return chooseDriver(c.Driver, false) }

func checkLevel(l zerolog.Level) error {
	if l < zerolog.TraceLevel || l > zerolog.ErrorLevel {
		return fmt.Errorf("must be one of %s", logLevels)
	}
	return nil
}

const logLevels = "trace, debug, info, warn, error"

func chooseDriver(driver string, tls bool) string {
	switch {
	case driver != "":
		return driver
	case runtime.GOOS == "linux" && !tls:
		return DriverEpoll
	}
	return DriverPortable
}

func checkDriver(driver string, tls bool) error {
	switch driver {
	case "", DriverPortable:
		return nil
	case DriverEpoll:
		if runtime.GOOS != "linux" {
			return fmt.Errorf("%s is there on Linux only, use %s", DriverEpoll, DriverPortable)
		}
		if tls {
			return fmt.Errorf("%s cannot do TLS, use %s or leave it out", DriverEpoll, DriverPortable)
		}
		return nil
	}
	return fmt.Errorf("%q is neither %s nor %s", driver, DriverEpoll, DriverPortable)
}

// splitAddr returns the host of a listening address.
func splitAddr(addr string) (host string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", errors.New("want host:port or :port")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("the port must be a number from 0 to 65535")
	}
	return host, nil
}

// isLoopback is true for a host that reaches this machine alone.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func checkPublicURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("want ws://host/play or wss://host/play")
	}
	return nil
}

func checkOrigin(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || text != u.Scheme+"://"+u.Host {
		return errors.New("want scheme://host or scheme://host:port and nothing behind")
	}
	return nil
}

// parseBytes reads a size such as 4096, 64KiB, 16MiB or 1GiB.
func parseBytes(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	shift, known := byteUnits[text[len(digits):]]
	if err != nil || !known || n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size: want a number of bytes, KiB, MiB or GiB, such as 16MiB", text)
	}
	return n << shift, nil
}

// formatBytes is the shortest text that parseBytes reads as n.
func formatBytes(n int64) string {
	for _, unit := range [...]string{"GiB", "MiB", "KiB"} {
		if shift := byteUnits[unit]; n >= 1<<shift && n&(1<<shift-1) == 0 {
			return strconv.FormatInt(n>>shift, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10)
}

var byteUnits = map[string]uint{"": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30}
