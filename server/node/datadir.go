package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// storeID is the name of the store that belongs to the folder, made when there is none.
func storeID(dir string) (string, error) {
	name := filepath.Join(dir, "store-id")
	b, err := os.ReadFile(name)
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	id := strings.ToUpper(newID()[:12])
	if err := os.WriteFile(name, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the name of the store: %w", err)
	}
	return id, nil
}
