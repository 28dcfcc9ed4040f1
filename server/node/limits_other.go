//go:build !unix

package node

// openFiles is how many descriptors this process may have; 0 when unknown.
func openFiles() int { return 0 }
