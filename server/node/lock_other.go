//go:build !unix

package node

import "os"

// lockFile has nothing to offer here: the operator sees to it that a folder has one server.
func lockFile(*os.File) error { return nil }
