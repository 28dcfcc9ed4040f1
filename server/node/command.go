package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"skirmish/game"
	"skirmish/protocol"
	"skirmish/server/api"
	"skirmish/server/ticket"
	"skirmish/server/webhook"
)

// Exit codes of Main.
const (
	exitOK      = 0
	exitRunTime = 1 // it was asked for well and did not work
	exitUsage   = 2 // it was asked for wrongly
)

// Main is the whole main function of a server with these games: it runs the command line and exits. SIGINT or SIGTERM drains
// a server for Config.DrainTimeout and ends everything else; the next one ends the server at once, results stored all the
// same, and the one after that kills.
func Main(games ...game.Game) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from the first signal on, the next one kills, unless somebody else takes it
	cmd := commandLine{serve: serveSignals, echo: RunEcho}.root(games)
	cmd.Use = strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	os.Exit(execute(ctx, cmd, os.Args[1:], os.Stdout, os.Stderr))
}

// serveSignals is Run under the system's signals: ctx done is the first of them.
func serveSignals(ctx context.Context, cfg Config, games ...game.Game) error {
	return serveOn(ctx, cfg, serveUntilSignal, games...)
}

// serveUntilSignal is Serve under the system's signals.
func serveUntilSignal(ctx context.Context, n *Node) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if ctx.Err() != nil {
		return n.Serve(ctx)
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	over := make(chan struct{})
	defer close(over)
	go func() {
		for left := n.cfg.DrainTimeout; ; left = 0 {
			select {
			case <-over:
				return
			case <-signals:
			}
			if left == 0 {
				signal.Stop(signals) // a third one kills
				end()
				return
			}
			n.Shutdown(left)
		}
	}()
	return n.Serve(serving)
}

// Command is the command line of a server with these games: serve (what it does when nothing is asked for),
// echo, version. Run it with ExecuteContext: the server ends cleanly when the context does.
func Command(games ...game.Game) *cobra.Command {
	return commandLine{serve: Run, echo: RunEcho}.root(games)
}

// execute runs a command line to its exit code. What went wrong is one sentence on stderr.
func execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	for line := range strings.SplitSeq(err.Error(), "\n") { // several faults, one line each
		fmt.Fprintf(stderr, "%s: %s\n", root.Name(), line)
	}
	if _, usage := errors.AsType[usageError](err); !usage {
		return exitRunTime
	}
	fmt.Fprintf(stderr, "See %q.\n", cmd.CommandPath()+" --help")
	return exitUsage
}

// usageError is the caller's fault.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// commandLine is what the commands do.
type commandLine struct {
	serve func(context.Context, Config, ...game.Game) error
	echo  func(context.Context, EchoConfig) error
}

func (l commandLine) root(games []game.Game) *cobra.Command {
	root := l.serveCommand(games)
	root.Use = "server"
	root.Version = version()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(flagError)
	root.SuggestionsMinimumDistance = 2

	serve := l.serveCommand(games)
	serve.Use = "serve"
	serve.Short = "Serve matches (the same as without a command)"
	root.AddCommand(serve, l.echoCommand(), matchesCommand(), webhooksCommand(), nodeCommand(), ticketCommand(), replayCommand(games), l.configCommand(), versionCommand())
	return root
}

func (l commandLine) serveCommand(games []game.Game) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Short: "Serve authoritative multiplayer matches over WebSocket",
		Long: `Serves matches of ` + gameNames(games) + `.

Players connect to the game port by WebSocket at /play and get the web client at /.
Matchmakers create matches through the admin port: POST /v1/matches.

Play in a browser, on this machine:
  {{NAME}} --dev
Create a match:
  curl -d '{"game":"` + firstGame(games) + `"}' -H 'Content-Type: application/json' http://` + DefaultAdminAddr + `/v1/matches

Secrets come from the environment:
  SKIRMISH_ADMIN_KEY    bearer keys of the admin port, separated by commas; each needs
                        32 bytes or more when the port is not on loopback
  SKIRMISH_TICKET_KEY   keys that sign tickets, as <key id>:<hex of 32 bytes or more>,
                        separated by commas, the first one signs; without it the
                        node makes one and keeps it in the data folder
  SKIRMISH_WEBHOOK_SECRETS  secrets that sign webhooks, as <id>:whsec_<base64>, separated by
                        commas; two of one id while it changes
or from the files of --admin-keys-file, --ticket-keys-file and --webhook-secrets-file, which
may change while the server runs.

The environment stands in for flags: SKIRMISH_ADDR for --addr, SKIRMISH_DATA_DIR for
--data-dir and so on. So does a YAML file named with --config, with lines such as
"data-dir: /var/lib/skirmish". A flag wins over the environment, that over the file.
"config print" shows what came of it.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.config(cmd.Flags())
			if err != nil {
				return usageError{err}
			}
			return l.serve(cmd.Context(), cfg, games...)
		},
	}
	f.register(cmd.Flags())
	help := cmd.HelpFunc()
	cmd.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.Long = strings.ReplaceAll(c.Long, "{{NAME}}", c.CommandPath())
		help(c, args)
	})
	return cmd
}

// serveFlags are the flags of serve on their way to a Config.
type serveFlags struct {
	cfg     Config
	file    string
	sources map[string]string // of every flag, after config
}

func (f *serveFlags) register(flags *pflag.FlagSet) {
	f.cfg = Default()
	c := &f.cfg
	flags.SortFlags = false
	flags.StringVar(&f.file, "config", "", "YAML `file` with any of these flags by their names; the environment and flags win over it")
	flags.BoolVar(&c.Dev, "dev", false, "for developers: quick play for everybody, a readable log, no limits on loopback")
	flags.StringVar(&c.Addr, "addr", c.Addr, "game `address`, host:port")
	flags.StringVar(&c.AdminAddr, "admin-addr", c.AdminAddr, "admin `address`: API, /readyz, /metrics, profiles")
	flags.StringVar(&c.DataDir, "data-dir", c.DataDir, "`folder` for what outlives the process")
	flags.DurationVar(&c.DrainTimeout, "drain-timeout", c.DrainTimeout, "`time` that SIGTERM leaves to the matches; 0s, as with --dev: none")
	flags.StringVar(&c.UpgradeBinary, "upgrade-binary", "", "`program` that SIGUSR2 has take over, with the sockets and matches of this one; default this program's file")
	flags.StringVar(&c.NATSURL, "nats-url", "", "`URL` of a NATS server for results and webhooks; default one in the process")
	flags.StringVar(&c.Durability, "durability", c.Durability, "`off|journal`: whether matches go on after the server was killed")
	flags.Var((*bytesValue)(&c.StoreBytes), "store-bytes", "most that is kept of results and webhooks, a `size`")
	flags.Var((*bytesValue)(&c.ReplayBytes), "replay-bytes", "most that is kept of replays, a `size`; the oldest make room; 0: none are")
	flags.StringVar(&c.AdminKeysFile, "admin-keys-file", "", "`file` with admin keys, one per line; read again when it changes and on SIGHUP")
	flags.StringVar(&c.TicketKeysFile, "ticket-keys-file", "", "`file` with ticket keys, as --admin-keys-file")
	flags.StringVar(&c.WebhookSecretsFile, "webhook-secrets-file", "", "`file` with webhook secrets, as --admin-keys-file")
	flags.Var((*bytesValue)(&c.MemoryLimit), "memory-limit", "memory that the process may take, a `size`; 0: GOMEMLIMIT, or nine tenths of what there is")
	flags.StringVar(&c.WebhookURL, "webhook-url", "", "`URL` that gets the events of all matches and of the node")
	flags.StringVar(&c.WebhookSecretID, "webhook-secret-id", "", "`id` of the secret that signs them")
	flags.StringSliceVar(&c.WebhookEvents, "webhook-event", nil, "`type` of event for it, such as match.ended or seat.*; repeatable; default all")
	flags.StringVar(&c.Driver, "driver", "", "how sockets are driven, `epoll|portable`; default epoll on Linux without TLS")
	flags.StringVar(&c.TLSCert, "tls-cert", "", "certificate `file` (PEM) of the game port")
	flags.StringVar(&c.TLSKey, "tls-key", "", "key `file` (PEM) of the game port")
	flags.StringVar(&c.PublicURL, "public-url", "", "`URL` that players connect to, such as wss://play.example.net/play")
	flags.IntVar(&c.MaxConnections, "max-connections", c.MaxConnections, "`number` of sockets on the game port; open files may allow less")
	flags.BoolVar(&c.NoLoopbackLimits, "no-loopback-limits", false, "no limits per address for loopback: load tests")
	flags.StringSliceVar(&c.AllowOrigins, "allow-origin", nil, "web `origin` whose pages may connect, such as https://example.net; repeatable")
	flags.StringSliceVar(&c.TrustedProxies, "trusted-proxy", nil, "`network` of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8; repeatable")
	flags.Var((*levelValue)(&c.LogLevel), "log-level", "least `level` of the log: "+logLevels)
}

// config is the Config that defaults, environment and flags make, the later ones winning.
func (f *serveFlags) config(flags *pflag.FlagSet) (Config, error) {
	set, err := fromEnvironment(flags)
	if err != nil {
		return Config{}, err
	}
	inFile, err := fromFile(f.file, flags, set)
	if err != nil {
		return Config{}, err
	}
	f.sources = map[string]string{}
	flags.VisitAll(func(flag *pflag.Flag) {
		switch {
		case set[flag.Name]:
			f.sources[flag.Name] = "environment " + envName(flag.Name)
		case inFile[flag.Name]:
			f.sources[flag.Name] = "file " + f.file
			set[flag.Name] = true
		case flag.Changed:
			f.sources[flag.Name] = "flag --" + flag.Name
		default:
			f.sources[flag.Name] = "default"
		}
	})
	c := f.cfg
	c.LogConsole = isTerminal(os.Stderr)
	if c.Dev {
		c.QuickPlay, c.LogConsole = true, true
		if !flags.Changed("no-loopback-limits") && !set["no-loopback-limits"] {
			c.NoLoopbackLimits = true
		}
		if !flags.Changed("drain-timeout") && !set["drain-timeout"] {
			c.DrainTimeout = 0 // who presses Ctrl-C wants his terminal back
		}
	}
	c.AdminKeys = api.ParseKeys(os.Getenv("SKIRMISH_ADMIN_KEY"))
	if text := os.Getenv("SKIRMISH_TICKET_KEY"); text != "" {
		if c.TicketKeys, err = ticket.ParseKeys(text); err != nil {
			return Config{}, fmt.Errorf("SKIRMISH_TICKET_KEY: %w", err)
		}
	}
	if c.WebhookSecrets, err = webhook.ParseSecrets(os.Getenv("SKIRMISH_WEBHOOK_SECRETS")); err != nil {
		return Config{}, fmt.Errorf("SKIRMISH_WEBHOOK_SECRETS: %w", err)
	}
	return c, c.Validate()
}

// fromEnvironment gives every flag that was not set its variable's value, if there is one. An empty variable
// is none. It returns the flags it has set.
func fromEnvironment(flags *pflag.FlagSet) (set map[string]bool, err error) {
	set = make(map[string]bool)
	var faults []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := envName(f.Name)
		value := os.Getenv(name)
		if value == "" || f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		set[f.Name] = true
		if err := f.Value.Set(value); err != nil {
			faults = append(faults, fmt.Errorf("%s: %s", name, badValue(f, value, err)))
		}
	})
	return set, errors.Join(faults...)
}

func envName(flag string) string {
	return "SKIRMISH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (l commandLine) echoCommand() *cobra.Command {
	c := DefaultEcho()
	cmd := &cobra.Command{
		Use:   "echo",
		Short: "Echo WebSocket messages, to test clients and sockets",
		Long: `Echoes every text and binary message at any path, on the very same sockets and frames
as the game port: for protocol test suites, and to measure the network layer alone.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.Validate(); err != nil {
				return usageError{err}
			}
			return l.echo(cmd.Context(), c)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&c.Addr, "addr", c.Addr, "`address` to listen on, host:port")
	flags.StringVar(&c.Driver, "driver", "", "how sockets are driven, `epoll|portable`; default epoll on Linux")
	flags.Var((*bytesValue)(&c.MaxMessage), "max-message", "largest message, a `size` such as 64KiB")
	flags.Var((*levelValue)(&c.LogLevel), "log-level", "least `level` of the log: "+logLevels)
	return cmd
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"version": version(), "wire": protocol.Version, "go": runtime.Version()})
			}
			fmt.Fprintln(cmd.OutOrStdout(), version())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// noArguments refuses what is neither a flag nor a command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usageError{fmt.Errorf("unexpected argument %q: %s takes flags alone", args[0], cmd.CommandPath())}
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError{fmt.Errorf("unknown command %q, did you mean %q?", args[0], near[0])}
	}
	return usageError{fmt.Errorf("unknown command %q", args[0])}
}

// flagError makes a sentence of what is wrong with a flag.
func flagError(_ *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := e.GetFlag()
		err = fmt.Errorf("--%s: %s", f.Name, badValue(f, e.GetValue(), e.Unwrap()))
	} else if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		err = fmt.Errorf("--%s needs a value", e.GetFlag().Name)
	}
	return usageError{err}
}

// badValue is what is wrong with a flag's value, without the words of strconv.
func badValue(f *pflag.Flag, value string, err error) string {
	switch f.Value.Type() {
	case "bool":
		return fmt.Sprintf("%q is neither true nor false", value)
	case "duration":
		return fmt.Sprintf("%q is no time: want one such as 90s or 10m", value)
	case "int":
		return fmt.Sprintf("%q is not a whole number", value)
	}
	return err.Error()
}

// levelValue is a log level as a flag.
type levelValue zerolog.Level

func (v *levelValue) String() string { return zerolog.Level(*v).String() }
func (v *levelValue) Type() string   { return "level" }

func (v *levelValue) Set(text string) error {
	for l := zerolog.TraceLevel; l <= zerolog.ErrorLevel; l++ {
		if text == l.String() {
			*v = levelValue(l)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", text, logLevels)
}

// bytesValue is a size as a flag.
type bytesValue int64

func (v *bytesValue) String() string { return formatBytes(int64(*v)) }
func (v *bytesValue) Type() string   { return "size" }

func (v *bytesValue) Set(text string) error {
	n, err := parseBytes(text)
	if err == nil {
		*v = bytesValue(n)
	}
	return err
}

// isTerminal is true where somebody reads along.
func isTerminal(f *os.File) bool {
	s, err := f.Stat()
	return err == nil && s.Mode()&os.ModeCharDevice != 0
}

func gameNames(games []game.Game) string {
	names := make([]string, len(games))
	for i, g := range games {
		names[i] = g.Spec().Name
	}
	if len(names) == 0 {
		return "no game at all: give some to node.Main"
	}
	return strings.Join(names, ", ")
}

func firstGame(games []game.Game) string {
	if len(games) == 0 {
		return api.DefaultGame
	}
	return games[0].Spec().Name
}
