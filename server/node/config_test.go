package node

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"skirmish/server/ticket"
)

func TestDefaultIsValid(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	e := DefaultEcho()
	if err := e.Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidateTellsAllFaultsAtOnce(t *testing.T) {
	c := Config{Addr: "x", AdminAddr: "y", Driver: "z", TLSKey: "k", PublicURL: "p", AllowOrigins: []string{"o"}, TrustedProxies: []string{"nearby"}, LogLevel: zerolog.Disabled}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, flag := range []string{"--addr", "--admin-addr", "--data-dir", "--driver", "--tls-cert", "--tls-key", "--public-url", "--allow-origin", "--trusted-proxy", "--max-connections", "--log-level"} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not named in\n%v", flag, err)
		}
	}
	e := EchoConfig{Addr: "x", Driver: "z", LogLevel: zerolog.Disabled}
	err = e.Validate()
	for _, flag := range []string{"--addr", "--driver", "--max-message", "--log-level"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not named in\n%v", flag, err)
		}
	}
}

func TestTLSGoesByThePortableDriver(t *testing.T) {
	pem := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(pem, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.TLSCert, c.TLSKey = pem, pem
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if got := c.ChooseDriver(); got != DriverPortable {
		t.Errorf("TLS goes by %s", got)
	}
	c.Driver = DriverEpoll
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "--driver: epoll ") {
		t.Errorf("epoll with TLS: %v", err)
	}
	c = Default()
	if got := c.ChooseDriver(); (got == DriverEpoll) != (runtime.GOOS == "linux") {
		t.Errorf("the default driver is %s", got)
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "example.net:1": false, "localhost.example.net:1": false,
	} {
		host, err := splitAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := isLoopback(host); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "4096": 4096, "1B": 1, "64KiB": 64 << 10, "16MiB": 16 << 20, "1GiB": 1 << 30,
		"": -1, "KiB": -1, "1K": -1, "1MB": -1, "1 MiB": -1, "-1": -1, "1.5MiB": -1, "9223372036854775807KiB": -1, "1KiBKiB": -1,
	} {
		got, err := parseBytes(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for n, want := range map[int64]string{0: "0", 1: "1", 1000: "1000", 1024: "1KiB", 16 << 20: "16MiB", 3 << 30: "3GiB", 1<<20 + 1: "1048577"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestTicketKeyMustSign(t *testing.T) {
	c := Default()
	var err error
	if c.TicketKeys, err = ticket.ParseKeys("p:ed25519-public:" + strings.Repeat("00", 32)); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "SKIRMISH_TICKET_KEY: the first key signs") {
		t.Errorf("a public key alone: %v", err)
	}
}
