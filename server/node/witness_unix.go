//go:build unix

package node

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile makes a file of so many zeros and maps it into memory, for good. One that was there is left to whoever has mapped it.
func mapFile(path string, size int) ([]byte, error) {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return b, os.Rename(next, path)
}
