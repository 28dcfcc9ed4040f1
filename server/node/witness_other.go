//go:build !unix

package node

import "errors"

func mapFile(string, int) ([]byte, error) {
	return nil, errors.New("this system does not map files")
}
