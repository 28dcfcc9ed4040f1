package netpoll

import "errors"

// Mistakes of the caller.
var (
	errForeign  = errors.New("netpoll: that belongs to another driver")
	errInSet    = errors.New("netpoll: the connection is in a set already")
	errNotInSet = errors.New("netpoll: the connection is not in this set")
	errListens  = errors.New("netpoll: the set watches a listener already")
	errFinished = errors.New("netpoll: write after CloseWrite")
)
