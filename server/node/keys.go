package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/api"
	"skirmish/server/ticket"
	"skirmish/server/webhook"
)

// keysLook is how often the files of the keys are looked at.
const keysLook = 2 * time.Second

// maxKeysFile bounds such a file, in bytes.
const maxKeysFile = 64 << 10

// secrets are the keys of a node as their files say at the moment.
type secrets struct {
	tickets *keyFile[*ticket.Keyring]
	admin   *keyFile[[]api.Key]
	hooks   *keyFile[webhook.Secrets]
	own     bool // the tickets' key is the node's own
}

// openSecrets reads the keys of a configuration.
func openSecrets(cfg *Config, log zerolog.Logger) (s *secrets, err error) {
	s = &secrets{own: !cfg.hasTicketKeys()}
	file := cfg.TicketKeysFile
	if s.own {
		if file, err = ownTicketKey(cfg.DataDir); err != nil {
			return nil, err
		}
	}
	var faults [3]error
	s.tickets, faults[0] = openKeyFile(file, "ticket keys", func() (*ticket.Keyring, error) { return ticketKeys(file, cfg.TicketKeys) }, log)
	s.admin, faults[1] = openKeyFile(cfg.AdminKeysFile, "admin keys", cfg.adminKeys, log)
	s.hooks, faults[2] = openKeyFile(cfg.WebhookSecretsFile, "webhook secrets", cfg.webhookSecrets, log)
	return s, errors.Join(faults[:]...)
}

// watch reads the files again when they have changed and on SIGHUP, until ctx is done.
func (s *secrets) watch(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	if hangupSignal != nil {
		signal.Notify(hangup, hangupSignal)
		defer signal.Stop(hangup)
	}
	look := time.NewTicker(keysLook)
	defer look.Stop()
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			asked = true
		case <-look.C:
		}
		s.tickets.look(asked)
		s.admin.look(asked)
		s.hooks.look(asked)
	}
}

// keyFile is what a file of keys holds. One goroutine looks at it; get is safe from any.
type keyFile[T any] struct {
	name string // empty: there is none, and the keys stay what they are
	what string // for the log
	read func() (T, error)
	log  zerolog.Logger

	keys  atomic.Pointer[T]
	stamp time.Time
	size  int64
}

func openKeyFile[T any](name, what string, read func() (T, error), log zerolog.Logger) (*keyFile[T], error) {
	k := &keyFile[T]{name: name, what: what, read: read, log: log}
	k.changed()
	keys, err := read()
	if err != nil {
		return nil, fmt.Errorf("the %s: %w", what, err)
	}
	k.keys.Store(&keys)
	return k, nil
}

func (k *keyFile[T]) get() T { return *k.keys.Load() }

// look reads the file when it has changed, or when asked to. One that cannot be read changes nothing.
func (k *keyFile[T]) look(asked bool) {
	if k.name == "" || !k.changed() && !asked {
		return
	}
	keys, err := k.read()
	if err != nil {
		k.log.Error().Err(err).Str("file", k.name).Msg("the file of the " + k.what + " cannot be read, the old ones stay")
		return
	}
	k.keys.Store(&keys)
	k.log.Info().Str("file", k.name).Msg("the " + k.what + " were read anew")
}

// changed tells whether the file is another than at the last call.
func (k *keyFile[T]) changed() bool {
	if k.name == "" {
		return false
	}
	info, err := os.Stat(k.name)
	if err != nil || info.ModTime().Equal(k.stamp) && info.Size() == k.size {
		return false
	}
	k.stamp, k.size = info.ModTime(), info.Size()
	return true
}

// readKeys is what a file of keys says, as the environment would: with commas between them. A file has one key to a line;
// '#' begins a comment, at the start of a line or behind a space.
func readKeys(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.Size() > maxKeysFile {
		return "", fmt.Errorf("%s has more than %d bytes", name, maxKeysFile)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	var keys []string
	for line := range strings.Lines(string(text)) {
		for _, comment := range []string{" #", "\t#"} {
			line, _, _ = strings.Cut(line, comment)
		}
		if line = strings.Trim(line, " \t\r\n,"); line != "" && line[0] != '#' {
			keys = append(keys, line)
		}
	}
	if len(keys) == 0 {
		return "", errors.New("there is no key in " + name)
	}
	return strings.Join(keys, ","), nil
}

// ticketKeys makes the keyring of a file, if name is not empty, and of further keys, which come behind those of the file.
func ticketKeys(name string, more []ticket.Key) (*ticket.Keyring, error) {
	keys := more
	if name != "" {
		text, err := readKeys(name)
		if err != nil {
			return nil, err
		}
		inFile, err := ticket.ParseKeys(text)
		if err != nil {
			return nil, err
		}
		keys = append(inFile, more...)
	}
	ring, err := ticket.NewKeyring(keys...)
	if err != nil {
		return nil, err
	}
	if !ring.CanSign() {
		return nil, errors.New("the first key signs tickets and cannot be a public one")
	}
	return ring, nil
}

// adminKeys are those of AdminKeysFile and AdminKeys, if the admin port may be where it is with them.
func (c *Config) adminKeys() ([]api.Key, error) {
	keys := c.AdminKeys
	if c.AdminKeysFile != "" {
		text, err := readKeys(c.AdminKeysFile)
		if err != nil {
			return nil, err
		}
		keys = append(api.ParseKeys(text), keys...)
	}
	host, err := splitAddr(c.AdminAddr)
	if err != nil || isLoopback(host) {
		return keys, nil // what is wrong with the address is said elsewhere
	}
	for i, k := range keys {
		if k.Len() < MinAdminKeyBytes {
			return nil, fmt.Errorf("key %d has %d bytes; off loopback (--admin-addr %q) it must have at least %d", i+1, k.Len(), c.AdminAddr, MinAdminKeyBytes)
		}
	}
	return keys, nil
}

// webhookSecrets are those of WebhookSecretsFile and WebhookSecrets.
func (c *Config) webhookSecrets() (webhook.Secrets, error) {
	all := c.WebhookSecrets
	if c.WebhookSecretsFile != "" {
		text, err := readKeys(c.WebhookSecretsFile)
		if err != nil {
			return webhook.Secrets{}, err
		}
		inFile, err := webhook.ParseSecrets(text)
		if err != nil {
			return webhook.Secrets{}, err
		}
		all = inFile.And(all)
	}
	if c.WebhookURL != "" && !all.Has(c.WebhookSecretID) {
		return webhook.Secrets{}, fmt.Errorf("there is no secret %q, which --webhook-secret-id names", c.WebhookSecretID)
	}
	return all, nil
}
