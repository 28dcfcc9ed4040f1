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

	"skirmish/server/ticket"
)

// keysLook is how often the file of the ticket keys is looked at.
const keysLook = 2 * time.Second

// maxKeysFile bounds that file, in bytes.
const maxKeysFile = 64 << 10

// readKeys makes the keyring of a file, if name is not empty, and of further keys, which come behind those of the file.
func readKeys(name string, more []ticket.Key) (*ticket.Keyring, error) {
	if name == "" {
		return ticket.NewKeyring(more...)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxKeysFile {
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxKeysFile)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var parts []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.Trim(line, " \t\r\n,"); line != "" {
			parts = append(parts, line)
		}
	}
	if len(parts) == 0 {
		return nil, errors.New("there is no key in " + name)
	}
	keys, err := ticket.ParseKeys(strings.Join(parts, ","))
	if err != nil {
		return nil, err
	}
	ring, err := ticket.NewKeyring(append(keys, more...)...)
	if err != nil {
		return nil, err
	}
	if !ring.CanSign() {
		return nil, errors.New("the first key signs tickets and cannot be a public one")
	}
	return ring, nil
}

// keyFile is a keyring that follows its file.
type keyFile struct {
	name  string // "": there is none
	more  []ticket.Key
	own   bool // the file is the node's own
	log   zerolog.Logger
	ring  atomic.Pointer[ticket.Keyring]
	stamp time.Time
	size  int64
}

// read makes the keyring of what the file holds now.
func (k *keyFile) read() error {
	ring, err := readKeys(k.name, k.more)
	if err == nil {
		k.ring.Store(ring)
	}
	return err
}

// watch reads the file again when it has changed and on SIGHUP, until ctx is done. A file that cannot be read changes nothing.
func (k *keyFile) watch(ctx context.Context) {
	if k.name == "" {
		return
	}
	hangup := make(chan os.Signal, 1)
	if hangupSignal != nil {
		signal.Notify(hangup, hangupSignal)
		defer signal.Stop(hangup)
	}
	look := time.NewTicker(keysLook)
	defer look.Stop()
	k.changed()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			k.changed()
		case <-look.C:
			if !k.changed() {
				continue
			}
		}
		if err := k.read(); err != nil {
			k.log.Error().Err(err).Msg("the file of the ticket keys cannot be read, the old keys stay")
			continue
		}
		k.log.Info().Stringer("keys", k.ring.Load()).Msg("the ticket keys were read anew")
	}
}

// changed tells whether the file is another than at the last call.
func (k *keyFile) changed() bool {
	info, err := os.Stat(k.name)
	if err != nil || info.ModTime().Equal(k.stamp) && info.Size() == k.size {
		return false
	}
	k.stamp, k.size = info.ModTime(), info.Size()
	return true
}
