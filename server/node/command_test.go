package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/server/webhook"
)

// asked is what a command line made of its arguments.
type asked struct {
	serve *Config
	echo  *EchoConfig
	games int
}

// typed runs a command line that notes what it is asked for.
func typed(t *testing.T, result error, args ...string) (got asked, code int, stdout, stderr string) {
	t.Helper()
	l := commandLine{
		serve: func(_ context.Context, c Config, games ...game.Game) error {
			got.serve, got.games = &c, len(games)
			return result
		},
		echo: func(_ context.Context, c EchoConfig) error {
			got.echo = &c
			return result
		},
	}
	var out, errs bytes.Buffer
	code = execute(t.Context(), l.root(nil), args, &out, &errs)
	return got, code, out.String(), errs.String()
}

func TestDefaultsReachTheNode(t *testing.T) {
	for _, args := range [][]string{nil, {"serve"}} {
		got, code, _, stderr := typed(t, nil, args...)
		if code != 0 || stderr != "" || got.serve == nil {
			t.Fatalf("%v: exit %d, %s", args, code, stderr)
		}
		want := Default()
		want.LogConsole = got.serve.LogConsole // depends on the terminal
		if !reflect.DeepEqual(*got.serve, want) {
			t.Errorf("%v:\ngot  %+v\nwant %+v", args, *got.serve, want)
		}
	}
	got, code, _, _ := typed(t, nil, "echo")
	if code != 0 || got.echo == nil || *got.echo != DefaultEcho() {
		t.Errorf("echo: exit %d, %+v", code, got.echo)
	}
}

func TestDevIsForDevelopers(t *testing.T) {
	got, _, stdout, stderr := typed(t, nil, "--dev")
	if c := got.serve; c == nil || !c.Dev || !c.QuickPlay || !c.LogConsole || !c.NoLoopbackLimits || c.DrainTimeout != 0 {
		t.Errorf("--dev gives %+v", got.serve)
	}
	if stdout+stderr != "" {
		t.Errorf("--dev prints %q %q", stdout, stderr)
	}
	got, _, _, _ = typed(t, nil, "--dev", "--no-loopback-limits=false")
	if got.serve.NoLoopbackLimits {
		t.Error("--no-loopback-limits=false loses against --dev")
	}
	t.Setenv("SKIRMISH_NO_LOOPBACK_LIMITS", "false")
	got, _, _, _ = typed(t, nil, "--dev")
	if got.serve.NoLoopbackLimits {
		t.Error("SKIRMISH_NO_LOOPBACK_LIMITS=false loses against --dev")
	}
	got, _, _, _ = typed(t, nil)
	if got.serve.QuickPlay || got.serve.Dev {
		t.Error("quick play is on without --dev")
	}
}

func TestFlagsReachTheNode(t *testing.T) {
	got, code, _, stderr := typed(t, nil, "serve", "--addr", "127.0.0.1:0", "--admin-addr=[::1]:9", "--data-dir", "d", "--driver", "portable",
		"--public-url", "wss://play.example.net/play", "--max-connections", "7", "--no-loopback-limits",
		"--allow-origin", "https://a.example", "--allow-origin", "https://b.example:8443", "--log-level", "warn", "--trusted-proxy", "10.0.0.0/8,192.0.2.7",
		"--nats-url", "nats://n.example:4222", "--store-bytes", "64MiB", "--webhook-event", "match.ended", "--drain-timeout", "90s", "--durability", "off")
	if code != 0 {
		t.Fatal(stderr)
	}
	want := Config{
		Addr: "127.0.0.1:0", AdminAddr: "[::1]:9", DataDir: "d", Driver: "portable", PublicURL: "wss://play.example.net/play",
		MaxConnections: 7, NoLoopbackLimits: true, AllowOrigins: []string{"https://a.example", "https://b.example:8443"},
		TrustedProxies: []string{"10.0.0.0/8", "192.0.2.7"},
		LogLevel:       zerolog.WarnLevel, LogConsole: got.serve.LogConsole,
		NATSURL: "nats://n.example:4222", StoreBytes: 64 << 20, ReplayBytes: DefaultReplayBytes, WebhookEvents: []string{"match.ended"}, Webhooks: webhook.Default(), DrainTimeout: 90 * time.Second, Durability: DurabilityOff,
	}
	if !reflect.DeepEqual(*got.serve, want) {
		t.Errorf("got  %+v\nwant %+v", *got.serve, want)
	}
	got, _, _, _ = typed(t, nil, "echo", "--addr", "127.0.0.1:9009", "--driver", "portable", "--max-message", "64KiB")
	if want := (EchoConfig{"127.0.0.1:9009", "portable", 64 << 10, zerolog.InfoLevel}); *got.echo != want {
		t.Errorf("got  %+v\nwant %+v", *got.echo, want)
	}
}

func TestEnvironmentStandsInForFlags(t *testing.T) {
	t.Setenv("SKIRMISH_ADDR", "127.0.0.1:1")
	t.Setenv("SKIRMISH_DATA_DIR", "from-env")
	t.Setenv("SKIRMISH_MAX_CONNECTIONS", "77")
	t.Setenv("SKIRMISH_ALLOW_ORIGIN", "https://a.example,https://b.example")
	t.Setenv("SKIRMISH_LOG_LEVEL", "debug")
	t.Setenv("SKIRMISH_DRIVER", "")
	t.Setenv("SKIRMISH_ADMIN_KEY", "one, two")
	t.Setenv("SKIRMISH_TICKET_KEY", "k1:"+strings.Repeat("ab", 32))
	got, code, _, stderr := typed(t, nil, "--data-dir", "from-flag")
	if code != 0 {
		t.Fatal(stderr)
	}
	c := got.serve
	if c.Addr != "127.0.0.1:1" || c.DataDir != "from-flag" || c.MaxConnections != 77 || len(c.AllowOrigins) != 2 ||
		c.LogLevel != zerolog.DebugLevel || len(c.AdminKeys) != 2 || len(c.TicketKeys) != 1 || c.TicketKeys[0].ID != "k1" {
		t.Errorf("got %+v", *c)
	}
	if text := fmt.Sprintf("%v %+v %#v", *c, *c, *c); strings.Contains(text, "two") || strings.Contains(text, "abab") || strings.Contains(text, "0xab, 0xab") {
		t.Errorf("a printed Config shows a secret: %s", text)
	}
	if got, _, _, _ := typed(t, nil, "echo"); got.echo.Addr != DefaultEchoAddr {
		t.Errorf("the echo listens on %s, the node's address", got.echo.Addr)
	}
}

func TestWrongUseIsOneSentenceAndExit2(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"--foo", "server: unknown flag: --foo\nSee \"server --help\".\n"},
		{"-x", "server: unknown shorthand flag: 'x' in -x\nSee \"server --help\".\n"},
		{"--addr", "server: --addr needs a value\nSee \"server --help\".\n"},
		{"--max-connections many", "server: --max-connections: \"many\" is not a whole number\nSee \"server --help\".\n"},
		{"--durability none", "server: --durability: \"none\" is neither off nor journal\n"},
		{"--drain-timeout -1s", "server: --drain-timeout -1s: must be 0s to 24h0m0s\n"},
		{"--drain-timeout ten", "server: --drain-timeout: \"ten\" is no time: want one such as 90s or 10m\n"},
		{"--max-connections 0", "server: --max-connections 0: must be 1 to 1000000\nSee \"server --help\".\n"},
		{"--dev=perhaps", "server: --dev: \"perhaps\" is neither true nor false\nSee \"server --help\".\n"},
		{"--log-level loud", "server: --log-level: \"loud\" is none of trace, debug, info, warn, error\nSee \"server --help\".\n"},
		{"--driver kqueue", "server: --driver: \"kqueue\" is neither epoll nor portable\nSee \"server --help\".\n"},
		{"--addr 7350", "server: --addr \"7350\": want host:port or :port\nSee \"server --help\".\n"},
		{"--addr :70000", "server: --addr \":70000\": the port must be a number from 0 to 65535\nSee \"server --help\".\n"},
		{"--admin-addr :7351", "server: --admin-addr \":7351\" is not on loopback: set SKIRMISH_ADMIN_KEY to a secret of at least 32 bytes, or listen on 127.0.0.1:7351\nSee \"server --help\".\n"},
		{"--tls-cert missing.pem", "server: --tls-cert and --tls-key: give both or none\nserver: --tls-cert: "},
		{"--public-url http://x/", "server: --public-url \"http://x/\": want ws://host/play or wss://host/play\nSee \"server --help\".\n"},
		{"--allow-origin example.net", "server: --allow-origin \"example.net\": want scheme://host"},
		{"--data-dir=", "server: --data-dir: must not be empty\n"},
		{"--addr 1 --max-connections -1", "server: --addr \"1\": want host:port or :port\nserver: --max-connections -1: must be"},
		{"serv", "server: unknown command \"serv\", did you mean \"serve\"?\nSee \"server --help\".\n"},
		{"dance", "server: unknown command \"dance\"\nSee \"server --help\".\n"},
		{"serve now", "server: unexpected argument \"now\": server serve takes flags alone\nSee \"server serve --help\".\n"},
		{"version please", "server: unexpected argument \"please\": server version takes flags alone\n"},
		{"echo --dev", "server: unknown flag: --dev\nSee \"server echo --help\".\n"},
		{"echo --max-message 16MB", "server: --max-message: \"16MB\" is no size: want a number of bytes, KiB, MiB or GiB, such as 16MiB\nSee \"server echo --help\".\n"},
		{"echo --max-message 0", "server: --max-message: must be 1 byte to 1GiB\n"},
		{"echo --max-message 9999999GiB", "server: --max-message: must be 1 byte to 1GiB\n"},
		{"echo --addr nowhere", "server: --addr \"nowhere\": want host:port or :port\n"},
	} {
		got, code, stdout, stderr := typed(t, nil, strings.Fields(c.args)...)
		if code != 2 || stdout != "" || got.serve != nil || got.echo != nil {
			t.Errorf("%s: exit %d, ran %v, stdout %q", c.args, code, got, stdout)
		}
		if !strings.HasPrefix(stderr, c.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", c.args, stderr, c.want)
		}
	}
}

func TestWrongEnvironmentIsExit2(t *testing.T) {
	for name, c := range map[string]struct{ value, want string }{
		"SKIRMISH_MAX_CONNECTIONS": {"x", "server: SKIRMISH_MAX_CONNECTIONS: \"x\" is not a whole number\n"},
		"SKIRMISH_DEV":             {"yes", "server: SKIRMISH_DEV: \"yes\" is neither true nor false\n"},
		"SKIRMISH_LOG_LEVEL":       {"loud", "server: SKIRMISH_LOG_LEVEL: \"loud\" is none of"},
		"SKIRMISH_TICKET_KEY":      {"k1:secretsecret", "server: SKIRMISH_TICKET_KEY: key 1: ticket: invalid key \"k1\": the secret is not an even number of hex digits\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, c.value)
			_, code, _, stderr := typed(t, nil)
			if code != 2 || !strings.HasPrefix(stderr, c.want) || strings.Contains(stderr, "secretsecret") {
				t.Errorf("exit %d\ngot  %q\nwant %q", code, stderr, c.want)
			}
		})
	}
}

func TestAdminKeyOffLoopback(t *testing.T) {
	t.Setenv("SKIRMISH_ADMIN_KEY", strings.Repeat("k", 31)+","+strings.Repeat("l", 32))
	_, code, _, stderr := typed(t, nil, "--admin-addr", "0.0.0.0:7351")
	if want := "server: SKIRMISH_ADMIN_KEY: key 1 has 31 bytes; off loopback (--admin-addr \"0.0.0.0:7351\") it must have at least 32\n"; code != 2 || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if _, code, _, stderr = typed(t, nil, "--admin-addr", "localhost:7351"); code != 0 {
		t.Errorf("on loopback a short key is refused: %s", stderr)
	}
	t.Setenv("SKIRMISH_ADMIN_KEY", strings.Repeat("l", 32))
	if _, code, _, stderr = typed(t, nil, "--admin-addr", "0.0.0.0:7351"); code != 0 {
		t.Errorf("off loopback a long key is refused: %s", stderr)
	}
}

func TestRunTimeFailureIsExit1(t *testing.T) {
	_, code, stdout, stderr := typed(t, errors.New("the disk is full: free some"), "--dev")
	if code != 1 || stdout != "" || stderr != "server: the disk is full: free some\n" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestPortInUseNamesAddressAndFlag(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	addr := busy.Addr().String()
	data := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		flag string
		args []string
	}{
		{"--addr", []string{"--addr", addr, "--admin-addr", "127.0.0.1:0", "--data-dir", data, "--log-level", "error"}},
		{"--admin-addr", []string{"--addr", "127.0.0.1:0", "--admin-addr", addr, "--data-dir", data, "--log-level", "error"}},
		{"--addr", []string{"echo", "--addr", addr, "--log-level", "error"}},
	} {
		var stdout, stderr bytes.Buffer
		code := execute(t.Context(), Command(), c.args, &stdout, &stderr)
		text := stderr.String()
		if code != 1 || strings.Count(text, "\n") != 1 || !strings.Contains(text, addr) || !strings.Contains(text, c.flag) || !strings.Contains(text, "in use") {
			t.Errorf("%v: exit %d: %s", c.args, code, text)
		}
	}
}

func TestEndOfTheContextIsExit0(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := commandLine{serve: func(ctx context.Context, _ Config, _ ...game.Game) error {
		cancel() // SIGTERM
		<-ctx.Done()
		return nil
	}}
	var stdout, stderr bytes.Buffer
	if code := execute(ctx, l.root(nil), nil, &stdout, &stderr); code != 0 || stdout.Len()+stderr.Len() > 0 {
		t.Errorf("exit %d, %q, %q", code, stdout.String(), stderr.String())
	}
}

func TestVersionAndHelpGoToStdout(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		_, code, stdout, stderr := typed(t, nil, args...)
		if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "skirmish ") || !strings.Contains(stdout, runtime.Version()) || strings.Count(stdout, "\n") != 1 {
			t.Errorf("%v: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
	for args, want := range map[string][]string{
		"--help":       {"server --dev", "SKIRMISH_ADMIN_KEY", "SKIRMISH_TICKET_KEY", "POST /v1/matches", "--max-connections", `(default ":7350")`, "echo"},
		"help":         {"server --dev"},
		"serve --help": {"server serve --dev", "--admin-addr"},
		"echo --help":  {"--max-message", "(default 16MiB)", `"127.0.0.1:9001"`},
		"help echo":    {"--max-message"},
	} {
		_, code, stdout, stderr := typed(t, nil, strings.Fields(args)...)
		if code != 0 || stderr != "" || strings.Contains(stdout, "{{") {
			t.Errorf("%s: exit %d, %q", args, code, stderr)
		}
		for _, w := range want {
			if !strings.Contains(stdout, w) {
				t.Errorf("%s lacks %q:\n%s", args, w, stdout)
			}
		}
	}
}
