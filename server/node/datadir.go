package node

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"skirmish/server/ticket"
)

// errInUse says that another server has the folder.
var errInUse = errors.New("another server uses this folder; stop it or choose another one with --data-dir")

// lockDataDir makes the folder and takes it for this process. The system lets go of it when the process ends, however it ends.
func lockDataDir(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, errInUse
	}
	return func() { f.Close() }, nil
}

// Files of the folder that tell who the node is. They are made when they are missing, and then stay.
const (
	nodeIDFile    = "node-id"    // as tickets, results and webhooks name it
	storeIDFile   = "store-id"   // tells the streams of several nodes apart on one NATS
	ticketKeyFile = "ticket-key" // signs tickets and resume tokens where no other key is configured
)

func nodeID(dir string) (string, error) {
	return kept(dir, nodeIDFile, func() string { return "n-" + newID()[:12] })
}

func storeID(dir string) (string, error) {
	return kept(dir, storeIDFile, func() string { return strings.ToUpper(newID()[:12]) })
}

// ownTicketKey is the file with the node's own key, for ticketKeys. A player's resume token must outlive the process, so the key
// does.
func ownTicketKey(dir string) (file string, err error) {
	_, err = kept(dir, ticketKeyFile, func() string {
		var id [4]byte
		var secret [ticket.MinSecret]byte
		rand.Read(id[:]) // never fails: see crypto/rand
		rand.Read(secret[:])
		return "r" + hex.EncodeToString(id[:]) + ":" + hex.EncodeToString(secret[:])
	})
	return filepath.Join(dir, ticketKeyFile), err
}

// kept is what a file of the folder holds, made by fresh when there is none. It is on the disk before anybody hears of it.
func kept(dir, name string, fresh func() string) (string, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if text := strings.TrimSpace(string(b)); err == nil && text != "" {
		return text, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	text := fresh()
	f, err := os.CreateTemp(dir, "new-*") // with mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	return text, nil
}
